"""Certbot's other subcommands: renewal, with all that it has to remember, accounts, revocation."""

from __future__ import annotations

import json
import time

import pytest

from tests.e2e.helpers import (
    CONTACT,
    QUICK,
    RENEW,
    asked,
    certbot,
    first_run,
    forget,
    renewed,
    served,
    waited,
)
from tests.lab import World

JPRS = "acme.amecert.jprs.jp"


def test_renew_skips_what_is_not_due_and_waits_with_what_is(world: World) -> None:
    first_run(world)
    forget(world)
    result = certbot(world, RENEW).check()
    assert "not due for renewal yet" in result.output
    assert "newOrder" not in world.jprs.steps()
    assert len(world.jprs.issued) == 1

    # The lab's certificates live 90 days.
    world.lineage("www.example.jp").set("renew_before_expiry", "91 days", section=None)
    world.ocsp.lag = 2
    with world.watch("www.example.jp") as watcher:
        certbot(world, RENEW).check()
        time.sleep(0.2)
    old, new = (issued.serial for issued in world.jprs.issued)
    assert watcher.serials() == [old, new]
    waited(world, watcher, new)
    assert world.letsencrypt.requests == []


def test_forced_renewal_waits_reloads_and_keeps_the_options(world: World) -> None:
    challenges = world.path("/run/tmp/challenges")
    challenges.mkdir()
    first_run(world, more="--apache-challenge-location /run/tmp/challenges")
    lineage = world.lineage("www.example.jp")
    before = lineage.params
    assert before["certbot_jprs:http_ocsp_interval"] == "1"
    assert before["certbot_jprs:http_apache_challenge_location"] == "/run/tmp/challenges"
    world.ocsp.lag = 5
    with world.watch("www.example.jp") as watcher:
        certbot(world, f"{RENEW} --force-renewal").check()
    old, new = (issued.serial for issued in world.jprs.issued)
    assert watcher.serials() == [old, new]
    waited(world, watcher, new)
    # Every second: neither all the while nor, as by default, every ten.
    times = [query.time for query in world.ocsp.asked(new)]
    assert 2 <= len(times) <= 2 + (times[-1] - times[0])
    assert lineage.params == renewed(before)
    assert lineage.version() == 2

    # The stored option is really used: without that directory no challenge can be written.
    challenges.rename(challenges.with_name("gone"))
    result = certbot(world, f"{RENEW} --force-renewal")
    assert result.returncode == 1
    assert "/run/tmp/challenges" in result.output
    assert len(world.jprs.issued) == 2


@pytest.mark.main_job
def test_auto_hsts_goes_on_at_renewals(world: World) -> None:
    first_run(world, more="--auto-hsts")
    assert max_age(world) == 60
    assert hsts_state(world)["laststep"] == 0

    # A renewal that is not due is the occasion for the next step, two days after the last.
    hsts_state(world, laststep=0, timestamp=time.time() - 3 * 86400)
    certbot(world, RENEW).check()
    assert hsts_state(world)["laststep"] == 1
    assert max_age(world) == 300

    # A renewal after the last step makes it permanent.
    hsts_state(world, laststep=6, timestamp=time.time())
    certbot(world, f"{RENEW} --force-renewal").check()
    assert max_age(world) == 31536000
    assert served(world) == world.jprs.issued[-1].serial


def max_age(world: World) -> int:
    """Returns the HSTS max-age that visitors get, in seconds."""
    head = world.https("www.example.jp").partition("\r\n\r\n")[0].lower()
    assert "strict-transport-security" in head
    return int(head.partition("max-age=")[2].partition('"')[0].split()[0].strip(";"))


def hsts_state(world: World, **change: float) -> dict[str, float]:
    """Returns, after changing it, what Certbot remembers of the one host's AutoHSTS."""
    path = world.path("/etc/letsencrypt/.pluginstorage.json")
    storage = json.loads(path.read_text())
    (state,) = storage["apache"]["autohsts"].values()
    state.update(change)
    path.write_text(json.dumps(storage))
    return dict(state)


@pytest.mark.main_job
def test_accounts(world: World) -> None:
    certbot(world, f"register -n -a certbot-jprs:http {CONTACT}", *world.eab()).check()
    assert world.jprs.steps().count("newAccount") == 1
    certbot(world, "update_account -n -a certbot-jprs:http -m two@example.jp,b@example.jp").check()
    assert world.jprs.steps().count("account") == 1
    certbot(world, "unregister -n -a certbot-jprs:http").check()
    assert not list(world.path(f"/etc/letsencrypt/accounts/{JPRS}").rglob("regr.json"))
    assert {line.split(":")[0] for line in asked(world)} == {JPRS}


@pytest.mark.needs_certbot("1.23", "there is no show_account")
def test_what_an_account_is(world: World) -> None:
    certbot(world, f"register -n -a certbot-jprs:http {CONTACT}", *world.eab()).check()
    shown = certbot(world, "show_account -a certbot-jprs:http").check().output
    assert world.jprs.url in shown
    assert "admin@example.jp" in shown
    certbot(world, "update_account -n -a certbot-jprs:http -m two@example.jp,b@example.jp").check()
    shown = certbot(world, "show_account -a certbot-jprs:http").check().output
    assert "two@example.jp" in shown
    # The twin: without the flag these are Certbot's own, and know nothing of JPRS.
    forget(world)
    assert world.jprs.url not in certbot(world, "show_account").output
    assert world.jprs.requests == []


@pytest.mark.main_job
def test_revocation(world: World) -> None:
    names = ("a.example.jp", "b.example.jp", "c.example.jp")
    for name in names:
        world.vhost(name)
        line = f"certonly -n -a certbot-jprs:http -d {name} {CONTACT} {QUICK}"
        certbot(world, line, *(world.eab() if name == names[0] else ())).check()
    a, b, c = world.jprs.issued
    keep = "--no-delete-after-revoke"
    path = "/etc/letsencrypt/live/a.example.jp/cert.pem"
    certbot(world, f"revoke -n -a certbot-jprs:http --cert-path {path} {keep}").check()
    assert (a.revoked_at is None, b.revoked_at, c.revoked_at) == (False, None, None)
    certbot(world, f"revoke -n -a certbot-jprs:http --cert-name b.example.jp {keep}").check()
    assert (b.revoked_at is None, c.revoked_at) == (False, None)
    # A file that belongs to no lineage here.
    world.write("/run/tmp/cert.pem", c.pem)
    certbot(world, f"delete -n --cert-name {names[2]}").check()
    certbot(world, f"revoke -n -a certbot-jprs:http --cert-path /run/tmp/cert.pem {keep}").check()
    assert c.revoked_at is not None
    assert world.letsencrypt.requests == []


def test_install_waits_too(world: World) -> None:
    world.vhost("www.example.jp")
    world.ocsp.lag = 600
    flag = "-a certbot-jprs:http -d www.example.jp --jprs-ocsp-timeout 0"
    certbot(world, f"certonly -n {flag} {CONTACT}", *world.eab()).check()
    (issued,) = world.jprs.issued
    world.ocsp.lag = time.time() - issued.issued_at + 3
    with world.watch("www.example.jp") as watcher:
        line = f"install -n -i certbot-jprs:http --cert-name www.example.jp {QUICK}"
        certbot(world, line).check()
        time.sleep(0.2)
    waited(world, watcher, issued.serial)


def test_enhance(world: World) -> None:
    first_run(world, more="--no-redirect")
    forget(world)
    assert "Location: https://" not in world.http("www.example.jp")
    line = "enhance -n -i certbot-jprs:http --cert-name www.example.jp --redirect"
    certbot(world, line).check()
    assert "Location: https://" in world.http("www.example.jp")
    assert asked(world) == []
