"""Everything that an OCSP responder can do, and what becomes of the certificate then.

Only a verified ``good`` ends the wait early. The last test of each kind is the sabotaged twin:
it shows that the wait would have ended otherwise.
"""

from __future__ import annotations

import os
import time

import pytest

from tests.e2e.waiting import (
    ALLOWANCE,
    AT_ONCE,
    NAME,
    NOT_AT_ALL,
    PATIENT,
    PLUGIN,
    QUICK,
    first,
    outcomes,
    renew,
    saved_at,
    served_first_version,
    serves_https,
    version_file,
)
from tests.lab import CA, REFUSING, SILENT, Result, Running, World

TIMEOUT = 3.0

UNUSABLE = (
    "tryLater",
    "internalError",
    "malformedRequest",
    "http500",
    "redirect",
    "garbage",
    "endless",
    "empty",
    "drop",
    "stale",
    "future",
    "other certificate",
    "other issuer",
    "other key",
    "delegated without EKU",
    "delegate out of date",
    "delegated by another",
)
SLOW = ("hang", "dribble")
ADDRESSES = {"refusing": REFUSING, "vanishing": SILENT, "without a name": None}


def served_when_time_was_up(world: World) -> Result:
    """Runs the one command; asserts that the certificate was served when time was up, not before.

    The end is allowed to be later by what the contract allows, the beginning not at all.
    """
    world.vhost(NAME)
    with world.watch(NAME, pause=0.1) as watcher:
        result = world.certbot(*first(world, *QUICK)).check()
        assert world.served(NAME).serial == world.jprs.issued[-1].serial
        time.sleep(0.3)
    served = watcher.first(world.jprs.issued[-1].serial)
    assert served is not None
    assert TIMEOUT <= served - saved_at(world) <= TIMEOUT + ALLOWANCE
    return result


# -- what does not know it ------------------------------------------------------------------------


@pytest.mark.parametrize("behaviour", ["unknown", "unauthorized"])
def test_unknown_until_time_is_up_is_deployed_with_a_warning(world: World, behaviour: str) -> None:
    world.ocsp.behave(behaviour)
    result = served_when_time_was_up(world)
    assert outcomes(result) == {"unknown"}
    # Every second, and a last time at the deadline; later ones may come closer together.
    first_asked = world.ocsp.queries[0].time - saved_at(world)
    assert int(TIMEOUT - first_asked) <= len(world.ocsp.queries) <= 5
    assert world.ocsp.queries[-1].time - saved_at(world) > TIMEOUT - 0.1
    assert {query.method for query in world.ocsp.queries} == {"POST"}


# -- what cannot be believed ----------------------------------------------------------------------


@pytest.mark.parametrize("behaviour", [*UNUSABLE, *SLOW])
def test_no_usable_answer_until_time_is_up_is_deployed_with_a_warning(
    world: World, behaviour: str
) -> None:
    world.ocsp.behave(behaviour)
    result = served_when_time_was_up(world)
    assert outcomes(result) == {"undetermined"}
    assert {query.answer for query in world.ocsp.queries} == {behaviour}
    # A responder that does not answer is given ten seconds for a query, and no second chance.
    was_late = world.ocsp.queries[0].time - saved_at(world) > TIMEOUT - 1  # on a busy machine
    assert (len(world.ocsp.queries) == 1) is (behaviour in SLOW) or was_late


@pytest.mark.parametrize("where", ADDRESSES)
def test_a_responder_out_of_reach_is_deployed_with_a_warning(world: World, where: str) -> None:
    if where == "without a name":
        world.silence_dns()
    world.ocsp_address(ADDRESSES[where])
    result = served_when_time_was_up(world)
    assert outcomes(result) == {"undetermined"}
    assert world.ocsp.queries == []


# -- what can: the same with a responder that comes to its senses ----------------------------------


def in_service_soon(world: World, running: Running) -> None:
    """Lets the responder be honest; asserts that the wait ends with the next query."""
    assert not serves_https(world)
    honest_at = time.time()
    world.ocsp.behave(None)
    world.ocsp_address(CA)
    result = running.wait().check()
    good_at = world.ocsp.good_at(world.jprs.issued[-1].serial)
    assert good_at is not None
    assert good_at - honest_at < ALLOWANCE
    assert outcomes(result) == {"good"}
    assert world.served(NAME).serial == world.jprs.issued[-1].serial


def asked(world: World, behaviour: str, timeout: float = 120) -> None:
    """Waits until a query got that behaviour, and was answered or given up."""
    deadline = time.monotonic() + timeout
    count = len(world.ocsp.queries)
    while not any(query.answer == behaviour for query in world.ocsp.queries[count:]):
        assert time.monotonic() < deadline, world.ocsp.queries
        time.sleep(0.05)


def test_whatever_it_says_in_between_the_first_good_ends_the_wait(world: World) -> None:
    world.vhost(NAME)
    behaviours = ("unknown", "unauthorized", *UNUSABLE)
    world.ocsp.behave(behaviours[0])
    with world.spawn_certbot(*first(world, *PATIENT)) as running:
        for behaviour in behaviours:
            world.ocsp.behave(behaviour)
            asked(world, behaviour)
        in_service_soon(world, running)


@pytest.mark.parametrize("behaviour", SLOW)
def test_a_slow_query_is_given_up_and_the_next_one_ends_the_wait(
    world: World, behaviour: str
) -> None:
    world.vhost(NAME)
    world.ocsp.behave(behaviour)
    with world.spawn_certbot(*first(world, *PATIENT)) as running:
        asked(world, behaviour)
        in_service_soon(world, running)
    assert [query.answer for query in world.ocsp.queries] == [behaviour, "good"]


@pytest.mark.parametrize("where", ["refusing", "vanishing"])
def test_a_responder_that_comes_into_reach_ends_the_wait(world: World, where: str) -> None:
    world.vhost(NAME)
    world.ocsp_address(ADDRESSES[where])
    with world.spawn_certbot(*first(world, *PATIENT)) as running:
        running.wait_for("Waiting for")
        time.sleep(1)
        in_service_soon(world, running)


@pytest.mark.parametrize("behaviour", ["good", "delegated", "delegated by key"])
def test_good_is_deployed_at_once(world: World, behaviour: str) -> None:
    world.vhost(NAME)
    world.ocsp.behave(behaviour)
    with world.watch(NAME) as watcher:
        result = world.certbot(*first(world)).check()
        time.sleep(0.3)
    assert outcomes(result) == {"good"}
    served = watcher.first(world.jprs.issued[-1].serial)
    assert served is not None
    (query,) = world.ocsp.queries
    # At once: not an interval later, which is ten seconds.
    assert saved_at(world) < query.time < saved_at(world) + 10
    assert query.time < served < query.time + ALLOWANCE


def test_good_ends_the_wait_within_an_interval_of_when_it_is_known(world: World) -> None:
    world.vhost(NAME)
    world.ocsp.lag = 5
    with world.watch(NAME) as watcher:
        world.certbot(*first(world, "--jprs-ocsp-interval", "2")).check()
        time.sleep(0.3)
    serial = world.jprs.issued[-1].serial
    good_at, served = world.ocsp.good_at(serial), watcher.first(serial)
    assert good_at is not None
    assert served is not None
    assert world.ocsp.known_at(serial) <= good_at <= served
    assert served - world.ocsp.known_at(serial) < 2 + AT_ONCE


# -- revoked ---------------------------------------------------------------------------------------


def test_a_revoked_first_certificate_is_not_deployed(world: World) -> None:
    world.vhost(NAME)
    before = world.apache.hashes()
    world.ocsp.behave("revoked")
    result = world.certbot(*first(world))
    assert result.returncode == 1
    assert outcomes(result) == {"revoked"}
    assert not serves_https(world)
    assert world.apache.hashes() == before
    assert len(world.ocsp.queries) == 1


def test_revoked_ends_the_wait_whenever_it_is_said(world: World) -> None:
    world.vhost(NAME)
    world.ocsp.behave("unknown")
    with world.spawn_certbot(*first(world, *PATIENT)) as running:
        asked(world, "unknown")
        world.ocsp.behave("revoked")
        result = running.wait()
    assert result.returncode == 1
    assert outcomes(result) == {"revoked"}
    assert not serves_https(world)


# -- nobody is asked -------------------------------------------------------------------------------


@pytest.mark.parametrize("behaviour", ["unknown", "revoked"])
def test_without_a_wait_nobody_is_asked(world: World, behaviour: str) -> None:
    world.vhost(NAME)
    world.ocsp.behave(behaviour)
    result = world.certbot(*first(world, *NOT_AT_ALL)).check()
    assert world.ocsp.queries == []
    assert outcomes(result) == set()
    assert "Waiting for" not in result.output
    assert world.served(NAME).serial == world.jprs.issued[-1].serial


def test_a_certificate_without_a_responder_is_deployed_at_once(world: World) -> None:
    world.vhost(NAME)
    world.jprs.ocsp_urls = ()
    with world.watch(NAME) as watcher:
        result = world.certbot(*first(world)).check()
        time.sleep(0.3)
    served = watcher.first(world.jprs.issued[-1].serial)
    assert served is not None
    assert served < saved_at(world) + ALLOWANCE  # others are waited for 15 minutes
    assert world.ocsp.queries == []
    assert outcomes(result) == set()
    assert "Waiting for" not in result.output
    assert "names no OCSP responder" in world.certbot_log


@pytest.mark.parametrize("url", ["ldap://ocsp.amecert.jprs.jp/", "http://u:p@ocsp.amecert.jprs.jp"])
def test_a_responder_that_is_not_to_be_asked_is_as_none(world: World, url: str) -> None:
    world.vhost(NAME)
    world.jprs.ocsp_urls = (url,)
    world.certbot(*first(world)).check()
    assert world.ocsp.queries == []
    assert world.served(NAME).serial == world.jprs.issued[-1].serial


def test_the_second_of_two_responders_is_asked_where_the_first_one_fails(world: World) -> None:
    world.vhost(NAME)
    world.jprs.ocsp_urls = (f"http://{REFUSING}/", "http://ocsp.amecert.jprs.jp/")
    result = world.certbot(*first(world)).check()
    assert outcomes(result) == {"good"}
    assert [query.answer for query in world.ocsp.queries] == ["good"]


# -- time that is up before anybody asks -----------------------------------------------------------


def certonly(world: World) -> None:
    """Gets a certificate that is not installed."""
    world.vhost(NAME)
    _verb, *others = first(world)
    world.certbot("certonly", *others).check()
    assert not serves_https(world)
    world.ocsp.queries.clear()


def install(world: World, *options: str) -> Result:
    return world.certbot("install", "-n", "-i", PLUGIN, "--cert-name", NAME, *options)


@pytest.mark.parametrize("behaviour", ["unknown", "garbage", "revoked", "good"])
def test_a_certificate_whose_time_is_up_is_asked_about_once(world: World, behaviour: str) -> None:
    certonly(world)
    long_ago = time.time() - 3600
    os.utime(version_file(world), (long_ago, long_ago))
    world.ocsp.behave(behaviour)
    result = install(world)
    assert len(world.ocsp.queries) == 1
    expected = {"garbage": "undetermined"}.get(behaviour, behaviour)
    assert outcomes(result) == {expected}
    assert serves_https(world) is (behaviour != "revoked")
    assert result.returncode == (1 if behaviour == "revoked" else 0)


def test_a_certificate_whose_time_is_not_up_is_waited_for(world: World) -> None:
    certonly(world)
    just_now = time.time()
    os.utime(version_file(world), (just_now, just_now))
    world.ocsp.behave("unknown")
    result = install(world, "--jprs-ocsp-timeout", "30", "--jprs-ocsp-interval", "1").check()
    assert len(world.ocsp.queries) >= 2
    assert outcomes(result) == {"unknown"}


# -- renewals --------------------------------------------------------------------------------------


def test_a_renewal_is_served_from_good_on(world: World) -> None:
    old = served_first_version(world)
    world.ocsp.lag = 4
    with world.watch(NAME) as watcher:
        result = world.certbot(*renew(*PATIENT)).check()
        time.sleep(0.3)
    new = world.jprs.issued[-1].serial
    assert watcher.serials() == [old, new]
    served, good_at = watcher.first(new), world.ocsp.good_at(new)
    assert served is not None
    assert good_at is not None
    assert world.ocsp.known_at(new) <= good_at <= served < good_at + 1 + AT_ONCE
    assert outcomes(result) == {"good"}
    assert world.lineage(NAME).version() == 2


@pytest.mark.parametrize("behaviour", ["http500", "hang", "other key"])
def test_a_renewal_without_a_usable_answer_is_served_when_time_is_up(
    world: World, behaviour: str
) -> None:
    old = served_first_version(world)
    world.ocsp.behave(behaviour)
    with world.watch(NAME) as watcher:
        result = world.certbot(*renew(*QUICK)).check()
        time.sleep(0.3)
    new = world.jprs.issued[-1].serial
    assert watcher.serials() == [old, new]
    served = watcher.first(new)
    assert served is not None
    assert TIMEOUT <= served - saved_at(world, 2) <= TIMEOUT + ALLOWANCE
    assert outcomes(result) == {"undetermined"}


def revoke_as_soon_as_issued(world: World, command: Running) -> None:
    """Makes the responder call the next certificate revoked, and no other."""
    count = len(world.jprs.issued)
    deadline = time.monotonic() + 120
    while len(world.jprs.issued) == count:
        assert time.monotonic() < deadline, command.output
        time.sleep(0.02)
    world.ocsp.behave("revoked", serial=world.jprs.issued[-1].serial)


def test_a_revoked_renewal_leaves_the_lineage_and_never_comes_back(world: World) -> None:
    old = served_first_version(world)
    world.ocsp.lag = 600
    with world.watch(NAME) as watcher:
        with world.spawn_certbot(*renew("--jprs-ocsp-interval", "1")) as running:
            revoke_as_soon_as_issued(world, running)
            result = running.wait()
        assert result.returncode == 1
        assert "revoked" in outcomes(result)
        lineage = world.lineage(NAME)
        assert lineage.version() == 1
        assert lineage.serial == old
        assert lineage.versions() == [1]
        kept = sorted(path.name for path in lineage.archive.glob("*.revoked"))
        assert kept == [
            f"{kind}2.pem.revoked" for kind in ("cert", "chain", "fullchain", "privkey")
        ]
        # Not due, although its last version was revoked: Certbot would order at every run.
        world.ocsp.lag = 0
        world.certbot("renew", "--no-random-sleep-on-renew").check()
        world.apache.graceful()
        assert len(world.jprs.issued) == 2
        assert lineage.version() == 1
        assert world.served(NAME).serial == old
        world.certbot(*renew()).check()
        time.sleep(0.3)
    third = world.jprs.issued[-1].serial
    assert watcher.serials() == [old, third]
    assert world.lineage(NAME).serial == third


def test_a_revoked_renewal_does_not_replace_a_revoked_certificate(world: World) -> None:
    # "At once" is for a new certificate that may be of use; this one is of none.
    old = served_first_version(world)
    world.ocsp.behave("revoked")
    result = world.certbot(*renew())
    assert result.returncode == 1
    assert "revoked" in outcomes(result)
    assert world.served(NAME).serial == old
    assert world.lineage(NAME).version() == 1


def test_a_renewal_replaces_a_revoked_certificate_at_once(world: World) -> None:
    old = served_first_version(world)
    world.ocsp.lag = 600
    world.ocsp.behave("revoked", serial=old)
    result = world.certbot(*renew()).check()
    new = world.jprs.issued[-1].serial
    assert world.served(NAME).serial == new
    assert time.time() - saved_at(world, 2) < ALLOWANCE
    assert "revoked" in outcomes(result)
