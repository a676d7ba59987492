"""The line about each release in the journal or syslog, and a machine that has neither."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.e2e.held import FORCE, NAME, RENEW, hook, serials, served
from tests.e2e.helpers import CONTACT, QUICK
from tests.e2e.helpers import NAME as PLUGIN
from tests.e2e.needs import needs_namespace
from tests.e2e.waiting import saved_at
from tests.lab import Result, World, fleet, subject

DEVICES = """
mkdir -p /run/tmp/devices
mount --rbind /dev /run/tmp/devices
mount -t tmpfs -o mode=755 devices /dev
for device in /run/tmp/devices/*; do ln -s $device /dev/; done
rm -f /dev/log
{log}
exec "$@"
"""
"""A /dev of the command's own, in which only ``log`` differs."""

pytestmark = needs_namespace("it mounts a /dev")

SOCKET = "/run/tmp/syslog"


class Syslog:
    """What stands for the journal: it keeps what it is sent."""

    def __init__(self, world: World) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(world.path(SOCKET)))
        self.socket.setblocking(False)

    def lines(self) -> list[str]:
        """Returns what came since it was asked last."""
        found = []
        while True:
            try:
                found.append(self.socket.recv(65536).decode())
            except BlockingIOError:
                return found


@pytest.fixture
def syslog(world: World) -> Iterator[Syslog]:
    made = Syslog(world)
    yield made
    made.socket.close()


def certbot(world: World, *args: str, log: str = f"ln -s {SOCKET} /dev/log") -> Result:
    """Runs Certbot with another ``/dev/log``; by default the socket is there."""
    script = DEVICES.format(log=log)
    inside = ("sh", "-e", "-c", script, "sh", world.certbot_command(), *args)
    return world.run("unshare", "--mount", "--propagation", "slave", *inside)


def fields(line: str) -> tuple[int, dict[str, str]]:
    """Returns the priority of a line, and what it says."""
    found = re.fullmatch(r"<(\d+)>certbot-jprs\[\d+\]: (.+)", line)
    assert found, line
    return int(found[1]), dict(each.split("=", 1) for each in found[2].split(" "))


def only(lines: Sequence[str]) -> tuple[int, dict[str, Any]]:
    (line,) = lines
    return fields(line)


def test_each_release_has_a_line(world: World, syslog: Syslog) -> None:
    names = [NAME, "b.example.jp"]
    fleet.found(world, names, renew_hook=repr(hook("own")))
    world.ocsp.lag = 3
    certbot(world, *FORCE).check()
    said = dict(sorted((each["lineage"], each) for _n, each in map(fields, syslog.lines())))
    assert list(said) == sorted(names)
    for name, line in said.items():
        known = world.ocsp.known_at(serials(world, name)[1]) - saved_at(world, 2, name)
        assert float(line.pop("waited")) > known - 0.1
        assert line.pop("lineage") == name
        assert line == {
            "outcome": "released",
            "version": "2",
            "replaces": "1",
            "status": "good",
            "hooks": "done",
            "reload": "done",
        }
    # Certbot's log has them as well.
    assert len(re.findall(r"outcome=released lineage=\S+ version=2", world.certbot_log)) == 2


def test_a_first_certificate_has_one(world: World, syslog: Syslog) -> None:
    world.vhost(NAME)
    line = f"run -n -a {PLUGIN} -d {NAME} {CONTACT} {QUICK}".split()
    certbot(world, *line, *world.eab()).check()
    number, said = only(syslog.lines())
    assert number == 3 * 8 + 6
    assert (said["outcome"], said["version"], said["replaces"]) == ("released", "1", "-")
    assert (said["status"], said["reload"]) == ("good", "done")


def test_what_was_not_released_has_one_too(world: World, syslog: Syslog) -> None:
    fleet.found(world, [NAME], certbot_jprs__ocsp_timeout="1")
    world.ocsp.behave("unknown")
    assert certbot(world, *FORCE).returncode == 1
    number, said = only(syslog.lines())
    assert number == 3 * 8 + 4
    assert (said["outcome"], said["status"], said["hooks"]) == ("held", "unknown", "none")
    # Nothing was to be done: nothing is written.
    world.ocsp.behave(None)
    certbot(world, *RENEW).check()
    assert [each["outcome"] for _n, each in map(fields, syslog.lines())] == ["released"]
    certbot(world, *RENEW).check()
    assert syslog.lines() == []


JOURNALD = "/lib/systemd/systemd-journald"
HAS_JOURNALD = any((layer / JOURNALD[1:]).exists() for layer in subject.layers())

JOURNAL = f"""
ln -sf null /dev/kmsg
mkdir -p /run/systemd/journal
{JOURNALD} >/dev/null 2>&1 &
for _turn in $(seq 1200); do [ -S /run/systemd/journal/dev-log ] && break; sleep 0.1; done
ln -s /run/systemd/journal/dev-log /dev/log
"""


@pytest.mark.skipif(not HAS_JOURNALD, reason="there is no systemd here")
def test_the_real_journal_understands_it(world: World) -> None:
    fleet.found(world, [NAME], certbot_jprs__ocsp_timeout="1")
    world.ocsp.behave("unknown")
    assert certbot(world, *FORCE, log=JOURNAL).returncode == 1
    world.ocsp.behave(None)
    certbot(world, *RENEW, log="ln -s /run/systemd/journal/dev-log /dev/log").check()
    world.run("journalctl", "--sync").check()
    words = ("journalctl", "-t", "certbot-jprs", "-o", "json", "--no-pager")
    held, released = map(json.loads, world.run(*words).check().stdout.splitlines())
    for entry, outcome, priority in ((held, "held", "4"), (released, "released", "6")):
        assert entry["MESSAGE"].startswith(f"outcome={outcome} lineage={NAME} version=2 replaces=1")
        assert (entry["PRIORITY"], entry["SYSLOG_FACILITY"]) == (priority, "3")
        assert entry["SYSLOG_IDENTIFIER"] == "certbot-jprs"


NOBODY = {
    "no /dev/log": "true",
    "nobody reads": f"rm {SOCKET}; ln -s {SOCKET} /dev/log",
    "no socket": "echo >/dev/log",
}


@pytest.mark.parametrize("why", NOBODY)
def test_where_nobody_takes_it_all_is_as_without(world: World, syslog: Syslog, why: str) -> None:
    fleet.found(world, [NAME])
    result = certbot(world, *FORCE, "-q", log=NOBODY[why]).check()
    assert result.output == ""
    assert served(world) == 2
    assert syslog.lines() == []
    assert f"outcome=released lineage={NAME} version=2" in world.certbot_log
