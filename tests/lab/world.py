"""The private world: a web server's host, and a CA's beside it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading

from tests.agents.etc import HOSTS
from tests.lab import pki, subject
from tests.lab.acme import Issued
from tests.lab.apache import Apache
from tests.lab.client import Served, Watcher, visit
from tests.lab.container import Container
from tests.lab.front import Front
from tests.lab.jprs import Jprs
from tests.lab.machine import CA_BUNDLE, Machine
from tests.lab.namespace import Namespace
from tests.lab.nginx import Nginx
from tests.lab.pebble import NameServer, Pebble
from tests.lab.place import CA, CONFINED, PATH, SILENT, WEB
from tests.lab.process import Result
from tests.lab.responder import Responder
from tests.lab.rhel import BIN, Httpd
from tests.lab.service import Service

JPRS_HOST = "acme.amecert.jprs.jp"
OCSP_HOST = "ocsp.amecert.jprs.jp"

DNS_HOOK = """\
#!{python} -I
import json, os, sys, urllib.request
name = "_acme-challenge." + os.environ["CERTBOT_DOMAIN"] + "."
body = {{"host": name, "value": os.environ["CERTBOT_VALIDATION"]}}
url = "http://{ca}:8055/" + ("clear-txt" if "CERTBOT_AUTH_OUTPUT" in os.environ else "set-txt")
urllib.request.urlopen(url, json.dumps(body).encode(), timeout=60).close()
"""


class World(Machine):
    """A private world with a stand-in for JPRS; see the package's docstring for its use.

    Attributes:
        jprs: JPRS's service.
        letsencrypt: Let's Encrypt's, staging: its staging service; both share one issuer.
        ocsp: JPRS's OCSP responder.
        dns: the name server.
        apache: the web server.
        nginx: the other one; both can run where they listen on different addresses.
    """

    def __init__(self) -> None:
        """Makes the world.

        Raises:
            Missing: something that the lab needs is not on this machine.
        """
        self._lock = threading.Lock()
        self._pebbles: dict[int, Pebble] = {}
        self._furniture: list[Pebble | NameServer] = []
        self._closing = contextlib.ExitStack()
        super().__init__(Container() if CONFINED else Namespace())
        self._closing.callback(self.namespace.close)
        try:
            self._furnish()
        except BaseException:
            self.close()
            raise

    def _furnish(self) -> None:
        self.authority = pki.Authority()
        self.write(CA_BUNDLE, pki.pem(self.authority.certificate))
        self.dns_hook = "/run/lab/bin/dns-hook"
        self.write(self.dns_hook, DNS_HOOK.format(python=subject.PYTHON, ca=CA), mode=0o755)
        self.dns = NameServer(self.namespace)
        self._furniture.append(self.dns)
        self.jprs = Jprs(JPRS_HOST, "/DV/getDirectory", self._jprs_pebble)
        self.jprs.caa_forbids = self.dns.forbids
        self.letsencrypt, self.staging = (
            Service(f"{host}.api.letsencrypt.org", "/directory", self._others_pebble)
            for host in ("acme-v02", "acme-staging-v02")
        )
        self.services = (self.jprs, self.letsencrypt, self.staging)
        self.ocsp = Responder(self.namespace, self.find)
        self._closing.callback(self.ocsp.close)
        self.front = Front(self.namespace, self.authority, self.services)
        self._closing.callback(self.front.close)
        self.apache: Apache = Apache(self)
        self.nginx = Nginx(self)
        self._jprs_pebble()
        self._set_hosts()

    def _jprs_pebble(self) -> Pebble:
        return self._pebble(14002, reuses=True) if self.jprs.reuses else self._pebble(14000)

    def _others_pebble(self) -> Pebble:
        return self._pebble(14001, eab=False)

    def _pebble(self, port: int, *, eab: bool = True, reuses: bool = False) -> Pebble:
        """Returns one of the ACME servers, which is started when first needed."""
        with self._lock:
            if port not in self._pebbles:
                pebble = Pebble(self.namespace, self.authority, port=port, eab=eab, reuses=reuses)
                self._pebbles[port] = pebble
                self._furniture.append(pebble)
            return self._pebbles[port]

    # -- time ----------------------------------------------------------------------------------

    def reset(self) -> None:
        """Brings everything but the CA's memory back to the beginning; ends all processes."""
        self.namespace.reset()
        self.forget()
        self.apache = Apache(self)
        self.nginx = Nginx(self)
        self.search_path = PATH
        for service in self.services:
            service.reset()
        self.ocsp.reset()
        self.dns.reset()
        self._set_hosts()

    def close(self) -> None:
        """Ends the world."""
        self._closing.close()  # ends every process in the world; what is left is to collect them
        for server in self._furniture:
            server.close()
        self.forget()

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def become_rhel(self, distribution: str = "rhel") -> None:
        """Turns the web server's host into one like RHEL, until the reset.

        Args:
            distribution: ``rhel``, or ``almalinux``, for which Certbot has another class.
        """
        httpd = Httpd(self)
        httpd.lay_out(self, distribution)
        self.apache = httpd
        self.search_path = f"{BIN}:{PATH}"

    # -- names and network ---------------------------------------------------------------------

    def _set_hosts(self, ocsp: str | None = CA) -> None:
        hosts = HOSTS.splitlines()
        hosts += [f"127.0.1.1 {socket.gethostname()}"] if CONFINED else []
        hosts += [f"{CA} {service.host}" for service in self.services]
        hosts += [f"{ocsp} {OCSP_HOST}"] if ocsp else []
        self.write("/etc/hosts", "\n".join(hosts) + "\n")

    def ocsp_address(self, address: str | None) -> None:
        """Sets where the responder's name leads.

        Args:
            address: ``REFUSING``, ``SILENT`` or ``CA``; None: only
                the name server could tell.
        """
        self._set_hosts(address)

    def silence_dns(self) -> None:
        """Makes the name server one that never answers; the CA's host stays in /etc/hosts."""
        self.write("/etc/resolv.conf", f"nameserver {SILENT}\n")

    def listening(self, port: int, host: str = WEB) -> bool:
        """Tells whether something on the web server's host takes connections."""
        with contextlib.suppress(OSError), self.namespace.connect("ca", (host, port), 10):
            return True
        return False

    def http(self, name: str, path: str = "/", port: int = 80) -> str:
        """Fetches a page of a virtual host, head and body."""
        with self.namespace.connect("ca", (WEB, port), 30) as plain:
            plain.sendall(f"GET {path} HTTP/1.0\r\nHost: {name}\r\n\r\n".encode())
            plain.shutdown(socket.SHUT_WR)
            with plain.makefile("rb") as stream:
                return stream.read().decode(errors="replace")

    def https(self, name: str, path: str = "/") -> str:
        """Fetches a page of a virtual host by HTTPS, head and body, whatever the certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with (
            self.namespace.connect("ca", (WEB, 443), 30) as plain,
            context.wrap_socket(plain, server_hostname=name) as secured,
        ):
            secured.sendall(f"GET {path} HTTP/1.0\r\nHost: {name}\r\n\r\n".encode())
            with secured.makefile("rb") as stream:
                return stream.read().decode(errors="replace")

    def vhost(self, name: str, *aliases: str, extra: str = "") -> None:
        """Adds a virtual host to Apache; see ``Apache.vhost``."""
        self.apache.vhost(name, *aliases, extra=extra)

    def served(self, name: str) -> Served:
        """Returns what HTTPS visitors of a name see now."""
        return visit(self.namespace, name)

    def watch(self, *names: str, pause: float = 0.05) -> Watcher:
        """Starts to watch what HTTPS visitors of some names see."""
        return Watcher(self.namespace, names, pause)

    # -- the CA --------------------------------------------------------------------------------

    def find(self, serial: int) -> Issued | None:
        """Returns an issued certificate by its serial number, whoever issued it."""
        found = (service.find(serial) for service in self.services)
        return next((issued for issued in found if issued is not None), None)

    @property
    def issued(self) -> list[Issued]:
        """Every certificate that was issued, oldest first."""
        every = [issued for service in self.services for issued in service.issued]
        return sorted(every, key=lambda issued: issued.issued_at)

    def eab(self, which: int = 0) -> tuple[str, str, str, str]:
        """Returns the options that carry valid EAB credentials."""
        kid = f"lab-{which}"
        return ("--eab-kid", kid, "--eab-hmac-key", self.jprs.eab[kid])

    # -- for the reader of a failed test ---------------------------------------------------------

    def errors(self) -> list[BaseException]:
        """Returns, once, what went wrong in the lab's own servers: bugs of the lab."""
        found = [*self.front.server.errors, *self.ocsp.server.errors]
        self.front.server.errors.clear()
        self.ocsp.server.errors.clear()
        return found

    def report(self) -> dict[str, str]:
        """Returns what a failed test's reader wants to see, by title."""
        ran = [
            f"{each}" if isinstance(each, Result) else f"{' '.join(each.args)}:\n{each.output}"
            for each in self.history
        ]
        requests = sorted(
            (request for service in self.services for request in service.requests),
            key=lambda request: request.time,
        )
        issued = [f"{i.issued_at:.2f} {i.host} {i.serial:x} {i.names}" for i in self.issued]
        return {
            "commands": "\n".join(ran),
            "letsencrypt.log": "\n".join(self.certbot_log.splitlines()[-60:]),
            "requests to CAs": "\n".join(map(str, requests)),
            "issued": "\n".join(issued),
            "OCSP queries": "\n".join(map(str, self.ocsp.queries)),
            "Apache's log": "\n".join(self.apache.log().splitlines()[-20:]),
            "nginx's log": "\n".join(self.nginx.log().splitlines()[-20:]),
        }
