"""``certbot-jprs explain``: what it reads, what it says of where, and nothing of secrets."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

import pytest

from certbot_jprs.command import explain
from certbot_jprs.command.main import main

REFUSED = "urn:ietf:params:acme:error:malformed :: The request … :: Unable to create account\n"
MAC_KEY = "c2VjcmV0LW9mLXRoZS1yZXNlbGxlcg"


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input is a terminal: nothing is sent there."""
    monkeypatch.setattr(explain, "_is_sent_something", lambda: False)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "letsencrypt.log"
    path.write_text(f"{MAC_KEY}\n{REFUSED}")
    os.utime(path, (0, time.mktime((2026, 11, 24, 12, 34, 56, 0, 0, -1))))
    return path


def test_a_log_is_named_and_the_one_before(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--log", str(log)]) == 0
    said = capsys.readouterr()
    assert "malformed: Unable to create account" in said.out
    assert "14 days" in said.out
    assert f"{log} of 2026-11-24 12:34:56" in said.err
    assert ".log.1" not in said.err  # there is none
    assert MAC_KEY not in said.out + said.err

    before = log.with_name("letsencrypt.log.1")
    before.write_text("nothing\n")
    assert main(["explain", "--log", str(log)]) == 0
    assert capsys.readouterr().err.endswith(f"certbot-jprs explain --log {before}\n")

    # And so on, from each to the one before.
    log.with_name("letsencrypt.log.2").write_text("")
    assert main(["explain", "--log", str(before)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert f"No error of JPRS's service in {before}" in said.err
    assert said.err.endswith("--log " + str(log.with_name("letsencrypt.log.2")) + "\n")


def test_the_end_of_a_long_log(
    log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explain, "_MOST", len(REFUSED.encode()))
    assert main(["explain", "--log", str(log)]) == 0
    assert "Unable to create account" in capsys.readouterr().out


def test_no_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--log", str(tmp_path / "none")]) == 1
    said = capsys.readouterr()
    assert f"{tmp_path}/none" in said.err
    assert "explain TEXT" in said.err


def test_words_are_not_a_log(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--log", str(log), "Unable", "to", "create", "account"]) == 0
    said = capsys.readouterr()
    assert "14 days" in said.out
    assert said.err == ""
    assert main(["explain", "all", "is", "well"]) == 1
    assert "No error of JPRS's service was recognised" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "text"), [("pipe", REFUSED), ("file", REFUSED), ("pipe", " \n"), ("tty", "")]
)
def test_standard_input(  # noqa: PLR0917 - fixtures
    log: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    text: str,
) -> None:
    monkeypatch.undo()
    if kind == "pipe":
        reads, writes = os.pipe()
        os.write(writes, text.encode())
        os.close(writes)
    elif kind == "file":
        (tmp_path / "text").write_text(text)
        reads = os.open(tmp_path / "text", os.O_RDONLY)
    else:
        _leader, reads = os.openpty()
    with io.TextIOWrapper(os.fdopen(reads, "rb")) as stream:
        monkeypatch.setattr("sys.stdin", stream)
        assert main(["explain", "--log", str(log)]) == 0
    read_log = "letsencrypt.log" in capsys.readouterr().err
    assert read_log is (text != REFUSED)


def test_without_standard_input(
    log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main(["explain", "--log", str(log)]) == 0
    assert "letsencrypt.log" in capsys.readouterr().err


def test_an_error_that_the_manual_does_not_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "urn:ietf:params:acme:error:compound :: x :: Several"]) == 1
    said = capsys.readouterr()
    assert "compound: Several" in said.out
    assert "designated reseller" in said.out
