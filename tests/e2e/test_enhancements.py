"""HSTS, upgrade-insecure-requests, stapling, the redirect: there, kept, and made up for."""

from __future__ import annotations

import re
import signal

import pytest

from tests.e2e.held import FORCE, NAME, RENEW, record
from tests.e2e.helpers import CONTACT, QUICK, certbot
from tests.e2e.waiting import PATIENT, PLUGIN, first
from tests.lab import Result, World

ALL = ("--hsts", "--uir", "--staple-ocsp")
HSTS = "strict-transport-security: max-age=31536000"
UIR = "content-security-policy: upgrade-insecure-requests"


def words(text: str) -> str:
    """Returns a text whose lines may be broken anywhere."""
    return " ".join(text.split())


def there(world: World, name: str = NAME) -> set[str]:
    """Returns which enhancements visitors of a name get."""
    head = world.https(name).lower()
    site = world.read(f"/etc/apache2/sites-available/{name}-le-ssl.conf")
    return {
        *(["hsts"] if HSTS in head else []),
        *(["uir"] if UIR in head else []),
        *(["redirect"] if " 301 " in world.http(name).splitlines()[0] else []),
        *(["staple"] if re.search(r"SSLUseStapling on", site, re.IGNORECASE) else []),
    }


EVERY = {"hsts", "uir", "redirect", "staple"}


def test_all_of_them_and_their_renewal(world: World) -> None:
    world.vhost(NAME)
    world.certbot(*first(world, *PATIENT, *ALL)).check()
    assert there(world) == EVERY
    assert world.served(NAME).staple in (None, "good")  # fetched when the first visitor comes
    before = world.apache.hashes()
    result = world.certbot(*FORCE).check()
    assert f"The new certificate of {NAME} is in service." in words(result.output)
    assert world.served(NAME).serial == world.jprs.issued[-1].serial
    assert there(world) == EVERY
    assert world.apache.hashes() == before


def test_none_of_them_where_none_was_asked_for(world: World) -> None:
    world.vhost(NAME)
    world.certbot(*first(world, *PATIENT, "--no-redirect")).check()
    assert there(world) == set()


def interrupted(world: World, *options: str) -> None:
    """Has a run end while it waits, and the responder know its certificate afterwards."""
    world.vhost(NAME)
    world.ocsp.behave("unknown")
    with world.spawn_certbot(*first(world, *PATIENT, *options)) as running:
        running.wait_for("Waiting for")
        running.signal(signal.SIGTERM)
        assert running.wait().returncode != 0
    assert not world.listening(443)
    world.ocsp.behave(None)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (ALL, EVERY),
        (("--hsts", "--no-redirect"), {"hsts"}),
        (("--uir",), {"uir", "redirect"}),
        (("--must-staple",), {"staple", "redirect"}),
    ],
)
def test_an_interrupted_run_is_finished_with_all_that_was_asked_for(
    world: World, options: tuple[str, ...], expected: set[str]
) -> None:
    interrupted(world, *options)
    result = world.certbot(*RENEW).check()
    assert len(world.jprs.issued) == 1
    assert f"The new certificate of {NAME} is in service." in words(result.output)
    assert there(world) == expected
    assert record(world) is None


def test_auto_hsts_too(world: World) -> None:
    interrupted(world, "--auto-hsts")
    world.certbot(*RENEW).check()
    assert "strict-transport-security: max-age=60\r" in world.https(NAME).lower()
    assert "autohsts" in world.read("/etc/letsencrypt/.pluginstorage.json")


def named_command(result: Result) -> str:
    """Returns the command that the output names for what is missing."""
    found = re.search(r"For what is missing: certbot (.*)", words(result.output))
    assert found, f"{result}"
    return found.group(1).split(" The new certificate")[0].split(" - - -")[0]


def test_what_is_missing_is_named_with_a_command_that_works(world: World) -> None:
    interrupted(world, *ALL)
    load = "/etc/apache2/mods-available/headers.load"
    text = world.read(load)
    world.path(load).unlink()
    result = world.certbot(*RENEW)
    assert f"The new certificate of {NAME} is in service." in words(result.output), f"{result}"
    assert there(world) == {"redirect", "staple"}
    assert record(world) is None
    world.write(load, text)
    command = named_command(result)
    assert command.startswith(f"enhance -i {PLUGIN} --cert-name {NAME} --hsts --uir")
    certbot(world, f"{command.split(' --uir')[0]} --uir -n").check()
    assert there(world) == EVERY


def test_a_record_of_the_version_before_is_finished(world: World) -> None:
    interrupted(world, "--hsts")
    kept = record(world) or {}
    del kept["enhancements"]
    text = str(kept).replace("'", '"')
    for python, json in (("True", "true"), ("False", "false"), ("None", "null")):
        text = text.replace(python, json)
    world.write(f"/etc/letsencrypt/certbot-jprs/held/{NAME}.json", text)
    result = world.certbot(*RENEW).check()
    assert "could not be read" not in words(result.output)
    assert there(world) == {"redirect"}


def test_a_host_without_https_keeps_no_other_of_a_wildcard_from_it(world: World) -> None:
    world.vhost("www.example.jp")
    world.vhost("x.example.jp")
    hooks = f"--manual-auth-hook {world.dns_hook} --manual-cleanup-hook {world.dns_hook}"
    line = (
        f"run -n -a manual {hooks} --preferred-challenges dns -i {PLUGIN} --no-redirect "
        f"-d '*.example.jp' {CONTACT} {QUICK}"
    )
    certbot(world, line, *world.eab()).check()
    world.vhost("a.example.jp")  # later, and first in order
    certbot(world, f"enhance -n -i {PLUGIN} --cert-name example.jp --hsts --redirect").check()
    for name in ("www.example.jp", "x.example.jp"):
        assert there(world, name) == {"hsts", "redirect"}
    assert " 200 " in world.http("a.example.jp").splitlines()[0]
