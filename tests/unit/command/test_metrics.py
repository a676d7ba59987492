"""`certbot-jprs status --prometheus`: what Prometheus reads of it, and who may read the file."""

from __future__ import annotations

import argparse
import ast
import dataclasses
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

import certbot_jprs
from certbot_jprs.command import judging, metrics, survey
from certbot_jprs.command.levels import KINDS
from certbot_jprs.command.main import main
from certbot_jprs.command.survey import Entry, Survey
from certbot_jprs.ground import language
from certbot_jprs.ground.names import NAME
from certbot_jprs.holding.ending import Ending, Outcome
from certbot_jprs.holding.records import Record
from certbot_jprs.machine.schedulers import Found, Scheduler
from certbot_jprs.ocsp.evaluation import Answer, Status
from tests.unit.command.entries import well
from tests.unit.command.promtool import GAUGES, Samples, check, samples
from tests.unit.config_dir import ConfigDir

SITE = "www.example.jp"
OTHER = "日本語.jp"

Show = Callable[..., str]


pytestmark = pytest.mark.usefixtures("english")


@pytest.fixture
def entry(config_dir: ConfigDir) -> Entry:
    """One with which nothing is wrong, and of which nothing is remembered."""
    lineage = config_dir.add(SITE, authenticator=NAME, installer=NAME, renew_hook=None)
    made = well(lineage, SITE)
    made.renewals = []
    return made


@pytest.fixture
def show(
    config_dir: ConfigDir,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Show:
    """Returns what is printed of some entries, or said where that fails."""

    def shown(
        *entries: Entry, schedulers: int = 1, options: tuple[str, ...] = (), status: int = 0
    ) -> str:
        found = Found([Scheduler(f"{number}", sets_proxy=False) for number in range(schedulers)])
        known = Survey(str(config_dir), list(entries), [], found)
        monkeypatch.setattr(survey, "make", lambda _config_dir: known)
        words = ["status", "--prometheus", "--config-dir", str(config_dir), *options]
        assert main(words) == status
        said = capsys.readouterr()
        assert (said.out if status else said.err) == ""
        return said.err if status else said.out

    return shown


def test_all_is_well(show: Show, entry: Entry) -> None:
    assert entry.not_after is not None
    said = samples(show(entry))
    at = said.pop(("status_timestamp_seconds",))
    assert at > 1.7e9
    expected: Samples = {
        ("certificate_not_after_timestamp_seconds", SITE): entry.not_after.timestamp(),
        ("ocsp_status", SITE, "good"): 1,
        ("ocsp_status", SITE, "revoked"): 0,
        ("ocsp_status", SITE, "unknown"): 0,
        ("ocsp_status", SITE, "undetermined"): 0,
        ("ocsp_status", SITE, "unasked"): 0,
        ("served_matches", SITE): 1,
        ("schedulers",): 1,
        **{("problems", kind): 0 for kind in KINDS},
    }
    assert said == expected


def everything(config_dir: ConfigDir, entry: Entry) -> list[Entry]:
    """Makes entries of which each gauge has something to tell."""
    held = dataclasses.replace(entry)
    held.lineage = config_dir.add(OTHER, ["xn--wgv71a119e.jp"], installer=NAME, renew_hook=None)
    held.record = Record(OTHER, in_service=1, held=2, since=1_800_000_000.5)
    held.answer = Answer(Status.REVOKED, "")
    held.newest = 2
    held.served = {SITE: held.lineage.certificate()}
    held.renewals = [
        Ending(OTHER, 1, None, 1e9, 1e9 + 90, Outcome.RELEASED, waited=90.25, status="good"),
        Ending(OTHER, 2, 1, 1e9, 2e9, Outcome.HELD, waited=900.0, status="unknown"),
    ]
    entry.renewals = held.renewals[:1]
    return [entry, held]


def test_what_is_wrong(show: Show, config_dir: ConfigDir, entry: Entry) -> None:
    said = samples(show(*everything(config_dir, entry), schedulers=2))
    expected: dict[tuple[str, ...], Any] = {
        ("certificate_not_after_timestamp_seconds", OTHER): pytest.approx(2e9, abs=1e9),
        **{
            ("ocsp_status", OTHER, status): float(status == "revoked")
            for status in ("good", "revoked", "unknown", "undetermined", "unasked")
        },
        ("held_since_timestamp_seconds", OTHER): 1_800_000_000.5,
        ("served_matches", OTHER): 0,
        ("last_renewal_success", OTHER): 0,
        ("last_renewal_timestamp_seconds", OTHER): 2e9,
        # The newest is not known yet: nothing is said of its lag.
    }
    assert {key: value for key, value in said.items() if key[1:2] == (OTHER,)} == expected
    assert said["last_renewal_success", SITE] == 1
    assert said["last_renewal_timestamp_seconds", SITE] == 1e9 + 90
    assert said["ocsp_lag_seconds", SITE] == 90.25
    assert said["schedulers",] == 2
    wrong = {key[1]: value for key, value in said.items() if key[0] == "problems" and value}
    assert wrong == {"held": 1, "revoked": 1, "served-other": 1, "schedulers": 1}


def test_what_is_not_known_has_no_sample(show: Show, entry: Entry) -> None:
    entry.certificate, entry.answer, entry.served = None, None, {}
    entry.renewals = None
    said = samples(show(entry, schedulers=0))
    assert {key[0] for key in said if SITE in key} == {"ocsp_status"}
    assert said["ocsp_status", SITE, "unasked"] == 1
    assert said["schedulers",] == 0
    assert said["problems", "unreadable"] == 1


def test_a_name_that_leads_elsewhere_is_not_judged(
    show: Show, config_dir: ConfigDir, entry: Entry
) -> None:
    other = config_dir.add("other.example.jp").certificate()
    entry.served = {SITE: other}
    entry.lineage = config_dir.add("mail.example.jp", installer=None, renew_hook=None)
    assert not any(key[0] == "served_matches" for key in samples(show(entry)))
    # But one of its own versions is.
    entry.versions = {1: other, 2: entry.lineage.certificate()}
    assert samples(show(entry))["served_matches", "mail.example.jp"] == 0


def test_no_certificate(show: Show) -> None:
    said = samples(show())
    assert said["problems", "no-certificate"] == 1
    assert {key[0] for key in said} == {"problems", "schedulers", "status_timestamp_seconds"}


def test_names_and_labels_are_fixed(show: Show, config_dir: ConfigDir, entry: Entry) -> None:
    text = show(*everything(config_dir, entry))
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert {family.type for family in families.values()} == {"gauge"}
    labels = {
        name: set().union(*(each.labels for each in family.samples))
        for name, family in families.items()
    }
    assert labels == GAUGES


def test_promtool_is_content(show: Show, config_dir: ConfigDir, entry: Entry) -> None:
    text = show(*everything(config_dir, entry))
    assert check(text) == ""
    # The twin: without a help text it is not.
    lines = [
        line for line in text.splitlines(keepends=True) if "HELP certbot_jprs_sched" not in line
    ]
    assert "certbot_jprs_schedulers no help text" in check("".join(lines))


def test_it_says_the_same_in_every_language(
    show: Show, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> list[str]:
        return [line for line in show(entry).splitlines() if line.startswith("#")]

    english = told()
    language.start("ja")
    assert told() == english


# The file


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_others_may_read_the_file(show: Show, entry: Entry, tmp_path: Path, umask: int) -> None:
    path = tmp_path / "certbot-jprs.prom"
    old = os.umask(umask)
    try:
        assert show(entry, options=("--output", str(path))) == ""
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    assert ("certificate_not_after_timestamp_seconds", SITE) in samples(text)
    assert os.listdir(tmp_path / "") != []


def test_it_is_replaced_whole(
    show: Show, entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "certbot-jprs.prom"
    path.write_text("what was there\n")
    seen: list[str] = []
    replace = os.replace

    def look(source: str, target: str) -> None:
        seen.append(path.read_text())
        assert not source.endswith(".prom")  # what the collector reads
        replace(source, target)

    monkeypatch.setattr(os, "replace", look)
    show(entry, options=("--output", str(path)))
    assert seen == ["what was there\n"]
    assert "certbot_jprs_schedulers 1.0" in path.read_text()


@pytest.mark.parametrize(
    ("place", "why"), [("none/x.prom", "No such file"), (".", "Is a directory")]
)
def test_a_file_that_cannot_be_written(
    show: Show, entry: Entry, tmp_path: Path, place: str, why: str
) -> None:
    said = show(entry, options=("--output", str(tmp_path / place)), status=3)
    # The file that was named, not the temporary one beside it.
    assert f"({tmp_path / place}: {why}" in said
    assert "textfile collector" in said


# What it needs


@pytest.mark.parametrize("spoken", ["en", "ja"])
def test_without_the_library_it_says_what_to_install(
    spoken: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(metrics, "prometheus_client", None)
    monkeypatch.setattr(judging, "judge", lambda _arguments: pytest.fail("it looked all the same"))
    language.start(spoken)
    assert metrics.run(argparse.Namespace(output=None)) == 3
    said = capsys.readouterr().err
    assert "apt-get install python3-prometheus-client" in said
    assert "pip install 'certbot-jprs[prometheus]'" in said
    assert ("インストール" in said) == (spoken == "ja")


def test_only_this_needs_the_library() -> None:
    """Where it is missing, all else works: nothing else imports it."""
    script = (
        "import sys; sys.modules['prometheus_client'] = None\n"
        "from certbot_jprs.command.main import main\n"
        "main(['status', '--config-dir', '/nonexistent'])\n"
        "sys.exit(10 + main(['status', '--prometheus', '--config-dir', '/nonexistent']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 13, done.stderr
    assert "no-config-dir" not in done.stdout
    assert "prometheus_client" in done.stderr


def test_a_configuration_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def make(_config_dir: str) -> Survey:
        raise PermissionError(13, "Permission denied", "/etc/letsencrypt")

    monkeypatch.setattr(survey, "make", make)
    path = tmp_path / "x.prom"
    assert main(["status", "--prometheus", "--output", str(path)]) == 3
    assert "Run this as root" in capsys.readouterr().err
    assert not path.exists()


# Kinds


def constants(nodes: Sequence[ast.expr]) -> set[str]:
    return {str(node.value) for node in nodes if isinstance(node, ast.Constant)}


def test_every_kind_of_problem_is_known() -> None:
    """Each has a sample before there is such a problem: alerts see it come."""
    found: set[str] = set()
    for name in ("findings", "damage"):
        source = Path(certbot_jprs.__file__).parent / "command" / f"{name}.py"
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("add", "Finding"):
                found |= constants(node.args)
            elif isinstance(node, ast.FunctionDef) and node.name == "add":
                found |= constants(node.args.defaults)
    assert found == set(KINDS)
    assert list(KINDS) == sorted(KINDS)
