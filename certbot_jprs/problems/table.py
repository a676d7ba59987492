"""The errors that JPRS's service documents, as data: what each means there, what to do next.

Rules of this file:

- One row for each message; matching is in ``problems``.
- Explanations say what is wrong, then the next step, short and without blame.
- Texts are in English here and are translated when they are asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from certbot_jprs.ground.language import _, marked

CHALLENGE = "challenge"
"""Where the error of a challenge occurs: an ``unauthorized`` there is another than elsewhere."""


@dataclass(frozen=True)
class Explanation:
    """What an error means at JPRS, and what to do next, in the user's language.

    Attributes:
        meaning: one or two sentences.
        step: one or two sentences.
    """

    meaning: str
    step: str

    def __str__(self) -> str:
        return f"{self.meaning}\n{self.step}"


@dataclass(frozen=True)
class Row:
    """An error of the table.

    Attributes:
        kind: the ACME error type without its prefix.
        status: the HTTP status.
        message: the server's words, up to the value in brackets if there is one.
        meaning: what it means at JPRS; may name the ``{value}``.
        step: what to do next; may name the ``{value}``.
        unnamed: stands for the value where the server named none.
        alone: whether the type alone, with another message, means the same.
        where: the only step at which the row holds; None: anywhere but at a challenge, or,
            where ``alone``, anywhere.
    """

    kind: str
    status: int
    message: str
    meaning: str
    step: str
    unnamed: str = ""
    alone: bool = True
    where: str | None = None

    def explain(self, detail: str) -> Explanation:
        """Explains, with the value that the server put in brackets.

        Args:
            detail: the server's words.
        """
        found = re.search(r"\[(.*)\]", detail, re.DOTALL)
        value = " ".join(found.group(1).split()) if found else ""
        value = value or (_(self.unnamed) if self.unnamed else "")
        return Explanation(_(self.meaning).format(value=value), _(self.step).format(value=value))


_NEW_ACCOUNT = marked(
    "Ask your designated reseller for new EAB credentials, move the directory "
    "/etc/letsencrypt/accounts/acme.amecert.jprs.jp to another place, and run the command again "
    "with --eab-kid and --eab-hmac-key, or with --jprs-eab-file."
)
_RESELLER_FIRST = marked(
    "First check with your designated reseller that every FQDN of the command is registered, paid "
    "for and within its period of use; then check the spelling of -d."
)
_AGAIN = marked(
    "Run the command again: it makes a new order. If the error stays, ask your designated reseller."
)
_BETWEEN = marked(
    "Check that --server, if given, is https://acme.amecert.jprs.jp/DV/getDirectory, and that no "
    "proxy (https_proxy) changes requests. If both are right, update Certbot."
)
_REACHABLE = marked(
    "Check that the A and AAAA records of the name lead to this server, and that port 80 is open "
    "to the Internet (firewall, router, filters of the hosting provider)."
)

TABLE: tuple[Row, ...] = (
    Row(
        "accountDoesNotExist",
        400,
        "The request specified an account that does not exist",
        marked("JPRS does not know the ACME account that is stored on this machine."),
        _NEW_ACCOUNT,
    ),
    Row(
        "alreadyRevoked",
        400,
        "The request specified a certificate to be revoked that has already been revoked:",
        marked("The certificate to be revoked ({value}) is revoked already."),
        marked(
            "No further revocation is needed. If a server still uses the certificate, have a new "
            "one issued: certbot renew --force-renewal --cert-name NAME"
        ),
        unnamed=marked("no number given"),
    ),
    Row(
        "badCSR",
        400,
        "The CSR is unacceptable",
        marked("JPRS does not accept the certificate signing request (CSR) or the key in it."),
        marked(
            "Use an RSA key of at least 2048 bits: with --csr make a new CSR; otherwise give "
            "--key-type rsa --rsa-key-size 2048."
        ),
    ),
    Row(
        "badNonce",
        400,
        "The client sent an unacceptable anti-replay nonce",
        marked(
            "JPRS did not accept the nonce, a value that each request carries once. A delayed or "
            "repeated request has an old one."
        ),
        marked(
            "Run the command again. If the error stays, check that no proxy (https_proxy) keeps "
            "answers of acme.amecert.jprs.jp."
        ),
    ),
    Row(
        "badPublicKey",
        400,
        "The JWS was signed by a public key the server does not support",
        marked("JPRS does not accept the public key of this machine's ACME account."),
        _NEW_ACCOUNT,
    ),
    Row(
        "badRevocationReason",
        400,
        "The revocation reason provided is not allowed by the server:",
        marked("JPRS does not allow the revocation reason {value}."),
        marked("Choose another one with --reason, or leave --reason out."),
        unnamed=marked("that was given"),
    ),
    Row(
        "badSignatureAlgorithm",
        400,
        "The JWS was signed with an algorithm the server does not support:",
        marked("JPRS does not support the algorithm that signed the request ({value})."),
        marked(
            "Update Certbot. If the key of the ACME account is not RSA, a new account is needed: "
            "ask your designated reseller for new EAB credentials."
        ),
        unnamed=marked("not named"),
    ),
    Row(
        "caa",
        403,
        "CAA records forbid the CA from issuing a certificate",
        marked("A CAA record of the name, or of a domain above it, does not allow JPRS to issue."),
        marked(
            'Add the value jprs.jp in the DNS, for example: example.jp. CAA 0 issue "jprs.jp" '
            "(for a wildcard: issuewild). Run the command again once the DNS shows it."
        ),
    ),
    Row(
        "connection",
        400,
        "The server could not connect to validation target :",
        marked("JPRS could not connect to {value} to validate the name."),
        _REACHABLE,
        unnamed=marked("the name's host"),
    ),
    Row(
        "externalAccountRequired",
        400,
        "The request must include a value for the externalAccountBinding field",
        marked(
            "JPRS registers an ACME account only with EAB credentials, and the request had none."
        ),
        marked(
            "Give the credentials from your designated reseller with --eab-kid and "
            "--eab-hmac-key, or with --jprs-eab-file."
        ),
    ),
    Row(
        "invalidContact",
        400,
        "A contact URL for an account was invalid:",
        marked("JPRS cannot read the contact address {value}."),
        marked("Correct the address given with -m."),
        unnamed=marked("of the account"),
    ),
    Row(
        "malformed",
        400,
        "The request information is invalid",
        marked("An item of the request is missing or has a wrong form."),
        marked(
            "Check the names (-d), the contact addresses (-m) and the EAB credentials of the "
            "command. If they are right, update Certbot or ask your designated reseller."
        ),
        alone=False,
    ),
    Row(
        "malformed",
        400,
        "Unable to create account",
        marked(
            "JPRS does not accept the EAB credentials. They come from the designated reseller and "
            "are valid for 14 days: they are mistyped or too old, or the contract has ended."
        ),
        marked(
            "Compare what was given (--eab-kid and --eab-hmac-key, or the file of "
            "--jprs-eab-file) with what your designated reseller sent. If more than 14 days have "
            "passed since they were issued, ask the reseller for new credentials."
        ),
        alone=False,
    ),
    Row(
        "malformed",
        400,
        "The contact information is invalid:",
        marked("JPRS requires one to six contact e-mail addresses, each only once."),
        marked("Give them with -m, separated by commas."),
        alone=False,
    ),
    Row(
        "malformed",
        400,
        "Please agree to the term of service.",
        marked("JPRS's terms of service were not agreed to."),
        marked("Read them, then run the command again with --agree-tos."),
        alone=False,
    ),
    Row(
        "malformed",
        400,
        "The FQDN is invalid:",
        marked(
            "JPRS cannot issue a certificate for {value}. At this service most often the FQDN is "
            "not registered with the designated reseller, not paid for, or past its period of use."
        ),
        _RESELLER_FIRST,
        unnamed=marked("one of the names"),
        alone=False,
    ),
    Row(
        "malformed",
        400,
        "Validity period of application has been expired",
        marked("The order, or the authorization of one of its names, has expired."),
        _AGAIN,
        alone=False,
    ),
    Row(
        "malformed",
        400,
        "Unable to accept order",
        marked("The order, or the authorization of one of its names, is in a wrong state."),
        _AGAIN,
        alone=False,
    ),
    Row(
        "malformed",
        400,
        "The certificate does not exist:",
        marked("JPRS does not know the certificate to be revoked ({value})."),
        marked(
            "Check that --cert-path or --cert-name names a certificate that JPRS issued: "
            "openssl x509 -noout -issuer -serial -in FILE"
        ),
        unnamed=marked("no number given"),
        alone=False,
    ),
    Row(
        "malformed",
        405,
        "The HTTP method is invalid:",
        marked("A request reached JPRS with an HTTP method that is not allowed ({value})."),
        _BETWEEN,
        unnamed=marked("not named"),
        alone=False,
    ),
    Row(
        "malformed",
        415,
        "The content-type is invalid:",
        marked("A request reached JPRS with a content type that is not allowed ({value})."),
        _BETWEEN,
        unnamed=marked("not named"),
        alone=False,
    ),
    Row(
        "orderNotReady",
        403,
        "The request attempted to finalize an order that is not ready to be finalized",
        marked("The order was to be completed before all of its names were validated."),
        _AGAIN,
    ),
    Row(
        "rejectedIdentifier",
        400,
        "The server will not issue certificates for the identifier",
        marked(
            "JPRS does not issue for one of the names. At this service most often the FQDN is not "
            "registered with the designated reseller, not paid for, or past its period of use."
        ),
        _RESELLER_FIRST,
    ),
    Row(
        "serverInternal",
        500,
        "The server experienced an internal error",
        marked("An error occurred inside JPRS's service."),
        marked(
            "Run the command again later. If the error stays, ask your designated reseller for "
            "notices about the service."
        ),
    ),
    Row(
        "unauthorized",
        401,
        "The client lacks sufficient authorization",
        marked("The ACME account is in a state in which JPRS does not allow this."),
        marked(
            "Ask your designated reseller about the account and the contract. A certificate can be "
            "revoked only by the account that ordered it, or with its own key."
        ),
        alone=False,
    ),
    Row(
        "unsupportedContact",
        400,
        "A contact URL for an account used an unsupported protocol scheme:",
        marked("JPRS does not support this kind of contact ({value})."),
        marked("Give e-mail addresses with -m."),
        unnamed=marked("not named"),
    ),
    Row(
        "unsupportedIdentifier",
        400,
        "An identifier is of an unsupported type",
        marked("JPRS does not issue for one of the identifiers: it is no domain name."),
        marked("Give only domain names with -d, no IP addresses."),
    ),
)
"""The table. "Validity period …" and "Unable to accept order" stand there twice, once for orders
and once for authorizations, with the same words."""

OTHERS: tuple[Row, ...] = (
    Row(
        "unauthorized",
        403,
        "",
        marked("The answer to JPRS's validation request was not the expected one."),
        _REACHABLE,
        where=CHALLENGE,
    ),
    Row(
        "rateLimited",
        429,
        "",
        marked("The server takes no further requests of this kind for the time being."),
        marked("Wait before running the command again. If the error stays, ask your reseller."),
    ),
)
"""Errors of RFC 8555 that JPRS does not list: what can be said of them without inventing."""
