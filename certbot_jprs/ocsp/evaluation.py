"""OCSP (RFC 6960) without I/O: request out, response in, a verified answer.

Rules of this file:

- No socket, no clock, no logging, nothing of Certbot: the caller brings the bytes and the time.
- ``GOOD``, ``REVOKED`` and a verified ``UNKNOWN`` are said only of a response that passed *every*
  check of RFC 6960 section 3.2. Everything else is ``UNDETERMINED``: whoever sits on the (plain
  HTTP) line can make us wait, but can neither release a certificate early nor have one dropped.
- ``evaluate`` returns for any bytes. What ``cryptography`` raises lazily for odd DER is caught
  by name.
- SHA-1 in a CertID only names a CA; nothing rests on collisions there. (Signatures with it are
  refused: see ``signatures.py``.)
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from certbot_jprs.ground.language import marked
from certbot_jprs.ground.said import Said
from certbot_jprs.ocsp.signatures import Rejected, check_signature, is_signed_by, optional_utc, utc

CLOCK_SLACK = timedelta(minutes=5)
"""How far our clock and the responder's may be apart."""

MAX_URLS = 3
"""How many of a certificate's responders are asked at most."""

_MAX_URL_LENGTH = 1024
# RFC 3986 section 2: what a URI may consist of. Anything else is read differently by different
# parsers ("http://a\@b/"), which is how one host is checked and another one asked.
_URI = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_HOST = re.compile(r"[A-Za-z0-9._\-]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")


# RFC 6960 section 2.2: a responder may say of a certificate that was never issued that it is
# "revoked": on hold since the beginning of 1970.
_NEVER_ISSUED = datetime(1970, 1, 1, tzinfo=timezone.utc)

_SAYS = marked("OCSP server says {word}")

# What reading a certificate or response that is not quite DER, or not quite X.509, can raise
# when an attribute is looked at, however well the outermost structure could be loaded.
_UNREADABLE = (
    ValueError,  # malformed DER, impossible dates, version or status numbers without a name
    IndexError,  # where OpenSSL is more lenient than DER is
    KeyError,  # cryptography 38: a name with a string of a type that names do not have
    TypeError,  # cryptography 3.4: a value of another kind than the field's
    OverflowError,  # numbers too long for a machine word
    UnsupportedAlgorithm,  # a hash, a curve or a signature algorithm without a name
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    InternalError,  # cryptography 3.4: OpenSSL refused what it had parsed
    UserWarning,  # where warnings are errors: a name that is too long, a negative serial number
)


class Status(enum.Enum):
    """What is known about a certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True)
class Answer:
    """The outcome of one query.

    Attributes:
        status: what is known.
        reason: why, in a short phrase; see ``ground/said``.
        this_update: when the responder knew it, in UTC; of verified answers only.
        next_update: when it will know more, in UTC; None where the responder does not say.
        revocation_time: when the certificate was revoked, in UTC.
    """

    status: Status
    reason: str
    this_update: datetime | None = None
    next_update: datetime | None = None
    revocation_time: datetime | None = None


def responder_urls(certificate: x509.Certificate) -> tuple[str, ...]:
    """Finds out whom to ask about a certificate (RFC 5280 section 4.2.2.1).

    Args:
        certificate: the certificate to ask about.

    Returns:
        At most ``MAX_URLS`` different http(s) URLs without user name and password, in the
        certificate's order. Empty if it names no responder that can be asked so, or if its
        extensions cannot be read.
    """
    try:
        extension = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess)
        uris = [
            description.access_location.value
            for description in extension.value
            if description.access_method == AuthorityInformationAccessOID.OCSP
            and isinstance(description.access_location, x509.UniformResourceIdentifier)
        ]
    except (x509.ExtensionNotFound, *_UNREADABLE):
        return ()
    # dict.fromkeys: each URL once, order kept.
    return tuple(dict.fromkeys(uri for uri in uris if _is_usable(uri)))[:MAX_URLS]


def _is_usable(uri: str) -> bool:
    """Tells whether a URI can be asked: http(s), a plain host and port, no userinfo."""
    if len(uri) > _MAX_URL_LENGTH or not _URI.fullmatch(uri):
        return False
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:  # "http://[::1/", "http://host:99999/"
        return False
    return (
        parts.scheme in {"http", "https"}
        and "@" not in parts.netloc
        and _HOST.fullmatch(parts.hostname or "") is not None
        and port != 0
    )


def build_request(certificate: x509.Certificate, issuer: x509.Certificate) -> bytes:
    """Builds the request for one certificate.

    The CertID uses SHA-1, the one that every responder must know (RFC 5019 section 2.1.1).
    There is no nonce: responders that sign beforehand ignore it (RFC 5019 section 2.1.1), so
    that it could not be insisted on, and thisUpdate bounds how old a replayed answer can be.

    Args:
        certificate: the certificate to ask about.
        issuer: the certificate of the CA that issued it.

    Returns:
        The request in DER.
    """
    return _request(certificate, issuer, hashes.SHA1()).public_bytes(  # noqa: S303 - a name only
        serialization.Encoding.DER
    )


def _request(
    certificate: x509.Certificate, issuer: x509.Certificate, algorithm: hashes.HashAlgorithm
) -> ocsp.OCSPRequest:
    return ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, algorithm).build()


def evaluate(
    response: bytes, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime
) -> Answer:
    """Judges a response (RFC 6960 section 3.2).

    Args:
        response: what the responder sent, any bytes.
        certificate: the certificate that was asked about.
        issuer: the certificate of the CA that issued it.
        now: the present time, with a time zone.

    Returns:
        ``GOOD``, ``REVOKED`` or ``UNKNOWN`` if the response is valid and says so; ``UNKNOWN``
        also for the unsigned ``unauthorized`` (RFC 5019 section 2.2.3: the responder has no
        record of the certificate); ``UNDETERMINED`` for everything else.

    Raises:
        ValueError: ``now`` has no time zone.
    """
    if now.tzinfo is None:
        raise ValueError("now needs a time zone")
    try:
        return _evaluate(response, certificate, issuer, now)
    except Rejected as rejected:
        return Answer(Status.UNDETERMINED, rejected.reason)
    except _UNREADABLE:
        # Without the error's text: it quotes the parser, and differs with its version.
        return Answer(Status.UNDETERMINED, Said(marked("response is malformed")))


def _evaluate(
    response: bytes, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime
) -> Answer:
    """Does what ``evaluate`` says, raising where it must not."""
    parsed = ocsp.load_der_ocsp_response(response)
    if parsed.response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED:
        said = Said(marked("OCSP server says unauthorized: it does not know it yet"))
        return Answer(Status.UNKNOWN, said)
    if parsed.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        first, *others = parsed.response_status.name.split("_")
        word = first.lower() + "".join(other.title() for other in others)
        raise Rejected(_SAYS, word=word)
    # Otherwise "good" could be said of the serial number as used by some other CA.
    if certificate.issuer != issuer.subject or not is_signed_by(certificate, issuer):
        raise Rejected(marked("certificate is not by the issuer that its chain names"))

    # Before cryptography 37 a response *is* its only part; with several it cannot be read.
    singles: list[Any] = list(getattr(parsed, "responses", (parsed,)))
    single = _find(singles, certificate, issuer)
    check_signature(parsed, response, issuer, now)
    # RFC 6960 section 4.4: what is critical must be understood, and none of these is of use
    # here. (Those of one answer among several are not told by cryptography.)
    extensions = [*parsed.extensions, *(parsed.single_extensions if len(singles) == 1 else ())]
    if any(extension.critical for extension in extensions):
        raise Rejected(marked("response has a critical extension"))
    this_update = utc(single, "this_update")
    next_update = optional_utc(single, "next_update")
    _check_times(this_update, next_update, now)

    if single.certificate_status is ocsp.OCSPCertStatus.GOOD:
        return Answer(Status.GOOD, Said(_SAYS, word="good"), this_update, next_update)
    if single.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
        return Answer(Status.UNKNOWN, Said(_SAYS, word="unknown"), this_update, next_update)
    revocation_time = utc(single, "revocation_time")
    if (
        revocation_time == _NEVER_ISSUED
        and single.revocation_reason is x509.ReasonFlags.certificate_hold
    ):
        return Answer(
            Status.UNKNOWN,
            Said(marked("OCSP server says that it was never issued")),
            this_update,
            next_update,
        )
    return Answer(
        Status.REVOKED, Said(_SAYS, word="revoked"), this_update, next_update, revocation_time
    )


def _find(singles: list[Any], certificate: x509.Certificate, issuer: x509.Certificate) -> Any:
    """Finds the answer about the certificate (RFC 6960 section 3.2, item 1).

    Args:
        singles: objects with the attributes of ``ocsp.OCSPSingleResponse``, a class that
            cryptography 3.4 lacks.
        certificate: the certificate that was asked about.
        issuer: its issuer's certificate.

    Returns:
        That one of ``singles``.

    Raises:
        Rejected: there is none, or more than one, of which the wrong one might be believed.
    """
    matches = [single for single in singles if _is_about(single, certificate, issuer)]
    if not matches:
        raise Rejected(marked("response is for another certificate"))
    if len(matches) > 1:
        raise Rejected(marked("response has several answers for the certificate"))
    return matches[0]


def _is_about(
    single: Any,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
) -> bool:
    """Compares a CertID (RFC 6960 section 4.1.1): serial number and both hashes."""
    if single.serial_number != certificate.serial_number:
        return False
    # SHA-1 or SHA-2: cryptography has no other here, and raises UnsupportedAlgorithm.
    asked = _request(certificate, issuer, single.hash_algorithm)
    return bool(
        single.issuer_name_hash == asked.issuer_name_hash
        and single.issuer_key_hash == asked.issuer_key_hash
    )


def _check_times(this_update: datetime, next_update: datetime | None, now: datetime) -> None:
    """Checks that an answer holds now (RFC 6960 section 3.2, items 5 and 6).

    Without nextUpdate, newer information is available at any time (section 4.2.2.1): then an
    answer to a question asked just now must be of just now, or it is a replay. (RFC 5019
    section 4 would refuse it altogether.)
    """
    if this_update > now + CLOCK_SLACK:
        raise Rejected(marked("thisUpdate is in the future"))
    if next_update is not None and next_update < this_update:
        raise Rejected(marked("nextUpdate is before thisUpdate"))
    if (next_update or this_update) <= now - CLOCK_SLACK:
        raise Rejected(
            marked("response is out of date")
            if next_update
            else marked("response is out of date, has no nextUpdate")
        )
