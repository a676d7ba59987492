"""``certbot-jprs status --prometheus`` on a machine that lives: what each change does to it."""

from __future__ import annotations

import re
import stat
import time
from pathlib import Path

from certbot_jprs.ground.names import NAME as PLUGIN
from tests.e2e.command import COMMAND, jprs
from tests.e2e.held import FORCE, IMPATIENT, NAME, RENEW
from tests.e2e.test_status import CRON, second_version
from tests.e2e.waiting import saved_at
from tests.lab import World, fleet
from tests.unit.command.promtool import GAUGES, Samples, check, samples

DIRECTORY = "/run/tmp/node-exporter"
FILE = f"{DIRECTORY}/certbot-jprs.prom"


def metrics(world: World) -> Samples:
    """Returns what the command prints, which ``promtool`` finds nothing wrong with."""
    result = jprs(world, "status", "--prometheus")
    assert (result.returncode, result.stderr) == (0, ""), f"{result}"
    assert check(result.stdout) == ""
    return samples(result.stdout)


def problems(said: Samples) -> dict[str, float]:
    return {key[1]: value for key, value in said.items() if key[0] == "problems" and value}


def status_of(said: Samples) -> list[str]:
    return [key[2] for key, value in said.items() if key[0] == "ocsp_status" and value]


def test_from_well_to_held_and_back(world: World) -> None:
    world.write("/etc/cron.d/certbot", CRON)
    fleet.found(world, [NAME], **IMPATIENT)
    said = metrics(world)
    assert problems(said) == {}
    assert status_of(said) == ["good"]
    assert (said["served_matches", NAME], said["schedulers",]) == (1, 1)
    assert 80 < (said["certificate_not_after_timestamp_seconds", NAME] - time.time()) / 86400 < 91
    assert abs(said["status_timestamp_seconds",] - time.time()) < 300
    # Nothing was renewed yet: nothing is said of it.
    names = {key[0] for key in said}
    assert not names & {"held_since_timestamp_seconds", "last_renewal_success", "ocsp_lag_seconds"}

    world.ocsp.behave("unknown")
    assert world.certbot(*FORCE).returncode == 1
    world.ocsp.behave(None)
    said = metrics(world)
    assert problems(said) == {"held": 1}
    assert abs(said["held_since_timestamp_seconds", NAME] - time.time()) < 300
    assert said["last_renewal_success", NAME] == 0
    assert ("ocsp_lag_seconds", NAME) not in said
    assert said["served_matches", NAME] == 1  # the old one, which is in service

    world.certbot(*RENEW).check()
    said = metrics(world)
    assert problems(said) == {}
    assert ("held_since_timestamp_seconds", NAME) not in said
    assert said["last_renewal_success", NAME] == 1
    assert abs(said["last_renewal_timestamp_seconds", NAME] - time.time()) < 300
    assert 1 <= said["ocsp_lag_seconds", NAME] < 300


def test_the_lag_is_that_of_the_newest(world: World) -> None:
    fleet.found(world, [NAME])
    for lag in (0, 6):
        world.ocsp.lag = lag
        world.certbot(*FORCE).check()
    newest = world.ocsp.known_at(world.jprs.issued[-1].serial) - saved_at(world, 3)
    assert newest > 1
    assert newest < metrics(world)["ocsp_lag_seconds", NAME] < newest + 60


def test_revoked_not_served_and_nobody_renews(world: World) -> None:
    fleet.found(world, [NAME, "b.example.jp"])
    world.ocsp.behave("revoked", name=NAME)
    second_version(world, "b.example.jp")
    said = metrics(world)
    assert said["ocsp_status", NAME, "revoked"] == 1
    assert said["ocsp_status", "b.example.jp", "good"] == 1
    assert (said["served_matches", NAME], said["served_matches", "b.example.jp"]) == (1, 0)
    assert said["schedulers",] == 0
    assert problems(said) == {"revoked": 1, "served-other": 1, "no-scheduler": 1}
    world.apache.graceful()
    world.ocsp.behave("http500")
    said = metrics(world)
    assert said["served_matches", "b.example.jp"] == 1
    assert status_of(said) == ["undetermined"] * 2


def test_a_machine_without_a_certificate(world: World) -> None:
    said = metrics(world)
    assert problems(said) == {"no-certificate": 1}
    assert {key[0] for key in said} == {"problems", "schedulers", "status_timestamp_seconds"}


def test_the_timers_command_writes_what_node_exporter_reads(world: World) -> None:
    fleet.kept(world, [NAME])
    unit = Path(__file__).parents[2] / "packaging/systemd/certbot-jprs-metrics.service"
    (line,) = re.findall(r"^ExecStart=(.+)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
    installed, *words = line.split()
    assert installed == "/usr/bin/certbot-jprs"
    world.run(COMMAND, *words, env={"LANG": "", "HOME": ""}).check()
    text = world.read("/var/lib/prometheus/node-exporter/certbot-jprs.prom")
    assert check(text) == ""
    assert ("certificate_not_after_timestamp_seconds", NAME) in samples(text)


def test_the_file_is_for_node_exporter(world: World) -> None:
    fleet.kept(world, [NAME])
    words = (COMMAND, "status", "--prometheus", "--output", FILE)
    result = world.run("sh", "-c", f"umask 077; {' '.join(words)}")
    assert result.returncode == 3, f"{result}"
    assert "textfile collector" in result.stderr
    world.path(DIRECTORY).mkdir()
    result = world.run("sh", "-c", f"umask 077; {' '.join(words)}").check()
    assert result.output == ""
    assert stat.S_IMODE(world.path(FILE).stat().st_mode) == 0o644
    reader = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    text = world.run(*reader, "cat", FILE).check().stdout
    assert check(text) == ""
    assert {f"certbot_jprs_{key[0]}" for key in samples(text)} <= set(GAUGES)
    assert [path.name for path in world.path(DIRECTORY).iterdir()] == ["certbot-jprs.prom"]
    assert PLUGIN not in text
