"""HTTP on sockets that live in a world."""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.lab.place import Place


class Server(ThreadingHTTPServer):
    """An HTTP server on a given listening socket, with TLS if a context is given."""

    daemon_threads = True
    block_on_close = False

    def __init__(
        self,
        listening: socket.socket,
        handler: type[BaseHTTPRequestHandler],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Starts serving in a thread of its own.

        Handlers should buffer what they write (``wbufsize = -1``): an answer in two packets
        waits for the client's delayed acknowledgement.
        """
        address = listening.getsockname()
        super().__init__(address, handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.tls = tls
        self.errors: list[BaseException] = []
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def finish_request(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Handles one connection, in its own thread."""
        assert isinstance(request, socket.socket)
        if self.tls is None:
            super().finish_request(request, client_address)
            return
        try:
            request.settimeout(60)
            with self.tls.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)
        except OSError:
            return  # the client went away, or does not speak TLS

    def handle_error(self, request: object, client_address: object) -> None:
        """Keeps what went wrong in the lab itself; clients go away in the middle on purpose."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):
            self.errors.append(error)

    def close(self) -> None:
        """Stops listening."""
        self.shutdown()
        self.server_close()


def connect(
    world: Place,
    network: str,
    address: tuple[str, int],
    tls: ssl.SSLContext | None = None,
    timeout: float = 30,
) -> HTTPConnection:
    """Returns an HTTP connection from within a network of the world."""
    plain = world.connect(network, address, timeout)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection = HTTPConnection(*address, timeout=timeout)
    connection.sock = plain if tls is None else tls.wrap_socket(plain, server_hostname="localhost")
    return connection


def fetch(
    connection: HTTPConnection,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[HTTPResponse, bytes]:
    """Sends one request and reads the whole answer."""
    connection.putrequest(method, path, skip_host="Host" in (headers or {}))
    for key, value in (headers or {}).items():
        connection.putheader(key, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    response = connection.getresponse()
    return response, response.read()


def as_json(value: object) -> bytes:
    """Returns a value as JSON."""
    return json.dumps(value).encode()
