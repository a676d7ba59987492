"""`certbot-jprs adopt`: what it changes, what it leaves, and what it refuses."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator

import pytest

from certbot_jprs.command import adopt, locks
from certbot_jprs.ground import language
from certbot_jprs.ground.names import NAME
from certbot_jprs.lineage import files
from certbot_jprs.machine import schedulers
from certbot_jprs.machine.schedulers import Found, Sleep
from tests.unit.config_dir import LETS_ENCRYPT, MANUAL, ConfigDir, snapshot

SITE = "www.example.jp"
ELSEWHERE = Sleep("/etc/crontab", 3, "certbot renew; sleep 600", "certbot renew")


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(schedulers, "find", lambda _config_dir: Found([], [ELSEWHERE]))
    language.start("en")
    yield
    language.start(None)


def run(directory: ConfigDir, *names: str, everything: bool = False, yes: bool = True) -> int:
    return adopt.run(
        argparse.Namespace(names=list(names), all=everything, config_dir=str(directory), yes=yes)
    )


def test_one(config_dir: ConfigDir, capsys: pytest.CaptureFixture[str]) -> None:
    config_dir.add(SITE)
    assert run(config_dir, SITE, SITE) == 0  # named twice, done once
    told = capsys.readouterr()
    assert f"-renew_hook = {MANUAL['renew_hook']}" in told.out
    assert f"+authenticator = {NAME}" in told.out
    assert told.out.count("To undo this: mv") == 1
    assert ELSEWHERE.path in told.err
    lineage = files.read(str(config_dir.conf(SITE)))
    assert (lineage.authenticator, lineage.installer) == (NAME, NAME)
    assert "sleep" not in config_dir.conf(SITE).read_text(encoding="utf-8")
    assert run(config_dir, SITE) == 0
    assert "nothing to do" in capsys.readouterr().out


def test_all(config_dir: ConfigDir, capsys: pytest.CaptureFixture[str]) -> None:
    config_dir.add("a.example.jp")
    config_dir.add("b.example.jp", authenticator=NAME, installer=NAME)  # its hook still sleeps
    config_dir.add("other.example.jp", server=LETS_ENCRYPT)
    other = config_dir.conf("other.example.jp").read_bytes()
    assert run(config_dir, everything=True) == 0
    assert capsys.readouterr().out.count("To undo this") == 2
    assert config_dir.conf("other.example.jp").read_bytes() == other
    assert run(config_dir, everything=True) == 0
    assert "no certificate here" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"server": LETS_ENCRYPT}, f"certbot run -a {NAME}"),
        ({"authenticator": "other", "installer": "other"}, "certbot-jprs wait-ocsp"),
    ],
)
def test_refused(
    config_dir: ConfigDir,
    capsys: pytest.CaptureFixture[str],
    params: dict[str, str],
    words: str,
) -> None:
    config_dir.add("good.example.jp")
    config_dir.write_conf(SITE, **params)
    before = config_dir.conf(SITE).read_bytes()
    assert run(config_dir, SITE, "none", "good.example.jp") == 1
    told = capsys.readouterr()
    assert words in told.err
    assert "There is no certificate none" in told.err
    assert "good.example.jp is now managed" in told.out
    assert config_dir.conf(SITE).read_bytes() == before


def test_names_or_all(config_dir: ConfigDir, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config_dir) == run(config_dir, SITE, everything=True) == 1
    assert capsys.readouterr().err.count("or --all") == 2


def test_no_directory(config_dir: ConfigDir, capsys: pytest.CaptureFixture[str]) -> None:
    (config_dir.path / "renewal").rmdir()
    assert run(config_dir, everything=True) == 1
    assert "Run this as root" in capsys.readouterr().err


def test_while_certbot_runs(
    config_dir: ConfigDir, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config_dir.add(SITE)
    before = snapshot(config_dir.path)

    def held(_config_dir: str) -> object:
        raise locks.Locked

    monkeypatch.setattr(locks, "held", held)
    assert run(config_dir, SITE) == 1
    assert "Another Certbot is running" in capsys.readouterr().err
    assert snapshot(config_dir.path) == before


def test_where_a_certbot_begins_meanwhile(
    config_dir: ConfigDir, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "a.example.jp"
    for name in (SITE, other):
        config_dir.add(name)
    before = config_dir.conf(SITE).read_bytes()
    begun: list[str] = []
    held = locks.held

    def locked(directory: str) -> contextlib.AbstractContextManager[None]:
        begun.append(directory)
        if len(begun) == 3:  # the first look, then one for each
            raise locks.Locked
        return held(directory)

    monkeypatch.setattr(locks, "held", locked)
    assert run(config_dir, other, SITE) == 1
    assert "Another Certbot is running" in capsys.readouterr().err
    assert NAME in config_dir.conf(other).read_text(encoding="utf-8")
    assert config_dir.conf(SITE).read_bytes() == before


@pytest.mark.parametrize(
    ("answer", "done"), [("y", True), ("n", False), ("", False), (None, False)]
)
def test_asks(
    config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch, answer: str | None, done: bool
) -> None:
    config_dir.add(SITE)
    before = config_dir.conf(SITE).read_bytes()

    def answered(_question: str) -> str:
        if answer is None:
            raise EOFError
        return answer

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", answered)
    assert (run(config_dir, SITE, yes=False) == 0) is done
    assert (config_dir.conf(SITE).read_bytes() != before) is done


def test_nobody_to_ask(
    config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config_dir.add(SITE)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert run(config_dir, SITE, yes=False) == 1
    assert "--yes" in capsys.readouterr().err


def test_changed_while_it_asked(
    config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config_dir.add(SITE)

    def answered(_question: str) -> str:
        config_dir.write_conf(SITE, rsa_key_size="3072")
        return "y"

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", answered)
    assert run(config_dir, SITE, yes=False) == 1
    assert "changed meanwhile" in capsys.readouterr().err
    assert "rsa_key_size = 3072" in config_dir.conf(SITE).read_text(encoding="utf-8")
