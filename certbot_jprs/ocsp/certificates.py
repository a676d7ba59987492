"""Certificates and their issuers, read from files."""

from __future__ import annotations

import os
import re

from cryptography import x509
from cryptography.x509.oid import NameOID

from certbot_jprs.ocsp.questions import Awaited
from certbot_jprs.ocsp.signatures import is_signed_by

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def load_all(path: str) -> list[x509.Certificate]:
    """Loads the certificates of a PEM file.

    Args:
        path: the file.

    Returns:
        The certificates in the file's order; maybe none.

    Raises:
        OSError: the file cannot be read.
        ValueError: it holds something that only looks like a certificate.
    """
    with open(path, "rb") as file:
        return _parse(file.read())


def load_first(path: str) -> x509.Certificate:
    """Loads the first certificate of a PEM file.

    Args:
        path: the file.

    Raises:
        OSError: the file cannot be read.
        ValueError: it holds none.
    """
    found = load_all(path)
    if not found:
        raise ValueError(f"{path} holds no certificate")
    return found[0]


def _parse(pem: bytes) -> list[x509.Certificate]:
    try:
        return [x509.load_pem_x509_certificate(each) for each in _PEM.findall(pem)]
    except x509.InvalidVersion as error:  # no ValueError
        raise ValueError(str(error)) from error


def names_in_order(certificate: x509.Certificate) -> list[str]:
    """Returns the DNS names of a certificate in Certbot's order: the common name first.

    Args:
        certificate: the certificate.

    Raises:
        ValueError: its extensions cannot be read.
    """
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    names = [str(attribute.value) for attribute in common]
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return names
    return list(dict.fromkeys(names + extension.value.get_values_for_type(x509.DNSName)))


def awaited(
    name: str, cert_path: str, chain_path: str | None, fullchain_path: str | None
) -> Awaited | None:
    """Reads what the wait for a certificate needs.

    Args:
        name: the lineage's name, for messages.
        cert_path: file with the certificate, first of those in it.
        chain_path: file with the chain, if there is one.
        fullchain_path: file with both, if there is one.

    Returns:
        The certificate with its issuer and when it was saved; None where the chain does not
        hold the issuer's certificate, without which no OCSP response can be verified.

    Raises:
        OSError: a file cannot be read.
        ValueError: a file does not hold a certificate.
    """
    with open(cert_path, "rb") as file:
        # The time of the file that is read, wherever a link points to a moment later.
        saved_at = os.fstat(file.fileno()).st_mtime
        certificates = _parse(file.read())
    if not certificates:
        raise ValueError(f"{cert_path} holds no certificate")
    certificate, *chain = certificates
    for path in (chain_path, fullchain_path):
        chain += load_all(path) if path else []
    issuers = [each for each in chain if each.subject == certificate.issuer and each != certificate]
    if not issuers:
        return None
    # A CA that changes its key may keep its name. Where no signature verifies, the first one
    # stays, and whoever judges the response says what is wrong.
    signed = (each for each in issuers if len(issuers) > 1 and is_signed_by(certificate, each))
    return Awaited(name, certificate, next(signed, issuers[0]), saved_at)
