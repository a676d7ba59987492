"""Whether a version of a lineage can be put into service, and what becomes of one that cannot.

Rules of this file: damage is what was read and found wrong. A file that cannot be read (EIO,
EACCES) is trouble, an ``OSError``, and says nothing about what is in it: nothing is set aside.
"""

from __future__ import annotations

import os
import re
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from certbot_jprs.ground.language import marked
from certbot_jprs.ground.said import Said
from certbot_jprs.lineage import archive, durable
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.ocsp import certificates


class UnsoundError(ValueError):
    """A version was read, and cannot be put into service: a server would not start with it.

    Attributes:
        reason: what is wrong; see ``ground/said``.
    """

    def __init__(self, message: str, **values: object) -> None:
        self.reason = Said(message, **values)
        super().__init__(self.reason)


SUFFIX = ".damaged"

_SET_ASIDE = re.compile(r"cert([0-9]+)\.pem\.damaged(?:\.[0-9]+)?")

MOST_IN_A_ROW = 2
"""After so many damaged versions something is wrong that no further order mends."""


def sync(lineage: Lineage, version: int | None) -> None:
    """Makes a version durable: its files, its renewal file, its links, and their directories.

    Certbot syncs none of them: after a power cut they may be empty, or not there.

    Args:
        lineage: the lineage.
        version: a version whose files exist.

    Raises:
        OSError: it could not be done, or there is no such version.
    """
    paths = archive.files(lineage, version)
    for path in (*paths.values(), lineage.renewal_file):
        durable.sync_file(path)
    folders = [
        os.path.dirname(path)
        for path in (paths["cert"], lineage.links["cert"], lineage.renewal_file)
    ]
    # The two directories above are new with a first certificate.
    for folder in [*folders, *(os.path.dirname(folder) for folder in folders[:2])]:
        durable.sync_directory(folder)


def check(lineage: Lineage, version: int) -> None:
    """Checks that a version can be put into service.

    Args:
        lineage: the lineage.
        version: the version.

    Raises:
        UnsoundError: a server could not start with it, or not serve it.
        OSError: a file cannot be read.
    """
    paths = archive.files(lineage, version)
    try:
        certs = certificates.load_all(paths["cert"])
        chain = certificates.load_all(paths["chain"])
        fullchain = certificates.load_all(paths["fullchain"])
    except ValueError as error:
        raise UnsoundError("{error}", error=error) from error
    for path, found in ((paths["cert"], certs), (paths["chain"], chain)):
        if not found:
            raise UnsoundError(marked("{path} holds no certificate."), path=path)
    if fullchain != [*certs, *chain]:
        raise UnsoundError(
            marked("{path} is not the certificate followed by its chain."),
            path=paths["fullchain"],
        )
    with open(paths["privkey"], "rb") as file:
        pem = file.read()
    try:
        key = _private_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UnsoundError(marked("{path} holds no private key."), path=paths["privkey"]) from error
    if _public(key) != _public(certs[0]) or not _is_whole(key):
        raise UnsoundError(
            marked("{path} is not the key of {certificate}."),
            path=paths["privkey"],
            certificate=paths["cert"],
        )


def _private_key(pem: bytes) -> Any:
    """Loads a private key; see ``_is_whole`` for whether an RSA key's numbers fit.

    Raises:
        ValueError, TypeError, UnsupportedAlgorithm: it cannot be loaded.
    """
    try:
        return serialization.load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
    except TypeError:  # it needs a password, or this cryptography (before 39) validates always
        return serialization.load_pem_private_key(pem, None)


def _is_whole(key: Any) -> bool:
    """Tells whether the numbers of an RSA key fit (RFC 8017 section 3.2).

    OpenSSL would also ask whether the factors are primes, which takes fifty times as long. Those of
    a modulus that the certificate vouches for cannot but be.
    """
    if not isinstance(key, rsa.RSAPrivateKey):
        return True
    numbers = key.private_numbers()
    p, q, d, e = numbers.p, numbers.q, numbers.d, numbers.public_numbers.e
    return (
        min(p, q) > 2
        and p * q == numbers.public_numbers.n
        and d * e % (p - 1) == d * e % (q - 1) == 1
        and (numbers.dmp1, numbers.dmq1) == (d % (p - 1), d % (q - 1))
        and numbers.iqmp * q % p == 1
    )


def _public(holder: Any) -> bytes:
    """Returns a public key as bytes: keys can be compared only since cryptography 40."""
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    public: bytes = holder.public_key().public_bytes(encoding, form)
    return public


def is_sound(lineage: Lineage, version: int) -> bool:
    """Tells whether a version can be put into service.

    Args:
        lineage: the lineage.
        version: the version.

    Raises:
        OSError: a file cannot be read.
    """
    try:
        check(lineage, version)
    except UnsoundError:
        return False
    return True


def set_aside(lineage: Lineage, version: int, back_to: int | None) -> int | None:
    """Takes a damaged version out of a lineage, as a revoked one, and keeps its files.

    Args:
        lineage: the lineage.
        version: the damaged version.
        back_to: the version that was in service before; None goes back to the newest sound one.

    Returns:
        The version that is linked now; None where no other is sound, and then nothing was
        changed.

    Raises:
        OSError: links or files could not be changed, or those of another version be read.
    """
    others = [number for number in archive.versions(lineage) if number != version]
    sound = [number for number in others if is_sound(lineage, number)]
    if not sound:
        return None
    stays = back_to if back_to in sound else sound[-1]
    return archive.withdraw(lineage, version, stays, suffix=_unused_suffix(lineage, version))


def _unused_suffix(lineage: Lineage, version: int) -> str:
    """Returns a suffix that none of the version's files has: Certbot uses a free number again."""
    paths = archive.files(lineage, version).values()
    suffix, number = SUFFIX, 1
    while any(os.path.lexists(path + suffix) for path in paths):
        number += 1
        suffix = f"{SUFFIX}.{number}"
    return suffix


def damaged_in_a_row(lineage: Lineage) -> list[str]:
    """Returns the certificate files that were set aside since the newest version there is.

    Args:
        lineage: the lineage.

    Raises:
        OSError: its directory cannot be read.
    """
    folder = archive.directory(lineage)
    newest = max(archive.versions(lineage), default=0)
    matches = [_SET_ASIDE.fullmatch(name) for name in sorted(os.listdir(folder))]
    return [
        os.path.join(folder, match.group())
        for match in matches
        if match and int(match.group(1)) > newest
    ]
