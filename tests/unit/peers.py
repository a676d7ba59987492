"""Real peers on this machine's loopback: a web server, a name server, an OCSP responder."""

from __future__ import annotations

import contextlib
import datetime as dt
import http.server
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
from cryptography.x509 import ocsp

from tests.unit import pki

HERE = "127.0.0.1"


class WebServer:
    """A web server on a port of its own.

    Attributes:
        answers: for each path (or URL, as a proxy is asked) the status, and the content or where
            it leads.
        hosts: the Host headers that it got.
        port: where it listens.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.answers: dict[str, tuple[int, str]] = {}
        self.hosts: list[str] = []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.hosts.append(self.headers["Host"])
                status, text = server.answers.get(self.path, (404, "not found"))
                self.send_response_only(status)
                if status // 100 == 3:
                    self.send_header("Location", text)
                self.end_headers()
                self.wfile.write(text.encode())

            def do_POST(self) -> None:
                body = server.post(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response_only(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                """Says nothing."""

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_args: object) -> None:
                """Says nothing: clients that give up are what is tested."""

        self._server = Server((HERE, 0), Handler)
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def post(self, _body: bytes) -> bytes:
        """Returns the answer to what was posted."""
        return b""

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class OcspResponder(WebServer):
    """Answers for the CA of ``config_dir``, for each serial number as it is told.

    Attributes:
        says: the status by serial number: ``good`` (which all others are), ``revoked``,
            ``unknown``, or None for what is no answer.
        asked: the serial numbers that it was asked for.
    """

    def __init__(self) -> None:
        self.says: dict[int, str | None] = {}
        self.asked: list[int] = []
        self._key = pki.ec_key("issuer")
        self._issuer = pki.mint("Test CA", self._key)
        super().__init__()

    @property
    def url(self) -> str:
        """What certificates name."""
        return f"http://{HERE}:{self.port}/"

    def post(self, body: bytes) -> bytes:
        request = ocsp.load_der_ocsp_request(body)
        self.asked.append(request.serial_number)
        status = self.says.get(request.serial_number, "good")
        if status is None:
            return b"nothing"
        now = dt.datetime.now(dt.timezone.utc)
        single = pki.Single(
            self._issuer,
            self._issuer,
            status,
            request.hash_algorithm.name,
            request.serial_number,
            this_update=now - pki.MINUTE,
            next_update=now + pki.DAY,
            revoked_at=now - pki.MINUTE,
        )
        return pki.Response((single,), self._issuer, self._key, produced_at=now).encode()


class NameServer:
    """A name server of a few names; whoever is not among them does not exist.

    Attributes:
        records: the records by name and type, as zone files have them.
        broken: names, or names with types, of which it says that it could not find out.
        asked: what it was asked.
        resolver: a resolver of dnspython's that asks it alone.
    """

    def __init__(self, records: Mapping[tuple[str, str], list[str]]) -> None:
        self.records = dict(records)
        self.broken: set[str | tuple[str, str]] = set()
        self.asked: list[tuple[str, str]] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HERE, 0))
        self.resolver = dns.resolver.Resolver(configure=False)
        self.resolver.nameservers = [HERE]
        self.resolver.port = self._socket.getsockname()[1]
        self._silent = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            query, client = self._socket.recvfrom(4096)
            if not query:
                return
            if not self._silent.is_set():
                self._socket.sendto(self._answer(dns.message.from_wire(query)), client)

    def _answer(self, query: dns.message.Message) -> bytes:
        (question,) = query.question
        name = question.name.to_text(omit_final_dot=True)
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        found = self.records.get((name, kind))
        if self.broken & {name, (name, kind)}:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif found is not None:
            response.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *found))
        elif name not in {known for known, _kind in self.records}:
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire()

    def silence(self) -> None:
        """Answers nothing from now on."""
        self._silent.set()

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()


@contextlib.contextmanager
def unused_port() -> Iterator[int]:
    """Yields a port on which nobody listens, and nobody can as long as the context lasts."""
    with socket.socket() as taken:
        taken.bind((HERE, 0))
        yield taken.getsockname()[1]
