"""The command line of ``certbot-jprs``: help, wrong use, and what monitoring is told."""

from __future__ import annotations

import importlib
import io
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from certbot_jprs.command import survey
from certbot_jprs.command.levels import Level, Limits
from certbot_jprs.command.main import main
from certbot_jprs.machine import schedulers

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("command", "example"),
    [
        ("wait-ocsp", '--deploy-hook "certbot-jprs wait-ocsp && systemctl reload nginx"'),
        ("status", "certbot-jprs status --warn-days 20 --crit-days 7"),
        ("adopt", "certbot-jprs adopt www.example.jp"),
        ("explain", "certbot-jprs explain Unable to create account"),
    ],
)
def test_help_has_an_example(
    command: str, example: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert example in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["--help"])
    assert f"    {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ([], 1),
        (["no-such"], 1),
        (["wait-ocsp", "--no-such"], 1),
        (["wait-ocsp", "more"], 1),
        (["wait-ocsp", "--timeout", "-1"], 1),
        (["status", "--no-such"], 3),
        (["status", "more"], 3),
        (["status", "--warn-days"], 3),
        (["status", "--output", "file"], 3),
        (["status", "--json", "--prometheus"], 3),
        (["adopt", "--no-such"], 1),
    ],
)
def test_wrong_use(words: list[str], status: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == status
    said = capsys.readouterr()
    assert said.out == ""
    assert "--help" in said.err


@pytest.mark.parametrize(
    ("words", "status"), [(["status"], 3), (["adopt", "--all"], 1), (["wait-ocsp", "--all"], 1)]
)
def test_another_configuration_directory(
    words: list[str],
    status: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Whatever renews certificates on the machine of whoever runs this is no matter.
    monkeypatch.setattr(schedulers, "find", lambda _config_dir: schedulers.Found())
    assert main([*words, "--config-dir", str(tmp_path / "none")]) == status
    said = capsys.readouterr()
    assert str(tmp_path / "none") in said.out + said.err
    (tmp_path / "renewal").mkdir()
    assert main([*words, "--config-dir", str(tmp_path)]) == (3 if words == ["status"] else 0)


def test_what_the_terminal_cannot_show_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="ascii"))
    main(["explain", "urn:ietf:params:acme:error:caa :: x :: 日本語"])
    sys.stdout.flush()
    assert rb"\u65e5\u672c\u8a9e" in shown.getvalue()


def test_where_output_is_no_stream_of_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under ``contextlib.redirect_stdout``: there is no encoding that could lack a character."""
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stdout", shown)
    assert main(["explain", "urn:ietf:params:acme:error:caa :: x :: 日本語"]) == 0
    assert "日本語" in shown.getvalue()


def test_importing_it_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "certbot_jprs.__main__", raising=False)
    assert importlib.import_module("certbot_jprs.__main__").main is main


@pytest.mark.parametrize(
    ("limits", "lifetime", "expected"),
    [
        (Limits(), 200, (20, 7)),
        (Limits(), 90, (18, 7)),
        (Limits(), 47, (9.4, 4.7)),
        (Limits(warn=30, crit=3), 47, (30, 3)),
        (Limits(warn=0, crit=0), 90, (0, 0)),
    ],
)
def test_when_the_end_is_near(limits: Limits, lifetime: int, expected: tuple[float, float]) -> None:
    warn, crit = limits.of(lifetime * DAY)
    assert (warn / DAY, crit / DAY) == pytest.approx(expected)


def test_levels_are_monitorings() -> None:
    assert [int(level) for level in (Level.OK, Level.WARNING, Level.CRITICAL, Level.UNKNOWN)] == [
        *range(4)
    ]


def test_ctrl_c(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def make(_config_dir: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(survey, "make", make)
    assert main(["status"]) == 130
    assert capsys.readouterr().err == "certbot-jprs: Ended by Ctrl-C.\n"


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_who_reads_has_gone(unbuffered: str) -> None:
    """As of ``certbot-jprs status | head``."""
    reading, writing = os.pipe()
    os.close(reading)
    words = ("-m", "certbot_jprs", "explain", "Unable to create account")
    with open(writing, "wb") as pipe:
        done = subprocess.run(
            [sys.executable, *words],
            stdout=pipe,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            text=True,
            check=False,
        )
    assert done.returncode == 141
    assert done.stderr == ""
