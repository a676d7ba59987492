"""Fetching http-01 files back from this machine, as the CA will (RFC 8555 section 8.3).

Rules of this file:

- Only this machine's own addresses are asked, without a proxy, and redirects are not followed: what
  cannot be fetched so is given the whole time, as Certbot gives it.
- A reload has taken effect where a file is there twice: an old process of the web server may
  answer once more.
"""

from __future__ import annotations

import contextlib
import http.client
import time
from collections.abc import Sequence
from typing import NamedTuple

PAUSE = 0.03
"""Seconds between two tries."""

TIMES = 2
"""How often everything has to be there, one time after the other."""

_MOST_BYTES = 4096


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


def until_there(files: Sequence[File], seconds: float) -> bool:
    """Waits until files can be fetched.

    Args:
        files: the files; where nothing listens, a file is passed over.
        seconds: how long at most.

    Returns:
        Whether all are there. Where none can be asked for, the whole time has passed too.
    """
    deadline = time.monotonic() + seconds
    missing, seen = list(files), 0
    while missing and seen < TIMES:
        try:
            seen = seen + 1 if all(_is_there(file, deadline) for file in missing) else 0
        except _NobodyListensError as error:
            missing.remove(error.file)
            continue
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(PAUSE, left))
    if not missing:
        time.sleep(max(0.0, deadline - time.monotonic()))
    return bool(missing)


class _NobodyListensError(Exception):
    """Nothing takes connections at a file's address."""

    def __init__(self, file: File) -> None:
        super().__init__(file.address)
        self.file = file


def _is_there(file: File, deadline: float) -> bool:
    """Asks for a file once.

    Raises:
        _NobodyListensError: connections are refused.
    """
    timeout = max(0.05, deadline - time.monotonic())
    connection = http.client.HTTPConnection(file.address, file.port, timeout=timeout)
    with contextlib.closing(connection):
        try:
            headers = {"Host": file.host, "User-Agent": "certbot-jprs", "Connection": "close"}
            connection.request("GET", file.path, headers=headers)
            response = connection.getresponse()
            return response.status == 200 and response.read(_MOST_BYTES).strip() == file.content
        except ConnectionRefusedError as error:
            raise _NobodyListensError(file) from error
        except (OSError, http.client.HTTPException):
            return False
