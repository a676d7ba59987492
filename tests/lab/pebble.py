"""Pebble, the ACME server behind the front, and its name server."""

from __future__ import annotations

import base64
import contextlib
import secrets
import ssl
import subprocess
import time
from collections.abc import Mapping, Sequence

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.lab.http import as_json, connect, fetch
from tests.lab.pki import Authority
from tests.lab.place import CA, PATH, Place

KEEP = {"CERTBOT_JPRS_LAB_KEEP": "1", "PATH": PATH}
LOCAL = "127.0.0.1"


def furniture(
    world: Place, argv: Sequence[str], log: str, env: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Starts a server that a reset leaves running, in the CA's network."""
    with world.path(log).open("wb") as stream:
        return subprocess.Popen(
            world.command(argv, "ca"),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            env={**env, **KEEP},
            start_new_session=True,
        )


def wait_for_port(world: Place, address: tuple[str, int], log: str) -> None:
    """Waits until something listens there.

    Raises:
        TimeoutError: nothing does; with what the server wrote to its log.
    """
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            world.connect("ca", address, 1).close()
            return
        time.sleep(0.02)
    raise TimeoutError(f"nothing listens at {address}: {world.path(log).read_text()}")


class Pebble:
    """One ACME server with its own issuer.

    Attributes:
        eab: the EAB credentials that it accepts, by key identifier.
    """

    def __init__(
        self,
        world: Place,
        authority: Authority,
        *,
        port: int,
        eab: bool,
        reuses: bool,
    ) -> None:
        """Starts it.

        Args:
            world: where.
            authority: who vouches for its HTTPS, which only the front sees.
            port: its own; the one for its management is 1000 above.
            eab: whether accounts need an external account binding.
            reuses: whether it uses authorizations again for a later order.
        """
        self._world = world
        self.port = port
        self.eab = {f"lab-{n}": _mac_key() for n in range(8)} if eab else {}
        directory = f"/run/lab/pebble-{port}"
        self.log = directory + ".log"
        world.path(directory).mkdir()
        pem = authority.issue(["localhost"])
        for name in ("key.pem", "cert.pem"):
            path = world.path(f"{directory}/{name}")
            path.write_text(pem, encoding="ascii")
        settings: dict[str, object] = {
            "listenAddress": f"{LOCAL}:{port}",
            "managementListenAddress": f"{LOCAL}:{port + 1000}",
            "certificate": directory + "/cert.pem",
            "privateKey": directory + "/key.pem",
            "httpPort": 80,
            "tlsPort": 443,
            "externalAccountBindingRequired": eab,
            "externalAccountMACKeys": self.eab,
        }
        config = directory + "/config.json"
        world.path(config).write_bytes(as_json({"pebble": settings}))
        self._process = furniture(
            world,
            ["pebble", "-strict", "-config", config, "-dnsserver", f"{CA}:53"],
            self.log,
            {
                "PEBBLE_VA_NOSLEEP": "1",
                "PEBBLE_WFE_NONCEREJECT": "0",
                "PEBBLE_AUTHZREUSE": "100" if reuses else "0",
            },
        )
        self.tls = ssl.create_default_context(
            cadata=authority.certificate.public_bytes(serialization.Encoding.PEM).decode()
        )
        self.tls.verify_flags |= ssl.VERIFY_X509_STRICT  # as Python 3.13 does by itself
        wait_for_port(world, (LOCAL, port + 1000), self.log)
        wait_for_port(world, (LOCAL, port), self.log)
        self.issuer = x509.load_pem_x509_certificate(self._manage("/intermediates/0"))
        self.root = x509.load_pem_x509_certificate(self._manage("/roots/0"))
        key = serialization.load_pem_private_key(self._manage("/intermediate-keys/0"), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        self.issuer_key = key

    def _manage(self, path: str) -> bytes:
        connection = connect(self._world, "ca", (LOCAL, self.port + 1000), self.tls)
        with contextlib.closing(connection):
            return fetch(connection, "GET", path)[1]

    def close(self) -> None:
        """Collects the process, which the world's end has ended."""
        self._process.wait(60)


class NameServer:
    """The world's DNS: answers only what it was told."""

    def __init__(self, world: Place) -> None:
        """Starts it."""
        self._world = world
        self._known: set[tuple[str, str]] = set()
        self._caa: dict[str, tuple[str, ...]] = {}
        log = "/run/lab/dns.log"
        argv = ["pebble-challtestsrv", "-dns01", f"{CA}:53", "-management", f"{CA}:8055"]
        argv += ["-defaultIPv4", "", "-defaultIPv6", ""]
        argv += ["-http01", "", "-https01", "", "-tlsalpn01", ""]
        self._process = furniture(world, argv, log, {})
        wait_for_port(world, (CA, 8055), log)

    def _post(self, path: str, body: Mapping[str, object]) -> None:
        connection = connect(self._world, "ca", (CA, 8055))
        with contextlib.closing(connection):
            response, answer = fetch(connection, "POST", path, as_json(body))
            assert response.status == 200, answer

    def set_a(self, host: str, *addresses: str) -> None:
        """Sets the IPv4 addresses of a name; none: it has none."""
        self._set("a", host, {"addresses": list(addresses)} if addresses else None)

    def set_aaaa(self, host: str, *addresses: str) -> None:
        """Sets the IPv6 addresses of a name; none: it has none."""
        self._set("aaaa", host, {"addresses": list(addresses)} if addresses else None)

    def set_caa(self, host: str, *values: str) -> None:
        """Sets the CAA ``issue`` values of a name; none: it has none."""
        self._caa[host] = values
        policies = [{"tag": "issue", "value": value} for value in values]
        self._set("caa", host, {"policies": policies} if values else None)

    def forbids(self, host: str, issuer: str) -> bool:
        """Tells whether a CA has to refuse a name (RFC 8659): Pebble knows no CAA.

        Args:
            host: the name.
            issuer: what the CA is called in CAA records.
        """
        while host:
            if ("servfail", host) in self._known:
                return True
            if self._caa.get(host):
                return issuer not in self._caa[host]
            host = host.partition(".")[2]
        return False

    def set_txt(self, host: str, value: str | None) -> None:
        """Sets the TXT record of a name (``_acme-challenge.www.example.jp``)."""
        name = host.rstrip(".") + "."
        self._post("/set-txt" if value else "/clear-txt", {"host": name, "value": value or ""})
        self._known.add(("txt", host))

    def set_servfail(self, host: str) -> None:
        """Makes the name server fail for a name."""
        self._post("/set-servfail", {"host": host})
        self._known.add(("servfail", host))

    def _set(self, kind: str, host: str, value: Mapping[str, object] | None) -> None:
        self._post(f"/clear-{kind}", {"host": host})
        if value is not None:
            self._post(f"/add-{kind}", {"host": host, **value})
            self._known.add((kind, host))

    def reset(self) -> None:
        """Forgets every name."""
        for kind, host in self._known:
            name = host.rstrip(".") + "." if kind == "txt" else host
            self._post(f"/clear-{kind}", {"host": name})
        self._known.clear()
        self._caa.clear()

    def close(self) -> None:
        """Collects the process, which the world's end has ended."""
        self._process.wait(60)


def _mac_key() -> str:
    key = base64.urlsafe_b64encode(secrets.token_bytes(48)).decode().rstrip("=")
    # In a word of its own on a command line, a key that begins with a dash is taken for an option.
    return key if key[0] != "-" else _mac_key()
