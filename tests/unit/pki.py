"""Mints certificates and OCSP responses, well-formed or deliberately not.

Certificates come from ``cryptography``'s builder. Responses are written as DER by hand, because
the builder refuses most of what the tests are about: several answers, forged hashes, odd times,
signers without authority.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Union

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
    NameOID,
)

Key = Union[
    rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey
]

NOW = dt.datetime(2026, 6, 15, 12, 0, tzinfo=dt.timezone.utc)
MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)

HASH_OIDS = {
    "md5": "1.2.840.113549.2.5",
    "sha1": "1.3.14.3.2.26",
    "sha224": "2.16.840.1.101.3.4.2.4",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
    "sha3_256": "2.16.840.1.101.3.4.2.8",
}
RSA_OIDS = {
    "sha1": "1.2.840.113549.1.1.5",
    "sha224": "1.2.840.113549.1.1.14",
    "sha256": "1.2.840.113549.1.1.11",
    "sha384": "1.2.840.113549.1.1.12",
    "sha512": "1.2.840.113549.1.1.13",
}
ECDSA_OIDS = {"sha1": "1.2.840.10045.4.1", "sha256": "1.2.840.10045.4.3.2"}
RSA_PSS_OID = "1.2.840.113549.1.1.10"
OCSP_BASIC_OID = "1.3.6.1.5.5.7.48.1.1"


# DER (X.690), as much as is needed.


def tlv(tag: int, *contents: bytes) -> bytes:
    """Encodes one element: tag, length, contents."""
    body = b"".join(contents)
    size = len(body)
    if size < 0x80:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def sequence(*contents: bytes) -> bytes:
    return tlv(0x30, *contents)


def integer(value: int) -> bytes:
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def octets(value: bytes) -> bytes:
    return tlv(0x04, value)


def oid(dotted: str) -> bytes:
    first, second, *others = (int(part) for part in dotted.split("."))
    body = bytearray()
    for number in (first * 40 + second, *others):
        digits = [number & 0x7F]
        while number := number >> 7:
            digits.append(0x80 | (number & 0x7F))
        body += bytes(reversed(digits))
    return tlv(0x06, bytes(body))


def generalized_time(value: dt.datetime | str) -> bytes:
    text = value if isinstance(value, str) else value.strftime("%Y%m%d%H%M%SZ")
    return tlv(0x18, text.encode())


def extension(dotted: str, value: bytes, *, critical: bool) -> bytes:
    return sequence(oid(dotted), tlv(0x01, b"\xff") if critical else b"", octets(value))


@dataclass
class Node:
    """One element of a DER tree: its tag, and either children or contents."""

    tag: int
    contents: bytes = b""
    children: list[Node] = field(default_factory=list)

    def encode(self) -> bytes:
        return tlv(self.tag, self.contents, *(child.encode() for child in self.children))

    def walk(self) -> list[Node]:
        """Returns this node and all below it, in order."""
        return [self, *(node for child in self.children for node in child.walk())]


def parse(data: bytes) -> list[Node]:
    """Parses DER elements that follow each other.

    Raises:
        ValueError: the data is not DER.
    """
    nodes = []
    while data:
        contents, rest = _split(data)
        if data[0] & 0x20:
            nodes.append(Node(data[0], children=parse(contents)))
        else:
            nodes.append(Node(data[0], contents))
        data = rest
    return nodes


def _split(data: bytes) -> tuple[bytes, bytes]:
    """Splits data into the first element's contents, and what follows it."""
    if len(data) < 2 or data[0] & 0x1F == 0x1F:
        raise ValueError("not DER")
    size, start = data[1], 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[2:start], "big")
    if size > len(data) - start:
        raise ValueError("truncated")
    return data[start : start + size], data[start + size :]


# Keys and certificates.


@functools.cache
def rsa_key(label: str) -> rsa.RSAPrivateKey:
    """Returns an RSA key of its own for each label; minted once, since that is slow."""
    del label
    return rsa.generate_private_key(65537, 2048)


@functools.cache
def ec_key(label: str) -> ec.EllipticCurvePrivateKey:
    """Returns a P-256 key, always the same for a label."""
    secret = int.from_bytes(hashlib.sha256(label.encode()).digest(), "big") >> 1
    return ec.derive_private_key(secret, ec.SECP256R1())


def name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def mint(
    subject: str,
    key: Key,
    issuer: x509.Name | None = None,
    issuer_key: Key | None = None,
    *,
    serial: int | None = None,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
    not_before: dt.datetime = NOW - DAY,
    not_after: dt.datetime = NOW + 30 * DAY,
    algorithm: Any = "sha256",
) -> x509.Certificate:
    """Mints a certificate, self-signed without an issuer.

    Args:
        subject: its common name.
        key: its key; only the public part goes in.
        issuer: the issuer's name.
        issuer_key: the issuer's key.
        serial: its serial number, random by default.
        extensions: extensions, each with whether it is critical.
        not_before: start of its lifetime.
        not_after: end of its lifetime.
        algorithm: the signature's hash.
    """
    signing_key = issuer_key or key
    eddsa = isinstance(signing_key, (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey))
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(issuer or name(subject))
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return builder.sign(signing_key, None if eddsa else hash_of(algorithm))


def hash_of(label: str) -> Any:
    algorithms: dict[str, Any] = {
        "sha1": hashes.SHA1,
        "sha224": hashes.SHA224,
        "sha256": hashes.SHA256,
        "sha384": hashes.SHA384,
        "sha512": hashes.SHA512,
    }
    return algorithms[label]()


def aia(*urls: str) -> tuple[x509.ExtensionType, bool]:
    """Makes an authority information access extension that names OCSP responders."""
    return (
        x509.AuthorityInformationAccess(
            [
                x509.AccessDescription(
                    AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(url)
                )
                for url in urls
            ]
        ),
        False,
    )


OCSP_SIGNING = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False)


def with_raw_extension(template: x509.Certificate, dotted: str, value: bytes, key: Key) -> bytes:
    """Replaces an extension's value by raw bytes and signs the certificate again.

    Args:
        template: the certificate.
        dotted: the extension's object identifier.
        value: what the extension shall contain instead.
        key: the issuer's key, RSA.

    Returns:
        The certificate in DER; it need not be loadable.
    """
    (tree,) = parse(template.public_bytes(serialization.Encoding.DER))
    wanted = oid(dotted)
    for node in tree.walk():
        if node.children and node.children[0].encode() == wanted:
            node.children[-1].contents = value
    return sequence(
        tree.children[0].encode(),
        tree.children[1].encode(),
        tlv(0x03, b"\0", sign(key, tree.children[0].encode())[1]),
    )


@dataclass(frozen=True)
class World:
    """A CA, a certificate of it to ask about, and another CA of the same name."""

    key: Key
    issuer: x509.Certificate
    certificate: x509.Certificate
    impostor_key: Key
    impostor: x509.Certificate

    def delegate(self, key: Key | None = None, **changes: Any) -> x509.Certificate:
        """Mints a certificate for OCSP signing."""
        options: dict[str, Any] = {"extensions": [OCSP_SIGNING], **changes}
        signing_key = options.pop("issuer_key", self.key)
        issuer = options.pop("issuer", self.issuer.subject)
        return mint("OCSP", key or ec_key("delegate"), issuer, signing_key, **options)

    def leaf(self, *urls: str, **changes: Any) -> x509.Certificate:
        """Mints a certificate that names these responders."""
        options: dict[str, Any] = {"extensions": [aia(*urls)] if urls else [], **changes}
        return mint("www.example.jp", ec_key("leaf"), self.issuer.subject, self.key, **options)


def as_cas_do(key: Key, there: World) -> list[tuple[x509.ExtensionType, bool]]:
    """Makes the extensions that CAs give their OCSP delegates, and one that nobody knows."""
    digital_signature = [True, *[False] * 8]
    return [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.KeyUsage(*digital_signature), True),
        OCSP_SIGNING,
        (x509.OCSPNoCheck(), False),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(there.key.public_key()), False),
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), False),
    ]


def world(key: Key | None = None) -> World:
    """Mints a world; the CA's key is RSA unless given."""
    key = key or rsa_key("issuer")
    issuer = mint("Test CA", key)
    impostor_key = rsa_key("impostor")
    return World(
        key,
        issuer,
        mint("www.example.jp", ec_key("leaf"), issuer.subject, key, serial=0x1234567890ABCDEF),
        impostor_key,
        mint("Test CA", impostor_key),
    )


# Responses (RFC 6960 section 4.2.1).


def key_bits(certificate: x509.Certificate) -> bytes:
    """Returns the contents of the public key's BIT STRING, which CertID and KeyHash hash."""
    info = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return parse(info)[0].children[1].contents[1:]


def digest(label: str, data: bytes) -> bytes:
    return hashlib.new(label, data).digest()


@dataclass(frozen=True)
class Single:
    """A SingleResponse: what it says about which certificate."""

    certificate: x509.Certificate
    issuer: x509.Certificate
    status: str = "good"
    hash_name: str = "sha1"
    serial: int | None = None
    name_hash: bytes | None = None
    key_hash: bytes | None = None
    this_update: dt.datetime | str = NOW - MINUTE
    next_update: dt.datetime | str | None = NOW + DAY
    revoked_at: dt.datetime | str = NOW - MINUTE
    reason: int | None = None
    single_extensions: bytes = b""

    def encode(self) -> bytes:
        label = self.hash_name
        issuer_name = self.issuer.subject.public_bytes()
        cert_id = sequence(
            sequence(oid(HASH_OIDS[label]), tlv(0x05)),
            octets(self.name_hash or digest(label, issuer_name)),
            octets(self.key_hash or digest(label, key_bits(self.issuer))),
            integer(self.certificate.serial_number if self.serial is None else self.serial),
        )
        reason = b"" if self.reason is None else tlv(0xA0, tlv(0x0A, bytes([self.reason])))
        status = {
            "good": tlv(0x80),
            "revoked": tlv(0xA1, generalized_time(self.revoked_at), reason),
            "unknown": tlv(0x82),
        }[self.status]
        following = self.next_update
        return sequence(
            cert_id,
            status,
            generalized_time(self.this_update),
            b"" if following is None else tlv(0xA0, generalized_time(following)),
            tlv(0xA1, sequence(self.single_extensions)) if self.single_extensions else b"",
        )


@dataclass(frozen=True)
class Response:
    """An OCSPResponse, and how it is signed."""

    singles: tuple[Single, ...]
    signer: x509.Certificate
    key: Key
    by_key: bool = False
    certificates: tuple[x509.Certificate | bytes, ...] = ()
    signature_hash: str = "sha256"
    algorithm: bytes | None = None
    produced_at: dt.datetime | str = NOW
    extensions: bytes = b""
    response_status: int = 0

    def change(self, **changes: Any) -> Response:
        """Returns another response; what belongs to its first answer is changed there."""
        own = {name: changes.pop(name) for name in list(changes) if name in _SINGLE_FIELDS}
        if own:
            changes["singles"] = (replace(self.singles[0], **own), *self.singles[1:])
        return replace(self, **changes)

    def tbs(self) -> bytes:
        """Encodes the ResponseData."""
        responder = (
            tlv(0xA2, octets(digest("sha1", key_bits(self.signer))))
            if self.by_key
            else tlv(0xA1, self.signer.subject.public_bytes())
        )
        return sequence(
            responder,
            generalized_time(self.produced_at),
            sequence(*(single.encode() for single in self.singles)),
            tlv(0xA1, sequence(self.extensions)) if self.extensions else b"",
        )

    def encode(self) -> bytes:
        tbs = self.tbs()
        algorithm, signature = sign(self.key, tbs, self.signature_hash)
        return assemble(
            tbs, self.algorithm or algorithm, signature, self.certificates, self.response_status
        )


_SINGLE_FIELDS = set(Single.__dataclass_fields__)


def sign(key: Key, data: bytes, hash_name: str = "sha256") -> tuple[bytes, bytes]:
    """Signs; returns the AlgorithmIdentifier in DER, and the signature."""
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(data, padding.PKCS1v15(), hash_of(hash_name))
        return sequence(oid(RSA_OIDS[hash_name]), tlv(0x05)), signature
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return sequence(oid(ECDSA_OIDS[hash_name])), key.sign(data, ec.ECDSA(hash_of(hash_name)))
    dotted = "1.3.101.112" if isinstance(key, ed25519.Ed25519PrivateKey) else "1.3.101.113"
    return sequence(oid(dotted)), key.sign(data)


def assemble(
    tbs: bytes,
    algorithm: bytes,
    signature: bytes,
    certificates: Sequence[x509.Certificate | bytes] = (),
    response_status: int = 0,
) -> bytes:
    """Puts an OCSPResponse together from its parts."""
    chain = [
        item if isinstance(item, bytes) else item.public_bytes(serialization.Encoding.DER)
        for item in certificates
    ]
    basic = sequence(
        tbs,
        algorithm,
        tlv(0x03, b"\0", signature),
        tlv(0xA0, sequence(*chain)) if chain else b"",
    )
    return successful(basic, response_status)


def successful(basic: bytes, response_status: int = 0) -> bytes:
    """Wraps a BasicOCSPResponse."""
    return sequence(
        tlv(0x0A, bytes([response_status])),
        tlv(0xA0, sequence(oid(OCSP_BASIC_OID), octets(basic))),
    )


def refusal(response_status: int) -> bytes:
    """Makes an OCSPResponse that says only why there is none, such as 3, tryLater."""
    return sequence(tlv(0x0A, bytes([response_status])))


def direct(there: World, **changes: Any) -> Response:
    """Makes a response signed by the CA itself; good and valid unless changed."""
    response = Response((Single(there.certificate, there.issuer),), there.issuer, there.key)
    return response.change(**changes)


def delegated(
    there: World, delegate: x509.Certificate | None = None, key: Key | None = None, **changes: Any
) -> Response:
    """Makes a response signed by a delegate; good and valid unless changed."""
    key = key or ec_key("delegate")
    signer = delegate or there.delegate(key)
    single = Single(there.certificate, there.issuer)
    response = Response((single,), signer, key, certificates=(signer,))
    return response.change(**changes)


def load(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)
