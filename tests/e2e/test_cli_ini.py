"""cli.ini alone selects the plugin; what is another CA's stays with that CA."""

from __future__ import annotations

import time

import pytest

from tests.e2e.helpers import (
    CONTACT,
    NAME,
    OWN_KEY,
    RENEW,
    asked,
    certbot,
    forget,
    lets_encrypt,
    renewed,
    served,
    waited,
)
from tests.lab import World

CLI_INI = """\
authenticator = certbot-jprs:http
jprs-ocsp-timeout = 30
jprs-ocsp-interval = 1
"""


def test_cli_ini_selects_and_configures(world: World) -> None:
    lets_encrypt(world, "le.example.jp")
    lets_encrypt(world, "two.example.jp", more="--key-type rsa")
    le, two = world.lineage("le.example.jp"), world.lineage("two.example.jp")
    before = le.params, two.params

    world.cli_ini(CLI_INI)
    world.vhost("www.example.jp")
    world.ocsp.lag = 1
    with world.watch("www.example.jp") as watcher:
        certbot(world, f"run -n -d www.example.jp {CONTACT}", *world.eab()).check()
        time.sleep(0.2)
    lineage = world.lineage("www.example.jp")
    waited(world, watcher, lineage.serial)
    assert lineage.key_type == "RSA 2048"
    params = lineage.params
    assert (params["authenticator"], params["installer"]) == (NAME, NAME)
    assert params["server"] == world.jprs.url
    assert params["certbot_jprs:http_ocsp_timeout"] == "30"

    # The fleet renews, each lineage at its own CA, and each is the plugin's that it was.
    forget(world)
    certbot(world, f"{RENEW} --force-renewal").check()
    assert [each.names for each in world.letsencrypt.issued[2:]] == [
        ("le.example.jp",),
        ("two.example.jp",),
    ]
    assert world.jprs.issued[-1].names == ("www.example.jp",)
    assert len(world.jprs.issued) == 2
    for name in ("le.example.jp", "two.example.jp", "www.example.jp"):
        assert served(world, name) == world.lineage(name).serial
        assert world.lineage(name).version() == 2
    for each, params in ((le, before[0]), (two, before[1])):
        # What the user sets in cli.ini, Certbot stores with every lineage that it renews.
        ours = {key for key in each.params if key.startswith("certbot_jprs:")}
        assert {key: each.params[key] for key in each.params.keys() - ours} == renewed(params)
    assert le.key_type == OWN_KEY

    # Revoked where it was issued.
    forget(world)
    keep = "--no-delete-after-revoke"
    certbot(world, f"revoke -n --cert-name le.example.jp {keep}").check()
    path = "/etc/letsencrypt/live/two.example.jp/cert.pem"
    certbot(world, f"revoke -n --cert-path {path} {keep}").check()
    assert [each.revoked_at is None for each in world.letsencrypt.issued] == [
        *(True, True),
        *(False, False),
    ]
    assert world.jprs.requests == []
    path = "/etc/letsencrypt/live/www.example.jp/cert.pem"
    certbot(world, f"revoke -n --cert-path {path} {keep}").check()
    assert world.jprs.issued[-1].revoked_at is not None


def test_renew_with_the_flag_leaves_others_where_they_are(world: World) -> None:
    lets_encrypt(world)
    lineage = world.lineage("www.example.jp")
    before = lineage.params
    certbot(world, f"{RENEW} --force-renewal -a certbot-jprs:http").check()
    assert lineage.version() == 2
    assert lineage.key_type == OWN_KEY
    assert lineage.params == before
    assert served(world) == world.letsencrypt.issued[-1].serial
    assert world.jprs.requests == []


def test_account_verbs_follow_the_command_line_only(world: World) -> None:
    world.cli_ini(CLI_INI)
    certbot(world, f"register -n {CONTACT}").check()
    assert "newAccount" in world.letsencrypt.steps()
    assert world.jprs.requests == []
    forget(world)
    certbot(world, f"register -n -a certbot-jprs:http {CONTACT}", *world.eab()).check()
    assert "newAccount" in world.jprs.steps()
    assert world.letsencrypt.requests == []


@pytest.mark.parametrize("value", ["http-ocsp-timeout = 7", "http-ocsp-interval=2"])
def test_the_colon_in_cli_ini_gets_one_clear_line(world: World, value: str) -> None:
    world.cli_ini(f"certbot-jprs:{value}\n")
    shorter = value.partition("http-")[2]
    for line in ("certificates", "plugins"):
        result = certbot(world, line).check()
        said = [text for text in result.output.splitlines() if "cli.ini" in text]
        assert len(said) == 1, f"{result}"
        assert f"jprs-{shorter.split('=')[0].strip()}" in said[0].partition("Write instead")[2]
    assert asked(world) == []
    # The twin: what it says to write, works.
    world.cli_ini(f"jprs-{shorter}\n")
    assert "cli.ini" not in certbot(world, "certificates").check().output


def test_the_command_with_a_colon_in_cli_ini_goes_on(world: World) -> None:
    world.cli_ini("authenticator = certbot-jprs:http\ncertbot-jprs:http-ocsp-timeout = 7\n")
    world.vhost("www.example.jp")
    result = certbot(world, f"run -n -d www.example.jp {CONTACT}", *world.eab()).check()
    assert "jprs-ocsp-timeout" in result.output
    assert served(world) == world.jprs.issued[-1].serial
    assert "certbot_jprs:http_ocsp_timeout" not in world.lineage("www.example.jp").params
