"""The command line of ``certbot-jprs``: its help and its complaints, in the user's language."""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterator

import pytest

from certbot_jprs.command.main import main
from certbot_jprs.command.parsing import ARGPARSE
from certbot_jprs.command.table import width

VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
COMMANDS = ((), ("wait-ocsp",), ("status",), ("adopt",), ("explain",))


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    before = gettext.textdomain()
    yield monkeypatch
    gettext.textdomain(before)


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit):
        main(arguments)
    captured = capsys.readouterr()
    return captured.out + captured.err


def english(text: str) -> list[str]:
    """Returns what Argparse says in English there."""
    pieces = {piece.strip() for words in ARGPARSE for piece in re.split(r"%(?:\(\w+\))?\w", words)}
    return [piece for piece in pieces if len(piece) > 5 and piece in text]


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_help_is_all_of_one_language(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    text = said(capsys, *command, "--help")
    assert text.startswith("usage: certbot-jprs")
    assert text.isascii()
    environment.setenv("LANG", "ja_JP.UTF-8")
    text = said(capsys, *command, "--help")
    assert text.startswith("使用法: certbot-jprs")
    assert english(text) == []


@pytest.mark.parametrize("locale", ["C.UTF-8", "ja_JP.UTF-8"])
@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_help_fits_into_80_columns(
    environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
    locale: str,
) -> None:
    environment.setenv("LANG", locale)
    lines = said(capsys, *command, "--help").splitlines()
    # A command to be copied stays in one line.
    too_wide = [line for line in lines if width(line) > 80 and "  certbot " not in line]
    assert too_wide == []


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("stat",),
        ("status", "--warn-days", "x"),
        ("status", "--warn-days"),
        ("status", "--nothing"),
        ("wait-ocsp", "--all", "--cert", "x"),
        ("wait-ocsp", "--all=x"),
        ("wait-ocsp", "--c", "x"),
        ("wait-ocsp", "--timeout", "x"),
    ],
    ids=str,
)
def test_a_complaint_is_all_of_one_language(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    text = said(capsys, *arguments)
    assert "usage: certbot-jprs" in text
    assert text.isascii()
    environment.setenv("LANG", "ja_JP.UTF-8")
    text = said(capsys, *arguments)
    assert "使用法: certbot-jprs" in text
    assert english(text) == []
    assert re.search("ヘルプ: certbot-jprs[a-z -]* --help$", text, re.MULTILINE)


@pytest.mark.parametrize("preferred", ["en:ja", "fr"])
def test_another_language_comes_first(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], preferred: str
) -> None:
    environment.setenv("LANG", "ja_JP.UTF-8")
    environment.setenv("LANGUAGE", preferred)
    assert said(capsys, "--help").isascii()
