"""OCSP responses, true and false ones: pure, no sockets.

Rules of this file:

- A behaviour's name says what a client gets; everything it needs is minted here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.lab import pki
from tests.lab.acme import Issued

OUTSIDE = ("unauthorized", "tryLater", "internalError", "malformedRequest")
SIGNED = (
    "good",
    "unknown",
    "revoked",
    "stale",
    "future",
    "other certificate",
    "other issuer",
    "other key",
    "delegated",
    "delegated by key",
    "delegated without EKU",
    "delegate out of date",
    "delegated by another",
)
RAW = ("http500", "hang", "dribble", "endless", "redirect", "garbage", "empty", "drop")
BEHAVIOURS = SIGNED + OUTSIDE + RAW

_OUTSIDE = {
    "unauthorized": ocsp.OCSPResponseStatus.UNAUTHORIZED,
    "tryLater": ocsp.OCSPResponseStatus.TRY_LATER,
    "internalError": ocsp.OCSPResponseStatus.INTERNAL_ERROR,
    "malformedRequest": ocsp.OCSPResponseStatus.MALFORMED_REQUEST,
}


UNHEARD_OF = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")


@dataclass(frozen=True)
class _Signer:
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    included: Sequence[x509.Certificate] = ()


def outside(behaviour: str) -> bytes:
    """Returns a response that is only an error, which nobody signs."""
    response = ocsp.OCSPResponseBuilder.build_unsuccessful(_OUTSIDE[behaviour])
    return response.public_bytes(serialization.Encoding.DER)


def signed(behaviour: str, request: ocsp.OCSPRequest, issued: Issued) -> bytes:
    """Returns a signed response.

    Args:
        behaviour: one of ``SIGNED``.
        request: what was asked.
        issued: the certificate that was asked about.
    """
    status = ocsp.OCSPCertStatus.GOOD
    if behaviour in {"unknown", "revoked"}:
        status = ocsp.OCSPCertStatus[behaviour.upper()]
    this_update = pki.now() - dt.timedelta(minutes=1)
    if behaviour == "stale":
        this_update -= dt.timedelta(days=8)
    elif behaviour == "future":
        this_update += dt.timedelta(days=1)
    revoked = status is ocsp.OCSPCertStatus.REVOKED
    revoked_at = None
    if revoked:
        at = issued.revoked_at or issued.issued_at
        revoked_at = dt.datetime.fromtimestamp(int(at), pki.UTC)
    certificate, issuer = issued.certificate, issued.issuer
    if behaviour == "other certificate":
        certificate = _another(issued)
    elif behaviour == "other issuer":
        issuer = _selfsigned(issuer.subject, ec.generate_private_key(ec.SECP256R1()))
    signer = _signer(behaviour, issued)
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=certificate,
        issuer=issuer,
        algorithm=request.hash_algorithm,
        cert_status=status,
        this_update=this_update,
        next_update=this_update + dt.timedelta(days=7),
        revocation_time=revoked_at,
        revocation_reason=x509.ReasonFlags.unspecified if revoked else None,
    )
    # By name, so that a signature by another key claims to be the issuer's.
    encoding = ocsp.OCSPResponderEncoding.NAME
    if behaviour == "delegated by key":
        encoding = ocsp.OCSPResponderEncoding.HASH
    builder = builder.responder_id(encoding, signer.certificate)
    if signer.included:
        builder = builder.certificates(list(signer.included))
    for extension in request.extensions:
        if isinstance(extension.value, x509.OCSPNonce):
            builder = builder.add_extension(extension.value, critical=False)
    response = builder.sign(signer.key, hashes.SHA256())
    return response.public_bytes(serialization.Encoding.DER)


def _signer(behaviour: str, issued: Issued) -> _Signer:
    if behaviour == "other key":
        key = ec.generate_private_key(ec.SECP256R1())
        return _Signer(key, _selfsigned(issued.issuer.subject, key))
    if not behaviour.startswith("delegate"):
        return _Signer(issued.issuer_key, issued.issuer)
    by = issued.issuer_key
    if behaviour == "delegated by another":
        by = rsa.generate_private_key(65537, 2048)
    begin = pki.now() - dt.timedelta(days=1)
    if behaviour == "delegate out of date":
        begin -= dt.timedelta(days=60)
    own = rsa.generate_private_key(65537, 2048)
    certificate = _delegate(
        own, issued.issuer, by, begin, may_sign=behaviour != "delegated without EKU"
    )
    return _Signer(own, certificate, [certificate])


def _delegate(
    own: rsa.RSAPrivateKey,
    issuer: x509.Certificate,
    key: rsa.RSAPrivateKey,
    begin: dt.datetime,
    *,
    may_sign: bool,
) -> x509.Certificate:
    """Mints a delegate as CAs do (Baseline Requirements 7.1.2.8), with something nobody knows."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(pki.name("OCSP delegate"))
        .issuer_name(issuer.subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(pki.key_usage("digital_signature"), critical=True)
        .add_extension(x509.OCSPNoCheck(), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
        .add_extension(pki.authority_key_identifier(issuer), critical=False)
        .add_extension(UNHEARD_OF, critical=False)
    )
    if may_sign:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])
        builder = builder.add_extension(usage, critical=False)
    return builder.sign(key, hashes.SHA256())


def _another(issued: Issued) -> x509.Certificate:
    """Mints another certificate of the same issuer."""
    return pki.leaf(["another.example.jp"], issued.issuer, issued.issuer_key)


def _selfsigned(subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    begin = pki.now()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
