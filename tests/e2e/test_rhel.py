"""The manual's own server: httpd as RHEL and its kin have it, where Certbot has other classes."""

from __future__ import annotations

import pytest

from tests.e2e.held import IMPATIENT, never_early, record, until
from tests.e2e.held import served as version_served
from tests.e2e.helpers import (
    CONTACT,
    NAME,
    QUICK,
    RENEW,
    certbot,
    served,
    waited,
)
from tests.e2e.needs import needs_rhel_class
from tests.e2e.test_rehearsal import lines
from tests.lab import Result, World, fleet, subject

WWW = "www.example.jp"
RUN = f"run -n -a {NAME} -d {WWW} {CONTACT} {QUICK}"
CHECK = "--jprs-check"
CLASSES = {"rhel": "CentOSConfigurator", "almalinux": "FedoraConfigurator"}
BROKEN = "Nonsense on\n"

WHICH = """\
from certbot_jprs.internals.delegates import APACHE
from certbot._internal.plugins import disco
print(APACHE.plugin_class().__name__)
print(disco.PluginsRegistry.find_all()["apache"].plugin_cls.__name__)
"""


@pytest.fixture(params=[pytest.param("rhel", marks=needs_rhel_class), "almalinux"])
def distribution(world: World, request: pytest.FixtureRequest) -> str:
    """The distribution that the host has become."""
    world.become_rhel(request.param)
    return str(request.param)


def test_one_flag_waits_staples_and_renews(world: World, distribution: str) -> None:
    classes = world.run(subject.PYTHON, "-c", WHICH).check().stdout.split()
    assert classes == [CLASSES[distribution]] * 2
    world.vhost(WWW)
    world.apache.staple()
    world.write("/etc/cron.d/certbot", "0 */12 * * * root certbot -q renew\n")
    before = world.apache.hashes()
    rehearsed = certbot(world, f"{RUN} {CHECK}", *world.eab()).check()
    assert lines(rehearsed, "FAIL") == lines(rehearsed, "warn") == [], f"{rehearsed}"
    assert world.apache.hashes() == before
    assert world.jprs.beyond_directory() == []

    world.ocsp.lag = 2
    with world.watch(WWW) as watcher:
        certbot(world, RUN, *world.eab()).check()
        first = world.jprs.issued[-1]
        until(lambda: "good" in watcher.staples())
        waited(world, watcher, first.serial)
        now = world.apache.hashes()
        changed = {name for name, text in now.items() if before.get(name) != text}
        assert f"conf.d/{WWW}-le-ssl.conf" in changed
        assert world.lineage(WWW).key_type == "RSA 2048"

        # The renewal, as the timer runs it.
        world.ocsp.behave("good", serial=first.serial)
        certbot(world, f"{RENEW} --force-renewal").check()
        second = world.jprs.issued[-1]
        until(lambda: watcher.first(second.serial) is not None)
        waited(world, watcher, second.serial)
    assert watcher.serials() == [first.serial, second.serial]
    assert watcher.staples() <= {"good", None}
    assert world.apache.hashes() == now


def named(result: Result) -> None:
    """Asserts that a command failed and named what is wrong with the configuration."""
    assert result.returncode == 1, f"{result}"
    assert "Nonsense" in result.output, f"{result}"
    assert "unexpected error" not in result.output
    assert "Traceback" not in result.output


@pytest.mark.usefixtures("distribution")
def test_a_broken_configuration_ends_the_command_and_not_httpd(world: World) -> None:
    """With Fedora's class Certbot's own plugin then has systemd restart it: the twin is below."""
    (first,) = fleet.found(world, [WWW])
    world.apache.conf("broken", BROKEN)
    before = world.apache.hashes()
    for line in (f"{RUN} {CHECK}", f"{RUN} --force-renewal", f"{RENEW} --force-renewal"):
        named(certbot(world, line))
        assert served(world) == first.serial
        assert world.apache.hashes() == before
    assert world.jprs.issued == [first]
    # Mended, the same command succeeds.
    world.path(f"{world.apache.root}/conf.d/broken.conf").unlink()
    certbot(world, f"{RENEW} --force-renewal").check()
    assert served(world) == world.jprs.issued[-1].serial


def test_certbots_own_plugin_ends_it_on_almalinux(world: World) -> None:
    world.become_rhel("almalinux")
    fleet.found(world, [WWW])
    world.apache.conf("broken", BROKEN)
    named(certbot(world, f"run -n --apache -d {WWW} {CONTACT} --server {world.jprs.url}"))
    assert not world.apache.running()


def test_an_httpd_that_does_not_run_is_restarted_as_certbot_does(world: World) -> None:
    """What Certbot does that for: the start makes the certificates that mod_ssl lacks."""
    world.become_rhel("almalinux")
    world.vhost(WWW)
    world.apache.stop()
    lacking = f"{world.apache.root}/lacking.conf"
    world.apache.conf("lacking", f"Include {lacking}\n")
    start = world.path(f"{world.search_path.partition(':')[0]}/systemctl")
    start.write_text(start.read_text().replace("#!/bin/sh\n", f"#!/bin/sh\n: > {lacking}\n"))
    certbot(world, RUN, *world.eab()).check()
    assert served(world) == world.jprs.issued[-1].serial


@pytest.mark.usefixtures("distribution")
def test_what_ocsp_does_not_know_is_held_and_released_later(world: World) -> None:
    fleet.found(world, [WWW], **IMPATIENT)
    world.ocsp.behave("unknown")
    with world.watch(WWW) as watcher:
        assert certbot(world, f"{RENEW} --force-renewal").returncode == 1
        held = record(world)
        assert held is not None
        assert (held["in_service"], held["held"]) == (1, 2)
        world.apache.graceful()
        assert version_served(world) == 1
        world.ocsp.behave(None)
        certbot(world, RENEW).check()
        assert version_served(world) == 2
    never_early(world, watcher)
    assert record(world) is None
    assert [each.names for each in world.jprs.issued] == [(WWW,)] * 2
