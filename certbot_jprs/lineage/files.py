"""Certbot's lineages as their files describe them.

Rules of this file: it reads, and writes nothing. The layout is Certbot's documented one
(``renewal/NAME.conf``, ``live/NAME/``, ``archive/NAME/``). A file that cannot be read is
somebody's broken lineage: Certbot reports it itself, so here it is left out.
"""

from __future__ import annotations

import errno
import glob
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import configobj
from cryptography import x509

logger = logging.getLogger(__name__)

KINDS = ("privkey", "cert", "chain", "fullchain")
"""The four files of a version, in the order in which Certbot moves their links."""


@dataclass(frozen=True)
class Lineage:
    """One lineage.

    Attributes:
        name: as in ``--cert-name``.
        renewal_file: path of ``renewal/NAME.conf``.
        links: path of the link in ``live/`` for each of ``KINDS``.
        params: the ``[renewalparams]`` section; a value with a comma that is not quoted is a list.
    """

    name: str
    renewal_file: str
    links: Mapping[str, str]
    params: Mapping[str, Any]

    @property
    def server(self) -> str | None:
        """The ACME directory URL of its CA."""
        return _stored(self.params, "server")

    @property
    def authenticator(self) -> str | None:
        """Name of the plugin that validates at renewal."""
        return _stored(self.params, "authenticator")

    @property
    def installer(self) -> str | None:
        """Name of the plugin that installs at renewal."""
        return _stored(self.params, "installer")

    @property
    def reuse_key(self) -> bool:
        """Whether renewals keep the key."""
        return str(self.params.get("reuse_key")).lower() == "true"

    @property
    def deploy_hook(self) -> str | None:
        """The lineage's own deploy hook; Certbot stores it as ``renew_hook``."""
        return _stored(self.params, "renew_hook") or _stored(self.params, "deploy_hook")

    def certificate(self) -> x509.Certificate:
        """Loads the certificate that ``live/`` points to.

        Raises:
            OSError, ValueError: it cannot be read.
        """
        with open(self.links["cert"], "rb") as file:
            data = file.read()
        try:
            return x509.load_pem_x509_certificate(data)
        except x509.InvalidVersion as error:
            raise ValueError(f"{self.links['cert']}: {error}") from error

    def names(self) -> frozenset[str]:
        """Returns the DNS names of the certificate that ``live/`` points to, in lower case.

        Raises:
            OSError, ValueError: it cannot be read.
        """
        return names_of(self.certificate())


def _stored(params: Mapping[str, Any], key: str) -> str | None:
    value = params.get(key)
    return value if isinstance(value, str) and value not in ("None", "") else None


def names_of(certificate: x509.Certificate) -> frozenset[str]:
    """Returns the DNS names of a certificate, in lower case.

    Args:
        certificate: the certificate; without subjectAltName it has none.

    Raises:
        ValueError: its extensions cannot be read.
    """
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return frozenset()
    except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise ValueError(f"the certificate's extensions cannot be read: {error}") from error
    return frozenset(name.lower() for name in extension.value.get_values_for_type(x509.DNSName))


def read(renewal_file: str) -> Lineage:
    """Reads one lineage.

    Args:
        renewal_file: path of ``renewal/NAME.conf``.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not a renewal file.
    """
    conf = parse(load_lines(renewal_file), renewal_file)
    params = conf.get("renewalparams")
    links = {kind: conf.get(kind) for kind in KINDS}
    if not isinstance(params, Mapping) or not all(map(_is_path, links.values())):
        raise ValueError(f"{renewal_file} is not a renewal file")
    return Lineage(
        name=os.path.basename(renewal_file)[: -len(".conf")],
        renewal_file=renewal_file,
        links={kind: str(link) for kind, link in links.items()},
        params=dict(params),
    )


def _is_path(value: object) -> bool:
    return isinstance(value, str) and value != "" and "\0" not in value


def load_lines(renewal_file: str) -> list[str]:
    """Reads the lines of a renewal file, without their ends.

    Args:
        renewal_file: path of ``renewal/NAME.conf``.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not UTF-8.
    """
    if not os.path.isfile(renewal_file):  # opening a pipe would wait for its other end
        raise FileNotFoundError(errno.ENOENT, "not a file", renewal_file)
    with open(renewal_file, encoding="utf-8-sig") as file:
        return file.read().splitlines()


def parse(lines: list[str], renewal_file: str) -> configobj.ConfigObj:
    """Parses the lines of a renewal file.

    Values are taken as they stand: ``%(name)s`` in somebody's hook is not ConfigObj's to replace.

    Args:
        lines: the lines.
        renewal_file: where they come from, for the message.

    Raises:
        ValueError: they are no ConfigObj file.
    """
    try:
        return configobj.ConfigObj(lines, interpolation=False, list_values=True)
    except configobj.ConfigObjError as error:
        raise ValueError(f"{renewal_file}: {error}") from error


def all_in(config_dir: str) -> Iterator[Lineage]:
    """Yields the readable lineages, sorted as Certbot sorts them.

    Args:
        config_dir: Certbot's configuration directory.
    """
    for renewal_file in sorted(glob.glob(os.path.join(config_dir, "renewal", "*.conf"))):
        try:
            yield read(renewal_file)
        except (OSError, ValueError):
            logger.debug("Left out: %s", renewal_file, exc_info=True)


def named(config_dir: str, name: str) -> Lineage | None:
    """Returns the lineage of that name, or None where there is none that can be read.

    Args:
        config_dir: Certbot's configuration directory.
        name: as in ``--cert-name``.
    """
    try:
        return read(os.path.join(config_dir, "renewal", f"{name}.conf"))
    except (OSError, ValueError):
        return None


def with_names(config_dir: str, names: Iterable[str]) -> list[Lineage]:
    """Returns the lineages whose certificate has exactly these names.

    Args:
        config_dir: Certbot's configuration directory.
        names: DNS names, in any order and case.
    """
    wanted = frozenset(name.lower() for name in names)
    found: list[Lineage] = []
    if not wanted:  # a certificate without names is nobody's match
        return found
    for lineage in all_in(config_dir):
        try:
            if lineage.names() == wanted:
                found.append(lineage)
        except (OSError, ValueError):
            logger.debug("Left out: %s", lineage.name, exc_info=True)
    return found


def with_certificate_file(config_dir: str, path: str) -> Lineage | None:
    """Returns the lineage that a certificate file belongs to.

    Args:
        config_dir: Certbot's configuration directory.
        path: a file in ``live/`` or ``archive/``.
    """
    directory = os.path.dirname(os.path.realpath(path))
    for lineage in all_in(config_dir):
        if os.path.dirname(os.path.realpath(lineage.links["cert"])) == directory:
            return lineage
    return None
