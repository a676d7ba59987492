"""A first certificate: by one flag, by the manual's command with the flag, and without Apache."""

from __future__ import annotations

import time

import pytest

from tests.e2e.helpers import (
    CONTACT,
    NAME,
    QUICK,
    RENEW,
    certbot,
    first_run,
    refused,
    served,
    waited,
)
from tests.lab import World

URL = "https://acme.amecert.jprs.jp/DV/getDirectory"


@pytest.mark.main_job
def test_one_flag_gets_a_certificate_and_waits_with_it(world: World) -> None:
    world.vhost("www.example.jp", "example.jp")
    world.ocsp.lag = 3
    line = f"run -n -a certbot-jprs:http -d www.example.jp,example.jp {CONTACT} {QUICK}"
    with world.watch("www.example.jp", "example.jp") as watcher:
        result = certbot(world, line, *world.eab()).check()
        time.sleep(0.2)
    (issued,) = world.jprs.issued
    assert issued.names == ("www.example.jp", "example.jp")
    for name in issued.names:
        waited(world, watcher, issued.serial, name)
        assert watcher.serials(name) == [issued.serial]
    assert served(world, "example.jp") == issued.serial
    assert world.letsencrypt.requests == world.staging.requests == []
    assert "Successfully received certificate" in result.output

    lineage = world.lineage("www.example.jp")
    assert lineage.key_type == "RSA 2048"
    assert lineage.serial == issued.serial
    params = lineage.params
    assert len(params.pop("account")) == 32
    assert params == {
        "server": URL,
        "authenticator": NAME,
        "installer": NAME,
        "key_type": "rsa",
        "certbot_jprs:http_ocsp_interval": "1",
    }


def test_eab_secrets_are_kept_nowhere(world: World) -> None:
    said = first_run(world).output
    kid, secret = world.eab()[1], world.eab()[3]
    etc = world.path("/etc/letsencrypt")
    kept = [path for path in etc.rglob("*") if path.is_file()]
    assert len(kept) > 8
    for path in kept:
        assert secret.encode() not in path.read_bytes(), path
        assert kid.encode() not in path.read_bytes(), path
    assert secret not in said
    renewed = certbot(world, f"{RENEW} --force-renewal").check()
    assert secret not in renewed.output + world.certbot_log


def test_nothing_is_awaited_if_the_user_says_so(world: World) -> None:
    world.ocsp.lag = 600
    world.vhost("www.example.jp")
    line = f"run -n -a certbot-jprs:http -d www.example.jp {CONTACT} --jprs-ocsp-timeout 0"
    with world.watch("www.example.jp") as watcher:
        certbot(world, line, *world.eab()).check()
        time.sleep(0.2)
    (issued,) = world.jprs.issued
    first = watcher.first(issued.serial)
    assert first is not None
    # The sabotaged twin: told not to wait, it does not.
    assert first < world.ocsp.known_at(issued.serial)
    assert world.ocsp.good_at(issued.serial) is None


@pytest.mark.main_job
def test_the_manuals_own_commands_with_the_flag_added(world: World) -> None:
    world.vhost("www.example.jp", "example.jp")
    world.ocsp.lag = 2
    register = f"register -n {CONTACT} --server {URL}"
    certbot(world, register, *world.eab()).check()
    line = (
        "run -n --apache -a certbot-jprs:http -d www.example.jp,example.jp --key-type rsa "
        f"--server {URL} {QUICK}"
    )
    with world.watch("www.example.jp") as watcher:
        certbot(world, line).check()
        time.sleep(0.2)
    (issued,) = world.jprs.issued
    waited(world, watcher, issued.serial)
    params = world.lineage("www.example.jp").params
    assert (params["authenticator"], params["installer"]) == (NAME, NAME)
    assert world.jprs.steps().count("newAccount") == 1


@pytest.mark.parametrize(
    "order", ["--apache -a certbot-jprs:http", "-a certbot-jprs:http --apache"]
)
def test_the_manuals_run_command_registers_by_itself(world: World, order: str) -> None:
    world.vhost("www.example.jp")
    line = f"run -n {order} -d www.example.jp --key-type rsa --server {URL} {CONTACT} {QUICK}"
    certbot(world, line, *world.eab()).check()
    assert served(world) == world.jprs.issued[-1].serial
    params = world.lineage("www.example.jp").params
    assert (params["authenticator"], params["installer"]) == (NAME, NAME)


@pytest.mark.main_job
def test_certonly_installs_nothing(world: World) -> None:
    world.vhost("www.example.jp")
    before = world.apache.hashes()
    line = f"certonly -n -a certbot-jprs:http -d www.example.jp {CONTACT} {QUICK}"
    certbot(world, line, *world.eab()).check()
    assert world.apache.hashes() == before
    with pytest.raises(OSError, match=r"."):
        world.served("www.example.jp")
    params = world.lineage("www.example.jp").params
    assert params["authenticator"] == NAME
    assert params.get("installer") in (None, "None")
    # Its renewals install nothing either: http-01 reloads twice, and nobody else does.
    reloads = world.apache.reloads()
    certbot(world, f"{RENEW} --force-renewal").check()
    assert world.lineage("www.example.jp").version() == 2
    assert world.apache.reloaded(reloads + 2) == reloads + 2


def test_certonly_with_the_installer_waits_and_reloads(world: World) -> None:
    first_run(world)
    world.ocsp.lag = 2
    line = (
        "certonly -n -a certbot-jprs:http -i certbot-jprs:http -d www.example.jp "
        f"--force-renewal {QUICK}"
    )
    with world.watch("www.example.jp") as watcher:
        certbot(world, line).check()
        time.sleep(0.2)
    old, new = (issued.serial for issued in world.jprs.issued)
    assert watcher.serials() == [old, new]
    waited(world, watcher, new)


@pytest.mark.parametrize("flag", ["--configurator certbot-jprs:http", "-i certbot-jprs:http"])
def test_other_ways_to_name_the_plugin(world: World, flag: str) -> None:
    world.vhost("www.example.jp")
    certbot(world, f"run -n {flag} -d www.example.jp {CONTACT} {QUICK}", *world.eab()).check()
    assert served(world) == world.jprs.issued[-1].serial
    lineage = world.lineage("www.example.jp")
    assert lineage.key_type == "RSA 2048"
    params = lineage.params
    assert (params["authenticator"], params["installer"]) == (NAME, NAME)
    assert params["server"] == URL


@pytest.mark.main_job
def test_a_wildcard_by_dns_01(world: World) -> None:
    world.vhost("www.example.jp")
    world.vhost("www.other.jp")
    world.ocsp.lag = 2
    hooks = f"--manual-auth-hook {world.dns_hook} --manual-cleanup-hook {world.dns_hook}"
    line = (
        f"run -n -a manual {hooks} --preferred-challenges dns -i certbot-jprs:http "
        f"-d '*.example.jp' {CONTACT} {QUICK}"
    )
    with world.watch("www.example.jp", "www.other.jp") as watcher:
        certbot(world, line, *world.eab()).check()
        time.sleep(0.2)
    (issued,) = world.jprs.issued
    assert issued.names == ("*.example.jp",)
    lineage = world.lineage("example.jp")
    assert lineage.key_type == "RSA 2048"
    assert lineage.params["authenticator"] == "manual"
    assert lineage.params["installer"] == NAME
    assert lineage.params["server"] == URL
    assert served(world) == issued.serial
    waited(world, watcher, issued.serial)
    # Nobody could be asked which hosts: those that it covers, and no other.
    assert " 301 " in world.http("www.example.jp").splitlines()[0]
    assert " 200 " in world.http("www.other.jp").splitlines()[0]

    with world.watch("www.example.jp") as watcher:
        certbot(world, f"{RENEW} --force-renewal").check()
        time.sleep(0.2)
    renewed = world.jprs.issued[-1].serial
    assert watcher.serials() == [issued.serial, renewed]
    waited(world, watcher, renewed)


def test_a_wildcard_over_hosts_of_one_file(world: World) -> None:
    """Certbot's Apache plugin writes the HTTPS hosts of both into one file, too."""
    for name in ("www.example.jp", "x.example.jp"):
        world.vhost(name)
    both = "cat x.example.jp.conf >>www.example.jp.conf && rm x.example.jp.conf"
    world.run("sh", "-c", f"cd /etc/apache2/sites-enabled && {both}").check()
    world.apache.graceful()
    hooks = f"--manual-auth-hook {world.dns_hook} --manual-cleanup-hook {world.dns_hook}"
    line = (
        f"run -n -a manual {hooks} --preferred-challenges dns -i certbot-jprs:http "
        f"-d '*.example.jp' {CONTACT} {QUICK}"
    )
    certbot(world, line, *world.eab()).check()
    for name in ("www.example.jp", "x.example.jp"):
        assert served(world, name) == world.jprs.issued[-1].serial
        assert " 301 " in world.http(name).splitlines()[0]


def test_a_wildcard_that_covers_no_host(world: World) -> None:
    world.vhost("www.other.jp")
    hooks = f"--manual-auth-hook {world.dns_hook} --manual-cleanup-hook {world.dns_hook}"
    line = (
        f"run -n -a manual {hooks} --preferred-challenges dns -i certbot-jprs:http "
        f"-d '*.example.jp' {CONTACT} {QUICK}"
    )
    before = world.apache.hashes()
    result = certbot(world, line, *world.eab())
    assert result.returncode == 1
    assert "could not be installed" in result.output
    assert world.apache.hashes() == before


@pytest.mark.parametrize(
    ("way", "authenticator"),
    [
        (f"run -n -a {NAME}", NAME),
        (f"certonly -n --webroot -w /var/www/html -i {NAME}", "webroot"),
        (f"certonly -n -a standalone -i {NAME}", "standalone"),
    ],
)
def test_a_wildcard_by_http_01_is_refused(world: World, way: str, authenticator: str) -> None:
    result = certbot(world, f"{way} -d www.example.jp,*.example.jp {CONTACT}", *world.eab())
    refused(world, result, "*.example.jp", "dns-01", f"{authenticator} does http-01", f"-i {NAME}")
    assert world.lineages() == []
