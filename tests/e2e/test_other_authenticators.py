"""``-i certbot-jprs:http`` beside another authenticator: what JPRS refuses is explained as well."""

from __future__ import annotations

import pytest

from tests.e2e.helpers import CONTACT, NAME, QUICK, RENEW, certbot, first_run
from tests.e2e.refusals import JAPANESE
from tests.lab import World

SITE = "www.example.jp"
REPORT = "Incorrect answer: 404"
TITLE = "JPRS could not validate"


def webroot(world: World, verb: str = "certonly") -> str:
    """Returns a command that validates by webroot and installs by the plugin."""
    world.vhost(SITE)
    return f"{verb} -n --webroot -w /var/www/{SITE} -i {NAME} -d {SITE} {CONTACT} {QUICK}"


def dns(world: World, verb: str = "certonly") -> str:
    """Returns a command that validates by dns-01 and installs by the plugin."""
    world.vhost(SITE)
    hooks = f"--manual-auth-hook {world.dns_hook} --manual-cleanup-hook {world.dns_hook}"
    options = f"--preferred-challenges dns-01 {hooks}"
    return f"{verb} -n -a manual {options} -i {NAME} -d {SITE} {CONTACT} {QUICK}"


@pytest.mark.parametrize("verb", ["certonly", "run"])
@pytest.mark.parametrize("command", [webroot, dns])
def test_a_refusal(world: World, command: object, verb: str) -> None:
    assert callable(command)
    line = command(world, verb)
    world.jprs.refuse(
        "newOrder",
        "rejectedIdentifier",
        400,
        "The server will not issue certificates for the identifier",
    )
    result = certbot(world, line, *world.eab())
    assert result.returncode == 1
    assert result.stderr.count("What to do next") == 1, f"{result}"


@pytest.mark.parametrize("quiet", ["", "-q"])
def test_a_failed_challenge_by_webroot(world: World, quiet: str) -> None:
    line = webroot(world)
    world.jprs.fail_validation(SITE, "unauthorized", 403, REPORT)
    result = certbot(world, f"{line} {quiet}", *world.eab())
    assert result.returncode == 1
    assert result.stderr.count(TITLE) == 1, f"{result}"
    assert f"http://{SITE}/.well-known/acme-challenge/" in result.stderr
    assert REPORT in result.stderr
    assert "Port 80" in result.stderr
    assert "TXT" not in result.stderr


def test_a_failed_challenge_by_dns_01(world: World) -> None:
    line = dns(world)
    world.jprs.fail_validation(SITE, "unauthorized", 403, REPORT)
    result = certbot(world, line, *world.eab(), env=JAPANESE)
    assert result.returncode == 1
    for words in (REPORT, f"_acme-challenge.{SITE}", "TXT", "propagation"):
        assert words in result.stderr, f"{words!r} is missing: {result}"
    assert "ポート" not in result.stderr, f"{result}"


def test_a_renewal_and_one_of_another_ca(world: World) -> None:
    certbot(world, webroot(world), *world.eab()).check()
    world.jprs.fail_validation(SITE, "connection", 400, REPORT)
    result = certbot(world, f"{RENEW} --force-renewal")
    assert result.returncode == 1
    assert result.stderr.count(TITLE) == 1, f"{result}"


def test_the_twins(world: World) -> None:
    """What the plugin's own authenticator explains is explained once; others' not at all."""
    first_run(world)
    world.jprs.fail_validation(SITE, "unauthorized", 403, REPORT)
    result = certbot(world, f"{RENEW} --force-renewal")
    assert result.returncode == 1
    assert result.output.count(TITLE) == 1, f"{result}"
    world.letsencrypt.fail_validation("b.example.jp", "unauthorized", 403, REPORT)
    world.vhost("b.example.jp")
    line = f"certonly -n --apache -d b.example.jp {CONTACT} --server {world.letsencrypt.url}"
    result = certbot(world, line)
    assert result.returncode == 1
    assert TITLE not in result.output
