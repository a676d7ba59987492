"""Measures the other ACME clients, and draws what was found."""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.metadata
import json
import subprocess
import sys
import time
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric import rsa

from tests.lab import Missing, World, pki
from tests.lab.client import Watcher
from tests.lab.machine import CA_BUNDLE
from tests.lab.measure import NAME
from tests.peers.clients import CERTIFICATE, CLIENTS, DEPLOY, KEY, ROOT, WEBROOT, Client
from tests.pictures import drawings
from tests.pictures.svg import PICTURES

LAG = 20.0
AFTER = 15.0  # seconds that visitors go on coming once the OCSP server knows the certificate
LIMIT = 90.0  # seconds until a certificate has to be there, and then in service
TRUSTED = "/etc/ssl/certs/ca-certificates.crt"
SCRIPT = f"""\
set -e
cp $1 {CERTIFICATE}.new
cp $2 {KEY}
mv {CERTIFICATE}.new {CERTIFICATE}
apachectl graceful
"""
HTTPS = f"""\
<VirtualHost *:443>
    ServerName {NAME}
    DocumentRoot {WEBROOT}
    SSLEngine on
    SSLCertificateFile {CERTIFICATE}
    SSLCertificateKeyFile {KEY}
</VirtualHost>
"""


def site(world: World, client: Client) -> None:
    """Lets Apache serve the site with an older certificate and staple its OCSP answers."""
    world.reset()
    world.write(TRUSTED, world.read(TRUSTED) + world.read(CA_BUNDLE))
    world.hook(DEPLOY, SCRIPT)
    world.apache.staple()
    world.vhost(NAME)
    if client.serves:
        return
    key = rsa.generate_private_key(65537, 2048)
    old = world.jprs.mint(NAME, key=key)
    world.write(CERTIFICATE, old.pem + pki.pem(old.issuer))
    world.write(KEY, pki.key_pem(key), 0o600)
    world.ocsp.behave("good", serial=old.serial)
    world.write("/etc/apache2/sites-available/https.conf", HTTPS)
    world.path("/etc/apache2/sites-enabled/https.conf").symlink_to("../sites-available/https.conf")
    world.apache.stop()
    world.apache.start()


def until(watcher: Watcher, world: World, before: int) -> int:
    """Waits until a new certificate is in service and returns its serial number.

    Raises:
        AssertionError: it is not, within the limit.
    """
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        if len(world.jprs.issued) > before:
            serial = world.jprs.issued[-1].serial
            if watcher.first(serial) is not None:
                return serial
        time.sleep(0.2)
    raise AssertionError(f"not in service: {world.report()}")


def unknown_for(watcher: Watcher, serial: int, end: float) -> float:
    """Returns for how many seconds in all a staple said ``unknown``."""
    seconds = 0.0
    changes = [change for change in watcher.changes if change.name == NAME]
    ends = [*(change.time for change in changes[1:]), end]
    for change, until_then in zip(changes, ends):
        if change.serial == serial and change.staple == "unknown":
            seconds += until_then - change.time
    return seconds


def measured(world: World, client: Client) -> Mapping[str, object]:
    """Lets a client get a certificate and returns what visitors were served."""
    site(world, client)
    before = len(world.jprs.issued)
    world.ocsp.lag = LAG
    if not client.eab:
        return {"account": False, "said": refused(world, client)}
    with world.watch(NAME) as watcher:
        client.issue(world)
        serial = until(watcher, world, before)
        known = world.ocsp.known_at(serial)
        time.sleep(max(0.0, known + AFTER - time.time()))
        end = time.time()
        first = watcher.first(serial)
    assert first is not None
    return {
        "account": True,
        "early": round(max(0.0, known - first), 1),
        "late": round(max(0.0, first - known), 1),
        "unknown stapled": round(unknown_for(watcher, serial, end), 1),
        "stapled at the end": watcher.changes[-1].staple,
    }


def refused(world: World, client: Client) -> str:
    """Returns the last line that a client says which cannot register.

    Raises:
        AssertionError: it can.
    """
    before = len(world.jprs.issued)
    try:
        client.issue(world)
    except AssertionError as failed:
        problem = [line for line in str(failed).splitlines() if "externalAccount" in line]
        if not problem:
            raise
        return problem[-1].strip(" |")
    assert len(world.jprs.issued) == before
    raise AssertionError(f"{client.name} can register")


def version(client: Client) -> str:
    """Returns the version of a client, Debian's."""
    if not client.package:
        return importlib.metadata.version("certbot-jprs")
    for line in (ROOT / "versions").read_text(encoding="ascii").splitlines():
        package, number = line.split()
        if package == client.package:
            return number
    command = ("dpkg-query", "--show", "--showformat", "${Version}", client.package)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main() -> int:
    """Measures and draws."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draw", action="store_true", help="draw only, from what was measured")
    parser.add_argument("--only", choices=[client.name for client in CLIENTS])
    arguments = parser.parse_args()
    path = PICTURES / "peers.json"
    if not arguments.draw:
        rows = []
        try:
            with World() as world:
                for client in CLIENTS:
                    if arguments.only in (None, client.name):
                        found = measured(world, client)
                        rows.append({"client": client.name, "version": version(client), **found})
                        print(rows[-1], flush=True)
        except Missing as missing:
            print(missing, file=sys.stderr)
            return 1
        if arguments.only:
            return 0
        today = dt.datetime.now(dt.timezone.utc).date()
        record = {"measured": f"{today}", "lag": LAG, "watched after": AFTER, "clients": rows}
        path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    drawings.peers(json.loads(path.read_text(encoding="utf-8")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
