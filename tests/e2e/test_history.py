"""What is remembered of renewals: how long OCSP took, what became of each; nobody is hindered."""

from __future__ import annotations

import json
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from certbot_jprs.ground.names import NAME as PLUGIN
from tests.e2e.command import jprs
from tests.e2e.held import FORCE, NAME, RENEW, hold, hook, hooked, record, served
from tests.e2e.helpers import first_run
from tests.e2e.needs import needs_namespace
from tests.lab import World, fleet
from tests.lab.acme import Issued

PATH = "/etc/letsencrypt/certbot-jprs/history.jsonl"


def history(world: World) -> list[dict[str, Any]]:
    """Returns the entries, the oldest first."""
    return [json.loads(line) for line in world.read(PATH).splitlines()]


def only(world: World) -> dict[str, Any]:
    (entry,) = history(world)
    return entry


def saved_at(world: World, version: int) -> float:
    path: Path = world.lineage(NAME).archive / f"cert{version}.pem"
    return path.stat().st_mtime


def lag_is_right(world: World, entry: dict[str, Any], issued: Issued) -> None:
    """Asserts that OCSP came to know a certificate between the two times that were measured."""
    saved = saved_at(world, entry["version"])
    known = world.ocsp.known_at(issued.serial)
    assert saved + entry["unknown_until"] < known <= saved + entry["waited"]
    # Asked every second, not when the time is up; the rest is for a busy machine.
    assert entry["waited"] - entry["unknown_until"] < 1 + 60


def test_each_wait_is_measured_and_shown(world: World) -> None:
    fleet.found(world, [NAME], renew_hook=repr(hook("own")))
    world.ocsp.lag = 4
    world.certbot(*FORCE).check()
    entry = only(world)
    assert {key: entry[key] for key in ("name", "version", "replaces", "outcome", "status")} == {
        "name": NAME,
        "version": 2,
        "replaces": 1,
        "outcome": "released",
        "status": "good",
    }
    assert (entry["hooks"], entry["reload"]) == ("done", "done")
    lag_is_right(world, entry, world.jprs.issued[-1])
    assert abs(entry["saved"] - saved_at(world, 2)) < 60
    assert entry["ended"] >= entry["saved"] + entry["waited"] - 1
    assert stat.S_IMODE(world.path(PATH).stat().st_mode) == 0o600

    world.ocsp.lag = 0
    world.certbot(*FORCE).check()
    assert [each["version"] for each in history(world)] == [2, 3]
    said = json.loads(jprs(world, "status", "--json").stdout)["certificates"][0]["renewals"]
    assert [each["version"] for each in said] == [2, 3]
    assert said[0]["lag"] == entry["waited"]
    assert said[0]["outcome"] == "released"
    assert said[0]["saved"].endswith("+00:00")


def test_a_first_certificate_is_remembered_once_certbot_has_reloaded(world: World) -> None:
    world.ocsp.lag = 3
    first_run(world, NAME)
    entry = only(world)
    assert (entry["version"], entry["replaces"]) == (1, None)
    assert (entry["outcome"], entry["reload"]) == ("released", "done")
    lag_is_right(world, entry, world.jprs.issued[-1])


def test_what_stays_held_is_remembered_once(world: World) -> None:
    hold(world)
    first = only(world)
    assert (first["outcome"], first["status"], first["hooks"]) == ("held", "unknown", "none")
    assert world.certbot(*RENEW).returncode == 1
    second = only(world)
    assert second["outcome"] == "held"
    assert second["waited"] > first["waited"]
    world.ocsp.behave(None)
    world.certbot(*RENEW).check()
    assert served(world) == 2
    third = only(world)
    assert (third["outcome"], third["status"]) == ("released", "good")
    # It got to know it after the last run that asked in vain.
    assert third["unknown_until"] == second["unknown_until"]
    assert third["waited"] > third["unknown_until"]


def test_what_is_revoked_or_not_issued_is_remembered(world: World) -> None:
    fleet.found(world, [NAME])
    world.ocsp.behave("revoked", name=NAME)
    assert world.certbot(*FORCE).returncode == 1
    assert (only(world)["outcome"], only(world)["version"]) == ("revoked", 2)
    world.ocsp.behave(None)
    for _run in range(2):
        world.jprs.refuse("newOrder", "rejectedIdentifier", 400, "No.", times=1)
        assert world.certbot(*FORCE).returncode == 1
    assert [each["outcome"] for each in history(world)] == ["revoked", "not-issued"]
    assert record(world) is None
    # The twin: an order that is fulfilled.
    world.certbot(*FORCE).check()
    assert history(world)[-1]["outcome"] == "released"
    assert served(world) == 2 + 1


def test_a_reload_that_fails_is_remembered_until_one_succeeds(world: World) -> None:
    fleet.found(world, [NAME])
    # Broken by a deploy hook, after the challenge.
    breaking = "echo Nonsense >/etc/apache2/conf-enabled/broken.conf"
    world.lineage(NAME).set("renew_hook", breaking)
    assert world.certbot(*FORCE).returncode == 1
    entry = only(world)
    assert (entry["outcome"], entry["hooks"], entry["reload"]) == ("failed", "done", "failed")
    assert entry["status"] == "good"
    world.path("/etc/apache2/conf-enabled/broken.conf").unlink()
    world.lineage(NAME).set("renew_hook", "true")
    world.certbot(*RENEW).check()
    mended = only(world)
    assert (mended["outcome"], mended["hooks"], mended["reload"]) == ("released", "earlier", "done")
    assert (mended["status"], mended["waited"]) == ("good", entry["waited"])


DAMAGES = {
    "torn": 'printf \'{"name": "www.exam\' > {path}',
    "bytes": "head -c 100000 /dev/urandom > {path}",
    "a directory": "mkdir {path}",
    "a pipe": "mkfifo {path}",
    "a device": "ln -s /dev/zero {path}",
    "immutable": "mkdir {path} && mount -t tmpfs -o ro sealed {path}",
}


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(each, marks=needs_namespace("it mounts")) if "mount" in DAMAGES[each] else each
        for each in DAMAGES
    ],
)
def test_a_damaged_history_stops_no_release(world: World, damage: str) -> None:
    fleet.found(world, [NAME], renew_hook=repr(hook("own")))
    world.path(PATH).parent.mkdir(mode=0o700)
    world.run("sh", "-e", "-c", DAMAGES[damage].replace("{path}", PATH)).check()
    world.certbot(*FORCE).check()
    assert served(world) == 2
    assert record(world) is None
    assert len(hooked(world, "own")) == 1
    if damage in ("torn", "bytes"):
        assert only(world)["version"] == 2  # and it is whole again
    else:
        assert "history of renewals could not be written" in world.certbot_log
    assert jprs(world, "status").returncode == 1  # nothing renews it, and nothing else is wrong
    if damage == "immutable":
        world.run("umount", PATH).check()


def test_nothing_of_it_is_secret(world: World) -> None:
    _kid, hmac = world.eab()[1], world.eab()[3]
    first_run(world, NAME)
    world.lineage(NAME).set("renew_hook", "true s3cret")
    world.certbot(*FORCE).check()
    text = world.read(PATH)
    assert PLUGIN not in text
    assert hmac not in text
    assert "s3cret" not in text
    assert time.time() - history(world)[-1]["ended"] < 300
