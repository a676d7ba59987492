"""Many lineages at once, as if issued and installed long ago: no order, no waiting.

Rules of this file: what Certbot would have written is written file by file, in Certbot's layout;
the account is registered by Certbot itself, once for each world: the CA's memory outlives a reset.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
from collections.abc import Mapping, Sequence

from cryptography.hazmat.primitives.asymmetric import rsa

from tests.lab import pki, subject
from tests.lab.acme import Issued
from tests.lab.server import WebServer
from tests.lab.world import World

PLUGIN = "certbot-jprs:http"
KINDS = ("cert", "privkey", "chain", "fullchain")

RENEWAL = """\
version = {version}
archive_dir = /etc/letsencrypt/archive/{name}
cert = /etc/letsencrypt/live/{name}/cert.pem
privkey = /etc/letsencrypt/live/{name}/privkey.pem
chain = /etc/letsencrypt/live/{name}/chain.pem
fullchain = /etc/letsencrypt/live/{name}/fullchain.pem

[renewalparams]
account = {account}
server = {server}
key_type = rsa
"""

OURS = {
    "authenticator": PLUGIN,
    "installer": PLUGIN,
    "certbot_jprs:http_ocsp_interval": "1",
}
"""What a renewal file says after one run of the plugin."""


REGISTERED = "/run/lab/registered"


def register(world: World) -> str:
    """Registers with JPRS and returns the account's identifier."""
    registered = world.path(REGISTERED)
    if not registered.exists():
        before = len(world.jprs.requests)
        line = ("register", "-a", PLUGIN, "-m", "admin@example.jp", "--agree-tos", "-n")
        apart = ("--config-dir", REGISTERED, *("--work-dir", "/run/tmp", "--logs-dir", "/run/tmp"))
        world.certbot(*line, *apart, *world.eab()).check()
        del world.jprs.requests[before:]  # the next tests will not see them either
    shutil.copytree(registered, world.path("/etc/letsencrypt"), dirs_exist_ok=True)
    (found,) = os.listdir(registered / "accounts" / world.jprs.url.split("://")[1])
    return found


@functools.cache
def _key(version: int) -> rsa.RSAPrivateKey:
    """Returns the key of the fleet's versions with a number; making one takes its time."""
    del version
    return rsa.generate_private_key(65537, 2048)


NGINX = {"certbot_jprs__authenticator": "nginx", "certbot_jprs__installer": "nginx"}
"""What it says besides, where that is nginx."""


def found(world: World, names: Sequence[str], **params: str | None) -> list[Issued]:
    """Makes a lineage of JPRS's for each name, which Apache serves.

    Args:
        world: where; it registers if there is no account yet.
        names: one name for each lineage, which is also the lineage's.
        params: further ``renewalparams``, or other values than ``OURS``; None leaves one out.
            In a name, ``__`` stands for ``:http_``.

    Returns:
        The certificates, in the order of the names.
    """
    world.apache.enable("ssl")
    return served_by(world.apache, world, names, **params)


def in_nginx(world: World, names: Sequence[str], **params: str | None) -> list[Issued]:
    """Makes such lineages, which nginx serves."""
    return served_by(world.nginx, world, names, **{**NGINX, **params})


def served_by(
    server: WebServer, world: World, names: Sequence[str], **params: str | None
) -> list[Issued]:
    """Makes such lineages, which a web server serves."""
    issued = kept(world, names, **params)
    for name in names:
        http = server.site(name, root="/var/www/html")
        server.install(name, http + server.https_site(name))
        server.names(name)
    # Modules are loaded by a restart only.
    if server.running():
        server.stop()
    server.start()
    return issued


def held(world: World, names: Sequence[str], **params: str | None) -> list[Issued]:
    """Makes such lineages, each with a newer version that is held, as if issued just now.

    Args:
        world: where.
        names: one name for each lineage, which is also the lineage's.
        params: as for ``found``.

    Returns:
        The certificates that are held, in the order of the names.
    """
    found(world, names, **params)
    key = _key(2)
    issued = []
    for name in names:
        each = world.jprs.mint(name, key=key)
        _save(world, each, key, 2)
        record = {"format": 1, "name": name, "step": "held", "in_service": 1, "held": 2}
        text = json.dumps({**record, "since": each.issued_at, "reload": True})
        world.write(f"/etc/letsencrypt/certbot-jprs/held/{name}.json", text, 0o600)
        issued.append(each)
    return issued


def kept(world: World, names: Sequence[str], **params: str | None) -> list[Issued]:
    """Makes such lineages, which nobody serves."""
    known = list(world.path("/etc/letsencrypt/accounts").glob("*/DV/getDirectory/*"))
    account = known[0].name if known else register(world)
    key = _key(1)
    issued = [world.jprs.mint(name, key=key) for name in names]
    values = {**OURS, **{each.replace("__", ":http_"): v for each, v in params.items()}}
    for each in issued:
        _write(world, each, key, account, values)
    return issued


def _write(
    world: World,
    issued: Issued,
    key: rsa.RSAPrivateKey,
    account: str,
    params: Mapping[str, str | None],
) -> None:
    (name,) = issued.names
    etc = "/etc/letsencrypt"
    _save(world, issued, key, 1)
    for kind in KINDS:
        link = world.path(f"{etc}/live/{name}/{kind}.pem")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(f"../../archive/{name}/{kind}1.pem")
    version = subject.certbot_version()
    text = RENEWAL.format(version=version, name=name, account=account, server=world.jprs.url)
    lines = [f"{each} = {value}\n" for each, value in params.items() if value is not None]
    world.write(f"{etc}/renewal/{name}.conf", text + "".join(lines))


def _save(world: World, issued: Issued, key: rsa.RSAPrivateKey, version: int) -> None:
    (name,) = issued.names
    issuer = pki.pem(issued.issuer)
    texts = (issued.pem, pki.key_pem(key), issuer, issued.pem + issuer)
    for kind, text in zip(KINDS, texts):
        path = f"/etc/letsencrypt/archive/{name}/{kind}{version}.pem"
        world.write(path, text, 0o600 if "key" in kind else 0o644)
