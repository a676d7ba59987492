"""A fleet renewed at once: one wait for all, and one failed, revoked or slow spoils no other."""

from __future__ import annotations

import time

import pytest

from tests.e2e.held import (
    FORCE,
    IMPATIENT,
    RENEW,
    WAITING,
    hooked,
    log_hooks,
    never_early,
    record,
    serials,
    served,
    until,
    waiting,
)
from tests.e2e.waiting import ALLOWANCE, AT_ONCE
from tests.lab import World, faults, fleet

FIVE = tuple(f"{letter}.example.jp" for letter in "abcde")


def test_five_lineages_cost_one_wait(world: World) -> None:
    fleet.found(world, FIVE)
    world.ocsp.lag = 25
    with world.watch(*FIVE) as watcher:
        result = world.certbot(*FORCE).check()
        time.sleep(0.5)
    never_early(world, watcher)
    ordered = world.jprs.issued[len(FIVE) :]
    assert [issued.names for issued in ordered] == [(name,) for name in FIVE]
    for name in FIVE:
        assert watcher.serials(name) == serials(world, name)
        first = watcher.first(serials(world, name)[1], name)
        assert first is not None
        # The first ones are known while the last one is still ordered.
        ready = max(world.ocsp.known_at(serials(world, name)[1]), ordered[-1].issued_at)
        assert first < ready + AT_ONCE
    assert result.ended < ordered[-1].issued_at + world.ocsp.lag + AT_ONCE
    assert record(world, FIVE[0]) is None


@pytest.mark.main_job
def test_what_is_ready_together_is_one_reload(world: World) -> None:
    names = FIVE[:3]
    fleet.found(world, names)
    world.ocsp.behave("unknown")
    env = faults.patience(world)
    before = world.apache.reloads()
    with world.watch(*names) as watcher, waiting(world, env=env) as running:
        time.sleep(2.5)
        reloads = before + len(names) + 1
        world.apache.idle(reloads)
        assert [served(world, name) for name in names] == [1, 1, 1]
        world.ocsp.behave(None)
        running.wait().check()
        time.sleep(0.5)
    assert world.apache.reloaded(reloads + 1) == reloads + 1
    never_early(world, watcher)
    assert [served(world, name) for name in names] == [2, 2, 2]
    # Of each that was good, nobody was asked again: all others at once.
    answers = [world.ocsp.asked(serials(world, name)[1]) for name in names]
    assert [[query.answer for query in each].count("good") for each in answers] == [1, 1, 1]
    assert [each[-1].answer for each in answers] == ["good"] * 3


@pytest.mark.parametrize("failing", ["a.example.jp", "e.example.jp"])
def test_one_failed_revoked_or_slow_lineage_spoils_no_other(world: World, failing: str) -> None:
    fleet.found(world, ["b.example.jp", "d.example.jp"])
    fleet.found(world, ["c.example.jp"], certbot_jprs__ocsp_timeout="40")
    fleet.found(world, [failing])
    log_hooks(world, "deploy")
    world.jprs.fail_validation(failing, "unauthorized", 403, "Invalid response")
    world.ocsp.behave("unknown")
    with world.watch("b.example.jp", "c.example.jp", "d.example.jp", failing) as watcher:
        with waiting(world) as running:
            revoked, slow = (serials(world, name)[1] for name in ("b.example.jp", "c.example.jp"))
            world.ocsp.behave(None)
            world.ocsp.behave("revoked", serial=revoked)
            world.ocsp.behave("hang", serial=slow)
            knows = time.time()
            result = running.wait()
        time.sleep(0.5)
    assert result.returncode == 1
    said = result.output
    assert f"Failed to renew certificate {failing}" in said
    assert "new certificate of b.example.jp is revoked" in said
    assert "no usable answer for c.example.jp" in said
    assert said.count("Not put into service, for the reasons given above: b.example.jp\n") == 1
    # The prompt one is not kept waiting: not by a query that takes ten seconds.
    prompt = watcher.first(serials(world, "d.example.jp")[1], "d.example.jp")
    assert prompt is not None
    hung = next(query.time for query in world.ocsp.asked(slow) if query.answer == "hang")
    assert knows < prompt < max(knows, hung) + 10
    at_last = watcher.first(slow, "c.example.jp")
    assert at_last is not None
    issued = world.find(slow)
    assert issued is not None
    assert issued.issued_at + 40 < at_last < issued.issued_at + 40 + ALLOWANCE
    assert watcher.first(revoked) is None
    assert len(serials(world, failing)) == 1
    assert served(world, failing) == 1
    assert {(name, version) for _word, _at, name, version in hooked(world)} == {
        ("c.example.jp", 2),
        ("d.example.jp", 2),
    }
    assert len(hooked(world)) == 2
    assert all(change.serial for change in watcher.changes)

    # Later runs neither serve what is revoked nor order anything again.
    count = len(world.jprs.issued)
    world.apache.graceful()
    world.certbot(*RENEW).check()
    assert served(world, "b.example.jp") == 1
    assert len(world.jprs.issued) == count
    names = sorted(path.name for path in world.lineage("b.example.jp").archive.glob("*2.pem*"))
    assert names == [f"{kind}2.pem.revoked" for kind in ("cert", "chain", "fullchain", "privkey")]


def test_a_reload_by_others_changes_nothing(world: World) -> None:
    names = FIVE[:2]
    world.apache.staple()
    fleet.found(world, names)
    with world.watch(*names) as watcher:
        until(lambda: "good" in watcher.staples())
        world.ocsp.behave("unknown")
        for name in names:
            world.ocsp.behave("good", serial=serials(world, name)[0])
        with waiting(world) as running:
            for _ in range(2):
                world.apache.graceful()
                time.sleep(1)
            assert [served(world, name) for name in names] == [1, 1]
            world.ocsp.behave(None)
            running.wait().check()
        time.sleep(0.5)
    never_early(world, watcher)
    assert watcher.staples() <= {"good", None}
    assert [served(world, name) for name in names] == [2, 2]


def test_an_administrator_reads_what_is_true(world: World) -> None:
    names = FIVE[:2]
    fleet.found(world, names[:1])
    fleet.found(world, names[1:], **IMPATIENT)
    world.ocsp.behave("unknown", name=names[1])
    world.ocsp.lag = 1
    result = world.certbot(*FORCE)
    assert result.returncode == 1
    for said in (
        rf"The new certificate of {names[0]} is saved and held",
        WAITING,
        rf"The OCSP server knows {names[0]} (good, ",
        rf"The new certificate of {names[0]} is in service",
        rf"still does not know the new certificate of {names[1]}",
    ):
        assert said in result.output
    assert f"new certificate of {names[1]} is in service" not in result.output
    assert result.output.count(f"for the reasons given above: {names[1]}") == 1

    # Under -q, as a timer runs it, only what failed is said; each time, once.
    quiet = world.certbot(*RENEW, "-q")
    assert quiet.returncode == 1
    assert quiet.output.count("still does not know") == 1
    assert names[0] not in quiet.output
    world.ocsp.behave(None)
    quiet = world.certbot(*RENEW, "-q").check()
    assert quiet.output == ""
    assert [served(world, name) for name in names] == [2, 2]
