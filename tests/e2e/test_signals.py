"""Ctrl-C, SIGTERM and SIGHUP while waiting; and how to go on afterwards."""

from __future__ import annotations

import re
import shlex
import signal
import time

import pytest

from tests.e2e.held import until
from tests.e2e.waiting import (
    AT_ONCE,
    NAME,
    PATIENT,
    first,
    renew,
    served_first_version,
    serves_https,
)
from tests.lab import Result, World

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
every_signal = pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)


def go_on(world: World, interrupted: Result) -> Result:
    """Runs the command that the message names, as a user would on a terminal."""
    found = re.search(r"To go\s+on:\s+certbot\s+([^\r\n\x1b]+)", interrupted.output)
    assert found, interrupted
    return world.certbot_pty(*shlex.split(found.group(1))).wait()


def assert_saved_and_not_in_service(world: World, result: Result, signalled: float) -> None:
    """Asserts what holds of a first certificate whose wait was interrupted."""
    assert result.ended - signalled < AT_ONCE
    assert result.returncode != 0
    assert world.lineage(NAME).versions() == [1]
    assert not serves_https(world)
    assert NAME in result.output.split("To go", 1)[1]


def assert_held(world: World, result: Result, signalled: float, old: int) -> None:
    """Asserts what holds of a renewed certificate whose wait was interrupted."""
    assert result.ended - signalled < AT_ONCE
    assert result.returncode != 0
    lineage = world.lineage(NAME)
    assert lineage.versions() == [1, 2]
    assert lineage.version() == 1
    world.apache.graceful()
    assert world.served(NAME).serial == old


def assert_goes_on(world: World, result: Result) -> None:
    """Asserts that the command named by the message puts that certificate into service."""
    issued = world.jprs.issued[-1]
    world.ocsp.lag = 0
    go_on(world, result).check()
    assert world.served(NAME).serial == issued.serial == world.jprs.issued[-1].serial
    assert world.lineage(NAME).serial == issued.serial


@every_signal
def test_a_signal_ends_the_wait_for_a_first_certificate(
    world: World, number: signal.Signals
) -> None:
    world.vhost(NAME)
    world.ocsp.lag = 600
    before = world.apache.hashes()
    with world.spawn_certbot(*first(world, *PATIENT)) as running:
        running.wait_for("Waiting for")
        time.sleep(1.3)
        signalled = running.signal(number)
        result = running.wait()
    assert number.name in result.output
    assert_saved_and_not_in_service(world, result, signalled)
    assert world.apache.hashes() == before
    assert_goes_on(world, result)


@every_signal
def test_a_signal_ends_the_wait_for_a_renewal(world: World, number: signal.Signals) -> None:
    old = served_first_version(world)
    world.ocsp.lag = 600
    with world.spawn_certbot(*renew(*PATIENT)) as running:
        running.wait_for("Waiting for")
        time.sleep(1.3)
        signalled = running.signal(number)
        result = running.wait()
    assert number.name in result.output
    assert_held(world, result, signalled, old)
    assert_goes_on(world, result)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_a_query_that_hangs(world: World, number: signal.Signals) -> None:
    world.vhost(NAME)
    world.ocsp.behave("hang")
    with world.spawn_certbot(*first(world, *PATIENT)) as running:
        until(lambda: bool(world.ocsp.queries))
        signalled = running.signal(number)
        running.wait_for("To go")
        # It is given ten seconds.
        assert time.time() < world.ocsp.queries[0].time + 10
        result = running.wait()
    assert len(world.ocsp.queries) == 1
    assert_saved_and_not_in_service(world, result, signalled)


def test_ctrl_c_on_a_terminal_ends_the_wait_for_a_first_certificate(world: World) -> None:
    world.vhost(NAME)
    world.ocsp.lag = 600
    terminal = world.certbot_pty(*first(world, *PATIENT))
    terminal.expect("Waiting for")
    time.sleep(1.3)
    signalled = terminal.control_c()
    result = terminal.wait()
    assert_saved_and_not_in_service(world, result, signalled)
    assert_goes_on(world, result)


def test_ctrl_c_on_a_terminal_ends_the_wait_for_a_renewal(world: World) -> None:
    old = served_first_version(world)
    world.ocsp.lag = 600
    terminal = world.certbot_pty(*renew(*PATIENT))
    terminal.expect("Waiting for")
    time.sleep(1.3)
    signalled = terminal.control_c()
    result = terminal.wait()
    assert_held(world, result, signalled, old)
    assert_goes_on(world, result)


def test_no_signal_is_needed_to_end_a_wait_that_succeeds(world: World) -> None:
    # The twin: the same wait, left alone, is not over by then and ends well.
    world.vhost(NAME)
    world.ocsp.lag = 600
    with world.spawn_certbot(*first(world, *PATIENT)) as running:
        running.wait_for("Waiting for")
        time.sleep(1.3)
        assert running.process.poll() is None
        world.ocsp.lag = 0
        running.wait().check()
    assert world.served(NAME).serial == world.jprs.issued[-1].serial


def test_a_hangup_that_nohup_ignores_ends_nothing(world: World) -> None:
    world.vhost(NAME)
    world.ocsp.lag = 600
    command = world.certbot_command()
    with world.spawn("nohup", command, *first(world, *PATIENT)) as running:
        running.wait_for("Waiting for")
        time.sleep(0.5)
        running.signal(signal.SIGHUP)
        time.sleep(0.5)
        world.ocsp.lag = 0
        running.wait().check()
    assert world.served(NAME).serial == world.jprs.issued[-1].serial
