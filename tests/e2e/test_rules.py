"""JPRS's rules: what breaks one is refused before the CA is asked for anything, or put right."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.e2e.helpers import (
    CONTACT,
    NAME,
    OWN_KEY,
    QUICK,
    RENEW,
    asked,
    certbot,
    first_run,
    forget,
    known,
    lets_encrypt,
    refused,
    served,
)
from tests.lab import Result, World

RUN = "run -n -a certbot-jprs:http -d www.example.jp"
CERTONLY = "certonly -n -a certbot-jprs:http -d www.example.jp"
SEVEN = ",".join(f"admin{number}@example.jp" for number in range(7))


def message(result: Result) -> str:
    """Returns a command's output without Certbot's usage lines."""
    return result.output.partition("error:")[2] or result.output


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param(
            f"{RUN} {CONTACT} --dry-run",
            ("--dry-run", "--jprs-check"),
            marks=pytest.mark.main_job,
        ),
        (f"{CERTONLY} {CONTACT} --dry-run", ("--dry-run", "--jprs-check")),
        (f"{RUN} {CONTACT} --staging", ("--staging", "--jprs-check")),
        (f"{CERTONLY} {CONTACT} --test-cert", ("--test-cert", "--jprs-check")),
        (
            f"certonly -n -a manual --preferred-challenges dns --manual-auth-hook true "
            f"-i certbot-jprs:http -d '*.example.jp' {CONTACT} --dry-run",
            ("--dry-run", "--jprs-check"),
        ),
        (f"run -n --configurator {NAME} -d a.jp {CONTACT} --dry-run", ("--jprs-check",)),
        (f"register -n -a certbot-jprs:http {CONTACT} --staging", ("--staging", "--jprs-check")),
        pytest.param(
            "reconfigure -n -a certbot-jprs:http --cert-name www.example.jp",
            ("certbot reconfigure", "--jprs-check"),
            marks=pytest.mark.needs_certbot("2.3", "there is no reconfigure"),
        ),
    ],
)
def test_what_would_test_elsewhere_is_refused(
    world: World, line: str, words: tuple[str, ...]
) -> None:
    refused(world, certbot(world, line), *words)
    assert world.lineages() == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"{RUN} --agree-tos", ("urgent notices", "-m ADDRESS")),
        (f"{CERTONLY} --agree-tos", ("urgent notices", "-m ADDRESS")),
        ("register -n -a certbot-jprs:http --agree-tos", ("urgent notices", "-m ADDRESS")),
        (f"{RUN} --agree-tos --register-unsafely-without-email", ("-m ADDRESS",)),
        ("update_account -n -a certbot-jprs:http", ("-m ADDRESS",)),
        (
            "update_account -n -a certbot-jprs:http --register-unsafely-without-email",
            ("-m ADDRESS",),
        ),
        (f"{RUN} --agree-tos -m {SEVEN}", ("at most 6", "7 were given")),
        (f"register -n -a certbot-jprs:http --agree-tos -m {SEVEN}", ("at most 6",)),
        (f"update_account -n -a certbot-jprs:http -m {SEVEN}", ("at most 6",)),
        (f"{RUN} --agree-tos -m a@example.jp,b@example.jp,a@example.jp", ("a@example.jp", "twice")),
        ("register -n -a certbot-jprs:http --agree-tos -m a@a.jp,a@a.jp", ("twice",)),
        ("update_account -n -a certbot-jprs:http -m a@a.jp,a@A.JP", ("twice",)),
    ],
)
def test_contacts_that_jprs_refuses(world: World, line: str, words: tuple[str, ...]) -> None:
    refused(world, certbot(world, line, *world.eab()), *words)


@pytest.mark.main_job
def test_six_contacts_are_accepted(world: World) -> None:
    six = SEVEN.rpartition(",")[0]
    line = f"register -n -a certbot-jprs:http --agree-tos -m {six}"
    certbot(world, line, *world.eab()).check()
    assert world.jprs.steps().count("newAccount") == 1
    certbot(world, f"update_account -n -a certbot-jprs:http -m {six}").check()
    assert "account" in world.jprs.steps()


def test_on_a_terminal_an_address_is_asked_for_until_there_is_one(world: World) -> None:
    world.vhost("www.example.jp")
    terminal = world.certbot_pty(
        *("run", "-a", NAME, "-d", "www.example.jp", "--agree-tos", *QUICK.split()), *world.eab()
    )
    terminal.expect("[Cc]ontact e-mail address")
    terminal.send("")
    terminal.expect("requires a contact")
    terminal.expect("[Cc]ontact e-mail address")
    terminal.send("a@example.jp,a@example.jp")
    terminal.expect("twice")
    terminal.expect("[Cc]ontact e-mail address")
    assert world.jprs.requests == []
    terminal.send("admin@example.jp")
    terminal.expect("share your e")
    terminal.send("n")
    result = terminal.wait(90)
    assert result.returncode == 0, f"{result}"
    assert "skip" not in result.output
    assert served(world) == world.jprs.issued[-1].serial
    if known("show_account"):
        shown = certbot(world, "show_account -a certbot-jprs:http").output
        assert "admin@example.jp" in shown


@pytest.mark.needs_certbot("4.0", "Certbot asks for the address in other words")
def test_the_twin_without_the_flag_would_let_the_address_be_skipped(world: World) -> None:
    terminal = world.certbot_pty("register", "--agree-tos", "--server", world.jprs.url)
    terminal.expect("Enter to")
    terminal.send("")
    terminal.wait(30)


def test_a_second_pair_of_eab_credentials_is_mentioned(world: World) -> None:
    line = f"register -n -a certbot-jprs:http {CONTACT}"
    assert "not used" not in certbot(world, line, *world.eab()).check().output
    world.vhost("www.example.jp")
    forget(world)
    for result in (
        certbot(world, f"{RUN} {CONTACT} {QUICK}", *world.eab(1)).check(),
        certbot(world, line, *world.eab(1)),
    ):
        assert "An account for" in result.output
        assert "not used" in result.output
        assert "unregister" not in result.output
        assert world.eab(1)[3] not in result.output
    assert "newAccount" not in world.jprs.steps()


def test_an_ecdsa_key_that_was_asked_for_becomes_rsa(world: World) -> None:
    world.vhost("www.example.jp")
    line = f"{RUN} {CONTACT} {QUICK} --key-type ecdsa --rsa-key-size 1024"
    result = certbot(world, line, *world.eab()).check()
    assert "RSA is used, not ecdsa" in result.output
    assert "at least 2048 bits" in result.output
    lineage = world.lineage("www.example.jp")
    assert lineage.key_type == "RSA 2048"
    assert lineage.params["key_type"] == "rsa"

    lineage.set("key_type", "ecdsa")
    result = certbot(world, f"{RENEW} --force-renewal").check()
    assert "RSA key, not ecdsa" in result.output
    assert lineage.version() == 2
    assert lineage.key_type == "RSA 2048"
    # Before 2.0 RSA is Certbot's own choice, which a renewal does not store.
    assert lineage.params.get("key_type", "RSA 2048") in ("rsa", OWN_KEY)


def test_a_key_type_in_cli_ini_is_overridden(world: World) -> None:
    world.cli_ini("key-type = ecdsa\n")
    world.vhost("www.example.jp")
    line = f"{CERTONLY} {CONTACT} {QUICK} --rsa-key-size 4096 --reuse-key"
    result = certbot(world, line, *world.eab()).check()
    assert "RSA is used, not ecdsa" in result.output
    lineage = world.lineage("www.example.jp")
    assert lineage.key_type == "RSA 4096"
    key = lineage.certificate().public_key()
    # Renewals keep the size, and the key from the first RSA one on.
    certbot(world, f"{RENEW} --force-renewal").check()
    assert lineage.version() == 2
    assert lineage.certificate().public_key() == key


def test_only_a_csr_with_an_rsa_key_is_sent(world: World) -> None:
    world.vhost("www.example.jp")
    for name, new in (
        ("ecdsa", ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")),
        ("short", ("rsa:1024",)),
        ("good", ("rsa:2048",)),
    ):
        world.run(
            *("openssl", "req", "-new", "-nodes", "-newkey", *new, "-subj", "/CN=www.example.jp"),
            *("-addext", "subjectAltName=DNS:www.example.jp", "-keyout", f"/run/tmp/{name}.key"),
            *("-out", f"/run/tmp/{name}.csr"),
        ).check()
    line = f"certonly -n -a certbot-jprs:http {CONTACT} {QUICK} --csr /run/tmp/"
    result = certbot(world, line + "ecdsa.csr", *world.eab())
    refused(world, result, "RSA keys", "/run/tmp/ecdsa.csr", "ECDSA", "openssl req")
    refused(world, certbot(world, line + "short.csr", *world.eab()), "2048 bits", "RSA 1024 bits")
    where = "--cert-path /run/tmp/c.pem --chain-path /run/tmp/n.pem --fullchain-path /run/tmp/f.pem"
    certbot(world, f"{line}good.csr {where}", *world.eab()).check()
    issued = world.jprs.issued[-1]
    key = load_pem_private_key(world.path("/run/tmp/good.key").read_bytes(), None)
    assert issued.certificate.public_key() == key.public_key()


def test_a_server_that_was_typed_is_respected(world: World) -> None:
    world.vhost("www.example.jp")
    # Let's Encrypt's by name is Let's Encrypt's: no rule of JPRS's, and no wait.
    line = f"{RUN} {CONTACT} --server {world.letsencrypt.url}"
    certbot(world, line).check()
    assert world.lineage("www.example.jp").key_type == OWN_KEY
    assert world.lineage("www.example.jp").params["server"] == world.letsencrypt.url
    assert world.jprs.requests == []


def test_dry_runs_of_a_fleet_fail_for_jprs_only(world: World) -> None:
    first_run(world)
    lets_encrypt(world, "le.example.jp")
    forget(world)
    result = certbot(world, f"{RENEW} --dry-run")
    assert result.returncode == 1
    assert "nothing was sent for www.example.jp" in result.output
    assert "certbot renew --dry-run --cert-name" in result.output
    assert "--jprs-check" in result.output
    assert "live/le.example.jp/fullchain.pem (success)" in result.output
    assert "live/www.example.jp/fullchain.pem (failure)" in result.output
    assert world.jprs.requests == []
    assert "finalize" in world.staging.steps()

    certbot(world, f"{RENEW} --dry-run --cert-name le.example.jp").check()
    forget(world)
    for line in (
        "reconfigure -n --cert-name www.example.jp --deploy-hook true",
        f"{RENEW} --staging --force-renewal --cert-name www.example.jp",
        f"{RENEW} --dry-run --cert-name www.example.jp",
    ):
        if known(line):
            refused(world, certbot(world, line), "--jprs-check")
    assert world.lineage("www.example.jp").version() == 1
    assert world.lineage("www.example.jp").params["server"] == world.jprs.url
    line = "reconfigure -n --cert-name le.example.jp --deploy-hook true"
    if known(line):
        certbot(world, line).check()


def test_tests_of_lets_encrypt_are_unaffected(world: World) -> None:
    world.vhost("le.example.jp")
    certbot(world, f"certonly -n --apache -d le.example.jp --dry-run {CONTACT}").check()
    certbot(world, f"run -n --apache -d le.example.jp --staging {CONTACT}").check()
    assert world.lineage("le.example.jp").params["server"] == world.staging.url
    assert world.jprs.requests == world.letsencrypt.requests == []


@pytest.mark.parametrize(
    ("option", "value", "least"),
    [
        ("--jprs-ocsp-timeout", "soon", "0"),
        ("--jprs-ocsp-timeout", "-1", "0"),
        ("--certbot-jprs:http-ocsp-timeout", "1.5", "0"),
        ("--jprs-ocsp-timeout", "99999999", "0"),
        ("--jprs-ocsp-interval", "0", "1"),
        ("--certbot-jprs:http-ocsp-interval", "10s", "1"),
    ],
)
def test_bad_values_get_one_clear_line(world: World, option: str, value: str, least: str) -> None:
    result = certbot(world, f"{RUN} {CONTACT} {option}={value}", *world.eab())
    refused(world, result, option, f"'{value}' is not a whole number of seconds from {least} to")
    assert len(message(result).strip().splitlines()) == 1


def test_bad_values_in_files_get_one_clear_line(world: World) -> None:
    world.cli_ini("jprs-ocsp-timeout = soon\n")
    result = certbot(world, f"{RUN} {CONTACT}", *world.eab())
    refused(world, result, "--jprs-ocsp-timeout", "'soon' is not a whole number of seconds")
    assert len(message(result).strip().splitlines()) == 1

    world.cli_ini("")
    first_run(world)
    lets_encrypt(world, "zz.example.jp")
    lineage = world.lineage("www.example.jp")
    lineage.set("certbot_jprs:http_ocsp_interval", "soon")
    forget(world)
    result = certbot(world, f"{RENEW} --force-renewal")
    assert result.returncode == 1
    assert "'soon' is not a whole number of seconds" in result.output
    assert "www.example.jp" in result.output
    assert "Traceback" not in result.output
    assert world.jprs.requests == []
    # The others of the fleet are renewed all the same.
    assert world.lineage("zz.example.jp").version() == 2
    assert asked(world) != []
