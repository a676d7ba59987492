"""Which reloads are owed, and that they are done however a process ends: real processes."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import signal
import subprocess
import sys
import time

import pytest
from certbot import errors

from certbot_jprs.validation.reloads import Reloads


class Plugin:
    """Stands for a plugin object for a web server."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
        self.restarts = 0

    def restart(self) -> None:
        self.restarts += 1
        if self.error is not None:
            raise self.error

    def cleanup(self) -> None:
        self.restart()


def owe(reloads: Reloads, plugin: Plugin, server: str = "one") -> None:
    with reloads.put_off(plugin, server):
        plugin.cleanup()


def test_what_is_put_off_is_done_once() -> None:
    reloads, plugin = Reloads(), Plugin()
    owe(reloads, plugin)
    assert plugin.restarts == 0
    reloads.settle()
    reloads.settle()
    assert plugin.restarts == 1
    assert not reloads.failed


def test_the_plugin_reloads_by_itself_afterwards() -> None:
    reloads, plugin = Reloads(), Plugin()
    owe(reloads, plugin)
    plugin.restart()
    assert plugin.restarts == 1


def test_a_clean_up_that_fails_leaves_the_plugin_as_it_was() -> None:
    reloads, plugin = Reloads(), Plugin()
    with pytest.raises(errors.PluginError), reloads.put_off(plugin, "one"):
        raise errors.PluginError
    plugin.restart()
    reloads.settle()
    assert plugin.restarts == 1


def test_what_was_done_is_not_owed() -> None:
    reloads, plugin = Reloads(), Plugin()
    owe(reloads, plugin)
    reloads.done("one")
    reloads.settle()
    assert plugin.restarts == 0


def test_one_reload_for_each_server() -> None:
    reloads, older, newer, other = Reloads(), Plugin(), Plugin(), Plugin()
    owe(reloads, older)
    owe(reloads, newer)
    owe(reloads, other, "another")
    reloads.settle()
    assert [each.restarts for each in (older, newer, other)] == [0, 1, 1]


def test_the_one_that_is_about_to_be_reloaded_is_spared() -> None:
    reloads, plugin, other = Reloads(), Plugin(), Plugin()
    owe(reloads, plugin)
    owe(reloads, other, "another")
    reloads.settle(spared="one")
    assert [plugin.restarts, other.restarts] == [0, 1]
    reloads.settle()
    assert [plugin.restarts, other.restarts] == [1, 1]


def test_what_fails_is_said_and_keeps_no_other_back(caplog: pytest.LogCaptureFixture) -> None:
    reloads, broken, other = Reloads(), Plugin(errors.MisconfigurationError("Broken")), Plugin()
    owe(reloads, broken)
    owe(reloads, other, "another")
    with caplog.at_level(logging.ERROR):
        reloads.settle()
        reloads.settle()
    assert [broken.restarts, other.restarts] == [1, 1]
    assert [record.getMessage().splitlines()[-1] for record in caplog.records] == ["Broken"]
    assert reloads.failed


def test_ctrl_c_in_the_middle_leaves_it_owed() -> None:
    reloads, plugin = Reloads(), Plugin(KeyboardInterrupt())
    owe(reloads, plugin)
    with pytest.raises(KeyboardInterrupt):
        reloads.settle()
    plugin.error = None
    reloads.settle()
    assert plugin.restarts == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("error", [None, errors.MisconfigurationError("Broken"), OSError()])
def test_a_signal_ends_the_process_whatever_becomes_of_the_reload(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals, error: Exception | None
) -> None:
    """In this process, which lives on; the processes below end."""
    sent: list[tuple[int, int]] = []
    before = {each: signal.signal(each, signal.SIG_DFL) for each in (number, signal.SIGTERM)}
    monkeypatch.setattr(os, "kill", lambda process, which: sent.append((process, which)))
    reloads, plugin = Reloads(), Plugin(error)
    try:
        reloads.guard()
        owe(reloads, plugin)
        with contextlib.suppress(OSError):
            signal.raise_signal(number)
        assert plugin.restarts == 1
        assert sent == [(os.getpid(), number)]
        assert signal.getsignal(number) is signal.SIG_DFL  # so that it ends now
    finally:
        atexit.unregister(reloads.settle)
        for each, handler in before.items():
            signal.signal(each, handler)


SCRIPT = """\
import os, signal, sys, threading
from certbot_jprs.validation.reloads import Reloads

class Plugin:
    def restart(self):
        print("reloaded", flush=True)

plugin, reloads = Plugin(), Reloads()
{before}
reloads.guard()
reloads.guard()
with reloads.put_off(plugin, "one"):
    plugin.restart()
print("owed", flush=True)
{end}
"""


def run(end: str, before: str = "") -> tuple[int, str]:
    """Runs a process that owes a reload, to the end that is meant for it."""
    command = (sys.executable, "-c", SCRIPT.format(end=end, before=before))
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("raise KeyboardInterrupt", -signal.SIGINT),
        ("raise OSError", 1),
        ("os.kill(os.getpid(), signal.SIGTERM); signal.pause()", -signal.SIGTERM),
        ("os.kill(os.getpid(), signal.SIGHUP); signal.pause()", -signal.SIGHUP),
    ],
)
def test_it_is_done_however_the_process_ends(end: str, status: int) -> None:
    assert run(end) == (status, "owed\nreloaded\n")


def test_the_twin_sigkill() -> None:
    assert run("os.kill(os.getpid(), signal.SIGKILL)") == (-signal.SIGKILL, "owed\n")


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    ignore = "signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    end = "os.kill(os.getpid(), signal.SIGHUP); print('goes on', flush=True)"
    assert run(end, ignore) == (0, "owed\ngoes on\nreloaded\n")


def test_files_wait_until_what_was_begun_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    now, slept = [1000.0], list[float]()
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", slept.append)
    reloads = Reloads()
    reloads.wait()
    owe(reloads, Plugin())
    reloads.settle()  # one second later there are two left, three later none
    for now[0] in (1001.0, 1003.0, 1010.0):
        reloads.wait()
    reloads.begun()
    reloads.wait()
    assert slept == [0, 2, 0, 0, 3]


def test_where_certbots_own_handler_puts_back_what_was_there() -> None:
    end = (
        "from certbot._internal.error_handler import ExitHandler\n"
        "with ExitHandler(lambda: print('cleaned up', flush=True)):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "signal.pause()"
    )
    assert run(end) == (-signal.SIGTERM, "owed\ncleaned up\nreloaded\n")


def test_outside_the_main_thread_the_exit_alone_is_guarded() -> None:
    before = "thread = threading.Thread(target=reloads.guard); thread.start(); thread.join()"
    assert run("", before) == (0, "owed\nreloaded\n")
