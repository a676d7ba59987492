"""Files of a world: fingerprints of trees, and what Certbot keeps of a certificate."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from configobj import ConfigObj
from cryptography import x509

from tests.lab import pki

KINDS = ("cert", "chain", "fullchain", "privkey")


def hashes(root: Path) -> dict[str, str]:
    """Returns a fingerprint of every file and link below a directory, by relative path."""
    found = {}
    for directory, directories, names in os.walk(root):
        for name in [*names, *directories]:
            path = Path(directory) / name
            relative = str(path.relative_to(root))
            if path.is_symlink():
                found[relative] = "-> " + os.readlink(path)
            elif path.is_file():
                found[relative] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


class Lineage:
    """What is in a world's /etc/letsencrypt of one certificate name."""

    def __init__(self, etc: Path, name: str) -> None:
        """Describes it; nothing is read yet.

        Args:
            etc: the world's /etc/letsencrypt, from outside.
            name: the certificate's name.
        """
        self.name = name
        self.renewal = etc / "renewal" / f"{name}.conf"
        self.live = etc / "live" / name
        self.archive = etc / "archive" / name

    def exists(self) -> bool:
        """Tells whether Certbot knows it."""
        return self.renewal.exists()

    def conf(self) -> ConfigObj:
        """Returns its renewal file, parsed."""
        return ConfigObj(str(self.renewal), encoding="utf-8")

    @property
    def params(self) -> dict[str, str]:
        """The ``renewalparams`` section of its renewal file."""
        return dict(self.conf()["renewalparams"])

    def set(self, key: str, value: str, section: str | None = "renewalparams") -> None:
        """Changes its renewal file; with section None above all sections."""
        conf = self.conf()
        (conf if section is None else conf[section])[key] = value
        conf.write()

    def versions(self, kind: str = "cert") -> list[int]:
        """Returns the version numbers in its archive."""
        names = [path.stem for path in self.archive.glob(f"{kind}*.pem")]
        return sorted(int(stem[len(kind) :]) for stem in names if stem[len(kind) :].isdigit())

    def linked(self) -> dict[str, int | None]:
        """Returns which version each link in ``live`` points to; None: no link, or broken."""
        found: dict[str, int | None] = {}
        for kind in KINDS:
            link = self.live / f"{kind}.pem"
            target = Path(os.readlink(link)).stem if link.is_symlink() else ""
            there = bool(target) and link.exists()
            found[kind] = int(target[len(kind) :]) if there else None
        return found

    def version(self) -> int:
        """Returns the version in service; all four links must agree."""
        versions = set(self.linked().values())
        assert len(versions) == 1, self.linked()
        version = versions.pop()
        assert version is not None, self.linked()
        return version

    def certificate(self, version: int | None = None) -> x509.Certificate:
        """Returns a version's certificate; by default the one that ``live`` points to."""
        path = self.live / "cert.pem" if version is None else self.archive / f"cert{version}.pem"
        return x509.load_pem_x509_certificate(path.read_bytes())

    @property
    def serial(self) -> int:
        """The serial number of the one that ``live`` points to."""
        return self.certificate().serial_number

    @property
    def key_type(self) -> str:
        """The key's type and size in words, as ``RSA 2048``."""
        return pki.key_type(self.certificate())
