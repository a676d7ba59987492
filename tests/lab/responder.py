"""The CA's OCSP responder: knows a certificate only a while after issuance, or misbehaves."""

from __future__ import annotations

import base64
import binascii
import contextlib
import threading
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

from cryptography.x509 import ocsp

from tests.lab import answers
from tests.lab.acme import Issued
from tests.lab.http import Server
from tests.lab.place import CA, Place

Find = Callable[[int], "Issued | None"]
RESPONSE = "application/ocsp-response"


CHALLENGES = "/.well-known/acme-challenge/"
"""What is no query: in a container this may be taken for one of the web server's addresses."""


@dataclass(frozen=True)
class Query:
    """One question to the responder.

    Attributes:
        time: when it came.
        method: GET or POST.
        serial: of the certificate that it was about, -1 if it could not be read.
        names: of that certificate.
        answer: the behaviour that was shown.
        agent: who asked: Certbot asks by itself whether what it may renew is revoked.
    """

    time: float
    method: str
    serial: int
    names: tuple[str, ...]
    answer: str
    agent: str = ""

    def __str__(self) -> str:
        return (
            f"{self.time:.2f} {self.method} {self.serial:x} {' '.join(self.names)}: {self.answer}"
        )


class Responder:
    """Settable while it runs.

    Attributes:
        lag: seconds from issuance until it knows a certificate.
        early: what it answers until then, ``unknown`` or ``unauthorized``.
        seconds: how long each answer takes it, one at a time.
        queries: every question, with the answer that was given.
    """

    def __init__(self, world: Place, find: Find) -> None:
        """Starts it in the CA's network, port 80.

        Args:
            world: where.
            find: looks a serial number up among all issued certificates.
        """
        self.find = find
        self.ending = threading.Event()
        self.at_work = threading.Lock()
        self.reset()
        responder = self

        class Handler(_Handler):
            """Knows its responder."""

            owner = responder

        self.server = Server(world.listen("ca", (CA, 80)), Handler)

    def reset(self) -> None:
        """Back to the beginning: honest, no lag, no records."""
        self.ending.set()
        self.ending = threading.Event()
        self.lag = 0.0
        self.early = "unknown"
        self.seconds = 0.0
        self.queries: list[Query] = []
        self._good: dict[int, float] = {}
        self._rules: list[tuple[str, int | str | None]] = []

    def behave(
        self, behaviour: str | None, *, name: str | None = None, serial: int | None = None
    ) -> None:
        """Makes it behave in some way from now on; the last word on a certificate counts.

        Args:
            behaviour: one of ``answers.BEHAVIOURS``, or None to be honest again.
            name: only for certificates with this name.
            serial: only for this certificate.

        Raises:
            ValueError: there is no such behaviour.
        """
        if behaviour is not None and behaviour not in answers.BEHAVIOURS:
            raise ValueError(f"{behaviour!r} is none of {answers.BEHAVIOURS}")
        self._rules.append((behaviour or "", serial if name is None else name))

    def good_at(self, serial: int) -> float | None:
        """Returns when it first answered ``good`` for a certificate, None if not yet."""
        return self._good.get(serial)

    def known_at(self, serial: int) -> float:
        """Returns when, by the lag, it gets to know a certificate."""
        issued = self.find(serial)
        assert issued is not None, f"{serial:x} was never issued"
        return issued.issued_at + self.lag

    def asked(self, serial: int) -> list[Query]:
        """Returns the questions about one certificate."""
        return [query for query in self.queries if query.serial == serial]

    def decide(self, issued: Issued | None, at: float) -> str:
        """Returns the behaviour for a certificate at a time."""
        for behaviour, which in reversed(self._rules):
            if which is None or (issued and (which == issued.serial or which in issued.names)):
                if behaviour:
                    return behaviour
                break
        if issued is None:
            return "unauthorized"
        if issued.revoked_at is not None:
            return "revoked"
        return "good" if at >= issued.issued_at + self.lag else self.early

    def record(self, query: Query, since: threading.Event) -> None:
        """Keeps a query, and when ``good`` was first said.

        Args:
            query: the query.
            since: ``ending`` when its connection was made. What a client of the time before the
                last reset left behind is nobody's: it was cut short when it was ended.
        """
        if since is not self.ending:
            return
        self.queries.append(query)
        if query.answer in {"good", "delegated", "delegated by key"}:
            self._good.setdefault(query.serial, query.time)

    def close(self) -> None:
        """Stops it, and lets go of clients that it keeps waiting."""
        self.ending.set()
        self.server.close()


class _Handler(BaseHTTPRequestHandler):
    """One client's connection."""

    owner: Responder
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        """Notes in which time of the responder's it was connected."""
        super().setup()
        self.ending = self.owner.ending

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing: queries are recorded, not printed."""

    def do_GET(self) -> None:
        """Takes a query from the path."""
        if self.path.startswith(CHALLENGES):
            self._reply(404, b"")
            return
        with contextlib.suppress(binascii.Error):
            self._serve(base64.b64decode(urllib.parse.unquote(self.path).lstrip("/")))
            return
        self._serve(b"")

    def do_POST(self) -> None:
        """Takes a query from the body."""
        self._serve(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _serve(self, body: bytes) -> None:
        at = time.time()
        owner = self.owner
        try:
            request = ocsp.load_der_ocsp_request(body)
        except ValueError:
            owner.record(Query(at, self.command, -1, (), "malformedRequest"), self.ending)
            self._reply(200, answers.outside("malformedRequest"))
            return
        if owner.seconds:
            with owner.at_work:
                self.ending.wait(owner.seconds)
                at = time.time()
        issued = owner.find(request.serial_number)
        behaviour = owner.decide(issued, at)
        if issued is None and behaviour in answers.SIGNED:
            behaviour = "unauthorized"
        names = () if issued is None else issued.names
        agent = self.headers.get("User-Agent", "")
        query = Query(at, self.command, request.serial_number, names, behaviour, agent)
        owner.record(query, self.ending)
        if behaviour in answers.OUTSIDE:
            self._reply(200, answers.outside(behaviour))
        elif behaviour in answers.SIGNED:
            assert issued is not None
            self._reply(200, answers.signed(behaviour, request, issued))
        else:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self._misbehave(behaviour, issued, request)

    def _reply(self, status: int, body: bytes, kind: str = RESPONSE, location: str = "") -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def _misbehave(self, behaviour: str, issued: Issued | None, request: ocsp.OCSPRequest) -> None:
        ending = self.ending
        if behaviour == "http500":
            self._reply(500, b"out of order", "text/plain")
        elif behaviour == "garbage":
            self._reply(200, b"\x30\x82 this is no DER")
        elif behaviour == "empty":
            self._reply(200, b"")
        elif behaviour == "redirect":
            # Where it leads, an honest "good" waits: whoever follows is found out.
            self._redirect(issued, request)
        elif behaviour == "hang":
            ending.wait(120)
        elif behaviour == "dribble":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for letter in b"X-Padding: " + b"x" * 600:
                if ending.wait(1):
                    return
                self.wfile.write(bytes([letter]))
        elif behaviour == "endless":
            head = f"HTTP/1.1 200 OK\r\nContent-Type: {RESPONSE}\r\n\r\n"
            self.wfile.write(head.encode())
            while not ending.is_set():
                self.wfile.write(b"\x30" * 4096)
                ending.wait(0.01)

    def _redirect(self, issued: Issued | None, request: ocsp.OCSPRequest) -> None:
        if self.path.endswith("/elsewhere") and issued is not None:
            self._reply(200, answers.signed("good", request, issued))
        else:
            self._reply(307, b"", location=f"http://{self.headers.get('Host', CA)}/elsewhere")
