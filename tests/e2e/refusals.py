"""Every error of JPRS's table, at a point where the user's command meets it."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from certbot_jprs.ground import language
from certbot_jprs.problems import matching
from tests import meanings
from tests.e2e.helpers import CONTACT, NAME
from tests.lab import Result, World, subject
from tests.lab.service import Service

SITE = "www.example.jp"
JPRS = "acme.amecert.jprs.jp"
FORUM = "community.letsencrypt.org"

REGISTER = f"register -n -a {NAME} {CONTACT}"
ORDER = f"certonly -n -a {NAME} -d {SITE}"
# Before 2.0 Certbot waits for no order to become ready, and has no option for how long.
IMPATIENT = f"{ORDER} --issuance-timeout 2" if subject.version() >= (2,) else ORDER
UPDATE = f"update_account -n -a {NAME} -m two@example.jp"
REVOKE = f"revoke -n -a {NAME} --cert-path /run/tmp/cert.pem --no-delete-after-revoke"

ENGLISH = {"LANG": "en_US.UTF-8"}
JAPANESE = {"LANG": "ja_JP.UTF-8"}


@dataclass(frozen=True)
class Refusal:
    """A row of the table.

    Attributes:
        kind: ACME's error type.
        status: the HTTP status.
        detail: JPRS's words.
        step: the step of ACME that is refused.
        command: the user's command that comes to that step.
        value: what is in the words' brackets and shall be in the explanation.
    """

    kind: str
    status: int
    detail: str
    step: str
    command: str
    value: str = ""

    @property
    def id(self) -> str:
        """A name for the test."""
        return f"{self.kind}-{self.step}-{self.detail[:30].strip()}"

    def arrange(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """Makes JPRS refuse."""
        if self.step == "validation":
            world.vhost(SITE)
            world.jprs.fail_validation(SITE, self.kind, self.status, self.detail)
            return
        if self.step == "finalize":
            validate_everything(world.jprs, monkeypatch)
        if self.command == REVOKE:
            world.write("/run/tmp/cert.pem", world.jprs.mint(SITE).pem)
        world.jprs.refuse(self.step, self.kind, self.status, self.detail)


def _rows() -> list[Refusal]:
    expired = "Validity period of application has been expired"
    state = "Unable to accept order"
    revoked = "The request specified a certificate to be revoked that has already been revoked"
    algorithm = "The JWS was signed with an algorithm the server does not support"
    scheme = "A contact URL for an account used an unsupported protocol scheme"
    reason = "The revocation reason provided is not allowed by the server"
    unready = "The request attempted to finalize an order that is not ready to be finalized"
    no_eab = "The request must include a value for the externalAccountBinding field"
    unknown = "The request specified an account that does not exist"
    key = "The JWS was signed by a public key the server does not support"
    nonce = "The client sent an unacceptable anti-replay nonce"
    contact = "A contact URL for an account was invalid: [admin@]"
    caa = "CAA records forbid the CA from issuing a certificate"
    target = f"The server could not connect to validation target : [{SITE}]"
    rejected = "The server will not issue certificates for the identifier"
    unauthorized = "The client lacks sufficient authorization"
    return [
        Refusal("accountDoesNotExist", 400, unknown, "newOrder", ORDER),
        Refusal("alreadyRevoked", 400, f"{revoked}: [1F2E3D]", "revokeCert", REVOKE, "1F2E3D"),
        Refusal("badCSR", 400, "The CSR is unacceptable", "finalize", ORDER),
        Refusal("badNonce", 400, nonce, "newOrder", ORDER),
        Refusal("badPublicKey", 400, key, "newAccount", REGISTER),
        Refusal("badRevocationReason", 400, f"{reason}: [9]", "revokeCert", REVOKE, "9"),
        Refusal("badSignatureAlgorithm", 400, f"{algorithm}: [E1]", "newAccount", REGISTER, "E1"),
        Refusal("caa", 403, caa, "finalize", ORDER),
        Refusal("connection", 400, target, "validation", ORDER, SITE),
        Refusal("externalAccountRequired", 400, no_eab, "newAccount", REGISTER),
        Refusal("invalidContact", 400, contact, "newAccount", REGISTER, "admin@"),
        Refusal("malformed", 400, "The request information is invalid", "newOrder", ORDER),
        Refusal("malformed", 400, "Unable to create account", "newAccount", REGISTER),
        Refusal("malformed", 400, "The contact information is invalid:", "account", UPDATE),
        Refusal("malformed", 400, "Please agree to the term of service.", "newAccount", REGISTER),
        Refusal("malformed", 400, "The FQDN is invalid: [a_b.jp]", "newOrder", ORDER, "a_b.jp"),
        Refusal("malformed", 400, expired, "finalize", ORDER),
        Refusal("malformed", 400, expired, "authz", ORDER),
        Refusal("malformed", 400, state, "finalize", ORDER),
        Refusal("malformed", 400, state, "authz", ORDER),
        Refusal(
            "malformed", 400, "The certificate does not exist: [4D]", "revokeCert", REVOKE, "4D"
        ),
        Refusal("malformed", 405, "The HTTP method is invalid: [PUT]", "newOrder", ORDER, "PUT"),
        Refusal("malformed", 415, "The content-type is invalid: [a/b]", "newOrder", ORDER, "a/b"),
        Refusal("orderNotReady", 403, unready, "finalize", IMPATIENT),
        Refusal("rejectedIdentifier", 400, rejected, "newOrder", ORDER),
        Refusal(
            "serverInternal", 500, "The server experienced an internal error", "newOrder", ORDER
        ),
        Refusal("unauthorized", 401, unauthorized, "newOrder", ORDER),
        Refusal("unsupportedContact", 400, f"{scheme}: [tel:1]", "account", UPDATE, "tel:1"),
        Refusal(
            "unsupportedIdentifier",
            400,
            "An identifier is of an unsupported type",
            "newOrder",
            ORDER,
        ),
    ]


ROWS = _rows()


def validate_everything(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes authorizations valid from the beginning, so that a command soon comes to its end."""
    translate = service.translate

    def translated(step: str, status: int, body: bytes) -> tuple[int, bytes]:
        status, body = translate(step, status, body)
        if step == "authz" and status == 200:
            body = json.dumps({**json.loads(body), "status": "valid"}).encode()
        return status, body

    monkeypatch.setattr(service, "translate", translated)


class Accounts:
    """An account at JPRS, registered once for many tests.

    Args:
        kept: where to keep it.
    """

    def __init__(self, kept: Path) -> None:
        self._kept = kept

    def put(self, world: World) -> None:
        """Puts the account into a world that is as if new."""
        accounts = world.path("/etc/letsencrypt/accounts")
        if not self._kept.exists():
            world.certbot(*shlex.split(REGISTER), *world.eab()).check()
            shutil.copytree(accounts, self._kept, symlinks=True)
        elif not accounts.exists():
            shutil.copytree(self._kept, accounts, symlinks=True)
        world.jprs.requests.clear()


def expected(refusal: Refusal, code: str) -> matching.Explanation:
    """Returns the explanation of a row in a language."""
    where = matching.CHALLENGE if refusal.step == "validation" else None
    language.start(code)
    try:
        explanation = matching.explain(refusal.kind, refusal.detail, refusal.status, where)
    finally:
        language.start(None)
    assert explanation is not None
    return explanation


def is_japanese(text: str) -> bool:
    """Tells whether there is anything Japanese in a text."""
    return re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", text) is not None


def explained(refusal: Refusal, result: Result, code: str) -> None:
    """Asserts that a refused command shows JPRS's words and, after them, what they mean, once.

    Args:
        refusal: what was refused.
        result: what the command did.
        code: the language, ``en`` or ``ja``.
    """
    assert result.returncode == 1, f"{result}"
    assert "Traceback" not in result.output, f"{result}"
    explanation = expected(refusal, code)
    said = result.stdout if refusal.step == "validation" else result.stderr
    assert said.count(explanation.meaning) == 1, f"{explanation.meaning!r}: {result}"
    assert result.output.count(explanation.meaning) == 1, f"{result}"
    assert refusal.detail in said, f"{result}"
    assert said.index(refusal.detail) < said.index(explanation.meaning), f"{result}"
    assert refusal.value in str(explanation)
    documented = meanings.of(refusal.kind, refusal.status, refusal.detail)
    if documented is not None:
        assert not documented.missing(code, explanation.meaning, explanation.step, refusal.value)
    if refusal.step != "validation":  # there the step is the list of what to check
        assert said.count(explanation.step) == 1, f"{result}"
        assert said.index(explanation.meaning) < said.index(explanation.step)
    assert is_japanese(result.output) == (code == "ja"), f"{result}"
    other = expected(refusal, "ja" if code == "en" else "en")
    assert other.meaning not in result.output, f"{result}"
    assert other.step not in result.output, f"{result}"
