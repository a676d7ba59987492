"""One ACME service as the front shows it: what it refuses, what it issued, who asked for what."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.lab import pki
from tests.lab.acme import Again, Issued, Jws, Problem, Request, unbase64
from tests.lab.pebble import Pebble

STEPS = {
    "/nonce-plz": "newNonce",
    "/sign-me-up": "newAccount",
    "/my-account/": "account",
    "/order-plz": "newOrder",
    "/my-order/": "order",
    "/finalize-order/": "finalize",
    "/authZ/": "authz",
    "/chalZ/": "challenge",
    "/certZ/": "cert",
    "/revoke-cert": "revokeCert",
    "/rollover-account-key": "keyChange",
    "/draft-ietf-acme-ari-": "renewalInfo",
}


@dataclass
class _Refusal:
    problem: Problem
    left: int
    match: str


class Service:
    """An ordinary CA; settable while it runs.

    Attributes:
        requests: every request that reached it.
        issued: every certificate that it issued, oldest first.
        ocsp_urls: what its next certificates say.
        lifetime: of its next certificates.
        backdate: how long before issuance its next certificates begin.
        reuses: whether it takes a valid authorization for the account's later orders, too.
    """

    DEFAULT_OCSP: tuple[str, ...] = ()

    def __init__(self, host: str, directory: str, backend: Callable[[], Pebble]) -> None:
        """Describes the service; Pebble is started when first needed.

        Args:
            host: its host name.
            directory: the path of its directory.
            backend: returns the Pebble that does the work.
        """
        self.host = host
        self.directory = directory
        self.backend = backend
        self._lock = threading.Lock()
        self._authorizations: set[str] = set()  # as Pebble's memory, it outlives a reset
        self._sent_back = False
        self.reset()

    def reset(self) -> None:
        """Back to the beginning: no records, no refusals."""
        self.requests: list[Request] = []
        self.issued: list[Issued] = []
        self.ocsp_urls: Sequence[str] = self.DEFAULT_OCSP
        self.lifetime = dt.timedelta(days=90)
        self.backdate = dt.timedelta(0)
        self.reuses = False
        self._refusals: dict[str, list[_Refusal]] = {}
        self._failing: dict[str, Problem] = {}

    @property
    def url(self) -> str:
        """The directory's URL."""
        return f"https://{self.host}{self.directory}"

    def step(self, path: str) -> str:
        """Returns which step of ACME a path belongs to."""
        if path == self.directory:
            return "directory"
        for prefix, step in STEPS.items():
            if path.startswith(prefix):
                return step
        return "unknown"

    def beyond_directory(self) -> list[Request]:
        """Returns the requests other than for the directory, and for when to renew (RFC 9773).

        Only a newer Pebble than Debian 12's has that to tell; it changes nothing at the CA.
        """
        return [each for each in self.requests if each.step not in ("directory", "renewalInfo")]

    def steps(self) -> list[str]:
        """Returns the steps of all requests, in order."""
        return [request.step for request in self.requests]

    def refuse(
        self, step: str, kind: str, status: int, detail: str, *, times: int = -1, match: str = ""
    ) -> None:
        """Makes the service refuse.

        Args:
            step: at which step: directory, newNonce, newAccount, account, newOrder, order, authz,
                challenge, finalize, cert, revokeCert, keyChange.
            kind: the ACME error type without its prefix.
            status: the HTTP status.
            detail: the server's words.
            times: how often, -1 for always.
            match: only requests whose payload contains this text, a host name for example.
        """
        refusal = _Refusal(Problem(kind, status, detail), times, match)
        with self._lock:
            self._refusals.setdefault(step, []).append(refusal)

    def fail_validation(self, name: str, kind: str, status: int, detail: str) -> None:
        """Makes the authorization of a name end as invalid, with this error."""
        self._failing[name] = Problem(kind, status, detail)

    def check(self, step: str, jws: Jws) -> None:
        """Refuses what has to be refused before Pebble sees it.

        Raises:
            Problem: the refusal.
        """
        with self._lock:
            for refusal in self._refusals.get(step, ()):
                if refusal.left and refusal.match in json.dumps(jws.payload):
                    refusal.left -= 1
                    raise refusal.problem

    def order(self, body: bytes) -> None:
        """Sees to it that authorizations are used again where that was asked for, and only there.

        Pebble that is told "0 per cent" does so all the same with one order of a hundred; with
        two that follow each other so seldom that the second passes.

        Raises:
            Again: it did.
        """
        known = set(json.loads(body)["authorizations"])
        with self._lock:
            again = not self.reuses and not self._sent_back and known & self._authorizations
            self._authorizations |= known
            self._sent_back = bool(again)
        if again:
            raise Again

    def translate(self, step: str, status: int, body: bytes) -> tuple[int, bytes]:
        """Turns Pebble's answer into this service's."""
        if step in {"authz", "challenge"} and status == 200 and self._failing:
            return status, self._invalidate(step, body)
        return status, body

    def _invalidate(self, step: str, body: bytes) -> bytes:
        document = json.loads(body)
        problem = self._failing.get(document.get("identifier", {}).get("value", ""))
        if step == "authz" and problem is not None:
            # As real CAs do: the challenge that was attempted, and that alone, has the error.
            for challenge in document["challenges"]:
                if challenge["status"] != "pending":
                    document["status"] = "invalid"
                    challenge.update(status="invalid", error=problem.document())
        return json.dumps(document).encode()

    def issue(self, chain: bytes, jws: Jws) -> bytes:
        """Records a certificate when it is first fetched, and gives it this service's face."""
        leaf, *rest = x509.load_pem_x509_certificates(chain)
        known = self.find(leaf.serial_number)
        if known is None:
            known = self._keep(leaf, str(jws.header.get("kid", "")))
        return (known.pem + "".join(pki.pem(each) for each in rest)).encode()

    def _keep(self, leaf: x509.Certificate, account: str) -> Issued:
        pebble = self.backend()
        reissued = pki.reissue(
            leaf,
            pebble.issuer,
            pebble.issuer_key,
            ocsp_urls=self.ocsp_urls,
            not_before=pki.now() - self.backdate,
            lifetime=self.lifetime,
        )
        issued = Issued(self.host, reissued, pebble.issuer, pebble.issuer_key, account, time.time())
        with self._lock:
            self.issued.append(issued)
        return issued

    def mint(self, *names: str, key: rsa.RSAPrivateKey | None = None) -> Issued:
        """Issues a certificate without anyone asking for it through ACME; for a key, or any."""
        pebble = self.backend()
        leaf = pki.leaf(names, pebble.issuer, pebble.issuer_key, key)
        return self._keep(leaf, "")

    def find(self, serial: int) -> Issued | None:
        """Returns what is known of a serial number."""
        with self._lock:
            return next((each for each in self.issued if each.serial == serial), None)

    def revoke(self, jws: Jws) -> None:
        """Revokes a certificate.

        Raises:
            Problem: there is none, it is revoked already, or another account's.
        """
        der = unbase64(str(jws.payload.get("certificate", "")))
        certificate = x509.load_der_x509_certificate(der)
        serial = f"{certificate.serial_number:x}"
        known = self.find(certificate.serial_number)
        if known is None:
            raise Problem("malformed", 400, f"The certificate does not exist: [{serial}]")
        if known.revoked_at is not None:
            detail = (
                "The request specified a certificate to be revoked that has already been "
                f"revoked: [{serial}]"
            )
            raise Problem("alreadyRevoked", 400, detail)
        if "jwk" not in jws.header and jws.header.get("kid") != known.account:
            raise Problem("unauthorized", 401, "The client lacks sufficient authorization")
        known.revoked_at = time.time()
