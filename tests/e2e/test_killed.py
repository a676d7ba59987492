"""Ended at any point: the old version stays in service, and the next run finishes the job.

After each kill somebody reloads Apache; then a plain ``certbot renew`` follows.
"""

from __future__ import annotations

import signal
import time

import pytest

from tests.e2e.held import (
    FORCE,
    NAME,
    RECORDS,
    RENEW,
    hook,
    hooked,
    log_hooks,
    never_early,
    record,
    serials,
    served,
    until,
    waiting,
)
from tests.e2e.waiting import AT_ONCE
from tests.lab import World, faults, fleet
from tests.lab.faults import fault

# The record is written: before the order, after the version is saved, when its hooks are queued,
# when it is released, and after its hooks. Once it is gone, the history is.
RECORD = ("certbot_jprs.lineage.durable", "os.replace")
SAVE = ("certbot._internal.storage", "RenewableCert.save_successor")
LINK = ("certbot_jprs.lineage.archive", "os.replace")

HELD = {
    "no order, record begun": fault(*RECORD, call=1),
    "no order, record renamed, not synced": fault(*RECORD, call=1, when="after"),
    "record there, nothing saved": fault(*SAVE),
    "saved, links not moved by Certbot": fault(*SAVE, when="after"),
    "saved, not synced": fault("certbot_jprs.lineage.soundness", "sync"),
    "saved, half synced": fault("certbot_jprs.lineage.soundness", "durable.sync_file", call=3),
    "saved, record begun": fault(*RECORD, call=2),
    "saved, record renamed, not synced": fault(*RECORD, call=2, when="after"),
    "saved, hooks not queued": fault(*RECORD, call=3),
    "decided, record begun": fault(*RECORD, call=4),
}
"""Where no link was moved; those whose names begin with ``record`` lose what only Certbot had."""

RELEASED = {
    "decided, record renamed": fault(*RECORD, call=4, when="after"),
    "before the links": fault(*LINK),
    "after the links": fault(*LINK, call=4, when="after"),
    "between links and hooks": fault("certbot_jprs.lineage.archive", "link_to", when="after"),
    "hooks run, record begun": fault(*RECORD, call=5),
    "between hooks and reload": fault("certbot_jprs.holding.steps", "Steps._reload"),
    "reloaded, record there": fault("certbot_jprs.lineage.durable", "remove"),
    "in service, history begun": fault(*RECORD, call=6),
    "in service, history renamed, not synced": fault(*RECORD, call=6, when="after"),
}


def prepare(world: World) -> int:
    """Makes a lineage with hooks; returns how many certificates were issued."""
    fleet.found(world, [NAME], renew_hook=repr(hook("own")))
    log_hooks(world, "deploy")
    return len(world.jprs.issued)


@pytest.mark.parametrize("point", HELD)
def test_killed_before_it_is_released(world: World, point: str) -> None:
    count = prepare(world)
    ordered = not point.startswith("no order")
    lost = point.startswith(("record", "no order"))
    world.ocsp.lag = 3
    with world.watch(NAME) as watcher:
        killed = world.certbot(*FORCE, env=faults.environment(world, HELD[point]))
        assert killed.returncode == -signal.SIGKILL, f"{killed}"
        assert len(faults.struck(world)) == 1
        assert world.lineage(NAME).version() == 1
        world.apache.graceful()
        assert served(world) == 1
        assert hooked(world) == []

        world.certbot(*RENEW).check()
        time.sleep(0.5)
    never_early(world, watcher)
    assert len(world.jprs.issued) == count + ordered
    assert record(world) is None
    assert nothing_left_behind(world)
    assert served(world) == (1 if lost else 2)
    assert [(word, version) for word, _at, _name, version in hooked(world)] == (
        [] if lost else [("deploy", 2), ("own", 2)]
    )
    assert world.lineage(NAME).version() == served(world)


@pytest.mark.parametrize("point", RELEASED)
def test_killed_while_it_is_released(world: World, point: str) -> None:
    count = prepare(world)
    with world.watch(NAME) as watcher:
        killed = world.certbot(*FORCE, env=faults.environment(world, RELEASED[point]))
        assert killed.returncode == -signal.SIGKILL, f"{killed}"
        assert len(faults.struck(world)) == 1
        linked = world.lineage(NAME).version()
        world.apache.graceful()
        until(lambda: served(world) == linked)  # the processes of before may still answer

        world.certbot(*RENEW).check()
        time.sleep(0.5)
    never_early(world, watcher)
    assert len(world.jprs.issued) == count + 1
    assert record(world) is None
    assert nothing_left_behind(world)
    assert world.lineage(NAME).version() == served(world) == 2
    # Hooks that may have been cut short are run again, others are not.
    times = 2 if point == "hooks run, record begun" else 1
    assert len(hooked(world, "deploy")) == len(hooked(world, "own")) == times
    assert all(version == 2 for _word, _at, _name, version in hooked(world))


@pytest.mark.parametrize("moved", range(4))
def test_killed_between_two_links(world: World, moved: int) -> None:
    count = prepare(world)
    torn = faults.environment(world, fault(*LINK, call=moved + 1))
    killed = world.certbot(*FORCE, env=torn)
    assert killed.returncode == -signal.SIGKILL, f"{killed}"
    lineage = world.lineage(NAME)
    assert list(lineage.linked().values()).count(2) == moved
    assert None not in lineage.linked().values()
    # Without a reload in between: Apache ends where key and certificate do not match.
    assert served(world) == 1
    world.certbot(*RENEW).check()
    assert len(world.jprs.issued) == count + 1
    assert lineage.version() == served(world) == 2
    assert len(hooked(world, "deploy")) == len(hooked(world, "own")) == 1
    assert record(world) is None
    assert nothing_left_behind(world)


SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


@pytest.mark.parametrize(
    ("point", "number"),
    [(point, SIGNALS[place % 3]) for place, point in enumerate([*HELD, *RELEASED])],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_signal_at_any_point_loses_nothing(
    world: World, point: str, number: signal.Signals
) -> None:
    count = prepare(world)
    world.ocsp.lag = 3
    ended = {**{**HELD, **RELEASED}[point], "do": number.name}
    with world.watch(NAME) as watcher:
        result = world.certbot(*FORCE, env=faults.environment(world, ended))
        assert len(faults.struck(world)) == 1, f"{result}"
        world.apache.graceful()
        world.certbot(*RENEW).check()
        time.sleep(0.5)
    never_early(world, watcher)
    issued = len(world.jprs.issued) - count
    # Before the version was saved there is nothing to lose; once it is, it comes into service.
    assert issued in ({0, 1} if point.startswith(("no order", "record")) else {1})
    newest = world.lineage(NAME).versions()[-1]
    assert world.lineage(NAME).version() == newest == (1 if not issued else newest)
    assert world.served(NAME).serial == world.lineage(NAME).serial
    assert len(hooked(world, "deploy")) == len(hooked(world, "own")) == (newest == 2)
    assert record(world) is None
    assert nothing_left_behind(world)


def nothing_left_behind(world: World) -> bool:
    """Asserts that no temporary file, link or directory is left."""
    for name in ("live", "archive", "renewal", "certbot-jprs"):
        assert [*world.path(f"/etc/letsencrypt/{name}").rglob(".*")] == []
    assert list(world.path(RECORDS).iterdir()) == []
    return True


@pytest.mark.main_job
def test_killed_while_it_waits(world: World) -> None:
    count = prepare(world)
    world.ocsp.behave("unknown")
    with world.watch(NAME) as watcher:
        with waiting(world) as running:
            running.signal(signal.SIGKILL)
        assert world.lineage(NAME).version() == 1
        world.apache.graceful()
        # What only looks: nothing moves.
        world.certbot("certificates").check()
        assert world.certbot(*RENEW, "--dry-run").returncode == 1
        world.apache.graceful()
        assert served(world) == 1
        assert hooked(world) == []
        with waiting(world, *RENEW) as running:
            time.sleep(1.5)
            assert served(world) == 1
            world.ocsp.behave(None)
            running.wait().check()
        time.sleep(0.5)
    never_early(world, watcher)
    assert served(world) == 2
    assert len(world.jprs.issued) == count + 1
    assert len(hooked(world, "deploy")) == len(hooked(world, "own")) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_the_run_and_loses_nothing(world: World, number: signal.Signals) -> None:
    count = prepare(world)
    fleet.found(world, ["b.example.jp"])
    log_hooks(world, "pre", "post")
    world.ocsp.behave("unknown")
    with world.watch(NAME, "b.example.jp") as watcher:
        with waiting(world) as running:
            sent = running.signal(number)
            result = running.wait()
        assert result.ended < sent + AT_ONCE
        assert result.returncode != 0
        said = " ".join(result.output.split())
        assert f"ended by {number.name}" in said
        assert f"b.example.jp, {NAME} To go on: certbot renew" in said
        assert hooked(world, "deploy") == []
        assert len(hooked(world, "post")) == 1  # what the pre-hook began, is ended
        world.apache.graceful()
        assert served(world) == 1
        world.ocsp.behave(None)
        world.certbot(*RENEW).check()
        time.sleep(0.5)
    never_early(world, watcher)
    assert served(world) == served(world, "b.example.jp") == 2
    assert len(world.jprs.issued) == count + 3
    assert len(hooked(world, "deploy")) == 2
    assert len(hooked(world, "own")) == 1
    assert serials(world)[1] in watcher.serials(NAME)
