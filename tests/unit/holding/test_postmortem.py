"""The line about each release: what it says, who gets it, and that nobody need be there."""

from __future__ import annotations

import dataclasses
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from certbot_jprs.holding import postmortem
from certbot_jprs.holding.ending import Done, Ending, Outcome
from certbot_jprs.holding.history import History
from tests.unit.config_dir import ConfigDir
from tests.unit.holding.test_history import FULL, HELD


class Journal:
    """What reads at the socket that stands for ``/dev/log``."""

    def __init__(self, path: Path, kind: int) -> None:
        self.socket = socket.socket(socket.AF_UNIX, kind)
        self.socket.bind(str(path))
        self.socket.settimeout(60)

    def read(self) -> str:
        return self.socket.recv(65536).decode()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the journal's socket is to be."""
    path = tmp_path / "log"
    monkeypatch.setattr(postmortem, "SOCKET", str(path))
    return path


@pytest.fixture
def journal(place: Path) -> Iterator[Journal]:
    made = Journal(place, socket.SOCK_DGRAM)
    yield made
    made.socket.close()


def test_what_it_says() -> None:
    assert postmortem.line(FULL) == (
        "outcome=released lineage=www.example.jp version=3 replaces=2 waited=460.125 status=good "
        "hooks=done reload=earlier"
    )
    first = Ending("www.example.jp", 1, outcome=Outcome.RELEASED, waited=0.0, status="unasked")
    assert postmortem.line(first) == (
        "outcome=released lineage=www.example.jp version=1 replaces=- waited=0.0 status=unasked "
        "hooks=none reload=none"
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("*.example.jp-0001", "*.example.jp-0001"),
        ("日本語.jp", "日本語.jp"),
        ("two words", '"two words"'),
        ('a"b\n=', r'"a\"b\n="'),
        ("\udcff", r'"\udcff"'),
    ],
)
def test_a_name_stays_one_value(name: str, shown: str) -> None:
    line = postmortem.line(dataclasses.replace(FULL, name=name))
    assert line.startswith(f"outcome=released lineage={shown} version=3 ")
    assert "\n" not in line


@pytest.mark.parametrize(("ending", "priority"), [(FULL, 30), (HELD, 28)])
def test_the_journal_gets_one_line(
    journal: Journal, config_dir: ConfigDir, ending: Ending, priority: int
) -> None:
    """RFC 3164: facility daemon (3), severity informational (6) or warning (4)."""
    postmortem.conclude(str(config_dir), [ending])
    said = journal.read()
    assert said == f"<{priority}>certbot-jprs[{os.getpid()}]: {postmortem.line(ending)}"
    journal.socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        journal.read()


def test_a_daemon_that_reads_a_stream_gets_it_too(place: Path, config_dir: ConfigDir) -> None:
    daemon = Journal(place, socket.SOCK_STREAM)
    daemon.socket.listen()
    postmortem.conclude(str(config_dir), [FULL])
    connection, _address = daemon.socket.accept()
    with connection:
        assert postmortem.line(FULL) in connection.recv(65536).decode()
    daemon.socket.close()


def test_when_it_ended_is_noted_and_kept(config_dir: ConfigDir, place: Path) -> None:
    ending = dataclasses.replace(FULL, ended=0.0)
    postmortem.conclude(str(config_dir), [ending])
    (entry,) = History(str(config_dir)).entries()
    assert entry.ended > FULL.saved - 1e9
    assert not place.exists()


@pytest.mark.parametrize("what", ["nothing", "a file", "nobody", "a dead link"])
def test_where_nobody_takes_it_nothing_is_said(
    place: Path,
    config_dir: ConfigDir,
    what: str,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    if what == "a file":
        place.touch()
    elif what == "nobody":
        Journal(place, socket.SOCK_DGRAM).socket.close()
    elif what == "a dead link":
        place.symlink_to("/nowhere/dev-log")
    with caplog.at_level("DEBUG"):
        postmortem.conclude(str(config_dir), [FULL, HELD])
    assert capfd.readouterr() == ("", "")
    # Certbot's log has it all the same.
    assert [record.getMessage() for record in caplog.records] == [
        postmortem.line(FULL),
        postmortem.line(HELD),
    ]
    assert {record.levelname for record in caplog.records} == {"INFO"}


def test_it_is_made_of_words_for_programs() -> None:
    for ending in (FULL, HELD, dataclasses.replace(FULL, hooks=Done.FAILED)):
        fields = postmortem.line(ending).split(" ")
        assert all(re.fullmatch(r"[a-z]+=\S+", field) for field in fields)
        assert [field.partition("=")[0] for field in fields] == [
            *("outcome", "lineage", "version", "replaces", "waited", "status", "hooks", "reload")
        ]
