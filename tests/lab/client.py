"""What visitors of the web server see: the certificate and the stapled OCSP response."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509 import ocsp
from OpenSSL import SSL

from tests.lab.place import WEB, Place


@dataclass(frozen=True)
class Served:
    """What one visitor saw.

    Attributes:
        time: when the handshake was over.
        name: the host name that was asked for.
        certificate: the leaf.
        staple: None if nothing was stapled; else ``good``, ``unknown``, ``revoked``, or the
            status of the response as a whole, ``unauthorized`` for example.
    """

    time: float
    name: str
    certificate: x509.Certificate
    staple: str | None

    @property
    def serial(self) -> int:
        """The certificate's serial number."""
        return self.certificate.serial_number


def staple_status(der: bytes) -> str | None:
    """Returns in a word what a stapled response says."""
    if not der:
        return None
    response = ocsp.load_der_ocsp_response(der)
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        return response.response_status.name.lower()
    return response.certificate_status.name.lower()


def visit(world: Place, name: str, timeout: float = 30) -> Served:
    """Connects to the web server as a browser does and returns what it serves.

    Raises:
        OSError: nobody serves HTTPS there.
    """
    stapled: list[bytes] = []

    def take(_connection: SSL.Connection, der: bytes, _data: object) -> bool:
        stapled.append(der)
        return True

    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_ocsp_client_callback(take)
    with world.connect("ca", (world.homes.get(name, WEB), 443), timeout) as plain:
        # Blocking, bounded by the kernel: pyOpenSSL does not understand Python's time-outs.
        plain.setblocking(True)
        limit = struct.pack("ll", int(timeout), 0)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        connection = SSL.Connection(context, plain)
        connection.set_tlsext_host_name(name.encode())
        connection.request_ocsp()
        connection.set_connect_state()
        try:
            connection.do_handshake()
            certificate = connection.get_peer_certificate(as_cryptography=True)
        except SSL.Error as error:
            raise ConnectionError(f"no TLS for {name}: {error!r}") from error
        finally:
            if stapled:
                with contextlib.suppress(SSL.Error):  # the server may be gone by now
                    connection.shutdown()
    assert certificate is not None
    return Served(time.time(), name, certificate, staple_status(stapled[0] if stapled else b""))


@dataclass(frozen=True)
class Change:
    """Something that visitors of a name began to see.

    Attributes:
        time: when it was first seen.
        before: when the last visitor saw something else; 0 for the first.
        serial: the certificate's, None if HTTPS was not served.
        staple: as in ``Served``.
    """

    time: float
    before: float
    name: str
    serial: int | None
    staple: str | None

    def __str__(self) -> str:
        what = "nothing" if self.serial is None else f"{self.serial:x}"
        return f"{self.time:.2f} {self.name}: {what}, staple {self.staple}"


class Watcher:
    """Visits names again and again, from another thread, and keeps what changed."""

    def __init__(self, world: Place, names: Sequence[str], pause: float = 0.05) -> None:
        """Starts watching.

        Args:
            world: where.
            names: which virtual hosts.
            pause: seconds between two rounds.
        """
        self._world = world
        self._names = tuple(names)
        self._pause = pause
        self._stop = threading.Event()
        self._seen: dict[str, tuple[float, int | None, str | None]] = {}
        self.changes: list[Change] = []
        self.visits = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        over = False
        while not over:
            over = self._stop.is_set()  # whoever stops looking has looked once more
            for name in self._names:
                self._look(name)
            self.visits += 1
            self._stop.wait(self._pause)

    def _look(self, name: str) -> None:
        serial: int | None = None
        staple: str | None = None
        try:
            served = visit(self._world, name)
            serial, staple = served.serial, served.staple
        except OSError:
            if self._stop.is_set():
                return
        at = time.time()
        before = self._seen.get(name)
        if before is None or before[1:] != (serial, staple):
            began = 0.0 if before is None else before[0]
            self.changes.append(Change(at, began, name, serial, staple))
        self._seen[name] = (at, serial, staple)

    def first(self, serial: int, name: str | None = None) -> float | None:
        """Returns when a certificate was first served, None if never."""
        for change in self.changes:
            if change.serial == serial and name in {None, change.name}:
                return change.time
        return None

    def serials(self, name: str | None = None) -> list[int]:
        """Returns the certificates that were served, in order."""
        found: list[int] = []
        for change in self.changes:
            if change.serial is None or name not in {None, change.name}:
                continue
            if found[-1:] != [change.serial]:
                found.append(change.serial)
        return found

    def staples(self) -> set[str | None]:
        """Returns every status that was stapled to any certificate."""
        return {change.staple for change in self.changes if change.serial is not None}

    def close(self) -> None:
        """Looks once more, and stops watching."""
        self._stop.set()
        self._thread.join(120)

    def __enter__(self) -> Watcher:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
