"""Lays out a Certbot configuration directory as Certbot does, with certificates minted here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from certbot_jprs.lineage import files
from certbot_jprs.lineage.files import KINDS, Lineage
from certbot_jprs.rules import policy
from tests.unit import pki

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
OTHER_CA = "https://acme.other-ca.example/directory"

MANUAL: Mapping[str, str] = {
    "account": "0123456789abcdef0123456789abcdef",
    "authenticator": "apache",
    "installer": "apache",
    "server": policy.SERVER,
    "key_type": "rsa",
    "renew_hook": "sleep 10m;systemctl reload httpd",
}
"""What JPRS's manual makes of ``[renewalparams]``."""


def pem(item: x509.Certificate | pki.Key) -> bytes:
    if isinstance(item, x509.Certificate):
        return item.public_bytes(serialization.Encoding.PEM)
    return item.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def certificate(
    names: Sequence[str],
    key: pki.Key,
    issuer: x509.Certificate,
    issuer_key: pki.Key,
    responder: str = "",
) -> x509.Certificate:
    """Mints a certificate in date now: Certbot looks at the clock."""
    now = dt.datetime.now(dt.timezone.utc).replace(microsecond=0)
    san = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    return pki.mint(
        names[0] if names else "nameless",  # Certbot counts the common name among the names
        key,
        issuer.subject,
        issuer_key,
        extensions=[
            *([(san, False)] if names else []),
            *([pki.aia(responder)] if responder else []),
        ],
        not_before=now - pki.DAY,
        not_after=now + 89 * pki.DAY,
    )


@dataclass
class ConfigDir:
    """One Certbot configuration directory; others beside it take its work and its logs.

    Attributes:
        path: the directory, as in ``--config-dir``.
    """

    path: Path

    def __post_init__(self) -> None:
        for name in ("renewal", "live", "archive"):
            (self.path / name).mkdir(parents=True)

    def __str__(self) -> str:
        return str(self.path)

    @property
    def options(self) -> list[str]:
        """The command-line options that make Certbot use these directories."""
        parts = ["--config-dir", str(self.path)]
        for name in ("work", "logs"):
            parts += [f"--{name}-dir", str(self.path.parent / name)]
        return parts

    def conf(self, name: str) -> Path:
        return self.path / "renewal" / f"{name}.conf"

    def live(self, name: str, kind: str) -> Path:
        return self.path / "live" / name / f"{kind}.pem"

    def archive(self, name: str, kind: str, version: int) -> Path:
        return self.path / "archive" / name / f"{kind}{version}.pem"

    def add(
        self,
        name: str,
        names: Sequence[str] | None = None,
        *,
        key: pki.Key | None = None,
        versions: Sequence[int] = (1,),
        absolute: bool = False,
        shared_key: bool = False,
        responder: str = "",
        **params: str | None,
    ) -> Lineage:
        """Adds a lineage, linked to its last version.

        Args:
            name: its name.
            names: the certificate's names; the lineage's own unless given.
            key: its key; RSA unless given.
            versions: which versions there are.
            absolute: whether the links name absolute paths.
            shared_key: whether versions share a key, by links in ``archive/`` as Certbot has them.
            responder: the URL of the OCSP responder that its certificates name, if any.
            params: added to what JPRS's manual makes; None leaves one out.
        """
        key = key or pki.rsa_key("leaf")
        names = [name] if names is None else names
        issuer_key = pki.ec_key("issuer")
        issuer = pki.mint("Test CA", issuer_key)
        self.live(name, "cert").parent.mkdir()
        self.archive(name, "cert", 1).parent.mkdir()
        for version in versions:
            cert = certificate(names, key, issuer, issuer_key, responder)
            contents = dict(zip(KINDS, (pem(key), pem(cert), pem(issuer), pem(cert) + pem(issuer))))
            for kind, data in contents.items():
                self.archive(name, kind, version).write_bytes(data)
            if shared_key and version != versions[0]:
                path = self.archive(name, "privkey", version)
                path.unlink()
                path.symlink_to(f"privkey{versions[0]}.pem")
        self.link(name, versions[-1], absolute=absolute)
        if shared_key:
            params.setdefault("reuse_key", "True")
        return self.write_conf(name, **params)

    def link(self, name: str, version: int, *, absolute: bool = False, **kinds: int) -> None:
        """Points the links to a version, as Certbot does; ``kinds`` to others."""
        for kind in KINDS:
            live, file = self.live(name, kind), self.archive(name, kind, kinds.get(kind, version))
            live.unlink(missing_ok=True)
            live.symlink_to(file if absolute else f"../../archive/{name}/{file.name}")

    def write_conf(self, name: str, **params: str | None) -> Lineage:
        """Writes the renewal file, as Certbot's layout is."""
        values = {**MANUAL, **params}
        lines = [
            "# renew_before_expiry = 30 days",
            "version = 5.8.0",
            f"archive_dir = {self.path / 'archive' / name}",
            *(f"{kind} = {self.live(name, kind)}" for kind in KINDS),
            "",
            "# Options used in the renewal process",
            "[renewalparams]",
            *(f"{key} = {value}" for key, value in values.items() if value is not None),
        ]
        self.conf(name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        return files.read(str(self.conf(name)))

    def account(self, server: str = policy.SERVER) -> Path:
        """Makes what Certbot takes for an account at that CA."""
        path = self.path / "accounts" / server.split("://", 1)[1] / MANUAL["account"]
        path.mkdir(parents=True)
        return path


def linked(directory: ConfigDir, name: str) -> dict[str, str]:
    """Returns the file name in ``archive/`` that each link of a lineage names."""
    return {kind: directory.live(name, kind).readlink().name for kind in KINDS}


def version(number: int) -> dict[str, str]:
    """Returns what ``linked`` returns where all links point to that version."""
    return {kind: f"{kind}{number}.pem" for kind in KINDS}


def snapshot(directory: Path) -> dict[str, Any]:
    """Returns every file below a directory with its contents, or where it links to."""
    return {
        str(path.relative_to(directory)): (
            str(path.readlink()) if path.is_symlink() else path.read_bytes()
        )
        for path in sorted(directory.rglob("*"))
        if path.is_symlink() or path.is_file()
    }
