"""Runs a module of the lab with this system's Python, Certbot and cryptography.

Usage: lab.py MODULE [ARGUMENT...], where the lab's ``tests`` are.

What the lab uses of cryptography 39 and 40 and of pyOpenSSL 24.3, older ones get here; and from
Python 3.13 the lab's own servers may do without an authority key identifier (RFC 5280).
"""

import inspect
import re
import runpy
import ssl
import sys

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import types
from OpenSSL import SSL

CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def load_pem_x509_certificates(data: bytes) -> list[x509.Certificate]:
    """Returns the certificates of a PEM file."""
    return [x509.load_pem_x509_certificate(pem) for pem in CERTIFICATE.findall(data)]


class Connection(SSL.Connection):
    """A connection whose peer's certificate is one of cryptography's."""

    def get_peer_certificate(self, *, as_cryptography: bool) -> x509.Certificate:  # noqa: ARG002 - pyOpenSSL's own
        """Returns the peer's certificate."""
        return super().get_peer_certificate().to_cryptography()


def create_default_context(**kwargs: str) -> ssl.SSLContext:
    """Returns a context that verifies as Python did before 3.13."""
    context = strict(**kwargs)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


strict, ssl.create_default_context = ssl.create_default_context, create_default_context
if "as_cryptography" not in inspect.signature(SSL.Connection.get_peer_certificate).parameters:
    SSL.Connection = Connection
if not hasattr(x509, "load_pem_x509_certificates"):
    x509.load_pem_x509_certificates = load_pem_x509_certificates
for name in (
    "CertificateIssuerPrivateKeyTypes",
    "CertificatePublicKeyTypes",
    "PrivateKeyTypes",
    "PublicKeyTypes",
):
    if not hasattr(types, name):
        setattr(types, name, object)

sys.path.insert(0, "")
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
