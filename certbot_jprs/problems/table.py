"""The errors that JPRS's service documents, as data: what each means there, what to do next.

Rules of this file: one row for each message; matching is in ``matching``.
"""

from __future__ import annotations

from certbot_jprs.ground.language import marked
from certbot_jprs.problems.malformed import MALFORMED
from certbot_jprs.problems.rows import AGAIN, CHALLENGE, NEW_ACCOUNT, REACHABLE, RESELLER_FIRST, Row

TABLE: tuple[Row, ...] = (
    Row(
        "accountDoesNotExist",
        400,
        "The request specified an account that does not exist",
        marked("JPRS does not know the ACME account that is stored on this machine."),
        NEW_ACCOUNT,
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
        NEW_ACCOUNT,
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
        REACHABLE,
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
    *MALFORMED,
    Row(
        "orderNotReady",
        403,
        "The request attempted to finalize an order that is not ready to be finalized",
        marked("The order was to be completed before all of its names were validated."),
        AGAIN,
    ),
    Row(
        "rejectedIdentifier",
        400,
        "The server will not issue certificates for the identifier",
        marked(
            "JPRS does not issue for one of the names. At this service most often the FQDN is not "
            "registered with the designated reseller, not paid for, or past its period of use."
        ),
        RESELLER_FIRST,
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
        REACHABLE,
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
