"""`certbot-jprs status`: one line for a monitoring system, a table, and the same for programs."""

from __future__ import annotations

import argparse
import json
from typing import Any

import pytest

from certbot_jprs.command import status, survey
from certbot_jprs.command.survey import Entry, Survey
from certbot_jprs.ground import language
from certbot_jprs.ground.names import NAME
from certbot_jprs.holding.ending import Done, Ending, Outcome
from certbot_jprs.holding.records import Record
from certbot_jprs.machine.schedulers import Found, Scheduler
from tests.unit.command.entries import well
from tests.unit.config_dir import ConfigDir

SITE = "www.xn--wgv71a119e.jp"


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    language.start("en")


def arrange(monkeypatch: pytest.MonkeyPatch, config_dir: ConfigDir, entries: list[Entry]) -> None:
    found = Found([Scheduler("certbot.timer", sets_proxy=False)])
    known = Survey(str(config_dir), entries, [], found)
    monkeypatch.setattr(survey, "make", lambda _config_dir: known)


def entry_of(config_dir: ConfigDir) -> Entry:
    lineage = config_dir.add(SITE, authenticator=NAME, installer="nginx", renew_hook=None)
    return well(lineage, SITE)


def run(config_dir: ConfigDir, *, as_json: bool = False) -> int:
    words = {"warn_days": None, "crit_days": None, "config_dir": str(config_dir), "output": None}
    return status.run(argparse.Namespace(json=as_json, **words))


def test_all_is_well(
    monkeypatch: pytest.MonkeyPatch, config_dir: ConfigDir, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = entry_of(config_dir)
    arrange(monkeypatch, config_dir, [entry])
    assert run(config_dir) == 0
    head, _empty, titles, row, *rest = capsys.readouterr().out.splitlines()
    assert head == "OK: 1 JPRS certificate(s), 0 with problems"
    assert titles.startswith("NAME")
    assert f"www.日本語.jp ({SITE})" in row
    assert "good" in row
    assert "Automatic renewal: certbot.timer" in rest
    assert not [line for line in rest if line.startswith("WARNING")]


def test_what_is_wrong_is_said_below(
    monkeypatch: pytest.MonkeyPatch, config_dir: ConfigDir, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = entry_of(config_dir)
    entry.record = Record(SITE, held=2, since=1.0, failure="no reload")
    entry.served = {SITE: config_dir.add("other.example.jp").certificate()}
    entry.account_exists = False
    entry.answer = None
    arrange(monkeypatch, config_dir, [entry])
    assert run(config_dir) == 1
    out = capsys.readouterr().out
    assert out.startswith("WARNING: 1 JPRS certificate(s), 1 with problems\n")
    assert "another" in out
    assert "missing" in out
    assert f"WARNING: {SITE}: a new certificate has been waiting" in out
    entry.versions[2] = next(iter(entry.served.values()))
    run(config_dir)
    assert "an older" in capsys.readouterr().out


def test_no_certificate(
    monkeypatch: pytest.MonkeyPatch, config_dir: ConfigDir, capsys: pytest.CaptureFixture[str]
) -> None:
    arrange(monkeypatch, config_dir, [])
    assert run(config_dir) == 3
    head, _empty, _renewal, _empty, finding = capsys.readouterr().out.splitlines()
    assert head == f"UNKNOWN: there is no JPRS certificate in {config_dir}"
    assert "certbot run -a certbot-jprs:http" in finding


def test_for_programs(
    monkeypatch: pytest.MonkeyPatch, config_dir: ConfigDir, capsys: pytest.CaptureFixture[str]
) -> None:
    held, torn = entry_of(config_dir), entry_of(ConfigDir(config_dir.path.parent / "second"))
    held.record = Record(SITE, held=2, since=0.0)
    torn.certificate, torn.answer, torn.served = None, None, {}
    arrange(monkeypatch, config_dir, [held, torn])
    level = run(config_dir, as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["status"] == level == 1
    first, second = document["certificates"]
    assert first["unicode_names"] == {SITE: "www.日本語.jp"}
    assert first["held"]["since"] == "1970-01-01T00:00:00+00:00"
    assert first["served"][SITE]["version"] == 1
    assert [each["kind"] for each in first["problems"]] == ["held"]
    assert (second["serial"], second["held"], second["ocsp"]) == (None, None, None)
    assert [each["kind"] for each in second["problems"]] == ["unreadable"]


def test_renewals_for_programs(
    monkeypatch: pytest.MonkeyPatch, config_dir: ConfigDir, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = entry_of(config_dir)
    good = Ending(SITE, 2, 1, 0.5, 460.5, Outcome.RELEASED, 460.0, "good", 450.0, Done.DONE)
    entry.renewals = [good, Ending(SITE, ended=86400.0, outcome=Outcome.NOT_ISSUED)]
    arrange(monkeypatch, config_dir, [entry])

    def shown() -> Any:
        run(config_dir, as_json=True)
        return json.loads(capsys.readouterr().out)["certificates"][0]["renewals"]

    first, second = shown()
    assert first == {
        "version": 2,
        "replaces": 1,
        "saved": "1970-01-01T00:00:00.500000+00:00",
        "ended": "1970-01-01T00:07:40.500000+00:00",
        "outcome": "released",
        "waited": 460.0,
        "status": "good",
        "unknown_until": 450.0,
        "lag": 460.0,
        "hooks": "done",
        "reload": "none",
    }
    assert (second["outcome"], second["saved"], second["lag"]) == ("not-issued", None, None)
    entry.renewals = None
    assert shown() is None


def test_a_configuration_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, config_dir: ConfigDir, capsys: pytest.CaptureFixture[str]
) -> None:
    def make(_config_dir: str) -> Survey:
        raise PermissionError(13, "Permission denied", "/etc/letsencrypt")

    monkeypatch.setattr(survey, "make", make)
    assert run(config_dir) == 3
    assert "Run this as root" in capsys.readouterr().err


def test_what_is_not_known_of_a_certificate(
    monkeypatch: pytest.MonkeyPatch, config_dir: ConfigDir, capsys: pytest.CaptureFixture[str]
) -> None:
    lineage = config_dir.add(SITE, authenticator=None, installer=None)
    arrange(monkeypatch, config_dir, [Entry(lineage)])
    assert run(config_dir) == 3
    _head, _empty, _titles, row, *_rest = capsys.readouterr().out.splitlines()
    assert row.split() == ["www.日本語.jp", f"({SITE})", "?", "?", "missing"]
