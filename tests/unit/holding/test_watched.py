"""Certbot's own reload, and what visitors are served after it."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography import x509

from certbot_jprs.ground.exceptions import HoldingError
from certbot_jprs.ground.said import words
from certbot_jprs.holding import sight, watched
from certbot_jprs.holding.ending import Done, Ending, Outcome
from certbot_jprs.holding.history import History
from certbot_jprs.holding.records import Record, Store
from certbot_jprs.holding.turn import Turn
from certbot_jprs.internals.delegation import Workers
from certbot_jprs.lineage import files
from certbot_jprs.machine import served
from certbot_jprs.machine.served import Place
from tests.unit.config_dir import ConfigDir

NAME = "www.example.jp"
OTHER = "b.example.jp"


class Desk:
    """Two lineages that were released, and what their web server serves."""

    def __init__(self, config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store = Store(str(config_dir))
        self.certificates: dict[tuple[str, int], x509.Certificate] = {}
        for name in (NAME, OTHER):
            lineage = config_dir.add(name, versions=(1, 2))
            for number in (1, 2):
                self.certificates[name, number] = served.versions(lineage)[number]
            self.store.save(Record(name, held=2))
        self.serves: dict[str, x509.Certificate | None] = {}
        self.after: dict[str, x509.Certificate | None] = {}
        self.told: list[str] = []
        config = SimpleNamespace(config_dir=str(config_dir))
        waiting = [Ending(name, 2) for name in (NAME, "gone.example.jp", OTHER)]
        self.turn = Turn(config, Workers(config), unreloaded=waiting)
        for name in (NAME, OTHER):
            self.serve(name, 1, 2)
        monkeypatch.setattr(served, "listening", lambda _port: ["192.0.2.1"])
        monkeypatch.setattr(served, "look_at", self.look_at)
        monkeypatch.setattr(sight, "SECONDS", 0.05)
        monkeypatch.setattr(sight, "PAUSE", 0.01)
        monkeypatch.setattr(sight.logger, "error", self.told.append)
        monkeypatch.setattr(vars(sight)["display_util"], "notify", self.told.append)

    def serve(self, name: str, before: int, after: int | None) -> None:
        self.serves[name] = self.certificates[name, before]
        self.after[name] = None if after is None else self.certificates[name, after]

    def look_at(self, places: Iterable[Place], _seconds: float = 0) -> dict[Place, Any]:
        return {place: self.serves[place.name] for place in places}

    def reload(self) -> None:
        def reload() -> None:
            self.serves = self.after

        watched.reload(self.turn, reload)

    def history(self) -> dict[str, tuple[Outcome | None, Done]]:
        entries = History(str(self.turn.config.config_dir)).entries()
        return {entry.name: (entry.outcome, entry.reload) for entry in entries}


@pytest.fixture
def desk(config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(config_dir, monkeypatch)


def test_what_is_in_service_is_certbots_to_say(desk: Desk) -> None:
    desk.reload()
    assert desk.told == []
    assert desk.store.names() == []
    assert set(desk.history().values()) == {(Outcome.RELEASED, Done.DONE)}
    assert desk.turn.unreloaded == []


def test_an_older_version_that_is_still_served_is_said_of_the_one_it_is_of(desk: Desk) -> None:
    desk.serve(OTHER, 1, 1)
    desk.reload()
    (line,) = desk.told
    assert f"port 443 of this machine (192.0.2.1; {OTHER}) still does not serve" in line
    assert desk.store.names() == []


def test_what_answers_no_more_fails_the_run_and_stays_recorded(desk: Desk) -> None:
    desk.serve(OTHER, 1, None)
    with pytest.raises(HoldingError, match=r"^Nothing answers any more at port 443") as raised:
        desk.reload()
    assert OTHER in str(raised.value)
    assert NAME not in str(raised.value)
    assert desk.store.names() == [OTHER]
    record = desk.store.load(OTHER)
    assert record is not None
    assert words(record.failure) == str(raised.value)
    assert desk.history()[OTHER] == (Outcome.FAILED, Done.FAILED)
    assert desk.history()[NAME] == (Outcome.RELEASED, Done.DONE)
    assert desk.turn.unreloaded == []


def test_each_that_answers_no_more_has_a_line(desk: Desk) -> None:
    desk.store.remove(OTHER)  # nothing to note it in
    for name in (NAME, OTHER):
        desk.serve(name, 1, None)
    with pytest.raises(HoldingError) as raised:
        desk.reload()
    lines = str(raised.value).split("\n")
    assert [name in line for name, line in zip((NAME, OTHER), lines)] == [True, True]
    assert desk.store.names() == [NAME]


def test_a_reload_that_fails_leaves_all_as_it_was(desk: Desk) -> None:
    def fail() -> None:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        watched.reload(desk.turn, fail)
    assert desk.store.names() == [OTHER, NAME]
    assert NAME in [ending.name for ending in desk.turn.unreloaded]
    assert desk.history() == {}
    assert files.named(desk.turn.config.config_dir, NAME) is not None
