"""What stays held after a run, and the records of it: kept, settled, dropped, rebuilt."""

from __future__ import annotations

import datetime as dt
import errno
import json
import time

import pytest

from certbot_jprs.ground.said import from_json
from tests.e2e.held import (
    FORCE,
    HOOKED,
    HOOKS,
    IMPATIENT,
    NAME,
    RECORDS,
    RENEW,
    hold,
    hook,
    hooked,
    log_hooks,
    never_early,
    record,
    serials,
    served,
    waiting,
)
from tests.e2e.needs import needs_namespace
from tests.lab import World, faults, fleet
from tests.lab.faults import fault

PLUGIN = "certbot-jprs:http"
OTHER = "b.example.jp"


def words(text: str) -> str:
    """Returns a text whose lines may be broken anywhere."""
    return " ".join(text.split())


# Unknown at the end of the time


@pytest.mark.main_job
def test_unknown_is_held_on_asked_about_by_each_run_and_released_when_good(world: World) -> None:
    said = words(hold(world, renew_hook=repr(hook("own"))).output)
    assert said.count("still does not know the new certificate") == 1
    assert "Each later `certbot renew` asks again" in said
    kept = record(world)
    assert kept is not None
    assert (kept["in_service"], kept["held"]) == (1, 2)
    assert "does not know" in from_json(kept["failure"])
    assert (world.path(RECORDS).stat().st_mode & 0o777) == 0o700
    assert (world.path(f"{RECORDS}/{NAME}.json").stat().st_mode & 0o777) == 0o600

    for _ in range(2):
        asked = len(world.ocsp.asked(serials(world)[1]))
        result = world.certbot(*RENEW)
        assert result.returncode == 1
        assert words(result.output).count("still does not know") == 1
        assert len(world.ocsp.asked(serials(world)[1])) == asked + 2  # Certbot asks once too
        world.apache.graceful()
        assert served(world) == 1
    assert hooked(world) == []
    world.ocsp.behave(None)
    world.certbot(*RENEW).check()
    assert served(world) == 2
    assert len(serials(world)) == 2
    assert len(hooked(world, "own")) == 1
    assert record(world) is None


@pytest.mark.parametrize("days", [6, 8])
def test_seven_days_before_the_end_an_unknown_one_is_released(world: World, days: int) -> None:
    world.jprs.lifetime = dt.timedelta(days=days)
    fleet.found(world, [NAME], **IMPATIENT)
    world.jprs.lifetime = dt.timedelta(days=90)
    world.ocsp.behave("unknown")
    result = world.certbot(*FORCE)
    assert len(serials(world)) == 2
    assert served(world) == (2 if days == 6 else 1)
    assert result.returncode == (0 if days == 6 else 1)
    assert "still does not know" in words(result.output)


@pytest.mark.parametrize("fate", ["expired", "revoked"])
def test_where_nothing_is_to_be_protected_the_new_one_is_served_at_once(
    world: World, fate: str
) -> None:
    if fate == "expired":
        world.jprs.lifetime = dt.timedelta(hours=1)
        world.jprs.backdate = dt.timedelta(hours=2)
    fleet.found(world, [NAME])
    if fate == "expired":
        world.jprs.lifetime = dt.timedelta(days=90)
        world.jprs.backdate = dt.timedelta(0)
    world.ocsp.behave("unknown")
    if fate == "revoked":
        world.ocsp.behave("revoked", serial=serials(world)[0])
    result = world.certbot(*FORCE).check()
    assert result.ended < world.jprs.issued[-1].issued_at + 120  # nobody waits for 15 minutes
    assert served(world) == 2
    assert "at once" in words(result.output)


# Runs that pass by


def test_other_runs_pass_by_what_is_held(world: World) -> None:
    hold(world)
    fleet.found(world, [OTHER])
    world.ocsp.behave("good", name=OTHER)
    count = len(world.jprs.issued)
    # Only the other one; a refused rehearsal; what only looks.
    world.certbot(*FORCE, "--cert-name", OTHER).check()
    assert world.certbot(*RENEW, "--dry-run").returncode == 1
    world.certbot("certificates").check()
    world.apache.graceful()
    assert served(world) == 1
    assert served(world, OTHER) == 2
    assert len(world.jprs.issued) == count + 1
    assert record(world) is not None
    # Without the calls that Certbot makes for installers: it is released all the same.
    world.ocsp.behave(None)
    world.certbot(*RENEW, "--disable-renew-updates").check()
    assert served(world) == 2
    assert record(world) is None


def test_renewals_without_the_installers_updates_are_held_too(world: World) -> None:
    fleet.found(world, [NAME])
    world.ocsp.lag = 3
    with world.watch(NAME) as watcher:
        world.certbot(*FORCE, "--disable-renew-updates").check()
        time.sleep(0.5)
    never_early(world, watcher)
    assert served(world) == 2


def test_a_held_one_that_is_renewed_again_is_skipped(world: World) -> None:
    hold(world, renew_hook=repr(hook("own")))
    world.lineage(NAME).set("certbot_jprs:http_ocsp_timeout", "120", "renewalparams")
    world.ocsp.behave(None)
    world.ocsp.lag = 600
    world.ocsp.behave("unknown", serial=serials(world)[1])
    with waiting(world) as running:
        assert served(world) == 1
        kept = record(world)
        assert kept is not None
        assert (kept["in_service"], kept["held"]) == (1, 3)
        world.ocsp.lag = 0
        running.wait().check()
    assert served(world) == 3
    assert [version for _word, _at, _name, version in hooked(world)] == [3]


# Other plugins' lineages


@pytest.mark.parametrize("garbage", [False, True])
def test_other_plugins_lineages_are_as_without_this_one(world: World, garbage: bool) -> None:
    log_hooks(world, "pre", "deploy", "post")
    ours, theirs = ("a.example.jp", "z.example.jp"), ("m.example.jp", "n.example.jp")
    own = repr(hook("own"))
    fleet.found(world, theirs[:1], authenticator="apache", installer="apache", renew_hook=own)
    fleet.found(world, theirs[1:], authenticator="apache", installer=None, renew_hook=own)
    world.certbot(*FORCE).check()
    alone = [(word, name) for word, _at, name, _version in hooked(world)]
    assert alone == [
        ("pre", ""),
        *[(word, name) for name in theirs for word in ("deploy", "own")],
        ("post", ""),
    ]
    world.path(HOOKED).unlink()

    fleet.found(world, ours)
    if garbage:
        for name in (ours[0], *theirs):
            world.write(f"{RECORDS}/{name}.json", "{ garbage")
    world.ocsp.lag = 8
    with world.watch(*ours, theirs[0]) as watcher:
        result = world.certbot(*FORCE).check()
        time.sleep(0.5)
    noted = hooked(world)
    assert [(word, name) for word, _at, name, _version in noted if name not in ours] == alone
    assert [name for word, _at, name, _version in noted if word == "deploy"] == [*theirs, *ours]
    assert noted[-1][0] == "post"
    for name in theirs:
        assert world.lineage(name).version() == 3
        assert f"new certificate of {name}" not in result.output
        assert not world.path(f"{RECORDS}/{name}.json").exists()
    for name in ours:
        at = watcher.first(serials(world, name)[1])
        good_at = world.ocsp.good_at(serials(world, name)[1])
        assert at is not None
        assert good_at is not None
        assert good_at < at
    # Theirs does not wait, as ever: it is served before the first of ours is known.
    at = watcher.first(serials(world, theirs[0])[2])
    first_good = world.ocsp.good_at(serials(world, ours[1])[1])
    assert at is not None
    assert first_good is not None
    assert at < first_good


def test_another_cas_command_with_a_hook_is_as_without_this_plugin(world: World) -> None:
    hold(world)
    world.vhost(OTHER)
    account = ("-m", "admin@example.jp", "--agree-tos", "-n")
    line = ("certonly", "--apache", "-d", OTHER, *account, "--deploy-hook", hook("own"))
    result = world.certbot(*line).check()
    assert [(word, name, version) for word, _at, name, version in hooked(world)] == [
        ("own", OTHER, 1)
    ]
    assert "held" not in result.output
    assert served(world) == 1


# Records


def test_a_record_is_dropped_when_its_lineage_moved(world: World) -> None:
    hold(world)
    fleet.found(world, [OTHER])
    gone = "gone.example.jp"
    before = record(world) or {}
    world.write(f"{RECORDS}/{gone}.json", json.dumps({**before, "name": gone}))
    lineage = world.lineage(NAME)
    for plugin in ("authenticator", "installer"):
        lineage.set(plugin, "apache")
    world.certbot(*RENEW).check()
    assert list(world.path(RECORDS).iterdir()) == []
    assert "gone.example.jp is dropped: its lineage is gone" in world.certbot_log
    assert f"{NAME} is dropped: its lineage belongs to another plugin" in world.certbot_log
    # As Certbot leaves it without this plugin: linked, nothing ordered, the hooks not run.
    assert lineage.version() == 2
    assert len(serials(world)) == 2


def test_moved_to_another_ca_while_held(world: World) -> None:
    hold(world)
    account = ("-m", "admin@example.jp", "--agree-tos", "-n")
    url = world.letsencrypt.url
    line = ("run", "--apache", "--server", url, "--cert-name", NAME, "-d", NAME, "--force-renewal")
    world.certbot(*line, *account).check()
    assert world.served(NAME).serial == world.letsencrypt.issued[-1].serial
    assert record(world) is None
    world.certbot(*RENEW).check()
    assert world.served(NAME).serial == world.letsencrypt.issued[-1].serial


@pytest.mark.parametrize("text", ["{", "\x00" * 400])
def test_an_unreadable_record_is_rebuilt(world: World, text: str) -> None:
    hold(world)
    world.write(f"{RECORDS}/{NAME}.json", text)
    result = world.certbot(*RENEW)
    assert result.returncode == 1
    assert words(result.output).count("could not be read") == 1
    assert served(world) == 1
    assert record(world) is not None
    world.ocsp.behave(None)
    world.certbot(*RENEW).check()
    assert served(world) == 2
    assert record(world) is None


def test_a_lineage_that_cannot_be_read_at_the_moment_stays_held(world: World) -> None:
    hold(world)
    renewal = world.lineage(NAME).renewal
    text = renewal.read_text()
    renewal.write_text("[[[ torn")
    assert world.certbot(*RENEW).returncode == 1
    assert record(world) is not None
    renewal.write_text(text)
    world.ocsp.behave(None)
    world.certbot(*RENEW).check()
    assert served(world) == 2


# What fails


def test_a_reload_that_fails_is_mended_by_the_next_run(world: World) -> None:
    fleet.found(world, [NAME], renew_hook=repr(hook("own")))
    world.ocsp.behave("unknown")
    reloads = world.apache.reloads()
    with waiting(world) as running:
        world.apache.idle(reloads + 2)
        world.apache.conf("broken", "NoSuchDirective on\n")
        world.ocsp.behave(None)
        result = running.wait()
    assert result.returncode == 1
    assert "NoSuchDirective" in result.output
    assert "Apache could not be reloaded" in words(result.output)
    kept = record(world)
    assert kept is not None
    assert kept["step"] == "hooked"
    assert "NoSuchDirective" in from_json(kept["failure"])
    assert served(world) == 1
    assert world.certbot(*RENEW).returncode == 1  # still broken, and still said
    world.path("/etc/apache2/conf-enabled/broken.conf").unlink()
    world.certbot(*RENEW).check()
    assert served(world) == 2
    assert record(world) is None
    assert len(hooked(world, "own")) == 1
    assert len(serials(world)) == 2


FILL = """
cp -a /etc/letsencrypt /run/tmp/kept
mount -t tmpfs -o size=4m full {directory}
[ {directory} != /etc/letsencrypt ] || cp -a /run/tmp/kept/. {directory}/
dd if=/dev/zero of={directory}/filled bs=1k 2>/run/tmp/dd || true
"""


@needs_namespace("it mounts")
@pytest.mark.parametrize("where", ["", "/certbot-jprs"])
@pytest.mark.parametrize("verb", ["renew", "run"])
def test_a_full_disk_orders_nothing(world: World, verb: str, where: str) -> None:
    fleet.found(world, [NAME])
    world.certbot("install", "-i", PLUGIN, "--cert-name", NAME, "-n").check()  # Apache's own files
    directory = f"/etc/letsencrypt{where}"
    world.path(directory).mkdir(exist_ok=True)
    world.run("sh", "-e", "-c", FILL.format(directory=directory)).check()
    try:
        line = ("run", "-n", "-a", PLUGIN, "-d", NAME, "--force-renewal")
        result = world.certbot(*(FORCE if verb == "renew" else line))
        assert result.returncode == 1
        said = words(result.output)
        assert "Nothing was ordered" in said
        assert "No space left" in said
        assert "Free space there" in said
        assert "newOrder" not in world.jprs.steps()
        assert served(world) == 1
    finally:
        world.run("umount", directory).check()
    world.certbot(*FORCE).check()
    assert served(world) == 2


@needs_namespace("it mounts")
def test_a_read_only_directory_orders_nothing(world: World) -> None:
    fleet.found(world, [NAME])
    directory = "/etc/letsencrypt/certbot-jprs"
    world.path(directory).mkdir()
    world.run("mount", "-t", "tmpfs", "-o", "ro", "sealed", directory).check()
    try:
        result = world.certbot(*FORCE)
        assert result.returncode == 1
        assert "Nothing was ordered" in words(result.output)
        assert "Read-only file system" in words(result.output)
        assert "newOrder" not in world.jprs.steps()
    finally:
        world.run("umount", directory).check()


def test_a_record_that_fails_once_the_certificate_is_there_stops_no_release(world: World) -> None:
    fleet.found(world, [NAME])
    world.ocsp.lag = 3
    # The record before the order is written.
    failing = [
        fault("certbot_jprs.holding.records", "durable.write", do=str(errno.ENOSPC), call=call)
        for call in range(2, 6)
    ]
    with world.watch(NAME) as watcher:
        world.certbot(*FORCE, env=faults.environment(world, *failing)).check()
        time.sleep(0.5)
    assert len(faults.struck(world)) == 4
    never_early(world, watcher)
    assert served(world) == 2
    assert record(world) is None


def test_a_certbot_that_lacks_something_waits_before_each_reload(world: World) -> None:
    fleet.found(world, [NAME, OTHER])
    world.hook(f"{HOOKS}/deploy/log", hook("deploy"))
    world.ocsp.lag = 4
    lacking = faults.environment(
        world, fault("certbot_jprs.internals.interception", "_HOOKS", do="lack")
    )
    with world.watch(NAME, OTHER) as watcher:
        world.certbot(*FORCE, env=lacking).check()
        time.sleep(0.5)
    never_early(world, watcher)
    for name in (NAME, OTHER):
        assert served(world, name) == 2
    for _word, at, name, _version in hooked(world, "deploy"):
        assert at < (world.ocsp.good_at(serials(world, name)[1]) or 0)
    told = "deploy hooks run before that wait"
    assert words(world.certbot_log).count(told) == 1
