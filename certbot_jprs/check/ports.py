"""Which programs listen on this machine's TCP ports, and whether a web server runs, as /proc tells.

Rules of this file: only what is in this process's own namespaces counts, so that a web server in a
container is not taken for this machine's; what cannot be read is passed over.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator

_LISTENING = "0A"
_TABLES = ("/proc/self/net/tcp", "/proc/self/net/tcp6")


def runs(own: Collection[str]) -> bool:
    """Tells whether a web server runs on this machine; also where that cannot be found out.

    Args:
        own: what its processes are called.
    """
    processes = list(_processes())
    return not processes or any(name in own for _process, name in processes)


def taken(port: int, own: Collection[str]) -> str | None:
    """Returns which program listens on a port that a web server needs.

    Args:
        port: the TCP port.
        own: what the web server's processes are called.

    Returns:
        The program's name, or a question mark where that cannot be found out; None where nobody
        listens, or the web server does.
    """
    sockets = {f"socket:[{inode}]" for inode in _listening(port)}
    if not sockets:
        return None
    found = "?"
    for process, name in _processes():
        with contextlib.suppress(OSError):
            directory = f"/proc/{process}/fd"
            for descriptor in os.listdir(directory):
                if os.readlink(f"{directory}/{descriptor}") in sockets:
                    if name in own:
                        return None
                    found = name
                    break
    return found


def _listening(port: int) -> Iterator[str]:
    """Yields the inodes of the sockets that listen on a port."""
    for table in _TABLES:
        with contextlib.suppress(OSError), open(table, encoding="ascii") as file:
            for line in list(file)[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    yield fields[9]


def _processes() -> Iterator[tuple[str, str]]:
    """Yields the number and the name of each process that runs and is this machine's own."""
    try:
        here = os.readlink("/proc/self/ns/pid")
        numbers = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return
    for number in numbers:
        with contextlib.suppress(OSError):  # it has ended, or is another user's
            with open(f"/proc/{number}/stat", encoding="utf-8", errors="replace") as file:
                name, _parenthesis, rest = file.read().partition("(")[2].rpartition(") ")
            # One that has ended (a zombie) is there until its parent asks.
            if rest[:1] != "Z" and os.readlink(f"/proc/{number}/ns/pid") == here:
                yield number, name
