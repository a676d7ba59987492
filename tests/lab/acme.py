"""What the front keeps of ACME: requests, refusals, certificates, and the reading of a JWS."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.lab import pki

ERROR = "urn:ietf:params:acme:error:"


@dataclass(frozen=True)
class Request:
    """A request that reached an ACME service."""

    time: float
    host: str
    method: str
    path: str
    step: str
    status: int

    def __str__(self) -> str:
        return f"{self.time:.2f} {self.method} {self.host}{self.path} ({self.step}): {self.status}"


class Problem(Exception):
    """A refusal: RFC 8555's problem document.

    Attributes:
        recorded: whether the request counts as one that reached the service.
    """

    recorded = True

    def __init__(self, kind: str, status: int, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.status = status
        self.detail = detail

    def document(self) -> dict[str, object]:
        """Returns it as the server sends it."""
        return {"type": ERROR + self.kind, "status": self.status, "detail": self.detail}


class Again(Problem):
    """A refusal of the lab's own: the client asks for the same again, with the nonce that it gets.

    Certbot does, once (RFC 8555, section 6.5).
    """

    recorded = False

    def __init__(self) -> None:
        super().__init__("badNonce", 400, "JWS has an invalid anti-replay nonce")


@dataclass
class Issued:
    """A certificate that a service issued.

    Attributes:
        issued_at: when the client could first have it, in seconds since the epoch.
        revoked_at: when it was revoked.
    """

    host: str
    certificate: x509.Certificate
    issuer: x509.Certificate
    issuer_key: rsa.RSAPrivateKey
    account: str
    issued_at: float
    revoked_at: float | None = None

    @property
    def serial(self) -> int:
        """Its serial number."""
        return self.certificate.serial_number

    @property
    def names(self) -> tuple[str, ...]:
        """Its DNS names."""
        return pki.names_of(self.certificate)

    @property
    def pem(self) -> str:
        """The certificate in PEM."""
        return pki.pem(self.certificate)


@dataclass(frozen=True)
class Jws:
    """What an ACME request says, unverified: Pebble verifies it."""

    header: Mapping[str, Any] = field(default_factory=dict)
    payload: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, body: bytes) -> Jws:
        """Reads a request's body; anything but a JWS says nothing."""
        try:
            outer = json.loads(body)
            payload = unbase64(outer["payload"])
            return cls(
                json.loads(unbase64(outer["protected"])), json.loads(payload) if payload else {}
            )
        except (ValueError, KeyError, TypeError):
            return cls()


def unbase64(text: str) -> bytes:
    """Decodes base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
