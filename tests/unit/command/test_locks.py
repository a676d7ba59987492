"""Certbot's lock, held against Certbot's own code for it."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from certbot_jprs.command import locks

HOLD = """
import sys, time
from certbot._internal import lock
held = lock.lock_dir(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
held.release()
"""
TRY = """
import sys
from certbot import errors
from certbot._internal import lock
try:
    lock.lock_dir(sys.argv[1])
except errors.LockError:
    print("refused")
"""


def test_what_certbot_holds_is_refused(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as certbot:
        assert certbot.stdout is not None
        assert certbot.stdout.readline() == "held\n"
        with pytest.raises(locks.Locked), locks.held(str(tmp_path)):
            pytest.fail("two at a time")
        assert (tmp_path / locks.NAME).exists()  # still Certbot's
        certbot.communicate("")
    with locks.held(str(tmp_path)):
        assert (tmp_path / locks.NAME).exists()


def test_what_is_held_certbot_refuses(tmp_path: Path) -> None:
    def certbot() -> str:
        done = subprocess.run(
            [sys.executable, "-c", TRY, str(tmp_path)], capture_output=True, text=True, check=True
        )
        return done.stdout

    with locks.held(str(tmp_path)):
        assert certbot() == "refused\n"
    assert not (tmp_path / locks.NAME).exists()
    assert certbot() == ""


def test_a_file_that_its_holder_removed_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / locks.NAME).write_text("", encoding="ascii")  # left by a killed Certbot
    with locks.held(str(tmp_path)):
        (tmp_path / locks.NAME).unlink()
    assert list(tmp_path.iterdir()) == []


def test_an_error_lets_go(tmp_path: Path) -> None:
    with pytest.raises(KeyError), locks.held(str(tmp_path)):
        raise KeyError
    with locks.held(str(tmp_path)):
        assert (tmp_path / locks.NAME).exists()


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"), locks.held(str(tmp_path / "none")):
        pytest.fail("it is not there")


def test_a_file_that_goes_while_it_is_taken_is_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its holder removes it, and lets go, after it was opened here."""
    lockf = fcntl.lockf
    taken: list[int] = []

    def too_late(descriptor: int, how: int) -> None:
        if not taken:
            (tmp_path / locks.NAME).unlink()
        taken.append(descriptor)
        lockf(descriptor, how)

    monkeypatch.setattr(fcntl, "lockf", too_late)
    with locks.held(str(tmp_path)):
        assert len(taken) == 2
        there = (tmp_path / locks.NAME).stat()
        assert os.path.samestat(os.fstat(taken[1]), there)
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    descriptors: list[int] = []

    def refuse(descriptor: int, _how: int) -> None:
        descriptors.append(descriptor)
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "lockf", refuse)
    with pytest.raises(OSError, match="No locks available"), locks.held(str(tmp_path)):
        pytest.fail("there are none")
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptors[0])
