"""JPRS's rules, applied to what a command asks for.

Rules of this file: functions take plain values, look at nothing else, and either return or
raise ``PolicyError``, whose message says what JPRS requires and what to do instead. Nothing has
been sent to the CA when they are called.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import rsa

from certbot_jprs.ground.exceptions import PolicyError
from certbot_jprs.ground.language import _
from certbot_jprs.ground.names import NAME
from certbot_jprs.internals import delegates
from certbot_jprs.internals.delegate import WebServer

SERVER = "https://acme.amecert.jprs.jp/DV/getDirectory"
"""JPRS's ACME directory. The capitals matter."""

LEAST_RSA_BITS = 2048
MOST_CONTACTS = 6

HTTP_01_ONLY = (NAME, *delegates.ALL)
"""The authenticators that come with Certbot, and this one, which cannot do dns-01."""


def _host(server: str | None) -> str:
    try:
        host = (urlsplit(server or "").hostname or "").lower()
    except ValueError:
        return ""
    return host.removesuffix(".")  # the root's dot names the same host


def is_jprs(server: str | None) -> bool:
    """Tells whether an ACME directory URL is JPRS's.

    The host decides, not the path, so that a lineage stays JPRS's if the path ever changes.

    Args:
        server: the URL, or None.
    """
    return _host(server) == _host(SERVER)


def is_lets_encrypt(server: str | None) -> bool:
    """Tells whether an ACME directory URL is Let's Encrypt's, production or staging.

    Args:
        server: the URL, or None.
    """
    host = _host(server)
    return host == "letsencrypt.org" or host.endswith(".letsencrypt.org")


def refuse_rehearsal_by_dry_run(asked: str) -> None:
    """Refuses what would test against a staging server, which JPRS does not have.

    With a server other than Let's Encrypt's, Certbot's ``--dry-run`` has a *real* certificate
    issued and throws it away.

    Args:
        asked: the option or subcommand that was given, as the user typed it.

    Raises:
        PolicyError: always.
    """
    raise PolicyError(
        _(
            "{asked} does not work properly with JPRS's service; nothing was sent. To test this "
            "machine's setup without a certificate being issued, run the command with "
            "--jprs-check instead: certbot run -a {name} -d NAMES --jprs-check"
        ).format(asked=asked, name=NAME)
    )


def refuse_dry_run_of_lineage(asked: str, lineage: str) -> None:
    """Refuses the dry run of one of JPRS's lineages while others of a fleet go on.

    Args:
        asked: ``--dry-run`` or ``--staging``.
        lineage: the certificate's name.

    Raises:
        PolicyError: always.
    """
    raise PolicyError(
        _(
            "{asked} does not work properly with JPRS's service; nothing was sent for {lineage}.\n"
            "- To rehearse its renewal: certbot certonly -a {name} --cert-name {lineage} "
            "--jprs-check\n"
            "- To dry-run the certificates of other CAs, name them one by one: certbot renew "
            "--dry-run --cert-name NAME"
        ).format(asked=asked, lineage=lineage, name=NAME)
    )


def check_contacts(email: str | None) -> None:
    """Checks the contact addresses of an account.

    JPRS refuses no address, more than six, and the same address twice; urgent notices go there.

    Args:
        email: Certbot's ``--email``: addresses separated by commas, or None.

    Raises:
        PolicyError: JPRS would refuse them.
    """
    addresses = [address.strip() for address in (email or "").split(",")]
    if addresses == [""]:
        raise PolicyError(
            _(
                "JPRS requires a contact e-mail address, to which it sends urgent notices. "
                "Add one to the command: -m ADDRESS"
            )
        )
    if "" in addresses:
        raise PolicyError(
            _("The contact addresses {email!r} contain an empty one. Correct -m.").format(
                email=email
            )
        )
    if len(addresses) > MOST_CONTACTS:
        raise PolicyError(
            _(
                "JPRS accepts at most {most} contact e-mail addresses, and {count} were given. "
                "Leave some out of -m."
            ).format(most=MOST_CONTACTS, count=len(addresses))
        )
    seen = set()
    for address in addresses:
        local, _at, domain = address.rpartition("@")
        key = (local, domain.lower())
        if key in seen:
            raise PolicyError(
                _(
                    "The contact e-mail address {address} was given twice, which JPRS refuses. "
                    "Give each address once with -m."
                ).format(address=address)
            )
        seen.add(key)


def check_registration(*, contact: bool, eab: bool, terms: bool) -> None:
    """Checks that all is given that a new account needs: what is missing is named together.

    Args:
        contact: whether there is a contact address.
        eab: whether there are EAB credentials, or none are needed.
        terms: whether the terms of service are agreed to.

    Raises:
        PolicyError: contact or credentials are missing, and something else is, too.
    """
    if contact and eab:
        return
    missing = [
        text
        for given, text in (
            (contact, _("- a contact e-mail address, for JPRS's urgent notices: -m ADDRESS")),
            (
                eab,
                _(
                    "- EAB credentials from your designated reseller: --eab-kid and "
                    "--eab-hmac-key, or --jprs-eab-file FILE"
                ),
            ),
            (terms, _("- your agreement to the terms of service: --agree-tos")),
        )
        if not given
    ]
    if len(missing) > 1:
        head = _("JPRS requires more to register an ACME account; nothing was sent. Please add:")
        raise PolicyError("\n".join([head, *missing]))


def refuse_without_eab() -> None:
    """Refuses to register an account without EAB credentials.

    Raises:
        PolicyError: always.
    """
    raise PolicyError(
        _(
            "JPRS registers an ACME account only with EAB credentials, and none were given; "
            "nothing was sent. Add those from your designated reseller: --eab-kid and "
            "--eab-hmac-key, or --jprs-eab-file FILE"
        )
    )


def refuse_without_terms() -> None:
    """Refuses to register an account without agreement to the terms of service.

    Raises:
        PolicyError: always.
    """
    raise PolicyError(_("The terms of service must be agreed to. Add to the command: --agree-tos"))


def check_names(names: Iterable[str], authenticator: str | None) -> None:
    """Checks that http-01 can prove control of the names (RFC 8555 section 7.1.3).

    Args:
        names: the names of the certificate.
        authenticator: the plugin that is to prove control of them.

    Raises:
        PolicyError: a wildcard among them, and an authenticator that only does http-01.
    """
    if authenticator not in HTTP_01_ONLY:
        return
    for name in names:
        if name.startswith("*."):
            raise PolicyError(
                _(
                    "The wildcard name {name} can only be validated by dns-01, and {authenticator} "
                    "does http-01. Use the Certbot plugin of your DNS provider to validate and "
                    "{plugin} to install: certbot run -a dns-PROVIDER -i {plugin} -d '{name}'"
                ).format(name=name, authenticator=authenticator, plugin=NAME)
            )


def check_autohsts(server: WebServer) -> None:
    """Checks that a web server's plugin has AutoHSTS.

    Args:
        server: where the certificate is installed.

    Raises:
        PolicyError: it has not.
    """
    if not server.has_autohsts:
        raise PolicyError(
            _(
                "Certbot's plugin for {server} has no --auto-hsts; nothing was done. Leave that "
                "option out (--hsts sets the header at once and for good)."
            ).format(server=server.title)
        )


def check_public_key(key: Any, source: str) -> None:
    """Checks that a key is one that JPRS certifies: RSA of at least 2048 bits.

    Args:
        key: a public key of ``cryptography``.
        source: where it comes from, for the message, such as a file's path.

    Raises:
        PolicyError: another type of key, or a shorter one.
    """
    if is_acceptable_key(key):
        return
    raise PolicyError(
        _(
            "JPRS issues certificates only for RSA keys of at least {bits} bits, and {source} has "
            "{kind}. Make a new one, for example with: openssl req -new -newkey rsa:2048"
        ).format(bits=LEAST_RSA_BITS, source=source, kind=describe_key(key))
    )


def is_acceptable_key(key: Any) -> bool:
    """Tells whether JPRS certifies a public key of ``cryptography``.

    Args:
        key: the public key.
    """
    return isinstance(key, rsa.RSAPublicKey) and key.key_size >= LEAST_RSA_BITS


def describe_key(key: Any) -> str:
    """Names a public key of ``cryptography`` for a message, as in ``RSA 1024 bits``.

    Args:
        key: the public key.
    """
    kind = type(key).__name__.lstrip("_").replace("PublicKey", "")
    kind = {"EllipticCurve": "ECDSA", "EC": "ECDSA"}.get(kind, kind)
    size = getattr(key, "key_size", None)
    return f"{kind} {size} bits" if size else kind
