"""Who validates need not install: ``--webroot`` and ``--standalone`` with the flag added."""

from __future__ import annotations

import time

import pytest

from tests.e2e.held import hook, hooked
from tests.e2e.helpers import CONTACT, NAME, QUICK, RENEW, certbot, served, waited
from tests.e2e.needs import STANDALONE
from tests.lab import WEB, World

WWW = "www.example.jp"
WEBROOT = "/run/tmp/webroot"


def good_at(world: World) -> float:
    """Returns when the responder first said good for the newest certificate."""
    at = world.ocsp.good_at(world.jprs.issued[-1].serial)
    assert at is not None
    return at


def directories(world: World) -> tuple[list[str], dict[str, str]]:
    """Returns the directories that a renewal file names: in general, and by name."""
    params = world.lineage(WWW).conf()["renewalparams"]
    return list(params["webroot_path"]), dict(params["webroot_map"])


def alias(world: World, *names: str) -> None:
    """Has Apache serve http-01 files from a directory of its own; its configuration is its own."""
    world.path(WEBROOT).mkdir(parents=True)
    path = "/.well-known/acme-challenge/"
    extra = (
        f"Alias {path} {WEBROOT}{path}\n<Directory {WEBROOT}>\nRequire all granted\n</Directory>"
    )
    world.vhost(*names, extra=extra)


@pytest.mark.parametrize("way", [pytest.param("webroot", marks=pytest.mark.main_job), "standalone"])
def test_certonly_waits_with_its_deploy_hook(world: World, way: str) -> None:
    if way == "webroot":
        alias(world, WWW)
    else:
        world.dns.set_a(WWW, WEB)
    world.ocsp.lag = 3
    before = world.apache.hashes()
    flag = f"--webroot -w {WEBROOT}" if way == "webroot" else STANDALONE
    line = f"certonly -n {flag} -a {NAME} -d {WWW} {CONTACT} {QUICK}"
    certbot(world, line, "--deploy-hook", hook("own"), *world.eab()).check()
    lineage = world.lineage(WWW)
    for version in (1, 2):
        (*_before, (_word, at, _name, linked)) = hooked(world)
        assert len(hooked(world)) == linked == version
        assert at > good_at(world)
        params = lineage.params
        assert params["authenticator"] == NAME
        assert params["certbot_jprs:http_authenticator"] == way
        assert params.get("installer") in (None, "None")
        if way == "webroot":
            assert directories(world) == ([WEBROOT], {WWW: WEBROOT})
        if version == 1:
            certbot(world, f"{RENEW} --force-renewal").check()
    assert world.apache.hashes() == before
    assert not list(world.path(WEBROOT).rglob("*"))
    assert len(lineage.versions()) == 2


def test_webroot_validates_and_apache_installs(world: World) -> None:
    alias(world, WWW)
    world.ocsp.lag = 2
    line = f"run -n --webroot -w {WEBROOT} -a {NAME} -d {WWW} {CONTACT} {QUICK}"
    lineage = world.lineage(WWW)
    with world.watch(WWW) as watcher:
        certbot(world, line, *world.eab()).check()
        first = lineage.serial
        reloads = world.apache.reloads()
        certbot(world, f"{RENEW} --force-renewal").check()
        time.sleep(0.2)
    assert watcher.serials() == [first, lineage.serial]
    waited(world, watcher, lineage.serial)
    # Nothing of Apache's configuration is changed to validate: it is reloaded once, to serve.
    assert world.apache.reloaded(reloads + 1) == reloads + 1
    assert lineage.params["installer"] == lineage.params["authenticator"] == NAME
    # Without -w, by the lineage's own file.
    certbot(world, f"run -n -a {NAME} -d {WWW} --force-renewal").check()
    assert lineage.version() == 3
    assert served(world) == lineage.serial
    assert directories(world)[0] == [WEBROOT]


@pytest.mark.parametrize("way", ["webroot", "standalone"])
def test_a_rehearsal(world: World, way: str) -> None:
    if way == "webroot":
        alias(world, WWW)
        line = f"certonly -n --webroot -w {WEBROOT} -a {NAME} -d {WWW} {CONTACT} --jprs-check"
    else:
        world.dns.set_a(WWW, WEB)
        line = f"certonly -n {STANDALONE} -a {NAME} -d {WWW} {CONTACT} --jprs-check"
    result = certbot(world, line, *world.eab())
    assert f"challenge of {WWW} is served and can be fetched" in result.output, f"{result}"
    assert result.returncode == 0
    assert world.jprs.beyond_directory() == []
    # The sabotaged twin: the file is elsewhere, or the port is taken.
    if way == "webroot":
        line = line.replace(WEBROOT, "/var/www/html")
    else:
        world.vhost(WWW)
    result = certbot(world, line, *world.eab())
    assert result.returncode == 1
    said = " ".join(result.output.split())
    assert ("another answer" if way == "webroot" else "Could not bind TCP port 80") in said
    assert world.jprs.beyond_directory() == []
