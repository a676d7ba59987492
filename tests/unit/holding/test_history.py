"""The history of renewals: kept, bounded, and in nobody's way."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
from pathlib import Path

import pytest

from certbot_jprs.holding import history
from certbot_jprs.holding.ending import UNASKED, Done, Ending, Outcome
from certbot_jprs.holding.history import History
from certbot_jprs.lineage import durable
from tests.unit.config_dir import ConfigDir

NAME = "www.example.jp"

FULL = Ending(
    NAME,
    version=3,
    replaces=2,
    saved=1_800_000_000.5,
    ended=1_800_000_470.25,
    outcome=Outcome.RELEASED,
    waited=460.125,
    status="good",
    unknown_until=450.0,
    hooks=Done.DONE,
    reload=Done.EARLIER,
)
HELD = dataclasses.replace(
    FULL, outcome=Outcome.HELD, waited=900.0, status="unknown", unknown_until=899.0
)


@pytest.fixture
def kept(config_dir: ConfigDir) -> History:
    return History(str(config_dir))


def path(config_dir: ConfigDir) -> Path:
    return config_dir.path / "certbot-jprs" / "history.jsonl"


def test_where_nothing_was_kept_there_is_nothing(kept: History) -> None:
    assert kept.entries() == []
    kept.add([])
    assert not os.path.exists(kept.path)


@pytest.mark.parametrize(
    "ending",
    [
        FULL,
        HELD,
        Ending("日本語.jp", outcome=Outcome.NOT_ISSUED),
        Ending("\udcff", outcome=Outcome.HELD),
    ],
)
def test_what_is_kept_is_read_back(kept: History, config_dir: ConfigDir, ending: Ending) -> None:
    kept.add([ending])
    assert kept.entries() == [ending]
    assert stat.S_IMODE(path(config_dir).stat().st_mode) == 0o600
    assert stat.S_IMODE(path(config_dir).parent.stat().st_mode) == 0o700
    (line,) = path(config_dir).read_text().splitlines()
    assert json.loads(line)["outcome"] == ending.outcome.value if ending.outcome else False


def test_it_is_known_once_it_is_good() -> None:
    assert FULL.known_after == 460.125
    for status in ("unknown", "undetermined", "revoked", UNASKED, None):
        assert dataclasses.replace(FULL, status=status).known_after is None


def test_the_newest_stay_and_the_last_of_each_lineage(
    kept: History, config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MOST", 3)
    for name in ("seldom.jp", "often.jp"):
        config_dir.add(name)

    def add(name: str, version: int) -> None:
        kept.add([dataclasses.replace(FULL, name=name, version=version)])

    add("deleted.jp", 1)
    add("seldom.jp", 1)
    add("seldom.jp", 2)
    for version in range(1, 6):
        add("often.jp", version)
    found = [(entry.name, entry.version) for entry in kept.entries()]
    assert found == [("seldom.jp", 2), ("often.jp", 3), ("often.jp", 4), ("often.jp", 5)]


def test_a_fleets_year_fits() -> None:
    assert history.MOST >= 40 * 365 // 60


def test_what_came_to_nothing_has_one_entry(kept: History) -> None:
    later = dataclasses.replace(HELD, ended=HELD.ended + 43200, waited=44100.0, unknown_until=None)
    other = dataclasses.replace(FULL, name="b.example.jp")
    kept.add([HELD])
    kept.add([other])
    kept.add([later])
    # What an earlier run heard is not forgotten: since then at the latest it could be known.
    assert kept.entries() == [other, dataclasses.replace(later, unknown_until=899.0)]
    # An order that came to nothing is another matter.
    failed = Ending(NAME, outcome=Outcome.NOT_ISSUED)
    kept.add([failed, failed])
    assert [entry.outcome for entry in kept.entries()] == [
        Outcome.RELEASED,
        Outcome.HELD,
        Outcome.NOT_ISSUED,
    ]


def test_a_release_that_goes_on_keeps_what_was_measured(kept: History) -> None:
    """The reload failed after a good; the next run reloads, and does not ask again."""
    kept.add([dataclasses.replace(FULL, outcome=Outcome.FAILED, reload=Done.FAILED)])
    again = Ending(NAME, 3, 2, FULL.saved, FULL.ended + 60, Outcome.RELEASED, hooks=Done.EARLIER)
    kept.add([again])
    (entry,) = kept.entries()
    assert (entry.outcome, entry.known_after, entry.unknown_until) == (
        Outcome.RELEASED,
        460.125,
        450.0,
    )
    assert entry.ended == again.ended
    # What is in service stays as it is.
    kept.add([dataclasses.replace(again, ended=again.ended + 60)])
    assert len(kept.entries()) == 2


def changed(**values: object) -> str:
    return json.dumps({**FULL.values(), **values})


NONE = [
    "",
    "{",
    "\x00" * 50,
    "[]",
    "null",
    "[" * 100_000,
    changed(name=None),
    changed(outcome="splendid"),
    changed(outcome=None),
    changed(outcome=[]),
    changed(hooks={}),
    changed(version="3"),
    changed(version=True),
    changed(ended="now"),
    changed(ended=float("nan")),
    changed(ended=float("inf")),
    changed(saved=-1),
    changed(waited="long"),
    changed(status=200),
    json.dumps({"name": NAME}),
]


@pytest.mark.parametrize("line", NONE)
def test_a_line_that_is_none_is_left_out(kept: History, config_dir: ConfigDir, line: str) -> None:
    kept.add([FULL])
    with path(config_dir).open("a") as file:
        file.write(f"{line}\n")
    later = changed(version=4, added_by_a_later_version={"of": "this program"})
    with path(config_dir).open("a") as file:
        file.write(f"{later}\n")
    assert [entry.version for entry in kept.entries()] == [3, 4]
    kept.add([dataclasses.replace(FULL, version=5)])
    assert [entry.version for entry in kept.entries()] == [3, 4, 5]
    assert len(path(config_dir).read_text().splitlines()) == 3


def test_bytes_that_are_no_text_cost_their_line_alone(kept: History, config_dir: ConfigDir) -> None:
    kept.add([FULL])
    with path(config_dir).open("ab") as file:
        file.write(b"\xff\xfe\x80 torn by a disk\n")
    assert kept.entries() == [FULL]


@pytest.mark.parametrize("what", ["a directory", "a pipe", "unreadable", "no room"])
def test_what_cannot_be_kept_is_only_logged(
    kept: History,
    config_dir: ConfigDir,
    what: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept.add([FULL])
    if what == "a directory":
        path(config_dir).unlink()
        path(config_dir).mkdir()
    elif what == "a pipe":
        path(config_dir).unlink()
        os.mkfifo(path(config_dir))
    elif what == "unreadable":

        def deny(_path: str) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(vars(history)["os"], "stat", deny)
    else:

        def full(*_args: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(durable, "write", full)
    with caplog.at_level("INFO"):
        kept.add([HELD])
    (record,) = caplog.records
    assert record.levelname == "INFO"
    assert "history of renewals could not be written" in record.getMessage()
    monkeypatch.undo()
    if what in ("unreadable", "no room"):
        assert kept.entries() == [FULL]
