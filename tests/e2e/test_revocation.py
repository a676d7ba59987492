"""``revoke`` leaves a web server that can start, and ``unregister`` says what it costs."""

from __future__ import annotations

import shutil

import pytest

from tests.e2e.helpers import (
    CONTACT,
    NAME,
    QUICK,
    RENEW,
    certbot,
    first_run,
    lets_encrypt,
    served,
)
from tests.e2e.needs import needs_rhel_class
from tests.e2e.refusals import JAPANESE
from tests.lab import World

SITE = "www.example.jp"
LIVE = f"/etc/letsencrypt/live/{SITE}"


def starts(world: World) -> bool:
    """Stops Apache and tells whether it starts again and serves HTTPS."""
    if world.apache.configtest().returncode != 0:
        return False
    world.apache.stop()
    world.apache.start()
    return world.listening(443)


def kept(world: World) -> bool:
    """Tells whether the lineage's files are there."""
    return world.path(f"{LIVE}/cert.pem").exists()


@pytest.mark.parametrize(
    "how", [pytest.param("--cert-name", marks=pytest.mark.main_job), "--cert-path"]
)
def test_files_that_apache_names_are_kept(world: World, how: str) -> None:
    first_run(world)
    (old,) = world.jprs.issued
    what = SITE if how == "--cert-name" else f"{LIVE}/cert.pem -a {NAME}"
    result = certbot(world, f"revoke -n {how} {what}").check()
    assert old.revoked_at is not None
    assert kept(world)
    assert starts(world)
    assert served(world) == old.serial
    for words in (
        "--no-delete-after-revoke",
        f"/etc/apache2/sites-enabled/{SITE}-le-ssl.conf:",
        f"certbot renew --cert-name {SITE} --force-renewal",
        f"certbot delete --cert-name {SITE}",
    ):
        assert words in result.output, f"{words!r} is missing: {result}"
    assert world.letsencrypt.requests == []

    # What it says is true: a renewal by itself, at once in service, since the old one is revoked.
    certbot(world, RENEW).check()
    assert served(world) == world.jprs.issued[-1].serial != old.serial


def test_the_twin_without_the_plugin_leaves_an_apache_that_cannot_start(world: World) -> None:
    lets_encrypt(world, more=f"--server {world.letsencrypt.url}")
    certbot(world, f"revoke -n --cert-name {SITE}").check()
    assert not kept(world)
    assert not starts(world)


def test_to_replace_it_and_to_give_it_up_as_it_says(world: World) -> None:
    first_run(world)
    certbot(world, f"revoke -n --cert-name {SITE}").check()
    certbot(world, f"{RENEW} --cert-name {SITE} --force-renewal").check()
    assert served(world) == world.jprs.issued[-1].serial != world.jprs.issued[0].serial

    world.path(f"/etc/apache2/sites-enabled/{SITE}-le-ssl.conf").unlink()
    world.apache.graceful()
    result = certbot(world, f"revoke -n --cert-name {SITE}").check()
    assert not kept(world)  # nothing names the files any more: Certbot's default
    assert "--no-delete-after-revoke" not in result.output
    assert world.apache.configtest().returncode == 0


@pytest.mark.parametrize("option", ["--delete-after-revoke", "--no-delete-after-revoke", ""])
def test_what_was_typed(world: World, option: str) -> None:
    first_run(world, more="--jprs-language ja")
    result = certbot(world, f"revoke -n --cert-name {SITE} {option}").check()
    assert kept(world)
    assert starts(world)
    yields = "--delete-after-revoke は" in result.output
    assert yields is (option == "--delete-after-revoke"), f"{result}"
    assert SITE in result.output
    assert "certbot delete" in result.output


def test_a_terminal_is_not_asked_whether_to_delete(world: World) -> None:
    first_run(world)
    session = world.certbot_pty("revoke", "--cert-name", SITE)
    session.expect("certbot delete")
    assert session.wait().returncode == 0
    assert kept(world)
    assert "like to delete" not in session.output


def test_quiet_says_nothing_and_keeps_them_all_the_same(world: World) -> None:
    first_run(world)
    assert certbot(world, f"revoke -q --cert-name {SITE}").check().output == ""
    assert kept(world)


def test_no_broken_configuration_and_no_lock_stops_it(world: World) -> None:
    first_run(world)
    world.apache.conf("broken", "NoSuchDirective on\n")
    assert world.apache.configtest().returncode != 0
    certbot(world, f"revoke -n -a {NAME} --cert-name {SITE}").check()
    assert world.jprs.issued[-1].revoked_at is not None
    assert kept(world)


@needs_rhel_class
def test_rhel(world: World) -> None:
    world.become_rhel()
    first_run(world)
    certbot(world, f"revoke -n --cert-name {SITE}").check()
    assert kept(world)
    assert starts(world)


def test_a_certificate_of_certonly_that_nginx_uses(world: World) -> None:
    world.vhost(SITE)
    line = f"certonly -n -a {NAME} -d {SITE} {CONTACT} {QUICK}"
    certbot(world, line, *world.eab()).check()
    world.path("/etc/nginx").mkdir(exist_ok=True)
    world.write(
        "/etc/nginx/sites-enabled/www",
        f"server {{ server_name {SITE}; ssl_certificate {LIVE}/fullchain.pem; }}\n",
    )
    world.write("/etc/nginx/nginx.conf", "http { include sites-enabled/*; }\n")
    result = certbot(world, f"revoke -n --cert-name {SITE}").check()
    assert kept(world)
    assert "/etc/nginx/sites-enabled/www:1" in result.output


def test_an_older_version_alone(world: World) -> None:
    first_run(world)
    certbot(world, f"{RENEW} --force-renewal").check()
    path = f"/etc/letsencrypt/archive/{SITE}/cert1.pem"
    result = certbot(world, f"revoke -n -a {NAME} --cert-path {path}").check()
    assert kept(world)
    assert "--force-renewal" not in result.output  # the one in service is well
    world.jprs.requests.clear()
    certbot(world, RENEW).check()
    assert "newOrder" not in world.jprs.steps()


def test_other_cas_certificates_are_certbots_own_matter(world: World) -> None:
    first_run(world)
    lets_encrypt(world, "other.example.jp", f"--server {world.letsencrypt.url}")
    world.cli_ini(f"authenticator = {NAME}\n")
    certbot(world, "revoke -n --cert-name other.example.jp").check()
    assert not world.path("/etc/letsencrypt/live/other.example.jp/cert.pem").exists()


def test_unregister_says_first_what_it_costs(world: World) -> None:
    first_run(world)
    lets_encrypt(world, "other.example.jp", f"--server {world.letsencrypt.url}")
    for env, words in (({}, ("can no longer", "EAB")), (JAPANESE, ("更新できなく", "EAB"))):
        session = world.certbot_pty("unregister", "-a", NAME, env=env)
        session.expect("EAB")
        session.expect("deactivate your account")  # and then Certbot asks
        session.send("a")
        session.wait()
        for word in (*words, SITE):
            assert word in session.output
        assert "other.example.jp" not in session.output
    assert world.path("/etc/letsencrypt/accounts/acme.amecert.jprs.jp").exists()
    assert "EAB" in certbot(world, f"unregister -n -a {NAME}").check().output
    # Without an account there is nothing to be said.
    shutil.rmtree(world.path("/etc/letsencrypt/accounts"))
    assert "EAB" not in certbot(world, f"unregister -n -a {NAME}").output
