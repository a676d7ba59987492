"""OCSP stapling: what Apache fetches too early it keeps, and gives to every visitor."""

from __future__ import annotations

import pytest

from tests.e2e.held import until
from tests.e2e.waiting import NAME, PATIENT, first, renew
from tests.lab import World

LAG = 4.0
NEVER = 3600.0
"""Seconds of lag that no test lives to see the end of."""


def by_hand(world: World) -> tuple[str, ...]:
    """Returns the command line of JPRS's manual, which knows nothing of the plugin."""
    account = (*world.eab(), "-m", "admin@example.jp", "--agree-tos")
    to_jprs = ("--key-type", "rsa", "--server", world.jprs.url)
    return ("run", "-n", "--apache", "-d", NAME, *to_jprs, *account)


@pytest.fixture
def stapling(world: World) -> World:
    world.vhost(NAME)
    world.apache.staple()
    return world


def make_slow(world: World, lag: float = LAG) -> None:
    """Gives the responder its lag, without making it forget what it knows already."""
    for issued in world.jprs.issued:
        world.ocsp.behave("good", serial=issued.serial)
    world.ocsp.lag = lag


def test_nobody_gets_a_stapled_unknown_with_a_first_certificate(stapling: World) -> None:
    world = stapling
    world.ocsp.lag = LAG
    with world.watch(NAME) as watcher:
        world.certbot(*first(world, *PATIENT)).check()
        until(lambda: "good" in watcher.staples())
    assert watcher.first(world.jprs.issued[-1].serial) is not None
    assert watcher.staples() <= {"good", None}


def test_everybody_gets_one_without_the_plugin(stapling: World) -> None:
    world = stapling
    world.ocsp.lag = NEVER
    with world.watch(NAME) as watcher:
        world.certbot(*by_hand(world)).check()
        until(lambda: "unknown" in watcher.staples())


def test_nobody_gets_a_stapled_unknown_at_a_renewal(stapling: World) -> None:
    world = stapling
    world.certbot(*first(world, *PATIENT)).check()
    make_slow(world)
    with world.watch(NAME) as watcher:
        world.certbot(*renew()).check()
        until(lambda: watcher.first(world.jprs.issued[-1].serial) is not None)
    assert watcher.serials() == [issued.serial for issued in world.jprs.issued]
    assert "good" in watcher.staples()
    assert watcher.staples() <= {"good", None}


def test_everybody_gets_one_at_a_renewal_without_the_plugin(stapling: World) -> None:
    world = stapling
    world.certbot(*by_hand(world)).check()
    make_slow(world, NEVER)
    with world.watch(NAME) as watcher:
        world.certbot(*renew()).check()
        until(lambda: "unknown" in watcher.staples())
    assert watcher.serials() == [issued.serial for issued in world.jprs.issued]
