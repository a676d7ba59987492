"""``run`` and ``certonly`` on a lineage, an interrupted first certificate, and going on with it."""

from __future__ import annotations

import signal
import time

import pytest

from tests.e2e.held import (
    NAME,
    RENEW,
    WAITING,
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
from tests.e2e.waiting import AT_ONCE
from tests.lab import World, fleet, subject

PLUGIN = "certbot-jprs:http"
QUICK = ("--jprs-ocsp-interval", "1")


def command(world: World, verb: str, *options: str) -> tuple[str, ...]:
    """Returns a user's command line."""
    account = (*world.eab(), "-m", "admin@example.jp", "--agree-tos")
    return (verb, "-n", "-a", PLUGIN, "-d", NAME, *account, *QUICK, *options)


@pytest.mark.parametrize("again", ["renew", "the same"])
def test_an_interrupted_first_certificate(world: World, again: str) -> None:
    world.vhost(NAME)
    world.ocsp.behave("unknown")
    log_hooks(world, "deploy")
    line = command(world, "run", "--deploy-hook", hook("own"), "--redirect")
    with waiting(world, *line) as running:
        sent = running.signal(signal.SIGTERM)
        result = running.wait()
    assert result.ended < sent + AT_ONCE
    assert result.returncode != 0
    said = " ".join(result.output.split())
    assert f"certbot renew --cert-name {NAME}" in said
    assert "certbot install" not in said
    assert not world.listening(443)
    assert hooked(world) == []

    go_on = (*RENEW, "--cert-name", NAME) if again == "renew" else line
    with waiting(world, *go_on) as running:
        time.sleep(1.5)
        assert not world.listening(443)
        world.ocsp.behave(None)
        running.wait().check()
    assert served(world) == 1
    assert len(world.jprs.issued) == 1
    assert f"https://{NAME}/" in world.http(NAME)
    # Certbot runs both kinds for a first certificate since 5.2, before only its own.
    assert len(hooked(world, "own")) == 1
    assert len(hooked(world, "deploy")) == (subject.version() >= (5, 2))
    assert record(world) is None
    # It is as if nothing had happened: its renewals go on as usual.
    world.certbot(*RENEW, "--force-renewal").check()
    assert served(world) == 2


def test_a_killed_first_certificate_is_finished_by_the_next_renewal(world: World) -> None:
    world.vhost(NAME)
    world.ocsp.behave("unknown")
    with waiting(world, *command(world, "run", "--no-redirect")) as running:
        running.signal(signal.SIGKILL)
    world.apache.graceful()
    assert not world.listening(443)
    world.ocsp.behave(None)
    world.certbot(*RENEW).check()
    assert served(world) == 1
    assert "https://" not in world.http(NAME)
    assert len(world.jprs.issued) == 1


@pytest.mark.parametrize("verb", ["run", "certonly"])
def test_what_is_held_is_released_by_the_users_own_command(world: World, verb: str) -> None:
    hold(world, renew_hook=repr(hook("own")))
    reloads = world.apache.reloads()
    installer = ("-i", PLUGIN) if verb == "certonly" else ()
    with world.watch(NAME) as watcher:
        # Not known yet: nothing moves, nothing is ordered, and the reason is said once.
        refused = world.certbot(*command(world, verb, *installer))
        assert refused.returncode == 1
        assert refused.output.count("still does not know") == 1
        assert "is not working" not in refused.output
        assert served(world) == 1
        world.ocsp.behave(None)
        world.certbot(*command(world, verb, *installer)).check()
        time.sleep(0.5)
    never_early(world, watcher)
    assert served(world) == 2
    assert len(serials(world)) == 2
    assert [(word, version) for word, _at, _name, version in hooked(world)] == [("own", 2)]
    assert record(world) is None
    assert world.apache.reloads() > reloads


def test_a_reissue_with_more_names_that_was_cut_short_is_installed(world: World) -> None:
    fleet.found(world, [NAME])
    world.vhost("more.example.jp")
    world.ocsp.behave("unknown")
    line = command(world, "run", "-d", "more.example.jp", "--expand", "--cert-name", NAME)
    with waiting(world, *line) as running:
        running.signal(signal.SIGKILL)
    world.apache.graceful()
    assert served(world) == 1
    world.ocsp.behave(None)
    world.certbot(*RENEW).check()
    expanded = world.jprs.issued[-1]
    assert expanded.names == (NAME, "more.example.jp")
    for name in expanded.names:
        assert world.served(name).serial == expanded.serial


def test_revoked_while_held(world: World) -> None:
    fleet.found(world, [NAME], renew_hook=repr(hook("own")))
    world.ocsp.behave("unknown")
    with waiting(world, *RENEW, "--force-renewal") as running:
        world.ocsp.behave("revoked", serial=serials(world)[1])
        result = running.wait()
    assert result.returncode == 1
    assert result.output.count("is revoked") == 1
    assert "--force-renewal" in result.output
    assert record(world) is None
    world.ocsp.behave("good", serial=serials(world)[0])
    count = len(world.jprs.issued)
    for line in (RENEW, command(world, "run"), command(world, "certonly"), RENEW):
        world.certbot(*line).check()
        world.apache.graceful()
        assert served(world) == 1
    assert world.lineage(NAME).version() == 1
    assert len(world.jprs.issued) == count
    assert hooked(world) == []
    # The twin: who asks for a new one gets it.
    world.ocsp.behave("good")
    world.certbot(*RENEW, "--force-renewal").check()
    assert served(world) == 3
    assert [version for _word, _at, _name, version in hooked(world)] == [
        world.lineage(NAME).version()
    ]


def test_a_revoked_first_certificate_is_not_installed(world: World) -> None:
    world.vhost(NAME)
    world.ocsp.behave("unknown")
    with world.spawn_certbot(*command(world, "run", "--deploy-hook", hook("own"))) as running:
        running.wait_for(WAITING)
        world.ocsp.behave("revoked")
        result = running.wait()
    assert result.returncode == 1
    assert result.output.count("is revoked") == 1
    assert not world.listening(443)
    assert hooked(world) == []
