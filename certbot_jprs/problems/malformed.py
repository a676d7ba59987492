"""The errors that JPRS reports as ``malformed``, told apart by the server's words alone."""

from __future__ import annotations

from certbot_jprs.ground.language import marked
from certbot_jprs.problems.rows import AGAIN, BETWEEN, RESELLER_FIRST, Row

MALFORMED: tuple[Row, ...] = (
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
        RESELLER_FIRST,
        unnamed=marked("one of the names"),
        alone=False,
    ),
    Row(
        "malformed",
        400,
        "Validity period of application has been expired",
        marked("The order, or the authorization of one of its names, has expired."),
        AGAIN,
        alone=False,
    ),
    Row(
        "malformed",
        400,
        "Unable to accept order",
        marked("The order, or the authorization of one of its names, is in a wrong state."),
        AGAIN,
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
        BETWEEN,
        unnamed=marked("not named"),
        alone=False,
    ),
    Row(
        "malformed",
        415,
        "The content-type is invalid:",
        marked("A request reached JPRS with a content type that is not allowed ({value})."),
        BETWEEN,
        unnamed=marked("not named"),
        alone=False,
    ),
)
