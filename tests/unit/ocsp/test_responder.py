"""OCSP over HTTP, with real peers on loopback: honest, slow, broken and lying ones."""

from __future__ import annotations

import base64
import contextlib
import errno
import gzip
import importlib.metadata
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3
from cryptography import x509

from certbot_jprs.ocsp import evaluation, reasons
from certbot_jprs.ocsp import exchange as exchange_module
from certbot_jprs.ocsp import responder as responder_module
from certbot_jprs.ocsp.evaluation import Answer, Status, build_request
from certbot_jprs.ocsp.exchange import Exchange
from certbot_jprs.ocsp.responder import Responder
from certbot_jprs.ocsp.session import Session
from tests.unit import pki

PLENTY = 60.0
"""Seconds that no query needs whose peer answers, however busy the machine is."""

LIMIT = 1.0
"""Seconds for a query whose peer does not."""

SHARED = 6.0
"""Seconds for a query of which one peer wastes its share, and the next does with the rest."""

SLACK = 3.0
"""Seconds later than that it may end, on a busy machine."""

UNUSABLE = "unusable URL, of the OCSP server or the proxy ({url})"


@pytest.fixture(scope="module")
def world() -> pki.World:
    return pki.world()


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's proxies, but those that a test sets; and a resolver that answers.

    RFC 6761: resolvers answer for these names by themselves. This machine's may be out of reach.
    """
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    real = socket.getaddrinfo

    def getaddrinfo(host: str, *args: Any, **kwargs: Any) -> Any:
        if host.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.fixture
def asker() -> Iterator[Responder]:
    with Responder(seconds=PLENTY, now=lambda: pki.NOW) as responder:
        yield responder
    assert_threads_end()


@pytest.fixture
def impatient() -> Iterator[Responder]:
    """One that soon gives up."""
    with Responder(seconds=LIMIT, now=lambda: pki.NOW) as responder:
        yield responder
    assert_threads_end()


def assert_threads_end(seconds: float = PLENTY) -> None:
    """Asserts that no query's thread outlives it."""
    end = time.monotonic() + seconds
    while left := [thread for thread in threading.enumerate() if "OCSP" in thread.name]:
        assert time.monotonic() < end, left
        time.sleep(0.01)


class Peer:
    """An HTTP server that answers each POST as it is told, and remembers the requests."""

    def __init__(self) -> None:
        self.requests: list[BaseHTTPRequestHandler] = []
        self.bodies: list[bytes] = []
        self.clients: set[Any] = set()
        self.reply: Callable[[BaseHTTPRequestHandler], None] = lambda handler: None
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                peer.requests.append(self)
                peer.clients.add(self.client_address)
                peer.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                with contextlib.suppress(OSError):
                    peer.reply(self)

            def do_CONNECT(self) -> None:
                peer.requests.append(self)
                self.send_error(407)

            def log_message(self, *args: Any) -> None:
                """Stays quiet."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args: Any) -> None:
                """Stays quiet: clients that give up are what is tested."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self._thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture
def peer() -> Iterator[Peer]:
    server = Peer()
    yield server
    server.close()


class Raw:
    """A TCP server whose behaviour towards each connection is a function."""

    def __init__(self, behave: Callable[[socket.socket], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self.accepted = 0
        self.ended = threading.Event()
        self._behave = behave
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.accepted += 1
                threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            self._behave(connection)
        self.ended.set()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def raw() -> Iterator[Callable[[Callable[[socket.socket], None]], Raw]]:
    with contextlib.ExitStack() as stack:

        def start(behave: Callable[[socket.socket], None]) -> Raw:
            server = Raw(behave)
            stack.callback(server.close)
            return server

        yield start


def read_to_the_end(connection: socket.socket) -> None:
    """Never answers; returns when the client hangs up."""
    while connection.recv(65536):
        pass


def dribble(connection: socket.socket) -> None:
    """Sends headers a byte at a time, for ever."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def dribble_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def send(body: bytes, status: int = 200, **headers: str) -> Callable[[Any], None]:
    """Makes a reply."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def answer_for(world: pki.World, leaf: x509.Certificate, **changes: Any) -> Callable[[Any], None]:
    """Makes a valid reply about a certificate, good unless changed."""
    return send(
        pki.direct(world, singles=(pki.Single(leaf, world.issuer),)).change(**changes).encode()
    )


def timed(action: Callable[[], Answer], limit: float = LIMIT) -> Answer:
    """Does a query; asserts that it ends in its time."""
    start = time.monotonic()
    answer = action()
    assert time.monotonic() - start < limit + SLACK
    return answer


class TestExchange:
    """One URL."""

    def test_good(self, world: pki.World, peer: Peer, asker: Responder) -> None:
        leaf = world.leaf(peer.url)
        peer.reply = answer_for(world, leaf)
        answer = asker.ask(leaf, world.issuer)
        assert (answer.status, answer.reason) == (Status.GOOD, "OCSP server says good")
        (request,) = peer.requests
        assert peer.bodies == [build_request(leaf, world.issuer)]
        assert request.command == "POST"
        assert request.headers["Content-Type"] == "application/ocsp-request"
        assert request.headers["Accept"] == "application/ocsp-response"
        assert request.headers["Accept-Encoding"] == "identity"
        version = importlib.metadata.version("certbot-jprs")
        assert request.headers["User-Agent"] == f"certbot-jprs/{version}"
        assert request.headers["Authorization"] is None

    def test_the_name_of_a_checkout(
        self, world: pki.World, peer: Peer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def version(name: str) -> str:
            raise importlib.metadata.PackageNotFoundError(name)

        monkeypatch.setattr(importlib.metadata, "version", version)
        peer.reply = send(b"")
        with Responder(seconds=LIMIT) as asker:
            asker.ask(world.leaf(peer.url), world.issuer)
        assert peer.requests[0].headers["User-Agent"] == "certbot-jprs"

    @pytest.mark.parametrize("status", ["revoked", "unknown"])
    def test_other_verdicts(
        self, world: pki.World, peer: Peer, asker: Responder, status: str
    ) -> None:
        leaf = world.leaf(peer.url)
        peer.reply = answer_for(world, leaf, status=status)
        assert asker.ask(leaf, world.issuer).status.value == status

    def test_the_clock_is_the_callers(self, world: pki.World, peer: Peer) -> None:
        leaf = world.leaf(peer.url)
        peer.reply = answer_for(world, leaf)
        with Responder(seconds=LIMIT, now=lambda: pki.NOW + 2 * pki.DAY) as late:
            assert late.ask(leaf, world.issuer).reason == "response is out of date"
        with Responder(seconds=LIMIT) as today:
            assert today.ask(leaf, world.issuer).status is Status.UNDETERMINED

    def test_connections_are_kept(self, world: pki.World, peer: Peer, asker: Responder) -> None:
        leaf = world.leaf(peer.url)
        peer.reply = answer_for(world, leaf)
        for _ in range(3):
            assert asker.ask(leaf, world.issuer).status is Status.GOOD
        assert len(peer.clients) == 1

    def test_a_hang_on_a_kept_connection(
        self, world: pki.World, peer: Peer, asker: Responder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        leaf = world.leaf(peer.url)
        peer.reply = answer_for(world, leaf)
        assert asker.ask(leaf, world.issuer).status is Status.GOOD
        monkeypatch.setattr(asker, "_seconds", LIMIT)
        hung_up = threading.Event()

        def hang(handler: BaseHTTPRequestHandler) -> None:
            read_to_the_end(handler.connection)
            hung_up.set()

        peer.reply = hang
        answer = timed(lambda: asker.ask(leaf, world.issuer))
        assert answer.reason == f"no complete answer within 1 seconds from {peer.url}"
        assert hung_up.wait(PLENTY)
        assert len(peer.clients) == 1

    @pytest.mark.parametrize("status", [204, 301, 401, 404, 500, 503])
    def test_http_status(self, world: pki.World, peer: Peer, asker: Responder, status: int) -> None:
        leaf = world.leaf(peer.url)
        peer.reply = send(b"", status)
        assert asker.ask(leaf, world.issuer) == Answer(
            Status.UNDETERMINED, f"HTTP status {status} from {peer.url}"
        )

    def test_a_good_answer_with_an_error_status_does_not_count(
        self, world: pki.World, peer: Peer, asker: Responder
    ) -> None:
        leaf = world.leaf(peer.url)
        good = pki.direct(world, singles=(pki.Single(leaf, world.issuer),)).encode()
        peer.reply = send(good, 500)
        assert asker.ask(leaf, world.issuer).reason == f"HTTP status 500 from {peer.url}"

    def test_redirects_are_not_followed_nor_their_bodies_read(
        self, world: pki.World, peer: Peer, asker: Responder
    ) -> None:
        leaf = world.leaf(peer.url)
        sent = 0

        def redirect(handler: BaseHTTPRequestHandler) -> None:
            nonlocal sent
            handler.send_response(302)
            handler.send_header("Location", peer.url + "elsewhere")
            handler.end_headers()
            with contextlib.suppress(OSError):
                while True:
                    sent += handler.connection.send(4096 * b"x")

        peer.reply = redirect
        answer = asker.ask(leaf, world.issuer)
        assert answer.reason == f"HTTP status 302 from {peer.url}"
        assert len(peer.requests) == 1
        time.sleep(0.2)
        # What the kernel buffers, not what a second of reading would bring.
        assert sent < 32 * 1024 * 1024

    @pytest.mark.parametrize("size", [0, 1, 1000, 64 * 1024])
    def test_garbage(self, world: pki.World, peer: Peer, asker: Responder, size: int) -> None:
        leaf = world.leaf(peer.url)
        peer.reply = send(size * b"x")
        assert asker.ask(leaf, world.issuer).reason == "response is malformed"

    def test_too_long(self, world: pki.World, peer: Peer, asker: Responder) -> None:
        leaf = world.leaf(peer.url)
        peer.reply = send((64 * 1024 + 1) * b"x")
        reason = f"response longer than 64 KiB from {peer.url}"
        assert asker.ask(leaf, world.issuer).reason == reason

    def test_endless(self, world: pki.World, peer: Peer, asker: Responder) -> None:
        leaf = world.leaf(peer.url)

        def reply(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            while True:
                handler.wfile.write(b"400\r\n" + 0x400 * b"x" + b"\r\n")

        peer.reply = reply
        answer = asker.ask(leaf, world.issuer)
        assert answer.reason == f"response longer than 64 KiB from {peer.url}"

    def test_truncated(self, world: pki.World, raw: Callable[..., Raw], asker: Responder) -> None:
        server = raw(lambda c: c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n\x30"))
        assert asker.ask(world.leaf(server.url), world.issuer).status is Status.UNDETERMINED

    def test_compression_is_not_undone(
        self, world: pki.World, peer: Peer, asker: Responder
    ) -> None:
        leaf = world.leaf(peer.url)
        good = pki.direct(world, singles=(pki.Single(leaf, world.issuer),)).encode()
        peer.reply = send(gzip.compress(good), Content_Encoding="gzip")
        assert asker.ask(leaf, world.issuer).reason == (
            f"compressed response, not asked for, from {peer.url}"
        )

    def test_the_content_type_does_not_matter(
        self, world: pki.World, peer: Peer, asker: Responder
    ) -> None:
        leaf = world.leaf(peer.url)
        good = pki.direct(world, singles=(pki.Single(leaf, world.issuer),)).encode()
        peer.reply = send(good, Content_Type="text/html")
        assert asker.ask(leaf, world.issuer).status is Status.GOOD

    def test_cookies_are_not_kept(self, world: pki.World, peer: Peer, asker: Responder) -> None:
        leaf = world.leaf(peer.url)
        peer.reply = send(b"", Set_Cookie="a=b")
        asker.ask(leaf, world.issuer)
        asker.ask(leaf, world.issuer)
        assert [request.headers["Cookie"] for request in peer.requests] == [None, None]

    @pytest.mark.parametrize("behave", [read_to_the_end, dribble, dribble_body])
    def test_slow(
        self,
        world: pki.World,
        raw: Callable[..., Raw],
        impatient: Responder,
        behave: Callable[[socket.socket], None],
    ) -> None:
        server = raw(behave)
        answer = timed(lambda: impatient.ask(world.leaf(server.url), world.issuer))
        assert answer == Answer(
            Status.UNDETERMINED, f"no complete answer within 1 seconds from {server.url}"
        )
        assert server.ended.wait(PLENTY), "the connection was not closed"

    @pytest.mark.parametrize("reply", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 x\r\n", b"HTTP/9 x y\r\n"])
    def test_not_http(
        self, world: pki.World, raw: Callable[..., Raw], asker: Responder, reply: bytes
    ) -> None:
        def behave(connection: socket.socket) -> None:
            connection.recv(65536)
            connection.sendall(reply)

        server = raw(behave)
        answer = asker.ask(world.leaf(server.url), world.issuer)
        assert answer.reason == f"the connection broke ({server.url})"

    def test_not_tls(self, world: pki.World, raw: Callable[..., Raw], asker: Responder) -> None:
        server = raw(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n"))
        url = server.url.replace("http", "https")
        assert asker.ask(world.leaf(url), world.issuer).reason == f"TLS failed ({url})"

    def test_tls_that_hangs(
        self, world: pki.World, raw: Callable[..., Raw], impatient: Responder
    ) -> None:
        server = raw(read_to_the_end)
        url = server.url.replace("http", "https")
        answer = timed(lambda: impatient.ask(world.leaf(url), world.issuer))
        assert answer.reason == f"no complete answer within 1 seconds from {url}"
        assert server.ended.wait(PLENTY), "the connection was not closed"

    def test_nobody_listens(self, world: pki.World, asker: Responder) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        answer = asker.ask(world.leaf(url), world.issuer)
        assert answer.reason == f"cannot connect to {url}: connection refused"

    def test_no_such_name(self, world: pki.World, asker: Responder) -> None:
        url = "http://ocsp.invalid/"
        answer = asker.ask(world.leaf(url), world.issuer)
        assert answer.reason == f"cannot connect to {url}: its name cannot be resolved"

    def test_a_name_that_cannot_be(self, world: pki.World, asker: Responder) -> None:
        url = f"http://{'a' * 64}.example.jp/"
        answer = asker.ask(world.leaf(url), world.issuer)
        assert answer.status is Status.UNDETERMINED
        assert answer.reason == f"cannot connect to {url}: its name cannot be resolved"

    def test_no_url(self, world: pki.World, asker: Responder) -> None:
        assert asker.ask(world.leaf(), world.issuer) == Answer(
            Status.UNDETERMINED, "certificate names no usable OCSP server"
        )

    def test_userinfo_is_refused(self, world: pki.World, peer: Peer, asker: Responder) -> None:
        leaf = world.leaf(peer.url.replace("//", "//user:secret@"))
        answer = asker.ask(leaf, world.issuer)
        assert answer.reason == "certificate names no usable OCSP server"
        assert peer.requests == []


class TestEnvironment:
    """Proxies and netrc."""

    @pytest.mark.parametrize(
        ("url", "host", "port"),
        [
            ("http://Ocsp.example.jp/", "ocsp.example.jp", 80),
            ("https://ocsp.example.jp/x", "ocsp.example.jp", 443),
            ("http://ocsp.example.jp:8080/", "ocsp.example.jp", 8080),
        ],
    )
    def test_whether_it_is_a_proxy_is_known_by_host_and_port(
        self, url: str, host: str, port: int
    ) -> None:
        exchange = Exchange(Session(), url, b"", LIMIT)
        assert (exchange.host, exchange.port) == (host, port)

    def test_a_look_up_that_hangs_is_not_waited_for_at_the_end(self) -> None:
        assert threading.main_thread() is threading.current_thread()
        assert Exchange(Session(), "http://ocsp.example.jp/", b"", LIMIT)._thread.daemon

    def test_proxy(
        self, world: pki.World, peer: Peer, asker: Responder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        leaf = world.leaf("http://ocsp.invalid/")
        peer.reply = answer_for(world, leaf)
        monkeypatch.setenv("http_proxy", peer.url.replace("//", "//user:secret@"))
        assert asker.ask(leaf, world.issuer).status is Status.GOOD
        assert peer.requests[0].path == "http://ocsp.invalid/"
        credentials = base64.b64encode(b"user:secret").decode()
        assert peer.requests[0].headers["Proxy-Authorization"] == f"Basic {credentials}"

    def test_no_proxy(
        self, world: pki.World, peer: Peer, asker: Responder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        leaf = world.leaf(peer.url)
        peer.reply = answer_for(world, leaf)
        monkeypatch.setenv("http_proxy", "http://proxy.invalid:3128")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert asker.ask(leaf, world.issuer).status is Status.GOOD

    @pytest.mark.parametrize(
        ("proxy", "why"),
        [
            (
                "http://user:secret@127.0.0.1:{closed}",
                "cannot connect to {url} through the proxy 127.0.0.1:{closed}: connection refused",
            ),
            (
                "http://user:secret@proxy.invalid:3128",
                "cannot connect to {url} through the proxy proxy.invalid:3128: "
                "its name cannot be resolved",
            ),
            ("http://user:secret@", "no HTTP response ({url})"),
            (
                "gopher://user:secret@proxy.invalid",
                UNUSABLE,
            ),
            ("socks5://user:secret@127.0.0.1:{closed}", ""),  # PySocks or not
            ("http://user:secret@[proxy", UNUSABLE),
        ],
    )
    def test_bad_proxy(
        self,
        world: pki.World,
        asker: Responder,
        monkeypatch: pytest.MonkeyPatch,
        proxy: str,
        why: str,
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            closed = listener.getsockname()[1]
        url = "http://ocsp.invalid/"
        monkeypatch.setenv("http_proxy", proxy.format(closed=closed))
        answer = asker.ask(world.leaf(url), world.issuer)
        assert answer.status is Status.UNDETERMINED
        assert answer.reason == why.format(url=url, closed=closed) or not why
        assert "secret" not in answer.reason

    def test_a_proxy_that_refuses_a_tunnel(
        self, world: pki.World, peer: Peer, asker: Responder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("https_proxy", peer.url.replace("//", "//user:secret@"))
        url = "https://ocsp.invalid/"
        answer = asker.ask(world.leaf(url), world.issuer)
        assert answer.reason == f"the proxy refused or failed ({url})"
        assert peer.requests[0].command == "CONNECT"

    def test_netrc_is_ignored(
        self,
        world: pki.World,
        peer: Peer,
        asker: Responder,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login user password secret\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        leaf = world.leaf(peer.url)
        peer.reply = answer_for(world, leaf)
        assert asker.ask(leaf, world.issuer).status is Status.GOOD
        assert peer.requests[0].headers["Authorization"] is None


@contextlib.contextmanager
def silent_name_servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Makes name look-ups hang until the end of the block; yields the names looked up."""
    asked: list[str] = []
    end = threading.Event()
    real = socket.getaddrinfo

    def getaddrinfo(host: str, *args: Any, **kwargs: Any) -> Any:
        if not host.endswith(".invalid"):
            return real(host, *args, **kwargs)
        asked.append(host)
        end.wait(60)
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    try:
        yield asked
    finally:
        end.set()


class TestNames:
    """Name look-ups and addresses."""

    def test_silent_name_servers(
        self, world: pki.World, impatient: Responder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asker = impatient
        url = "http://ocsp.invalid/"
        leaf = world.leaf(url)
        monkeypatch.setattr(responder_module, "MAX_STUCK", 2)
        with silent_name_servers(monkeypatch) as asked:
            for _ in range(2):
                answer = timed(lambda: asker.ask(leaf, world.issuer))
                assert answer.reason == f"no complete answer within 1 seconds from {url}"
            # Enough threads are left behind: it does not even begin.
            assert asker.ask(leaf, world.issuer).reason == f"earlier queries still hang: {url}"
            assert len(asked) == 2
        assert_threads_end()
        monkeypatch.setattr(asker, "_seconds", PLENTY)
        answer = asker.ask(leaf, world.issuer)
        assert answer.reason == f"cannot connect to {url}: its name cannot be resolved"

    def test_a_look_up_that_ends_too_late_connects_to_nobody(
        self, world: pki.World, peer: Peer, impatient: Responder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = socket.getaddrinfo

        def late(*args: Any, **kwargs: Any) -> Any:
            time.sleep(2 * LIMIT)
            return real(*args, **kwargs)

        monkeypatch.setattr(socket, "getaddrinfo", late)
        answer = timed(lambda: impatient.ask(world.leaf(peer.url), world.issuer))
        assert answer.reason == f"no complete answer within 1 seconds from {peer.url}"
        assert_threads_end()
        assert peer.requests == []

    def test_a_dead_first_address_leaves_time_for_the_next(
        self, world: pki.World, peer: Peer, impatient: Responder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(impatient, "_seconds", SHARED)
        leaf = world.leaf(peer.url.replace("127.0.0.1", "ocsp.invalid"))
        peer.reply = answer_for(world, leaf)
        with full_listener() as dead:
            found = [
                (999, socket.SOCK_STREAM, 0, "", ("nonsense", 0)),  # a family unknown here
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", dead),
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", peer.port)),
            ]
            monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
            answer = timed(lambda: impatient.ask(leaf, world.issuer), SHARED)
            assert answer.status is Status.GOOD
            found.pop()
            monkeypatch.setattr(impatient, "_seconds", LIMIT)
            url = "http://ocsp.invalid:1/"
            answer = timed(lambda: impatient.ask(world.leaf(url), world.issuer))
            assert answer.reason == f"no complete answer within 1 seconds from {url}"


@contextlib.contextmanager
def full_listener() -> Iterator[tuple[str, int]]:
    """Yields the address of a listener that lets further connections hang."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = listener.getsockname()
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(address)
        yield address


class TestSeveralUrls:
    """Certificates that name more than one responder."""

    def test_the_next_is_asked(self, world: pki.World, peer: Peer, asker: Responder) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            closed = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        leaf = world.leaf(closed, peer.url)
        peer.reply = answer_for(world, leaf)
        assert asker.ask(leaf, world.issuer).status is Status.GOOD
        peer.reply = send(b"", 500)
        assert asker.ask(leaf, world.issuer).reason == (
            f"cannot connect to {closed}: connection refused; HTTP status 500 from {peer.url}"
        )

    def test_a_silent_one_leaves_time_for_the_next(
        self,
        world: pki.World,
        raw: Callable[..., Raw],
        peer: Peer,
        asker: Responder,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(asker, "_seconds", SHARED)
        silent = raw(read_to_the_end)
        leaf = world.leaf(silent.url, silent.url + "again", peer.url)
        peer.reply = answer_for(world, leaf)
        answer = timed(lambda: asker.ask(leaf, world.issuer), SHARED)
        assert answer.status is Status.GOOD
        assert silent.accepted == 1, "it was asked again in the same query"

    @pytest.mark.parametrize("order", [1, -1])
    def test_unknown_says_more_than_nothing(
        self, world: pki.World, peer: Peer, asker: Responder, order: int
    ) -> None:
        urls = [peer.url, peer.url + "500"][::order]
        leaf = world.leaf(*urls)
        unknown = answer_for(world, leaf, status="unknown")
        peer.reply = lambda handler: (
            send(b"", 500)(handler) if handler.path == "/500" else unknown(handler)
        )
        assert asker.ask(leaf, world.issuer).reason == "OCSP server says unknown"
        assert len(peer.requests) == 2

    @pytest.mark.parametrize("order", [1, -1])
    def test_unknown_says_more_than_what_cannot_be_verified(
        self, world: pki.World, peer: Peer, asker: Responder, order: int
    ) -> None:
        leaf = world.leaf(*[peer.url, peer.url + "forged"][::order])
        unknown = answer_for(world, leaf, status="unknown")
        forged = answer_for(world, leaf, key=world.impostor_key)
        peer.reply = lambda handler: (forged if handler.path == "/forged" else unknown)(handler)
        assert asker.ask(leaf, world.issuer).status is Status.UNKNOWN
        assert len(peer.requests) == 2


class Interrupted(Exception):
    """Raised by the handler below."""


@pytest.fixture
def interrupt() -> Iterator[Callable[[Callable[[], bool]], None]]:
    """Sends this process a signal once something is so, whose handler raises ``Interrupted``."""

    def handler(*args: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGUSR1, handler)
    threads = []

    def send(ready: Callable[[], bool]) -> None:
        end = time.monotonic() + 25
        while not ready() and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.3)  # whoever was waiting for a thread to start goes on
        os.kill(os.getpid(), signal.SIGUSR1)

    def schedule(ready: Callable[[], bool]) -> None:
        threads.append(threading.Thread(target=send, args=(ready,)))
        threads[-1].start()

    yield schedule
    for thread in threads:
        thread.join()
    signal.signal(signal.SIGUSR1, before)


class TestInterruption:
    """Signals while a query is under way."""

    def test_one(
        self, world: pki.World, raw: Callable[..., Raw], interrupt: Callable[..., None]
    ) -> None:
        server = raw(read_to_the_end)
        with Responder(seconds=PLENTY) as asker:
            interrupt(lambda: server.accepted == 1)
            with pytest.raises(Interrupted):
                asker.ask(world.leaf(server.url), world.issuer)
            assert server.ended.wait(PLENTY), "the connection was not closed"
            assert_threads_end()

    def test_many(
        self, world: pki.World, raw: Callable[..., Raw], interrupt: Callable[..., None]
    ) -> None:
        server = raw(read_to_the_end)
        leaf = world.leaf(server.url, server.url + "other")
        with Responder(seconds=PLENTY) as asker:
            interrupt(lambda: server.accepted == responder_module.SIDE_BY_SIDE)
            with pytest.raises(Interrupted):
                asker.ask_all(dict.fromkeys(range(20), (leaf, world.issuer)))
            assert_threads_end()
            assert server.accepted == responder_module.SIDE_BY_SIDE


class TestMany:
    """A fleet's queries."""

    def test_each_gets_its_own_answer(self, world: pki.World, peer: Peer, asker: Responder) -> None:
        leaves = {number: world.leaf(f"{peer.url}{number}") for number in range(30)}
        words = ["good", "revoked", "unknown"]

        def reply(handler: BaseHTTPRequestHandler) -> None:
            number = int(handler.path[1:])
            answer_for(world, leaves[number], status=words[number % 3])(handler)

        peer.reply = reply
        answers = asker.ask_all({number: (leaf, world.issuer) for number, leaf in leaves.items()})
        assert list(answers) == list(leaves)
        assert {number: answer.status.value for number, answer in answers.items()} == {
            number: words[number % 3] for number in leaves
        }
        assert len(peer.clients) <= responder_module.SIDE_BY_SIDE

    def test_a_process_can_end_meanwhile(
        self, world: pki.World, raw: Callable[..., Raw], asker: Responder
    ) -> None:
        let_go = threading.Event()
        leaf = world.leaf(raw(lambda _connection: let_go.wait(PLENTY)).url)
        before = set(threading.enumerate())
        asking = threading.Thread(
            target=lambda: asker.ask_all(dict.fromkeys(range(2), (leaf, world.issuer)))
        )
        asking.start()
        end = time.monotonic() + PLENTY / 2
        mine: list[threading.Thread] = []
        while len(mine) < 4 and time.monotonic() < end:
            time.sleep(0.01)
            started = set(threading.enumerate()) - before
            mine = [each for each in started if each.name.startswith("OCSP")]
        assert sorted(each.name for each in mine) == ["OCSP queries"] * 2 + ["OCSP query"] * 2
        assert all(each.daemon for each in mine)
        let_go.set()
        asking.join(PLENTY)

    def test_the_bounds(self) -> None:
        # What users are told: ten seconds, 64 KiB, three URLs.
        assert Responder()._seconds == responder_module.QUERY_SECONDS == 10
        assert exchange_module.MAX_RESPONSE == 64 * 1024
        assert evaluation.MAX_URLS == 3

    def test_a_query_that_never_ends_is_given_up(
        self, world: pki.World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ended = threading.Event()
        good = Answer(Status.GOOD, "")

        def query(_batch: object, certificate: x509.Certificate, _issuer: object) -> Answer:
            if certificate is world.certificate:
                ended.wait(PLENTY)
            return good

        asker = Responder(seconds=2)
        monkeypatch.setattr(asker, "_query", query)
        told: list[str] = []
        began = time.monotonic()
        answers = asker.ask_all(
            {"stuck": (world.certificate, world.issuer), "good": (world.leaf(), world.issuer)},
            lambda key, _answer: told.append(key),
        )
        assert time.monotonic() - began < 2 + 0.5 + SLACK
        ended.set()
        assert answers["good"] is good
        assert answers["stuck"].status is Status.UNDETERMINED
        assert answers["stuck"].reason.startswith("no time was left")
        assert told == ["good"]

    def test_connections_are_closed_at_the_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        closed: list[Session] = []

        def close(session: Session) -> None:
            closed.append(session)

        monkeypatch.setattr(Session, "close", close)
        with Responder():
            assert closed == []
        assert len(closed) == 1

    def test_none(self, asker: Responder) -> None:
        assert asker.ask_all({}) == {}

    def test_a_silent_host_costs_one_query(
        self,
        world: pki.World,
        raw: Callable[..., Raw],
        peer: Peer,
        asker: Responder,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(asker, "_seconds", 4)
        silent = raw(read_to_the_end)
        held = world.leaf(silent.url)
        healthy = world.leaf(peer.url)
        peer.reply = answer_for(world, healthy)
        items = {f"silent{number}": (held, world.issuer) for number in range(30)}
        items["healthy"] = (healthy, world.issuer)
        start = time.monotonic()
        answers = asker.ask_all(items)
        assert time.monotonic() - start < 4 + SLACK  # where each is asked it takes 16
        assert answers.pop("healthy").status is Status.GOOD
        assert {answer.reason for answer in answers.values()} == {
            f"no complete answer within 4 seconds from {silent.url}"
        }
        assert silent.accepted == responder_module.SIDE_BY_SIDE


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ECONNREFUSED, "connection refused"),
        (errno.ENETUNREACH, "network unreachable"),
        (errno.EHOSTUNREACH, "network unreachable"),
        (errno.ETIMEDOUT, "no answer in time"),
        (errno.EACCES, os.strerror(errno.EACCES)),
    ],
)
def test_why_the_system_did_not_connect(number: int, said: str) -> None:
    assert reasons.of_system(OSError(number, os.strerror(number))) == said


def test_a_socks_proxy_keeps_connections_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """PySocks need not be installed, so that what requests makes of it stands in."""

    def manager(*_args: object, **_settings: object) -> urllib3.PoolManager:
        return urllib3.PoolManager()

    monkeypatch.setattr(requests.adapters, "SOCKSProxyManager", manager)
    with Session() as session:
        adapter: Any = session.get_adapter("http://ocsp.example/")
        socks = adapter.proxy_manager_for("socks5h://127.0.0.1:1080")
        plain = adapter.proxy_manager_for("http://127.0.0.1:3128")
    assert socks.pool_classes_by_scheme == urllib3.PoolManager().pool_classes_by_scheme
    assert plain.pool_classes_by_scheme != socks.pool_classes_by_scheme


ENDS = """\
import threading
import time

from certbot_jprs.ocsp.responder import Responder


class Certificate:
    @property
    def extensions(self):
        begun.set()
        time.sleep(0.5)
        print("looked at", flush=True)
        raise SystemExit  # ends the thread, which writes no traceback while Python ends


begun = threading.Event()
one = Certificate()
threading.Thread(target=Responder().ask, args=(one, one), daemon=True).start()
begun.wait()
"""


def test_python_does_not_end_while_a_thread_is_in_cryptography() -> None:
    """There it would abort: Certbot 2.11 with cryptography 36, "FATAL: exception not rethrown"."""
    words = [sys.executable, "-c", ENDS]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=PLENTY)
    assert done.stdout == "looked at\n", done.stderr
    assert done.returncode == 0
