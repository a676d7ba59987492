"""One HTTP POST to an OCSP responder (RFC 6960 appendix A), bounded in time and size.

Rules of this file:

- No time-out of ``requests`` or of a socket bounds a whole exchange: a name server may be
  silent, headers may come byte by byte. So each exchange has a thread of its own; who waits for
  it does so with a deadline, and then shuts its socket down, which ends the thread.
- A thread in a name look-up cannot be ended so and is left behind; it is a daemon, for which
  Python does not wait at its end.
- Nothing of the answer is acted upon but its bytes: no redirects, cookies or decompression. The
  content type is not looked at, since the signature says more than a header.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from certbot_jprs.ground.language import marked
from certbot_jprs.ground.said import Said
from certbot_jprs.ocsp import reasons

MAX_RESPONSE = 64 * 1024
"""How long a response may be, in bytes."""

# A socket's own time-out comes later than the deadline, so that the deadline gives the reason.
_LATER = 1.0

_HEADERS = {
    "Accept": "application/ocsp-response",
    "Accept-Encoding": "identity",
    "Content-Type": "application/ocsp-request",
}


class _TooLateError(OSError):
    """Nobody waits for the exchange any more."""


class Exchange:
    """One POST to one URL, in a thread of its own.

    Attributes:
        body: the response, once the thread has it.
        failure: why there is none.
    """

    def __init__(self, session: requests.Session, url: str, request: bytes, seconds: float) -> None:
        """Prepares; ``start`` begins.

        Args:
            session: where to take connections from, and leave them.
            url: where to send the request.
            request: the request in DER.
            seconds: how long it may take, from now.
        """
        parts = urlsplit(url)
        self.url = url
        self.host = parts.hostname or ""
        self.port = parts.port or (443 if parts.scheme == "https" else 80)
        self.body: bytes | None = None
        self.failure = ""
        self._session = session
        self._request = request
        self._deadline = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._cancelled = False
        self._handle: socket.socket | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="OCSP query", daemon=True)

    def start(self) -> None:
        """Begins the exchange, in its thread."""
        self._thread.start()

    def wait(self) -> bool:
        """Waits until the exchange is over or its time is up; tells whether it is over."""
        return self._done.wait(self.remaining())

    def remaining(self) -> float:
        """Returns the seconds left."""
        return max(0.0, self._deadline - time.monotonic())

    def is_running(self) -> bool:
        """Tells whether the thread is still at work."""
        return self._thread.is_alive() and not self._done.is_set()

    def cancel(self) -> None:
        """Shuts the socket down, so that the thread wakes up and ends."""
        with self._lock:
            self._cancelled = True
            self._shut_down()

    def _shut_down(self) -> None:
        if self._handle is not None:
            with contextlib.suppress(OSError):  # not connected yet, or not any more
                self._handle.shutdown(socket.SHUT_RDWR)

    def use(self, descriptor: int) -> None:
        """Takes note of the socket in use, as a duplicate that TLS does not take away.

        Raises:
            _TooLateError: it comes too late.
        """
        with self._lock:
            self._close_handle()
            self._handle = socket.socket(fileno=os.dup(descriptor))
            if self._cancelled:
                self._shut_down()
                raise _TooLateError

    def _close_handle(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None

    def _run(self) -> None:
        _here.exchange = self
        try:
            self._post()
        except _NETWORK_ERRORS as error:
            self.failure = self.failure or reasons.of_network(error, self.url)
        finally:
            with self._lock:
                self._close_handle()
            self._done.set()

    def _post(self) -> None:
        """Does the exchange; sets ``body`` or ``failure``, or raises."""
        with self._session.post(
            self.url,
            data=self._request,
            headers=_HEADERS,
            stream=True,
            allow_redirects=False,
            timeout=self.remaining() + _LATER,
        ) as response:
            if response.status_code != 200:
                self.failure = Said(
                    marked("HTTP status {status} from {url}"),
                    status=response.status_code,
                    url=self.url,
                )
            elif response.headers.get("Content-Encoding", "identity").lower() != "identity":
                self.failure = Said(
                    marked("compressed response, not asked for, from {url}"), url=self.url
                )
            else:
                self._read(response)

    def _read(self, response: requests.Response) -> None:
        body = b""
        while len(body) <= MAX_RESPONSE:
            chunk = response.raw.read(MAX_RESPONSE + 1 - len(body), decode_content=False)
            if not chunk:
                self.body = body
                return
            body += chunk
        self.failure = Said(
            marked("response longer than {size} KiB from {url}"),
            size=MAX_RESPONSE // 1024,
            url=self.url,
        )


class _Here(threading.local):
    """What the present thread is for."""

    exchange: Exchange


_here = _Here()

_NETWORK_ERRORS = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,  # while the body is read
    HTTPException,  # likewise
    OSError,
    ValueError,  # what a host name or a proxy's URL cannot be
    TypeError,  # requests, of a proxy's URL without a host
)


class Connection(HTTPConnection):
    """A connection that tells the exchange of its thread which socket it uses."""

    def _new_conn(self) -> socket.socket:
        """Connects within the exchange's time, shared out among the host's addresses.

        (Otherwise a first address that swallows packets, usually IPv6, would have it all.)
        """
        exchange = _here.exchange
        host = self.host.strip("[]")
        direct = (host.lower(), self.port) == (exchange.host, exchange.port)

        def failed(why: str) -> None:
            exchange.failure = reasons.unconnected(
                exchange.url, None if direct else f"{host}:{self.port}", why
            )

        try:
            found = socket.getaddrinfo(host, self.port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError):
            failed(reasons.unresolved())
            raise
        for position, (family, kind, protocol, _, address) in enumerate(found):
            try:
                sock = socket.socket(family, kind, protocol)
            except OSError as error:  # a family that the machine lacks
                failed(reasons.of_system(error))
                continue
            addresses_left = len(found) - position
            share = exchange.remaining() / addresses_left
            try:
                exchange.use(sock.fileno())
                sock.settimeout(share if addresses_left > 1 else share + _LATER)
                sock.connect(address)
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
            except OSError as error:
                sock.close()
                failed(reasons.of_system(error))
            else:
                exchange.failure = ""
                return sock
        raise OSError(exchange.failure)

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Sends a request; a socket kept from an earlier exchange is in use again."""
        if self.sock is not None:
            _here.exchange.use(self.sock.fileno())
        super().request(*args, **kwargs)


class TLSConnection(Connection, HTTPSConnection):
    """The same with TLS."""
