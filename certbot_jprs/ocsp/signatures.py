"""Who may sign an OCSP response, and whether they did (RFC 6960 section 4.2.2.2).

Rules of this file:

- The issuer's key counts, or that of a delegate whose certificate the issuer itself signed for
  this purpose; nothing that the machine otherwise trusts does.
- Signatures: RSA PKCS#1 v1.5 and ECDSA with SHA-256, SHA-384 or SHA-512, as the Baseline
  Requirements allow (section 7.1.3.2), and EdDSA. SHA-1 has been forbidden for OCSP responses
  since 2022-06-01 and MD5 long before. RSA-PSS is not understood, because ``cryptography`` does
  not tell a response's signature parameters.
- SHA-1 in a responder ID only names a key; nothing rests on collisions there.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from certbot_jprs.ground.language import marked
from certbot_jprs.ground.said import Said

_SIGNATURE_HASHES = ("sha256", "sha384", "sha512")


class Rejected(Exception):
    """A response failed a check. ``ocsp.evaluate`` catches it.

    Attributes:
        reason: which, and why.
    """

    def __init__(self, message: str, **values: object) -> None:
        self.reason = Said(message, **values)
        super().__init__(self.reason)


def check_signature(
    response: ocsp.OCSPResponse, der: bytes, issuer: x509.Certificate, now: datetime
) -> None:
    """Checks that the issuer or its delegate signed (RFC 6960 sections 3.2 and 4.2.2.2).

    A delegate's own revocation is not looked up: that is what id-pkix-ocsp-nocheck, required by
    the Baseline Requirements (section 4.9.9), says of it.

    Args:
        response: a successful response.
        der: the same as it came.
        issuer: the certificate of the CA that issued what was asked about.
        now: the time, aware.

    Raises:
        Rejected: neither did.
        ValueError, IndexError: the response is malformed.
    """
    if _unused_bits(der) != b"\0":
        raise Rejected("signature is not a whole number of bytes")
    algorithm = response.signature_hash_algorithm
    if algorithm is not None and algorithm.name not in _SIGNATURE_HASHES:
        raise Rejected(marked("signature uses {algorithm}"), algorithm=algorithm.name)
    reasons: list[str] = []
    if _is_responder(response, issuer):
        if _verifies(issuer, response.signature, response.tbs_response_bytes, algorithm):
            return
        reasons.append(marked("signature is not the issuer's"))
    for delegate in response.certificates:
        if delegate == issuer or not _is_responder(response, delegate):
            continue
        reason = _why_not_delegate(delegate, issuer, now)
        if reason is None:
            if _verifies(delegate, response.signature, response.tbs_response_bytes, algorithm):
                return
            reason = marked("signature is not the delegate's")
        reasons.append(reason)
    reasons.append(marked("signer is neither the issuer nor in the response"))
    raise Rejected(reasons[0])


def _unused_bits(der: bytes) -> bytes:
    """Finds how many bits of a response's signature are not in use (X.690 section 8.6.2.2).

    All signatures of these rules are whole bytes; ``cryptography`` does not tell of others.

    Args:
        der: a successful response (RFC 6960 section 4.2.1).
    """
    _status, response_bytes = _elements(_elements(der)[0])
    _type, octets = _elements(_elements(response_bytes)[0])
    _data, _algorithm, signature, *_certificates = _elements(_elements(octets)[0])
    return signature[:1]


def _elements(der: bytes) -> list[bytes]:
    """Splits DER into its elements' contents (X.690 section 8.1).

    Raises:
        IndexError: it ends within a length.
    """
    found = []
    while der:
        size, start = der[1], 2
        if size & 0x80:
            start += size & 0x7F
            size = int.from_bytes(der[2:start], "big")
        found.append(der[start : start + size])
        der = der[start + size :]
    return found


def _is_responder(response: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    """Compares a responder ID, by name or by key (RFC 6960 section 4.2.2.3)."""
    if response.responder_name is not None:
        return response.responder_name == signer.subject
    # The key hash is SHA-1 of the same bits as the usual subject key identifier's.
    key_id = x509.SubjectKeyIdentifier.from_public_key(signer.public_key())
    return response.responder_key_hash == key_id.digest


def _why_not_delegate(
    delegate: x509.Certificate, issuer: x509.Certificate, now: datetime
) -> str | None:
    """Says why a certificate may not sign the issuer's responses; None if it may. A message."""
    if delegate.issuer != issuer.subject or not is_signed_by(delegate, issuer):
        return marked("delegate is not certified by the issuer")
    extensions = delegate.extensions
    if any(e.critical and isinstance(e.value, x509.UnrecognizedExtension) for e in extensions):
        # RFC 5280 section 4.2
        return marked("delegate has a critical extension of unknown meaning")
    usages = [e.value for e in extensions if isinstance(e.value, x509.ExtendedKeyUsage)]
    # anyExtendedKeyUsage will not do: RFC 6960 section 4.2.2.2 wants the delegation explicit.
    if not any(ExtendedKeyUsageOID.OCSP_SIGNING in usage for usage in usages):
        return marked("delegate may not sign OCSP responses")
    if not utc(delegate, "not_valid_before") <= now <= utc(delegate, "not_valid_after"):
        return marked("delegate is out of date")
    return None


def is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Verifies a certificate's signature (``verify_directly_issued_by`` is too new)."""
    algorithm = certificate.signature_hash_algorithm
    if algorithm is not None and algorithm.name not in _SIGNATURE_HASHES:
        return False
    return _verifies(issuer, certificate.signature, certificate.tbs_certificate_bytes, algorithm)


def _verifies(
    signer: x509.Certificate,
    signature: bytes,
    data: bytes,
    algorithm: hashes.HashAlgorithm | None,
) -> bool:
    """Verifies a signature; False also for kinds of keys that CAs do not sign with.

    Args:
        signer: the certificate of the key.
        signature: what stands in the BIT STRING.
        data: the DER that was signed.
        algorithm: the hash, None for EdDSA, which has its own.
    """
    key = signer.public_key()
    try:
        if algorithm is None:
            if not isinstance(key, (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)):
                return False
            key.verify(signature, data)
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(algorithm))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def utc(thing: Any, name: str) -> datetime:
    """Reads a time that the structure cannot be without: see ``optional_utc``."""
    return cast("datetime", optional_utc(thing, name))


def optional_utc(thing: Any, name: str) -> datetime | None:
    """Reads a time.

    Args:
        thing: a certificate or response of ``cryptography``.
        name: its attribute, as it was called before cryptography 42: then naive, in UTC. Since
            then ``name_utc`` is aware, and the old one warns.

    Returns:
        The time, aware, in UTC; None if it is not there.
    """
    value: datetime | None = getattr(
        thing, name + "_utc" if hasattr(type(thing), name + "_utc") else name
    )
    return None if value is None else value.replace(tzinfo=timezone.utc)
