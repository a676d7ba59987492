"""JPRS's rules, each with what breaks it and what does not."""

from __future__ import annotations

from typing import Any, Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519

from certbot_jprs.ground.exceptions import PolicyError
from certbot_jprs.ground.names import NAME
from certbot_jprs.internals.delegates import APACHE, NGINX
from certbot_jprs.rules import policy
from tests.unit import pki
from tests.unit.config_dir import LETS_ENCRYPT

JPRS_HOST = "acme.amecert.jprs.jp"


@pytest.mark.parametrize(
    "server",
    [
        policy.SERVER,
        f"https://{JPRS_HOST}/another/path",
        f"https://{JPRS_HOST}",
        f"https://{JPRS_HOST.upper()}/DV/getDirectory",
        f"https://{JPRS_HOST}:443/DV/getDirectory",
        f"https://{JPRS_HOST}./DV/getDirectory",
        f"https://user:password@{JPRS_HOST}/DV/getDirectory",
        f"http://{JPRS_HOST}/DV/getDirectory",
    ],
)
def test_is_jprs(server: str) -> None:
    assert policy.is_jprs(server)
    assert not policy.is_lets_encrypt(server)


@pytest.mark.parametrize(
    "server",
    [
        None,
        "",
        "not a URL",
        JPRS_HOST,
        f"/{JPRS_HOST}/DV/getDirectory",
        f"https://{JPRS_HOST}.evil.example/DV/getDirectory",
        f"https://evil.example/{JPRS_HOST}",
        f"https://evil.example?https://{JPRS_HOST}/",
        f"https://evil.example#@{JPRS_HOST}/",
        f"https://{JPRS_HOST}@evil.example/DV/getDirectory",
        f"https://{JPRS_HOST}:443@evil.example/DV/getDirectory",
        f"https://evil{JPRS_HOST}/DV/getDirectory",
        f"https://evil.{JPRS_HOST}/DV/getDirectory",
        f"https://{JPRS_HOST}../DV/getDirectory",
        "https://amecert.jprs.jp/DV/getDirectory",
        "https://acme.amecert.jprs.j/DV/getDirectory",
        "https://[::1]/DV/getDirectory",
        "https://[::1/DV/getDirectory",
        LETS_ENCRYPT,
    ],
)
def test_is_not_jprs(server: str | None) -> None:
    assert not policy.is_jprs(server)


@pytest.mark.parametrize(
    "server",
    [
        LETS_ENCRYPT,
        "https://acme-staging-v02.api.letsencrypt.org/directory",
        "https://ACME-V02.API.LetsEncrypt.ORG/directory",
        "https://acme-v02.api.letsencrypt.org.:443/directory",
        "https://user@letsencrypt.org/",
    ],
)
def test_is_lets_encrypt(server: str) -> None:
    assert policy.is_lets_encrypt(server)
    assert not policy.is_jprs(server)


@pytest.mark.parametrize(
    "server",
    [
        None,
        "",
        "https://letsencrypt.org.evil.example/directory",
        "https://evil-letsencrypt.org/directory",
        "https://letsencrypt.org@evil.example/directory",
        "https://evil.example/letsencrypt.org",
        "https://[letsencrypt.org/",
        "https://letsencrypt.org../directory",
    ],
)
def test_is_not_lets_encrypt(server: str | None) -> None:
    assert not policy.is_lets_encrypt(server)


def test_dry_run_is_refused_and_the_rehearsal_named() -> None:
    with pytest.raises(PolicyError) as caught:
        policy.refuse_rehearsal_by_dry_run("--dry-run")
    message = str(caught.value)
    assert message.startswith("--dry-run does not work properly with JPRS")
    assert f"certbot run -a {NAME} -d NAMES --jprs-check" in message
    assert "nothing was sent" in message


def test_dry_run_of_a_lineage_says_how_to_leave_it_out() -> None:
    with pytest.raises(PolicyError) as caught:
        policy.refuse_dry_run_of_lineage("--staging", "www.example.jp")
    message = str(caught.value)
    assert message.startswith("--staging does not work properly with JPRS")
    assert f"certbot certonly -a {NAME} --cert-name www.example.jp --jprs-check" in message
    assert "certbot renew --dry-run --cert-name NAME" in message


def addresses(count: int) -> str:
    return ",".join(f"ca{number}@example.jp" for number in range(count))


@pytest.mark.parametrize(
    "email",
    [
        "ca@example.jp",
        "ca@example.jp,ca@example.com",
        " ca@example.jp , other@example.jp ",
        "ca@example.jp,CA@example.jp",  # only the domain's case means nothing (RFC 5321)
        addresses(6),
    ],
)
def test_contacts_that_jprs_accepts(email: str) -> None:
    policy.check_contacts(email)


@pytest.mark.parametrize(
    ("email", "complaint"),
    [
        (None, "requires a contact e-mail address"),
        ("", "requires a contact e-mail address"),
        ("  ", "requires a contact e-mail address"),
        (",", "contain an empty one"),
        ("ca@example.jp,", "contain an empty one"),
        ("ca@example.jp, ,other@example.jp", "contain an empty one"),
        (addresses(7), "at most 6 contact e-mail addresses, and 7 were given"),
        (addresses(20), "at most 6 contact e-mail addresses, and 20 were given"),
        ("ca@example.jp,ca@example.jp", "ca@example.jp was given twice"),
        ("ca@example.jp, ca@EXAMPLE.jp", "ca@EXAMPLE.jp was given twice"),
        ("a@b.jp,c@d.jp,a@b.jp", "a@b.jp was given twice"),
        ("ca,ca", "ca was given twice"),
    ],
)
def test_contacts_that_jprs_refuses(email: str | None, complaint: str) -> None:
    with pytest.raises(PolicyError, match=complaint) as caught:
        policy.check_contacts(email)
    assert "-m" in str(caught.value)


def test_a_wildcard_needs_dns_01() -> None:
    with pytest.raises(PolicyError) as caught:
        policy.check_names(["www.example.jp", "*.example.jp"], NAME)
    assert "*.example.jp can only be validated by dns-01" in str(caught.value)
    assert f"-a dns-PROVIDER -i {NAME} -d '*.example.jp'" in str(caught.value)


@pytest.mark.parametrize("authenticator", ["dns-route53", "manual", None])
def test_a_wildcard_with_another_authenticator(authenticator: str | None) -> None:
    policy.check_names(["*.example.jp"], authenticator)


def test_names_without_wildcard() -> None:
    policy.check_names(["www.example.jp", "xn--wgv71a119e.jp"], NAME)
    policy.check_names([], NAME)


def short_rsa_key(bits: int) -> Any:
    """Makes a public key of that size; nobody signs with it, so its modulus may be any number."""
    return rsa.RSAPublicNumbers(65537, (1 << bits) - 1).public_key()


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_rsa_keys_that_are_long_enough(bits: int) -> None:
    key = short_rsa_key(bits)
    assert policy.is_acceptable_key(key)
    policy.check_public_key(key, "request.pem")


def test_a_minted_rsa_key() -> None:
    policy.check_public_key(pki.rsa_key("leaf").public_key(), "request.pem")


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (short_rsa_key(1024), "RSA 1024 bits"),
        (short_rsa_key(2047), "RSA 2047 bits"),
        (pki.ec_key("leaf").public_key(), "ECDSA 256 bits"),
        (
            ec.derive_private_key(4711, ec.SECP384R1()).public_key(),
            "ECDSA 384 bits",
        ),
        (ed25519.Ed25519PrivateKey.generate().public_key(), "Ed25519"),
        (ed448.Ed448PrivateKey.generate().public_key(), "Ed448"),
        (
            dsa.DSAPublicNumbers(
                2, dsa.DSAParameterNumbers((1 << 2048) - 1, (1 << 255) + 1, 2)
            ).public_key(),
            "DSA 2048 bits",
        ),
    ],
)
def test_keys_that_jprs_refuses(key: Any, kind: str) -> None:
    assert not policy.is_acceptable_key(key)
    assert policy.describe_key(key) == kind
    with pytest.raises(PolicyError) as caught:
        policy.check_public_key(key, "request.pem")
    assert f"request.pem has {kind}." in str(caught.value)
    assert "openssl req -new -newkey rsa:2048" in str(caught.value)


@pytest.mark.parametrize(
    ("refuse", "message"),
    [
        (
            lambda: policy.refuse_dry_run_of_lineage("--dry-run", "a.example.jp"),
            "--dry-run does not work properly with JPRS's service; nothing was sent for "
            "a.example.jp.\n"
            f"- To rehearse its renewal: certbot certonly -a {NAME} --cert-name a.example.jp "
            "--jprs-check\n"
            "- To dry-run the certificates of other CAs, name them one by one: certbot renew "
            "--dry-run --cert-name NAME",
        ),
        (
            lambda: policy.check_contacts(None),
            "JPRS requires a contact e-mail address, to which it sends urgent notices. Add one "
            "to the command: -m ADDRESS",
        ),
        (
            lambda: policy.check_contacts("a@b.jp,"),
            "The contact addresses 'a@b.jp,' contain an empty one. Correct -m.",
        ),
        (
            lambda: policy.check_contacts(addresses(7)),
            "JPRS accepts at most 6 contact e-mail addresses, and 7 were given. Leave some out "
            "of -m.",
        ),
        (
            lambda: policy.check_contacts("a@b.jp,a@b.jp"),
            "The contact e-mail address a@b.jp was given twice, which JPRS refuses. Give each "
            "address once with -m.",
        ),
        (
            lambda: policy.check_registration(contact=False, eab=False, terms=False),
            "JPRS requires more to register an ACME account; nothing was sent. Please add:\n"
            "- a contact e-mail address, for JPRS's urgent notices: -m ADDRESS\n"
            "- EAB credentials from your designated reseller: --eab-kid and --eab-hmac-key, or "
            "--jprs-eab-file FILE\n"
            "- your agreement to the terms of service: --agree-tos",
        ),
        (
            policy.refuse_without_eab,
            "JPRS registers an ACME account only with EAB credentials, and none were given; "
            "nothing was sent. Add those from your designated reseller: --eab-kid and "
            "--eab-hmac-key, or --jprs-eab-file FILE",
        ),
        (
            policy.refuse_without_terms,
            "The terms of service must be agreed to. Add to the command: --agree-tos",
        ),
        (
            lambda: policy.check_names(["*.b.jp"], "webroot"),
            "The wildcard name *.b.jp can only be validated by dns-01, and webroot does http-01. "
            f"Use the Certbot plugin of your DNS provider to validate and {NAME} to install: "
            f"certbot run -a dns-PROVIDER -i {NAME} -d '*.b.jp'",
        ),
        (
            lambda: policy.check_autohsts(NGINX),
            "Certbot's plugin for nginx has no --auto-hsts; nothing was done. Leave that option "
            "out (--hsts sets the header at once and for good).",
        ),
        (
            lambda: policy.check_public_key(short_rsa_key(1024), "a.csr"),
            "JPRS issues certificates only for RSA keys of at least 2048 bits, and a.csr has RSA "
            "1024 bits. Make a new one, for example with: openssl req -new -newkey rsa:2048",
        ),
    ],
)
def test_each_refusal_word_for_word(refuse: Callable[[], None], message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        refuse()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ((True, True, True), False),
        ((True, True, False), False),  # has a refusal of its own
        ((False, True, True), False),
        ((True, False, True), False),
        ((False, True, False), True),
        ((True, False, False), True),
        ((False, False, True), True),
    ],
)
def test_what_is_missing_is_named_together(
    given: tuple[bool, bool, bool], *, refused: bool
) -> None:
    contact, eab, terms = given
    marks = ("-m ADDRESS", "--eab-kid", "--agree-tos")
    if not refused:
        policy.check_registration(contact=contact, eab=eab, terms=terms)
        return
    with pytest.raises(PolicyError) as caught:
        policy.check_registration(contact=contact, eab=eab, terms=terms)
    assert [mark in str(caught.value) for mark in marks] == [not each for each in given]


def test_apache_has_autohsts() -> None:
    policy.check_autohsts(APACHE)


@pytest.mark.parametrize(
    "kind", ["_EllipticCurvePublicKey", "EllipticCurvePublicKey", "ECPublicKey"]
)
def test_elliptic_curves_by_the_names_of_several_cryptographys(kind: str) -> None:
    assert policy.describe_key(type(kind, (), {"key_size": 256})()) == "ECDSA 256 bits"


@pytest.mark.parametrize("authenticator", [NAME, "apache", "nginx", "webroot", "standalone"])
def test_authenticators_that_only_do_http_01(authenticator: str) -> None:
    with pytest.raises(PolicyError):
        policy.check_names(["*.example.jp"], authenticator)


def test_a_key_whose_name_begins_with_a_letter_of_its_own() -> None:
    assert policy.describe_key(x25519.X25519PrivateKey.generate().public_key()) == "X25519"


def test_jprs_directory_as_it_is_published() -> None:
    assert policy.SERVER == "https://acme.amecert.jprs.jp/DV/getDirectory"
