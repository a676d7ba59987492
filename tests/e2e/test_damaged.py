"""Versions that a power cut, or a disk, has damaged: never served, and made up for."""

from __future__ import annotations

import errno
import json

import pytest

from tests.e2e.command import jprs
from tests.e2e.held import (
    FORCE,
    IMPATIENT,
    NAME,
    RENEW,
    WAITING,
    hold,
    hook,
    hooked,
    record,
    serials,
    served,
)
from tests.e2e.test_held_records import words
from tests.lab import Result, World, faults, fleet
from tests.lab.faults import fault
from tests.lab.files import KINDS

OTHER = "b.example.jp"
PLUGIN = "certbot-jprs:http"


def empty(world: World, kind: str, version: int = 2, name: str = NAME) -> None:
    """Empties a file, as a power cut does to one that was not synced."""
    (world.lineage(name).archive / f"{kind}{version}.pem").write_bytes(b"")


def due(world: World, name: str = NAME) -> None:
    """Makes a lineage due for renewal, whatever its certificates are."""
    world.lineage(name).set("renew_before_expiry", "91 days", section=None)


def problems(world: World, name: str = NAME) -> list[tuple[str, str]]:
    """Returns what ``certbot-jprs status`` says of a lineage's files: level, message."""
    said = json.loads(jprs(world, "status", "--json").stdout)
    (entry,) = (each for each in said["certificates"] if each["name"] == name)
    return [(p["level"], p["message"]) for p in entry["problems"] if p["kind"] == "damaged"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_version_is_never_served(world: World, kind: str) -> None:
    hold(world, renew_hook=repr(hook("own")))
    fleet.found(world, [OTHER])
    world.ocsp.behave(None)
    empty(world, kind)
    count = len(world.jprs.issued)
    with world.watch(NAME, OTHER) as watcher:
        result = world.certbot(*RENEW)
    assert result.returncode == 1
    said = words(result.output)
    assert said.count("Version 2 of www.example.jp is damaged and was set aside") == 1
    assert {change.serial for change in watcher.changes} == {
        serials(world)[0],
        *serials(world, OTHER),
    }
    assert world.lineage(NAME).version() == 1
    archive = world.lineage(NAME).archive
    assert sorted(path.name for path in archive.glob("*2.pem*")) == [
        f"{each}2.pem.damaged" for each in KINDS
    ]
    assert hooked(world) == []
    assert record(world) is None
    assert len(world.jprs.issued) == count  # it is not due yet
    ((level, message),) = problems(world)
    assert level == "warning"
    assert "cert2.pem.damaged" in message

    # Nothing more is said of it, Apache starts, and the next one is ordered when it is due.
    world.apache.stop()
    world.apache.start()
    world.certbot(*RENEW).check()
    due(world)
    world.certbot(*RENEW).check()
    assert served(world) == 3
    assert [version for _word, _at, _name, version in hooked(world, "own")] == [2]
    assert problems(world) == []


def test_one_that_is_due_is_ordered_in_the_same_run(world: World) -> None:
    hold(world)
    world.ocsp.behave(None)
    empty(world, "cert")
    due(world)
    result = world.certbot(*RENEW).check()
    assert "is damaged and was set aside" in words(result.output)
    assert served(world) == 3


@pytest.mark.parametrize("verb", ["run", "certonly"])
def test_other_commands_go_on_too(world: World, verb: str) -> None:
    hold(world)
    world.ocsp.behave(None)
    empty(world, "privkey")
    line = (verb, "-n", "-a", PLUGIN, "-d", NAME, "--force-renewal")
    result = world.certbot(*line).check()
    assert "is damaged and was set aside" in words(result.output)
    assert len(serials(world)) == 3
    assert world.lineage(NAME).version() == 2


def test_after_two_in_a_row_nothing_more_is_ordered_by_itself(world: World) -> None:
    fleet.found(world, [NAME], **IMPATIENT)
    due(world)
    for _time in range(2):
        world.ocsp.behave("unknown")
        assert world.certbot(*RENEW).returncode == 1
        empty(world, "chain")
        world.ocsp.behave(None)
    count = len(world.jprs.issued)
    assert len(serials(world)) == 3
    for _time in range(2):
        result = world.certbot(*RENEW)
        assert result.returncode == 1
        said = words(result.output)
        assert "Nothing was ordered: the last 2 certificates of www.example.jp were damaged" in said
        assert f"certbot renew --force-renewal --cert-name {NAME}" in said
        assert len(world.jprs.issued) == count
        assert served(world) == 1
    ((level, _message),) = problems(world)
    assert level == "critical"
    world.certbot(*FORCE, "--cert-name", NAME).check()
    assert served(world) == 4
    assert problems(world) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_only_version_stays_and_is_not_installed(world: World, kind: str) -> None:
    world.vhost(NAME)
    before = world.apache.hashes()
    account = (*world.eab(), "-m", "admin@example.jp", "--agree-tos")
    line = ("run", "-n", "-a", PLUGIN, "-d", NAME, *account, "--jprs-ocsp-interval", "1")
    world.ocsp.behave("unknown")
    with world.spawn_certbot(*line) as running:
        running.wait_for(WAITING)
        empty(world, kind, 1)
        world.ocsp.behave(None)
        result = running.wait()
    assert result.returncode == 1
    assert f"{kind}1.pem" in result.output
    assert world.apache.hashes() == before
    count = len(world.jprs.issued)
    for _time in range(2):
        result = world.certbot(*RENEW)
        assert result.returncode == 1
        assert "--force-renewal" in words(result.output)
        assert len(world.jprs.issued) == count
        assert world.apache.hashes() == before
        assert world.lineage(NAME).versions() == [1]
    # As the message says.
    if kind == "cert":
        world.certbot("delete", "-n", "--cert-name", NAME).check()
        world.certbot(*line).check()
    else:
        world.certbot(*FORCE, "--cert-name", NAME).check()
    assert served(world) == 2
    assert record(world) is None


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES])
def test_what_cannot_be_read_stays_held(world: World, number: int) -> None:
    hold(world)
    world.ocsp.behave(None)
    unreadable = fault("certbot_jprs.lineage.soundness", "check", do=str(number), call=0)
    result = world.certbot(*RENEW, env=faults.environment(world, unreadable))
    assert result.returncode == 1
    assert not_in_service(result)
    assert world.lineage(NAME).versions() == [1, 2]
    assert served(world) == 1
    assert record(world) is not None
    assert len(serials(world)) == 2
    world.certbot(*RENEW).check()
    assert served(world) == 2


def test_what_cannot_be_synced_stays_held(world: World) -> None:
    fleet.found(world, [NAME])
    failing = fault("certbot_jprs.lineage.soundness", "durable.sync_file", do="5", call=0)
    result = world.certbot(*FORCE, env=faults.environment(world, failing))
    assert result.returncode == 1
    assert not_in_service(result)
    assert served(world) == 1
    world.certbot(*RENEW).check()
    assert served(world) == 2
    assert len(serials(world)) == 2


def not_in_service(result: Result) -> bool:
    said = words(result.output)
    return f"Not put into service, for the reasons given above: {NAME}" in said
