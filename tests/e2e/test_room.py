"""File systems without room, or read-only as a whole: nothing is ordered, nothing lost."""

from __future__ import annotations

import json

import pytest

from tests.e2e.command import jprs
from tests.e2e.held import (
    FORCE,
    HOOKED,
    NAME,
    RENEW,
    hold,
    hook,
    hooked,
    record,
    serials,
    served,
    until,
)
from tests.e2e.needs import needs_namespace
from tests.e2e.test_held_records import words
from tests.lab import World, fleet
from tests.lab.files import hashes

PLUGIN = "certbot-jprs:http"
ETC = "/etc/letsencrypt"

FULL_OF_FILES = f"""
cp -a {ETC} /run/tmp/kept
mount -t tmpfs -o size=8m,nr_inodes=2000 few {ETC}
cp -a /run/tmp/kept/. {ETC}/
left=$(df --output=iavail {ETC} | tail -1)
mkdir {ETC}/filled
for number in $(seq $((left - 1 - $1))); do : > {ETC}/filled/$number; done
"""


@needs_namespace("it mounts")
@pytest.mark.parametrize("left", [*range(2, 8), 20])
def test_without_inodes_nothing_is_ordered(world: World, left: int) -> None:
    fleet.found(world, [NAME])
    world.certbot("plugins", "--init", "--prepare").check()  # Certbot's own first files
    world.path(f"{ETC}/certbot-jprs/held").mkdir(parents=True)
    world.run("sh", "-e", "-c", FULL_OF_FILES, "-", str(left)).check()
    try:
        result = world.certbot(*FORCE)
        assert result.returncode == 1
        said = words(result.output)
        assert "Nothing was ordered" in said
        assert "No space left" in said
        assert "newOrder" not in world.jprs.steps()
        assert served(world) == 1
        assert [*world.path(f"{ETC}/certbot-jprs").rglob(".*")] == []
    finally:
        world.run("umount", ETC).check()


@needs_namespace("it mounts")
@pytest.mark.parametrize("left", [45])
def test_with_enough_inodes_it_is_ordered_and_saved(world: World, left: int) -> None:
    fleet.found(world, [NAME])
    world.run("sh", "-e", "-c", FULL_OF_FILES, "-", str(left)).check()
    try:
        world.certbot(*FORCE).check()
        assert served(world) == 2
        assert record(world) is None
    finally:
        world.run("umount", ETC).check()


def read_only(world: World, *, on: bool) -> None:
    if on:
        world.run("mount", "--bind", ETC, ETC).check()
        world.run("mount", "-o", "remount,bind,ro", ETC).check()
    else:
        world.run("umount", ETC).check()


@needs_namespace("it mounts")
@pytest.mark.parametrize("verb", ["renew", "run"])
@pytest.mark.parametrize("state", ["held", "nothing held"])
def test_a_configuration_directory_that_is_read_only_as_a_whole(
    world: World, state: str, verb: str
) -> None:
    if state == "held":
        hold(world, renew_hook=repr(hook("own")))
    else:
        fleet.found(world, [NAME])
    world.ocsp.behave(None)
    world.path(HOOKED).unlink(missing_ok=True)
    before = hashes(world.path(ETC))
    kept = record(world)
    count = len(serials(world))
    world.jprs.requests.clear()
    read_only(world, on=True)
    try:
        line = ("run", "-n", "-a", PLUGIN, "-d", NAME, "--force-renewal")
        result = world.certbot(*(FORCE if verb == "renew" else line))
        assert result.returncode == 1
        assert "Read-only file system" in result.output
        assert "newOrder" not in world.jprs.steps()
        assert hashes(world.path(ETC)) == before
        world.apache.graceful()
        assert served(world) == 1
        assert hooked(world) == []
        said = json.loads(jprs(world, "status", "--json").stdout)
        (entry,) = said["certificates"]
        assert (entry["held"] or {}).get("version") == (kept or {}).get("held")
    finally:
        read_only(world, on=False)
    assert record(world) == kept
    world.certbot(*(RENEW if state == "held" else FORCE)).check()
    assert served(world) == 2
    assert len(serials(world)) == (count if state == "held" else count + 1)
    assert record(world) is None


def test_status_writes_nothing(world: World) -> None:
    hold(world)
    world.write(f"{ETC}/certbot-jprs/held/{NAME}.json", "{")
    before = hashes(world.path(ETC))
    said = json.loads(jprs(world, "status", "--json").stdout)
    assert hashes(world.path(ETC)) == before
    assert said["certificates"][0]["held"]["version"] == 2
    world.certbot(*RENEW)  # the twin: a run mends the record
    assert hashes(world.path(ETC)) != before


@pytest.mark.parametrize("kind", ["pipe", "device", "directory"])
def test_what_is_no_file_in_a_records_place_hangs_nobody(world: World, kind: str) -> None:
    hold(world, renew_hook=repr(hook("own")))
    world.ocsp.behave(None)
    path = f"{ETC}/certbot-jprs/held/{NAME}.json"
    make = {
        "pipe": ("mkfifo", path),
        "device": ("ln", "-s", "/dev/zero", path),
        "directory": ("mkdir", path),
    }
    world.path(path).unlink()
    world.run(*make[kind]).check()
    jprs(world, "status")
    world.certbot(*RENEW).check()
    assert served(world) == 2
    # Once, not at each run.
    world.certbot(*RENEW).check()
    assert len(hooked(world, "own")) == 1
    assert record(world) is None


def test_a_name_that_is_no_text_stops_nothing(world: World) -> None:
    hold(world)
    world.ocsp.behave(None)
    world.run("sh", "-c", f"touch {ETC}/certbot-jprs/held/$(printf '\\377').json").check()
    world.certbot(*RENEW).check()
    assert served(world) == 2


@pytest.mark.parametrize("since", ["NaN", "Infinity", "1e300", "-1e300"])
def test_a_time_that_is_none(world: World, since: str) -> None:
    hold(world)
    world.ocsp.behave(None)
    path = world.path(f"{ETC}/certbot-jprs/held/{NAME}.json")
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "since": "X"}).replace('"X"', since))
    said = json.loads(jprs(world, "status", "--json").stdout)
    assert said["certificates"][0]["held"]["version"] == 2
    assert "WARNING" in jprs(world, "status").stdout
    world.certbot(*RENEW).check()
    assert served(world) == 2


def test_a_standard_output_that_is_closed_stops_no_release(world: World) -> None:
    hold(world)
    world.lineage(NAME).set("certbot_jprs:http_ocsp_timeout", "120", "renewalparams")
    world.ocsp.behave(None)
    world.ocsp.lag = 600
    command = " ".join((str(world.certbot_command()), *RENEW))
    # The reader goes when the wait has begun.
    reader = "{ grep -m 1 'not yet in service' && exec >&- && touch /run/tmp/gone; }"
    with world.spawn("sh", "-c", f"{command} 2>/dev/null | {reader}") as running:
        until(world.path("/run/tmp/gone").exists)
        world.ocsp.lag = 0
        running.wait().check()
    newest = world.lineage(NAME).versions()[-1]

    def released() -> bool:
        return world.lineage(NAME).version() == newest and record(world) is None

    assert released()
