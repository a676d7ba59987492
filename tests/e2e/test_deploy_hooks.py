"""Deploy hooks wait too: each runs once, after ``good``, and sees the new version."""

from __future__ import annotations

import time

import pytest

from tests.e2e.held import (
    FORCE,
    HOOKS,
    NAME,
    RENEW,
    hook,
    hooked,
    log_hooks,
    never_early,
    record,
    serials,
    served,
)
from tests.lab import World, faults, fleet

PLUGIN = "certbot-jprs:http"
OTHER = "b.example.jp"
QUICK = ("--jprs-ocsp-interval", "1")

DUMMY = '''\
import os
from certbot.plugins import common


class Installer(common.Installer):
    """Notes what it is asked for, and which version is linked then."""

    description = "Notes"

    @classmethod
    def add_parser_arguments(cls, add):
        pass

    def prepare(self):
        pass

    def more_info(self):
        return ""

    def get_all_names(self):
        return set()

    def deploy_cert(self, domain, cert_path, key_path, chain_path, fullchain_path):
        self._path = cert_path

    def enhance(self, domain, enhancement, options=None):
        pass

    def supported_enhancements(self):
        return []

    def save(self, title=None, temporary=False):
        pass

    def config_test(self):
        pass

    def restart(self):
        note = {note!r}
        os.system("RENEWED_LINEAGE=/etc/letsencrypt/live/www.example.jp; " + note)

    def rollback_checkpoints(self, rollback=1):
        pass

    def recovery_routine(self):
        pass
'''


def good_at(world: World, name: str = NAME) -> float:
    """Returns when the responder first said good for a name's newest certificate."""
    at = world.ocsp.good_at(serials(world, name)[-1])
    assert at is not None
    return at


def first(world: World, verb: str, *options: str) -> tuple[str, ...]:
    """Returns the command line for a first certificate."""
    account = (*world.eab(), "-m", "admin@example.jp", "--agree-tos", *QUICK)
    return (verb, "-n", "-a", PLUGIN, "-d", NAME, *account, *options)


@pytest.mark.main_job
def test_hooks_run_once_after_good_and_see_the_new_version(world: World) -> None:
    fleet.found(world, [NAME], renew_hook=repr(hook("own")))
    fleet.found(world, [OTHER])
    log_hooks(world, "pre", "deploy", "post")
    copy = 'cp "$RENEWED_LINEAGE/fullchain.pem" "/run/tmp/$(basename $RENEWED_LINEAGE).copy"'
    world.hook(f"{HOOKS}/deploy/a-reload", "apachectl graceful")
    world.hook(f"{HOOKS}/deploy/b-copy", copy)
    world.ocsp.lag = 4
    with world.watch(NAME, OTHER) as watcher:
        world.certbot(*FORCE).check()
        time.sleep(0.5)
    never_early(world, watcher)
    noted = hooked(world)
    assert [word for word, *_rest in noted] in (
        ["pre", "deploy", "deploy", "own", "post"],
        ["pre", "deploy", "own", "deploy", "post"],
    )
    for word, at, name, version in noted[1:-1]:
        assert version == 2
        assert at > good_at(world, name)
        assert (word == "own") <= (name == NAME)
    for name in (NAME, OTHER):
        copied = world.read(f"/run/tmp/{name}.copy")
        assert copied == (world.lineage(name).live / "fullchain.pem").read_text()
        assert served(world, name) == 2


def test_all_links_are_forward_before_a_hook_reloads_apache(world: World) -> None:
    """It would end, if it read the key of one version and the certificate of another."""
    names = [f"{letter}.example.jp" for letter in "abcde"]
    fleet.found(world, names)
    world.hook(
        f"{HOOKS}/deploy/reload",
        "readlink /etc/letsencrypt/live/*/privkey.pem /etc/letsencrypt/live/*/fullchain.pem "
        ">> /run/tmp/links; apachectl graceful",
    )
    with world.watch(*names) as watcher:
        world.certbot(*FORCE, env=faults.patience(world)).check()
    links = world.read("/run/tmp/links").split()
    assert len(links) == 2 * len(names) ** 2
    assert all(link.endswith(("/privkey2.pem", "/fullchain2.pem")) for link in links)
    assert [served(world, name) for name in names] == [2] * len(names)
    never_early(world, watcher)


def test_without_the_directory_hooks_only_the_lineages_own_runs(world: World) -> None:
    fleet.found(world, [NAME], renew_hook=repr(hook("own")))
    log_hooks(world, "pre", "deploy", "post")
    # Also those of a run that was cut short: as it was told, not as the next one is.
    world.ocsp.behave("unknown")
    world.certbot(*FORCE, "--no-directory-hooks", "--jprs-ocsp-timeout", "1")
    assert hooked(world) == []
    world.ocsp.behave(None)
    world.certbot(*RENEW).check()
    assert [(word, version) for word, _at, _name, version in hooked(world)] == [("own", 2)]


def test_a_first_certificate_without_installer_waits_with_its_hooks(world: World) -> None:
    world.vhost(NAME)
    world.ocsp.lag = 4
    hooks = (
        "--deploy-hook",
        hook("own"),
        "--pre-hook",
        hook("pre"),
        "--post-hook",
        hook("post"),
    )
    result = world.certbot(*first(world, "certonly", *hooks)).check()
    assert [word for word, *_rest in hooked(world)] == ["pre", "own", "post"]
    ((_word, at, _name, version),) = hooked(world, "own")
    assert version == 1
    assert at > good_at(world)
    assert "Successfully received certificate" in result.output
    assert record(world) is None
    # Its renewals wait too.
    with world.watch(NAME):
        world.certbot(*FORCE).check()
    (_first, (_word, at, _name, version)) = hooked(world, "own")
    assert version == 2
    assert at > good_at(world)


@pytest.mark.parametrize("verb", ["certonly", "certonly -i", "run"])
def test_a_reissue_waits_with_its_hooks(world: World, verb: str) -> None:
    verb, *installer = verb.split()
    fleet.found(world, [NAME])
    log_hooks(world, "deploy")
    world.ocsp.lag = 4
    options = ["--force-renewal", "--deploy-hook", hook("own")]
    options += ["-i", PLUGIN] if installer else []
    with world.watch(NAME) as watcher:
        world.certbot(*first(world, verb, *options)).check()
        time.sleep(0.5)
    never_early(world, watcher)
    # Without an installer nobody reloads; whoever does so then, reloads the new one.
    assert served(world) == (2 if installer or verb == "run" else 1)
    assert world.lineage(NAME).version() == 2
    for word in ("own", "deploy"):
        (noted,) = hooked(world, word)
        assert noted[1] > good_at(world)
        assert noted[3] == 2
    assert record(world) is None


def another_installer(world: World) -> dict[str, str]:
    """Installs an installer plugin that notes each reload; returns the environment."""
    folder = "/run/plugins"
    world.write(f"{folder}/dummy_installer.py", DUMMY.format(note=hook("reload")))
    info = f"{folder}/dummy_installer-1.0.dist-info"
    world.write(f"{info}/METADATA", "Metadata-Version: 2.1\nName: dummy-installer\nVersion: 1.0\n")
    points = "[certbot.plugins]\ndummy = dummy_installer:Installer\n"
    world.write(f"{info}/entry_points.txt", points)
    return {"CERTBOT_PLUGIN_PATH": folder}


def test_another_installer_gets_it_after_good(world: World) -> None:
    env = another_installer(world)
    world.vhost(NAME)
    world.ocsp.lag = 3
    installer = ("-i", "dummy", "--deploy-hook", hook("own"))
    world.certbot(*first(world, "run", *installer), env=env).check()
    noted = hooked(world)
    assert noted[0][0] == "own"
    assert {word for word, *_rest in noted[1:]} == {"reload"}
    assert all(at > good_at(world) and version == 1 for _word, at, _name, version in noted)

    # It reloads at once, so each is waited for on the spot, before its hooks.
    count = len(noted)
    world.certbot(*FORCE, env=env).check()
    noted = hooked(world)[count:]
    assert [word for word, *_rest in noted] == ["own", "reload"]
    assert all(at > good_at(world) and version == 2 for _word, at, _name, version in noted)

    # One that is revoked reaches neither; nor does it in later runs.
    world.ocsp.lag = 600
    count = len(hooked(world))
    with world.spawn_certbot(*FORCE, env=env) as running:
        running.wait_for("Waiting for the OCSP")
        world.ocsp.behave("revoked", serial=serials(world)[-1])
        result = running.wait()
    assert result.returncode == 1
    assert "is revoked" in result.output
    assert f"Failed to renew certificate {NAME}" in result.output
    world.certbot(*RENEW, env=env).check()
    assert len(hooked(world)) == count
    assert world.lineage(NAME).version() == 2


def test_a_hook_that_fails_is_told_and_stops_nothing(world: World) -> None:
    fleet.found(world, [NAME], renew_hook="/run/no/such/program")
    result = world.certbot(*FORCE)
    assert "/run/no/such/program" in result.output
    assert served(world) == 2
    assert record(world) is None
