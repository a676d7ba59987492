"""Parses command lines with the real Certbot's real parser, whichever version is installed."""

from __future__ import annotations

import argparse
import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from certbot import configuration
from certbot._internal import cli, constants
from certbot._internal.plugins import disco

from certbot_jprs import door
from certbot_jprs.ground.names import NAME
from certbot_jprs.rules.decision import Decision
from certbot_jprs.rules.selection import Selection
from tests.unit.config_dir import ConfigDir

FLAG = ("-a", NAME)
EAB = ("--eab-kid", "kid-1", "--eab-hmac-key", "c2VjcmV0")
CONTACT = ("-m", "ca@example.jp", "--agree-tos", *EAB)
"""What a first command needs besides the flag."""


@functools.cache
def registry() -> Any:
    """Returns Certbot's plugins; finding them takes time."""
    return disco.PluginsRegistry.find_all()


@dataclass
class Parsed:
    """A parsed command line.

    Attributes:
        config: Certbot's configuration.
        decision: what the plugin made of it.
        selection: what applies the rules to configurations.
    """

    config: Any
    decision: Decision
    selection: Selection

    def __getattr__(self, name: str) -> Any:
        return getattr(self.config, name)

    def counts_as_given(self, dest: str) -> bool:
        """Asks Certbot whether the user gave an option, as it does before it issues."""
        if hasattr(self.config, "set_by_user"):
            self.decision.renew_implied(self.config)
            return bool(self.config.set_by_user(dest))
        return bool(getattr(cli, "set_by_cli")(dest))  # noqa: B009 - gone since Certbot 2.7


class Parse:
    """Parses command lines in a configuration directory, with a ``cli.ini`` of its own.

    Args:
        config_dir: the directory.
    """

    def __init__(self, config_dir: ConfigDir) -> None:
        self.config_dir = config_dir

    @property
    def ini(self) -> Path:
        return self.config_dir.path / "cli.ini"

    def __call__(self, *args: str, ini: str = "") -> Parsed:
        """Parses one command line.

        Args:
            args: the words after ``certbot``.
            ini: what ``cli.ini`` contains.
        """
        self.ini.write_text(ini, encoding="utf-8")
        forget()
        parsed: Any = cli.prepare_and_parse_args(registry(), [*args, *self.config_dir.options])
        house = door.current.enter()  # as the plugin does, where a renewal file selects it
        if isinstance(parsed, argparse.Namespace):  # Certbot before 2.7
            parsed = configuration.NamespaceConfig(parsed)
        return Parsed(parsed, house.decision, Selection(house.decision))


def forget() -> None:
    """Makes this process one that has parsed no command line yet."""
    house = door.current._house
    if house is not None and house._watch is not None:
        house._watch.stop()
    door.current = door.Door()
    if hasattr(cli, "set_by_cli"):
        cli.set_by_cli.detector = None


@pytest.fixture
def parse(
    config_dir: ConfigDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Parse]:
    """Parses command lines; nothing of this machine's Certbot is read."""
    # The manual's hook names it, and Certbot looks for the program of a hook.
    systemctl = tmp_path / "bin" / "systemctl"
    systemctl.parent.mkdir()
    systemctl.touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{systemctl.parent}:{os.environ['PATH']}")
    parsing = Parse(config_dir)
    monkeypatch.setitem(constants.CLI_DEFAULTS, "config_files", [str(parsing.ini)])
    monkeypatch.setattr(cli, "helpful_parser", None)
    yield parsing
    forget()
