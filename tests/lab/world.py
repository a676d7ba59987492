"""The private world: a web server's host, and a CA's beside it."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from tests.lab import pki
from tests.lab.apache import Apache
from tests.lab.client import Served, Watcher, visit
from tests.lab.files import Lineage
from tests.lab.front import Front
from tests.lab.namespace import CA, PATH, SILENT, WEB, Namespace
from tests.lab.pebble import NameServer, Pebble
from tests.lab.process import Result, Running, Terminal
from tests.lab.responder import Responder
from tests.lab.service import Issued, Jprs, Service

JPRS_HOST = "acme.amecert.jprs.jp"
OCSP_HOST = "ocsp.amecert.jprs.jp"
CA_BUNDLE = "/run/lab/ca.pem"

DNS_HOOK = """\
#!{python} -I
import json, os, sys, urllib.request
name = "_acme-challenge." + os.environ["CERTBOT_DOMAIN"] + "."
body = {{"host": name, "value": os.environ["CERTBOT_VALIDATION"]}}
url = "http://{ca}:8055/" + ("clear-txt" if "CERTBOT_AUTH_OUTPUT" in os.environ else "set-txt")
urllib.request.urlopen(url, json.dumps(body).encode(), timeout=5).close()
"""


class World:
    """A private world with a stand-in for JPRS; see the package's docstring for its use.

    Attributes:
        jprs: JPRS's service.
        letsencrypt: Let's Encrypt's, staging: its staging service; both share one issuer.
        ocsp: JPRS's OCSP responder.
        dns: the name server.
        apache: the web server.
        history: what commands were run since the last reset, running ones included.
    """

    def __init__(self, *, nonce_reject: int = 0, authz_reuse: int = 0) -> None:
        """Makes the world.

        Args:
            nonce_reject: percentage of good nonces that the CA rejects all the same.
            authz_reuse: percentage of authorizations that the CA uses again.

        Raises:
            Missing: something that the lab needs is not on this machine.
        """
        self._options = {"nonce_reject": nonce_reject, "authz_reuse": authz_reuse}
        self._lock = threading.Lock()
        self._pebbles: dict[str, Pebble] = {}
        self.history: list[Result | Running | Terminal] = []
        self._furniture: list[Pebble | NameServer] = []
        self._closing = contextlib.ExitStack()
        self.namespace = Namespace()
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
        self.write(self.dns_hook, DNS_HOOK.format(python=sys.executable, ca=CA), mode=0o755)
        self.dns = NameServer(self.namespace)
        self._furniture.append(self.dns)
        self.jprs = Jprs(JPRS_HOST, "/DV/getDirectory", lambda: self._pebble("jprs"))
        self.letsencrypt, self.staging = (
            Service(f"{host}.api.letsencrypt.org", "/directory", lambda: self._pebble("other"))
            for host in ("acme-v02", "acme-staging-v02")
        )
        self.services = (self.jprs, self.letsencrypt, self.staging)
        self.ocsp = Responder(self.namespace, self.find)
        self._closing.callback(self.ocsp.close)
        self.front = Front(self.namespace, self.authority, self.services)
        self._closing.callback(self.front.close)
        self.apache = Apache(self)
        self._pebble("jprs")
        self._set_hosts()

    def _pebble(self, which: str) -> Pebble:
        """Returns one of the two ACME servers; the other CAs' is started when first needed."""
        with self._lock:
            if which not in self._pebbles:
                port, eab = (14000, True) if which == "jprs" else (14001, False)
                pebble = Pebble(self.namespace, self.authority, port=port, eab=eab, **self._options)
                self._pebbles[which] = pebble
                self._furniture.append(pebble)
            return self._pebbles[which]

    # -- time ----------------------------------------------------------------------------------

    def reset(self) -> None:
        """Brings everything but the CA's memory back to the beginning; ends all processes."""
        for each in self.history:
            if isinstance(each, Terminal):
                each.close()
        self.namespace.reset()
        for each in self.history:
            if isinstance(each, Running):
                each.kill()
        self.history.clear()
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
        for each in self.history:
            if isinstance(each, Terminal):
                each.close()
            elif isinstance(each, Running):
                each.kill()

    def __enter__(self) -> World:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- files ---------------------------------------------------------------------------------

    def path(self, path: str | os.PathLike[str]) -> Path:
        """Returns where a file of the world can be reached from outside."""
        return self.namespace.path(path)

    def read(self, path: str) -> str:
        """Returns a file's text, empty if there is none."""
        try:
            return self.path(path).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def write(self, path: str, text: str, mode: int = 0o644) -> Path:
        """Writes a file, with its directories, and returns where it is from outside."""
        target = self.path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        target.chmod(mode)
        return target

    def cli_ini(self, text: str) -> None:
        """Writes Certbot's /etc/letsencrypt/cli.ini."""
        self.write("/etc/letsencrypt/cli.ini", text)

    def hook(self, path: str, text: str) -> str:
        """Writes an executable shell script and returns its path in the world."""
        self.write(path, "#!/bin/sh\n" + text + "\n", mode=0o755)
        return path

    def lineage(self, name: str) -> Lineage:
        """Returns what Certbot keeps under a certificate name."""
        return Lineage(self.path("/etc/letsencrypt"), name)

    def lineages(self) -> list[str]:
        """Returns the names of all certificates that Certbot keeps."""
        return sorted(path.stem for path in self.path("/etc/letsencrypt/renewal").glob("*.conf"))

    @property
    def certbot_log(self) -> str:
        """The text of letsencrypt.log."""
        return self.read("/var/log/letsencrypt/letsencrypt.log")

    # -- names and network ---------------------------------------------------------------------

    def _set_hosts(self, ocsp: str | None = CA) -> None:
        hosts = ["127.0.0.1 localhost", "127.0.1.1 web.lab.invalid web"]
        hosts += [f"{CA} {service.host}" for service in self.services]
        hosts += [f"{ocsp} {OCSP_HOST}"] if ocsp else []
        self.write("/etc/hosts", "\n".join(hosts) + "\n")

    def ocsp_address(self, address: str | None) -> None:
        """Sets where the responder's name leads.

        Args:
            address: ``namespace.REFUSING``, ``namespace.SILENT`` or ``namespace.CA``; None: only
                the name server could tell.
        """
        self._set_hosts(address)

    def silence_dns(self) -> None:
        """Makes the name server one that never answers; the CA's host stays in /etc/hosts."""
        self.write("/etc/resolv.conf", f"nameserver {SILENT}\n")

    def listening(self, port: int, host: str = WEB) -> bool:
        """Tells whether something on the web server's host takes connections."""
        with contextlib.suppress(OSError), self.namespace.connect("ca", (host, port), 2):
            return True
        return False

    def http(self, name: str, path: str = "/", port: int = 80) -> str:
        """Fetches a page of a virtual host, head and body."""
        with self.namespace.connect("ca", (WEB, port)) as plain:
            plain.sendall(f"GET {path} HTTP/1.0\r\nHost: {name}\r\n\r\n".encode())
            plain.shutdown(socket.SHUT_WR)
            with plain.makefile("rb") as stream:
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

    # -- commands ------------------------------------------------------------------------------

    def environment(self, env: Mapping[str, str] | None = None) -> dict[str, str]:
        """Returns the environment that commands get."""
        base = {
            "PATH": PATH,
            "HOME": "/run/home",
            "TMPDIR": "/run/tmp",
            "LANG": "C.UTF-8",
            "REQUESTS_CA_BUNDLE": CA_BUNDLE,
        }
        return {**base, **(env or {})}

    def spawn(
        self,
        *args: str,
        env: Mapping[str, str] | None = None,
        input: str | None = None,  # noqa: A002
    ) -> Running:
        """Starts a command on the web server's host."""
        running = Running(args, self.namespace.command(args), self.environment(env), input)
        self.history.append(running)
        return running

    def run(
        self,
        *args: str,
        timeout: float = 60,
        env: Mapping[str, str] | None = None,
        input: str | None = None,  # noqa: A002
    ) -> Result:
        """Runs a command on the web server's host to its end."""
        running = self.spawn(*args, env=env, input=input)
        result = running.wait(timeout)
        with contextlib.suppress(ValueError):
            self.history[self.history.index(running)] = result
        return result

    def certbot_command(self, venv: str | os.PathLike[str] | None = None) -> str:
        """Returns the path of Certbot.

        Args:
            venv: a virtual environment, or a certbot executable; None: this interpreter's.
        """
        if venv is None:
            return str(Path(sys.executable).with_name("certbot"))
        path = Path(venv)
        return str(path / "bin" / "certbot" if path.is_dir() else path)

    def certbot(
        self,
        *args: str,
        timeout: float = 120,
        env: Mapping[str, str] | None = None,
        input: str | None = None,  # noqa: A002
        venv: str | os.PathLike[str] | None = None,
    ) -> Result:
        """Runs Certbot to its end; see ``certbot_command`` for ``venv``."""
        command = self.certbot_command(venv)
        return self.run(command, *args, timeout=timeout, env=env, input=input)

    def spawn_certbot(
        self,
        *args: str,
        env: Mapping[str, str] | None = None,
        venv: str | os.PathLike[str] | None = None,
    ) -> Running:
        """Starts Certbot; signals reach the process itself."""
        return self.spawn(self.certbot_command(venv), *args, env=env)

    def certbot_pty(
        self,
        *args: str,
        env: Mapping[str, str] | None = None,
        venv: str | os.PathLike[str] | None = None,
    ) -> Terminal:
        """Starts Certbot on a terminal of its own."""
        argv = [self.certbot_command(venv), *args]
        command = self.namespace.command(["setsid", "--ctty", *argv])
        terminal = Terminal(argv, command, self.environment({"TERM": "xterm", **(env or {})}))
        self.history.append(terminal)
        return terminal

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
        }
