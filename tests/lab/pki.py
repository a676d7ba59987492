"""The lab's own certificates, and the reading and changing of the CA's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
    CertificatePublicKeyTypes,
    PrivateKeyTypes,
    PublicKeyTypes,
)
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

UTC = dt.timezone.utc


def name(common: str) -> x509.Name:
    """Returns a distinguished name that is just a common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def now() -> dt.datetime:
    """Returns the present second."""
    return dt.datetime.now(UTC).replace(microsecond=0)


def key_pem(key: PrivateKeyTypes) -> str:
    """Returns a private key in PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def pem(certificate: x509.Certificate) -> str:
    """Returns a certificate in PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def key_usage(*allowed: str) -> x509.KeyUsage:
    """Returns a key usage; what is not named is not allowed."""
    usages = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{usage: usage in allowed for usage in usages})


def authority_key_identifier(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """Returns what a certificate says of its issuer's key: the identifier in the issuer's."""
    try:
        own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        own = x509.SubjectKeyIdentifier.from_public_key(issuer.public_key())
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


class Authority:
    """The CA behind the lab's HTTPS servers, as strict as RFC 5280 (and Python 3.13) wants it."""

    def __init__(self) -> None:
        """Mints it."""
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = (
            self._builder("The lab", self.key.public_key(), authority=True)
            .add_extension(key_usage("key_cert_sign", "crl_sign"), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    def _builder(
        self, common: str, key: CertificatePublicKeyTypes, *, authority: bool
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name(common))
            .issuer_name(name("The lab"))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now() - dt.timedelta(days=1))
            .not_valid_after(now() + dt.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )

    def issue(self, names: Sequence[str]) -> str:
        """Mints a server's certificate and key for some names; both in one PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            self._builder(names[0], key.public_key(), authority=False)
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False
            )
            .add_extension(key_usage("digital_signature"), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(authority_key_identifier(self.certificate), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return key_pem(key) + pem(certificate)


def leaf(
    names: Sequence[str],
    issuer: x509.Certificate,
    key: CertificateIssuerPrivateKeyTypes,
    own: rsa.RSAPrivateKey | None = None,
) -> x509.Certificate:
    """Mints a certificate for some names, a day long, for a key that exists or a new one."""
    alternatives = x509.SubjectAlternativeName([x509.DNSName(each) for each in names])
    return (
        x509.CertificateBuilder()
        .subject_name(name(names[0]))
        .issuer_name(issuer.subject)
        .public_key((own or rsa.generate_private_key(65537, 2048)).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now())
        .not_valid_after(now() + dt.timedelta(days=1))
        .add_extension(alternatives, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage("digital_signature", "key_encipherment"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(authority_key_identifier(issuer), critical=False)
        .sign(key, hashes.SHA256())
    )


def reissue(
    leaf: x509.Certificate,
    issuer: x509.Certificate,
    key: CertificateIssuerPrivateKeyTypes,
    *,
    ocsp_urls: Sequence[str],
    not_before: dt.datetime,
    lifetime: dt.timedelta,
) -> x509.Certificate:
    """Signs a certificate again, with another lifetime and other OCSP URLs; same serial."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(leaf.subject)
        .issuer_name(issuer.subject)
        .public_key(leaf.public_key())
        .serial_number(leaf.serial_number)
        .not_valid_before(not_before)
        .not_valid_after(not_before + lifetime)
    )
    for extension in leaf.extensions:
        if not isinstance(extension.value, x509.AuthorityInformationAccess):
            builder = builder.add_extension(extension.value, extension.critical)
    if ocsp_urls:
        places = [
            x509.AccessDescription(
                AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(url)
            )
            for url in ocsp_urls
        ]
        builder = builder.add_extension(x509.AuthorityInformationAccess(places), critical=False)
    return builder.sign(key, hashes.SHA256())


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """Returns the DNS names of a certificate."""
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return tuple(extension.value.get_values_for_type(x509.DNSName))


def key_type(certificate: x509.Certificate) -> str:
    """Returns the key's type and size in words, as ``RSA 2048``."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    return "ECDSA" if isinstance(key, ec.EllipticCurvePublicKey) else type(key).__name__


def _elements(der: bytes) -> list[tuple[int, bytes, bytes]]:
    """Splits DER into its elements: tag, contents, and both with the length between."""
    found = []
    at = 0
    while at < len(der):
        tag, length, start = der[at], der[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, start = int.from_bytes(der[start : start + size], "big"), start + size
        found.append((tag, der[start : start + length], der[at : start + length]))
        at = start + length
    return found


def csr_public_key(der: bytes) -> PublicKeyTypes:
    """Returns the public key of a CSR, whatever its version number.

    Certbot before 2.0 numbers its CSRs as version 3, which ``cryptography`` does not parse.
    """
    request = _elements(_elements(der)[0][1])
    info = _elements(request[0][1])
    return serialization.load_der_public_key(info[2][2])
