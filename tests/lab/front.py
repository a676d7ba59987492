"""The CA's web face: HTTPS in front of Pebble, under the names that users type."""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler

from tests.lab.acme import Jws, Problem, Request
from tests.lab.http import Server, as_json, connect, fetch
from tests.lab.pebble import LOCAL, Pebble
from tests.lab.pki import Authority
from tests.lab.place import CA, Place
from tests.lab.service import Service

PEBBLES_CONTACTS = 2  # JPRS takes 6: with more than Pebble takes, the front answers by itself
PASSED = ("Content-Type", "Replay-Nonce", "Location", "Link", "Retry-After")


class Front:
    """Answers for every service by its host name."""

    def __init__(self, world: Place, authority: Authority, services: Sequence[Service]) -> None:
        """Starts it in the CA's network, port 443."""
        self.world = world
        self.services: Mapping[str, Service] = {each.host: each for each in services}
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        path = world.path("/run/lab/front.pem")
        path.write_text(authority.issue(list(self.services)), encoding="ascii")
        context.load_cert_chain(path)
        context.sni_callback = self._turn_away
        front = self

        class Handler(_Handler):
            """Knows its front."""

            owner = front

        self.server = Server(world.listen("ca", (CA, 443)), Handler, context)

    def _turn_away(self, _tls: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        """Answers for no other names: in a container, the web server's visitors come by."""
        known = name is None or name in self.services
        return None if known else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    def close(self) -> None:
        """Stops it."""
        self.server.close()


class _Handler(BaseHTTPRequestHandler):
    """One client's connection."""

    owner: Front
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    _upstream: tuple[Pebble, HTTPConnection] | None = None

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing: requests are recorded, not printed."""

    def finish(self) -> None:
        """Ends the connection to Pebble with the client's."""
        super().finish()
        if self._upstream is not None:
            self._upstream[1].close()

    def do_GET(self) -> None:
        """Serves one request."""
        host = self.headers.get("Host", "")
        service = self.owner.services.get(host)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if service is None:
            self._reply(404, {}, b"no such service")
            return
        step = service.step(self.path)
        jws = Jws.parse(body)
        # Recorded before it is answered, so that who has the answer finds the record.
        at = time.time()
        headers: dict[str, str] = {}
        recorded = True
        try:
            service.check(step, jws)
            status, headers, body = self._serve(service, step, jws, body)
        except Problem as problem:
            status, body, recorded = problem.status, as_json(problem.document()), problem.recorded
            headers = {"Content-Type": "application/problem+json", **self._nonce(service)}
        except (OSError, HTTPException) as error:
            status, body = 502, str(error).encode()
        if recorded:
            service.requests.append(Request(at, host, self.command, self.path, step, status))
        self._reply(status, headers, body)

    do_POST = do_HEAD = do_GET  # noqa: N815

    def _reply(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _serve(
        self, service: Service, step: str, jws: Jws, body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        contacts = jws.payload.get("contact") or []
        if step in {"newAccount", "account"} and len(contacts) > PEBBLES_CONTACTS:
            created = step == "newAccount"
            path = "/my-account/pretended" if created else self.path
            headers = {"Location": f"https://{service.host}{path}", **self._nonce(service)}
            document = {"status": "valid", "contact": contacts}
            return (201 if created else 200), headers, as_json(document)
        if step == "revokeCert":
            service.revoke(jws)
            return 200, self._nonce(service), b""
        status, headers, answer = self._ask(service, self.command, self.path, body)
        if step == "cert" and status == 200:
            answer = service.issue(answer, jws)
        elif step == "newOrder" and status == 201:
            service.order(answer)
        status, answer = service.translate(step, status, answer)
        return status, headers, answer

    def _nonce(self, service: Service) -> dict[str, str]:
        with contextlib.suppress(OSError, HTTPException):
            headers = self._ask(service, "HEAD", "/nonce-plz", b"")[1]
            return {"Replay-Nonce": headers["Replay-Nonce"]}
        return {}

    def _ask(
        self, service: Service, method: str, path: str, body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Passes a request on to Pebble."""
        pebble = service.backend()
        if self._upstream is None or self._upstream[0] is not pebble:
            made = connect(self.owner.world, "ca", (LOCAL, pebble.port), pebble.tls)
            self._upstream = (pebble, made)
        headers = {"Host": service.host}
        for name in ("Content-Type", "User-Agent"):
            if name in self.headers:
                headers[name] = self.headers[name]
        if path == service.directory:
            path = "/dir"
        response, answer = fetch(
            self._upstream[1], method, path, body if method == "POST" else None, headers
        )
        kept: dict[str, str] = {}
        for name in PASSED:
            values = response.headers.get_all(name)
            if values:
                # The index link would give away Pebble's own directory path.
                values = [value.replace("/dir>", f"{service.directory}>") for value in values]
                kept[name] = ", ".join(values)
        return response.status, kept, answer
