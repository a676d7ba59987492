"""A fleet asks politely, and what is good is in service soon: with the real queries, in the lab."""

from __future__ import annotations

import statistics
import time

from tests.e2e.held import RENEW, WAITING, never_early, record, serials, served, until
from tests.lab import World, fleet
from tests.lab.client import Watcher
from tests.lab.responder import Query

FIVE = tuple(f"{letter}.example.jp" for letter in "abcde")
DEFAULT = {"certbot_jprs__ocsp_interval": "10"}
TWENTY = tuple(f"n{number:02}.example.jp" for number in range(20))


def late(world: World, names: tuple[str, ...], good: float, watcher: Watcher) -> list[float]:
    """Returns how long after ``good`` visitors of each name saw its held certificate."""

    def seen() -> list[float]:
        times = [watcher.first(serials(world, name)[-1], name) for name in names]
        return [at - good for at in times if at is not None]

    until(lambda: len(seen()) == len(names), 120)
    assert min(seen()) >= 0
    return seen()


def ours(world: World) -> list[Query]:
    """Returns what the plugin asked; Certbot itself asks whether what it may renew is revoked."""
    return [query for query in world.ocsp.queries if query.agent.startswith("certbot-jprs/")]


def test_five_and_a_responder_that_takes_its_time(world: World) -> None:
    fleet.held(world, FIVE, **DEFAULT)
    world.ocsp.seconds = 0.3
    world.ocsp.behave("unknown")
    with world.watch(*FIVE) as watcher:
        running = world.spawn_certbot(*RENEW)
        running.wait_for(WAITING)
        time.sleep(13)
        world.ocsp.behave(None)
        good = time.time()
        running.wait().check()
        seconds = late(world, FIVE, good, watcher)
    never_early(world, watcher)
    assert max(seconds) <= 12
    assert statistics.median(seconds) <= 6


def test_one_that_stays_unknown_holds_up_no_other(world: World) -> None:
    stuck, *others = FIVE
    fleet.held(world, [stuck], **DEFAULT, certbot_jprs__ocsp_timeout="70")
    fleet.held(world, others, **DEFAULT)
    world.ocsp.behave("unknown")
    with world.watch(*FIVE) as watcher:
        running = world.spawn_certbot(*RENEW)
        running.wait_for(WAITING)
        time.sleep(7)
        world.ocsp.behave(None)
        world.ocsp.behave("unknown", name=stuck)
        good = time.time()
        seconds = late(world, tuple(others), good, watcher)
        result = running.wait()
    never_early(world, watcher)
    assert max(seconds) <= 12
    # It was asked about until its own time was up, and the old one is still in service.
    assert world.ocsp.asked(serials(world, stuck)[-1])[-1].time > good + max(seconds)
    assert result.returncode == 1
    assert f"Not put into service, for the reasons given above: {stuck}" in result.output
    assert served(world, stuck) == 1
    assert record(world, stuck) is not None


def test_a_fleet_asks_about_one_a_second_until_the_first_good(world: World) -> None:
    issued = fleet.held(world, TWENTY, **DEFAULT)
    world.ocsp.behave("unknown")
    with world.watch(*TWENTY, pause=0.2) as watcher:
        running = world.spawn_certbot(*RENEW)
        running.wait_for(WAITING)
        began = time.time()
        new = {each.serial for each in issued}
        until(lambda: new <= {query.serial for query in ours(world)}, 120)
        time.sleep(5)
        world.ocsp.behave(None)
        good = time.time()
        running.wait().check()
        assert max(late(world, TWENTY, good, watcher)) <= 20
    never_early(world, watcher)
    # After the first good nobody waits for a turn, of which the last one would be 19 seconds later.
    good_at = [at for each in issued if (at := world.ocsp.good_at(each.serial)) is not None]
    assert len(good_at) == len(TWENTY)
    assert max(good_at) - min(good_at) < 15
    before = [query for query in ours(world) if query.time < good]
    turns = [query for query in before if query.serial in new]
    # One a second, and the two oldest every ten; all are asked about once before any is again.
    # What is in service is asked about every 15 seconds.
    seconds = good - began
    assert len(turns) <= seconds + 2 * (seconds / 10) + 4
    assert len(before) - len(turns) <= seconds / 15 + 2
    assert {query.serial for query in turns} == new
    assert [served(world, name) for name in TWENTY] == [2] * len(TWENTY)
