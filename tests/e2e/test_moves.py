"""Lineages that exist: another CA's move to JPRS, those made by JPRS's manual are taken over.

What is somebody's decision stays it: other names, and options that say to keep what there is.
"""

from __future__ import annotations

import stat

import pytest

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
    lets_encrypt,
    served,
)
from tests.e2e.needs import needs_namespace
from tests.lab import World

FLAG = f"-a {NAME}"
HOOK = "echo $RENEWED_DOMAINS >> /run/tmp/hooked"
MANUAL_HOOK = "sleep 10m;systemctl reload httpd"


def check_moved(world: World, name: str = "www.example.jp", version: int = 2) -> None:
    """Asserts that a lineage of Let's Encrypt is JPRS's now, in every respect."""
    lineage = world.lineage(name)
    assert world.lineages() == [name]
    assert lineage.version() == version
    assert lineage.key_type == "RSA 2048"
    assert served(world, "www.example.jp") == lineage.serial == world.jprs.issued[-1].serial
    params = lineage.params
    assert params["server"] == world.jprs.url
    assert params["authenticator"] == params["installer"] == NAME
    assert params.get("key_type", OWN_KEY) in ("rsa", "RSA 2048")
    account = world.path(f"/etc/letsencrypt/accounts/{world.jprs.host}/DV/getDirectory")
    assert (account / params["account"]).is_dir()


@pytest.mark.parametrize(
    ("key_type", "reuse_key", "flag"),
    [
        ("ecdsa", "", f"{FLAG} -d www.example.jp"),
        ("rsa", "", f"-i {NAME} -d www.example.jp"),
        ("ecdsa", "--reuse-key", f"-i {NAME} -d www.example.jp"),
        ("rsa", "--reuse-key", f"{FLAG} -d www.example.jp"),
        ("ecdsa", "--reuse-key", f"{FLAG} --cert-name www.example.jp"),
    ],
)
def test_a_lineage_of_lets_encrypt_moves(
    world: World, key_type: str, reuse_key: str, flag: str
) -> None:
    hook = f"--deploy-hook '{HOOK}'"
    lets_encrypt(world, more=f"--key-type {key_type} {reuse_key} {hook}")
    lineage = world.lineage("www.example.jp")
    old_key = lineage.certificate().public_key()
    world.path("/run/tmp/hooked").unlink(missing_ok=True)
    forget(world)
    world.ocsp.lag = 1

    result = certbot(world, f"run -n {flag} {CONTACT} {QUICK}", *world.eab()).check()
    assert "moves from" in result.output
    check_moved(world)
    key = lineage.certificate().public_key()
    # The first RSA key is the one that --reuse-key holds on to.
    assert (key == old_key) is (key_type == "rsa" and bool(reuse_key))
    assert lineage.params.get("reuse_key") == ("True" if reuse_key else None)
    assert lineage.params["renew_hook"] == HOOK
    assert world.read("/run/tmp/hooked").split() == ["www.example.jp"]

    certbot(world, f"{RENEW} --force-renewal").check()
    check_moved(world, version=3)
    assert (lineage.certificate().public_key() == key) is bool(reuse_key)
    assert lineage.params["renew_hook"] == HOOK
    assert world.read("/run/tmp/hooked").split() == ["www.example.jp"] * 2
    assert world.letsencrypt.beyond_directory() == []


def test_a_move_asks_nothing_on_a_terminal(world: World) -> None:
    lets_encrypt(world)
    terminal = world.certbot_pty(
        *("run", "-a", NAME, "-d", "www.example.jp", "-m", "admin@example.jp", "--agree-tos"),
        *("--no-eff-email", *QUICK.split()),
        *world.eab(),
    )
    terminal.expect("moves from")
    result = terminal.wait(60)
    assert result.returncode == 0, f"{result}"
    check_moved(world)


@pytest.mark.main_job
def test_certonly_moves_too(world: World) -> None:
    lets_encrypt(world)
    line = f"certonly -n {FLAG} -d www.example.jp {CONTACT} {QUICK}"
    certbot(world, line, *world.eab()).check()
    lineage = world.lineage("www.example.jp")
    assert lineage.version() == 2
    assert lineage.key_type == "RSA 2048"
    assert lineage.params["server"] == world.jprs.url
    assert lineage.params["authenticator"] == NAME


@pytest.mark.parametrize(
    ("option", "server"),
    [
        ("--keep-until-expiring", ""),
        ("--reinstall", "--server https://acme.amecert.jprs.jp/DV/getDirectory"),
    ],
)
def test_who_keeps_the_certificate_does_not_move(world: World, option: str, server: str) -> None:
    lets_encrypt(world)
    before = world.lineage("www.example.jp").params
    forget(world)
    line = f"run -n {FLAG} -d www.example.jp {CONTACT} {option} {server}"
    result = certbot(world, line, *world.eab()).check()
    assert "stays there" in result.output
    assert option.rpartition("-")[2] in result.output
    assert world.lineage("www.example.jp").params == before
    assert served(world) == world.letsencrypt.issued[-1].serial
    assert asked(world) == []


def test_who_keeps_the_certificate_renews_it_where_it_is_from(world: World) -> None:
    lets_encrypt(world)
    world.lineage("www.example.jp").set("renew_before_expiry", "91 days", None)
    forget(world)
    first = served(world)
    line = f"run -n {FLAG} -d www.example.jp {CONTACT} --keep-until-expiring"
    certbot(world, line, *world.eab()).check()
    assert served(world) == world.letsencrypt.issued[-1].serial
    assert served(world) != first
    params = world.lineage("www.example.jp").params
    assert (params["authenticator"], params["installer"]) == ("apache", "apache")
    assert "letsencrypt" in params["server"]
    assert not world.jprs.requests


def test_other_names_are_no_move(world: World) -> None:
    world.vhost("www.example.jp", "b.example.jp", "c.example.jp")
    names = "www.example.jp,b.example.jp"
    certbot(world, f"run -n --apache -d {names} --cert-name le {CONTACT}").check()
    before = world.lineage("le").params
    forget(world)

    # A superset: Certbot's own question, which needs --expand or a terminal.
    line = f"certonly -n {FLAG} -d {names},c.example.jp {CONTACT} {QUICK}"
    result = certbot(world, line, *world.eab())
    assert result.returncode == 1
    assert "newOrder" not in world.jprs.steps()
    assert world.lineage("le").params == before

    # A subset is a certificate of its own.
    line = f"certonly -n {FLAG} -d www.example.jp {CONTACT} {QUICK}"
    certbot(world, line, *world.eab()).check()
    assert world.lineages() == ["le", "www.example.jp"]
    assert world.lineage("le").params == before
    assert world.lineage("www.example.jp").params["server"] == world.jprs.url

    # So is a duplicate.
    line = f"certonly -n {FLAG} -d {names} --duplicate {QUICK}"
    certbot(world, line).check()
    assert world.lineages() == ["le", "www.example.jp", "www.example.jp-0001"]
    assert world.lineage("le").params == before
    assert world.lineage("www.example.jp-0001").key_type == "RSA 2048"

    # Of two lineages with the same names, the one that is JPRS's already is meant.
    forget(world)
    certbot(world, f"run -n {FLAG} -d {names} {QUICK}").check()
    assert "newOrder" not in world.jprs.steps()
    assert world.lineage("le").params == before
    assert served(world) == world.lineage("www.example.jp-0001").serial


def manual_way(world: World, more: str = "") -> None:
    """Gets a certificate by the command of JPRS's manual, with its deploy hook stored."""
    world.vhost("www.example.jp")
    line = (
        f"run -n --apache -d www.example.jp --key-type rsa --server {world.jprs.url} "
        f"{CONTACT} {more}"
    )
    certbot(world, line, *world.eab()).check()
    lineage = world.lineage("www.example.jp")
    assert lineage.params["authenticator"] == "apache"
    lineage.set("renew_hook", MANUAL_HOOK)
    lineage.renewal.chmod(0o640)
    forget(world)


@pytest.mark.parametrize("verb", ["run", "certonly"])
def test_a_lineage_of_the_manual_is_taken_over(world: World, verb: str) -> None:
    world.path("/run/tmp/challenges").mkdir()
    manual_way(world, "--apache-challenge-location /run/tmp/challenges")
    lineage = world.lineage("www.example.jp")
    serial = lineage.serial
    before = lineage.renewal.read_text()
    assert "sleep" in before

    result = certbot(world, f"{verb} -n {FLAG} -d www.example.jp").check()
    assert "from now on" in result.output
    assert "newOrder" not in world.jprs.steps()
    assert lineage.serial == serial == served(world)
    params = lineage.params
    assert params["authenticator"] == params["installer"] == NAME
    assert "renew_hook" not in params
    assert params["server"] == world.jprs.url
    assert params["certbot_jprs:http_apache_challenge_location"] == "/run/tmp/challenges"
    assert "apache_challenge_location" not in params
    assert stat.S_IMODE(lineage.renewal.stat().st_mode) == 0o640
    (backup,) = lineage.renewal.parent.glob("www.example.jp.conf.*")
    assert backup.read_text() == before
    assert str(backup.name) in result.output

    world.ocsp.lag = 1
    forget(world)
    certbot(world, f"{RENEW} --force-renewal").check()
    assert lineage.version() == 2
    assert served(world) == lineage.serial
    assert world.ocsp.asked(lineage.serial)
    assert lineage.params["certbot_jprs:http_apache_challenge_location"] == "/run/tmp/challenges"
    # Once taken over, the flag finds nothing more to do.
    after = lineage.params
    result = certbot(world, f"{verb} -n {FLAG} -d www.example.jp").check()
    assert "from now on" not in result.output
    assert lineage.params == after


def test_the_manual_without_the_flag_is_left_alone(world: World) -> None:
    manual_way(world)
    lineage = world.lineage("www.example.jp")
    before = lineage.params
    line = f"run -n --apache -d www.example.jp --keep-until-expiring --server {world.jprs.url}"
    certbot(world, line).check()
    assert lineage.params == before


def test_another_deploy_hook_survives_the_take_over(world: World) -> None:
    manual_way(world)
    lineage = world.lineage("www.example.jp")
    lineage.set("renew_hook", f"sleep 10m; {HOOK}")
    certbot(world, f"run -n {FLAG} --cert-name www.example.jp").check()
    assert lineage.params["renew_hook"] == HOOK
    certbot(world, f"{RENEW} --force-renewal").check()
    assert world.read("/run/tmp/hooked").split() == ["www.example.jp"]
    assert world.read("/run/tmp/hooked") != ""


@needs_namespace("Certbot cannot redirect anew where virtual hosts have one address, as there")
def test_more_names_for_a_certificate_of_jprs(world: World) -> None:
    first_run(world)
    world.vhost("www.example.jp", "b.example.jp")
    both = "-d www.example.jp,b.example.jp"
    certbot(world, f"run -n {FLAG} {both} --expand {QUICK}").check()
    lineage = world.lineage("www.example.jp")
    assert world.lineages() == ["www.example.jp"]
    assert lineage.version() == 2
    assert world.jprs.issued[-1].names == ("www.example.jp", "b.example.jp")
    assert served(world, "b.example.jp") == lineage.serial
