"""Certificates and their issuers, read from files."""

from __future__ import annotations

import os
import re

from cryptography import x509

from certbot_jprs.gate import Awaited

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
        return [x509.load_pem_x509_certificate(pem) for pem in _PEM.findall(file.read())]


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
    certificates = load_all(cert_path)
    if not certificates:
        raise ValueError(f"{cert_path} holds no certificate")
    certificate = certificates[0]
    chain = certificates[1:]
    for path in (chain_path, fullchain_path):
        chain += load_all(path) if path else []
    for issuer in chain:
        if issuer.subject == certificate.issuer and issuer != certificate:
            return Awaited(name, certificate, issuer, os.stat(cert_path).st_mtime)
    return None
