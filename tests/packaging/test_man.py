"""The man pages tell of every subcommand and option, and of no others."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from certbot_jprs.command.main import parser

PAGES = Path(__file__).parents[2] / "packaging" / "man"
ELSEWHERE = {"--webroot", "--deploy-hook", "--post-hook"}
"""Certbot's options in the examples."""


def subcommands() -> dict[str, argparse.ArgumentParser]:
    """Returns the parsers of the subcommands, by name."""
    (action,) = (a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    return dict(action.choices)


def told(text: str) -> set[str]:
    """Returns the long options that a page names."""
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text.replace("\\-", "-")))


@pytest.fixture(params=["certbot-jprs.1", "certbot-jprs.ja.1"])
def page(request: pytest.FixtureRequest) -> Path:
    """A man page."""
    return PAGES / str(request.param)


def test_it_tells_of_every_subcommand_and_option(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    sections = re.findall(r"^\.SS (\S+)$", text.replace("\\-", "-"), re.MULTILINE)
    assert sections == list(subcommands())
    options = {
        option
        for each in subcommands().values()
        for action in each._actions
        for option in action.option_strings
        if option.startswith("--")
    }
    assert told(text) - ELSEWHERE == options


@pytest.mark.skipif(not shutil.which("man"), reason="man-db is not installed")
def test_man_has_nothing_to_complain_about(page: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", page],
        env={"LC_ALL": "C.UTF-8", "MANWIDTH": "80", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"wait-ocsp" in done.stdout
