"""What is asked of the OCSP responder, and for whom.

Rules of this file: values alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cryptography import x509

# A certificate and its issuer's; and what is asked about: a lineage's new certificate, or the one
# that it has in service.
Pair = tuple[x509.Certificate, x509.Certificate]
Question = tuple[str, Literal["new", "in service"]]


@dataclass(frozen=True)
class Awaited:
    """A certificate whose OCSP status is awaited.

    Attributes:
        name: its lineage's name.
        certificate: the certificate.
        issuer: the certificate of the CA that signed it.
        saved_at: when its file was written, in seconds since the epoch.
        in_service: the certificate that it replaces, and the issuer of that one; where it is
            revoked, waiting protects nobody.
        timeout: longest wait for it, in seconds, where that is not the gate's.
    """

    name: str
    certificate: x509.Certificate
    issuer: x509.Certificate
    saved_at: float
    in_service: Pair | None = None
    timeout: float | None = None
