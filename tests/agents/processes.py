"""Ending and collecting processes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence


def stat(pid: int | str) -> list[str]:
    """Returns the fields of a process from its state on: state, parent, …; empty: it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            return stream.read().rpartition(b")")[2].decode().split()
    except OSError:
        return []


def numbers() -> list[int]:
    """Returns every process that can be seen."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def reap(*_: object) -> None:
    """Collects ended children, orphans among them, which are this process's to collect."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def kill_all(others: Callable[[], Sequence[int]]) -> None:
    """Ends processes, and waits until they are gone.

    Args:
        others: returns which are left.

    Raises:
        OSError: they do not end.
    """
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        reap()
        left = others()
        if not left:
            return
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.005)
    raise OSError(f"processes {others()} do not end")
