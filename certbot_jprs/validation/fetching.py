"""Fetching http-01 files back from this machine, as the CA will (RFC 8555 section 8.3).

Rules of this file:

- Only this machine's own addresses are asked, without a proxy, and redirects are not followed: what
  cannot be fetched so is given the whole time, as Certbot gives it.
- A reload has taken effect where a file is there several times: an old process of the web server
  may answer once more.
- The whole time is the limit whatever a server does: silent, slow or talkative.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Sequence
from enum import Enum
from typing import Callable, NamedTuple

PAUSE = 0.03
"""Seconds between two rounds."""

TIMES = 3
"""How many rounds, one after the other, have to find everything."""

_MOST_BYTES = 8192


class File(NamedTuple):
    """What is to be there.

    Attributes:
        address: one of this machine's own, IPv4 or IPv6.
        port: the TCP port.
        host: the DNS name, as in ``Host``.
        path: of the URL.
        content: what the file holds.
    """

    address: str
    port: int
    host: str
    path: str
    content: bytes


class _Seen(Enum):
    THERE = "there"
    MISSING = "missing"
    NOBODY = "nobody listens there"


def until_there(files: Callable[[], Sequence[File]], seconds: float) -> bool:
    """Waits until files can be fetched.

    Args:
        files: returns them, at each round anew: a reload may open a port. Where nothing listens, a
            file is passed over.
        seconds: how long at most.

    Returns:
        Whether all are there. Where none can be asked for, or not all are, the whole time has
        passed.
    """
    deadline = time.monotonic() + seconds
    rounds = 0
    while time.monotonic() < deadline:
        rounds = rounds + 1 if _all_there(files(), deadline) else 0
        if rounds == TIMES:
            return True
        time.sleep(max(0.0, min(PAUSE, deadline - time.monotonic())))
    return False


def _all_there(files: Sequence[File], deadline: float) -> bool:
    found = False
    for file in files:
        seen = _look(file, deadline)
        if seen is _Seen.MISSING:
            return False
        found = found or seen is _Seen.THERE
    return found


def _look(file: File, deadline: float) -> _Seen:
    """Asks for a file once."""
    try:
        head, _blank, body = _answer(file, deadline).partition(b"\r\n\r\n")
    except ConnectionRefusedError:
        return _Seen.NOBODY
    except (OSError, ValueError):
        return _Seen.MISSING
    status = head.split(b"\r\n")[0].split(b" ")[1:2]
    there = status == [b"200"] and body.strip() == file.content
    return _Seen.THERE if there else _Seen.MISSING


def _answer(file: File, deadline: float) -> bytes:
    """Returns the begin of a server's answer: all of it, where it is no longer than a challenge's.

    By HTTP/1.0: no part of an answer comes in chunks then, and its end is the connection's.

    Args:
        file: what is asked for.
        deadline: when it is over, by the monotonic clock.

    Raises:
        ConnectionRefusedError: nothing listens there.
        OSError: there is no answer in time.
    """
    request = (
        f"GET {file.path} HTTP/1.0\r\nHost: {file.host}\r\nUser-Agent: certbot-jprs\r\n"
        "Accept: */*\r\nConnection: close\r\n\r\n"
    )
    received = b""
    where = (file.address, file.port)
    with contextlib.closing(socket.create_connection(where, _left(deadline))) as connection:
        connection.settimeout(_left(deadline))
        connection.sendall(request.encode("ascii"))
        while len(received) < _MOST_BYTES:
            connection.settimeout(_left(deadline))
            part = connection.recv(_MOST_BYTES)
            if not part:
                break
            received += part
    return received


def _left(deadline: float) -> float:
    """Returns the seconds until a deadline.

    Raises:
        TimeoutError: there are none.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
