"""JPRS's service: what it refuses by itself, in its own words."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from cryptography.hazmat.primitives.asymmetric import rsa

from tests.lab import pki
from tests.lab.acme import ERROR, Jws, Problem, unbase64
from tests.lab.service import Service


class Jprs(Service):
    """RSA only, EAB, one to six contacts, CAA.

    Attributes:
        caa_forbids: tells whether CAA records forbid an issuer a name; the world's name server.
    """

    DEFAULT_OCSP = ("http://ocsp.amecert.jprs.jp/",)
    CAA = "jprs.jp"

    caa_forbids: Callable[[str, str], bool]

    @property
    def eab(self) -> Mapping[str, str]:
        """The EAB credentials that it accepts: HMAC keys by key identifier."""
        return self.backend().eab

    def check(self, step: str, jws: Jws) -> None:
        """Refuses what JPRS refuses."""
        super().check(step, jws)
        payload = jws.payload
        if step == "newAccount" and not payload.get("onlyReturnExisting"):
            _check_contacts(payload.get("contact", []))
            if not payload.get("termsOfServiceAgreed"):
                raise Problem("malformed", 400, "Please agree to the term of service.")
            if not payload.get("externalAccountBinding"):
                detail = "The request must include a value for the externalAccountBinding field"
                raise Problem("externalAccountRequired", 400, detail)
        elif step == "account" and "contact" in payload:
            _check_contacts(payload["contact"])
        elif step == "newOrder":
            names = [identifier["value"] for identifier in payload["identifiers"]]
            if any(self.caa_forbids(name, self.CAA) for name in names):
                detail = "CAA records forbid the CA from issuing a certificate"
                raise Problem("caa", 403, detail)
        elif step == "finalize":
            key = pki.csr_public_key(unbase64(payload["csr"]))
            if not isinstance(key, rsa.RSAPublicKey) or key.key_size < 2048:
                raise Problem("badCSR", 400, "The CSR is unacceptable")

    def translate(self, step: str, status: int, body: bytes) -> tuple[int, bytes]:
        """Puts Pebble's refusals of accounts into JPRS's words."""
        if step == "newAccount" and status >= 400:
            kind = json.loads(body).get("type", "").replace(ERROR, "")
            if kind not in {"badNonce", "accountDoesNotExist"}:
                problem = Problem("malformed", 400, "Unable to create account")
                return problem.status, json.dumps(problem.document()).encode()
        return super().translate(step, status, body)


def _check_contacts(contacts: Sequence[str]) -> None:
    if not 1 <= len(contacts) <= 6 or len(set(contacts)) < len(contacts):
        raise Problem("malformed", 400, "The contact information is invalid:")
