"""What one command line means for the plugin.

Rules of this file: it decides nothing itself; it holds and tells what was decided.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass, field
from typing import Any

from certbot_jprs.internals.parser import ParsedCommand
from certbot_jprs.lineage.files import Lineage

ISSUING = ("run", "certonly")
"""Subcommands that issue what the command line asks for."""


@dataclass
class Decision:
    """What one command line means for the plugin.

    Attributes:
        parsed: whether a command line was seen at all.
        governed: whether JPRS's rules apply to what this command issues.
        on_command_line: whether the plugin was named there, not only in ``cli.ini``.
        typed: destinations of the options that the user gave.
        implied: destinations and values that follow from the flag.
        notices: what to tell the user, in order.
        lineage: name of the existing lineage that the command is about.
        taken_over: the lineage made by JPRS's manual that becomes the plugin's.
        broken_rule: what ``--jprs-check`` shall say of a rule that the command breaks.
        reuse_new_key: Certbot before 1.25 has no ``--new-key``: make a new key now, and reuse
            that one from then on.
    """

    parsed: bool = False
    governed: bool = False
    on_command_line: bool = False
    typed: frozenset[str] = frozenset()
    implied: dict[str, Any] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    lineage: str | None = None
    taken_over: Lineage | None = None
    broken_rule: str = ""
    reuse_new_key: bool = False

    def given(self, dest: str) -> bool:
        """Tells whether the user gave the option with that destination."""
        return dest in self.typed

    def renew_implied(self, config: Any) -> None:
        """Makes Certbot since 2.7 count the implied values as set by the user.

        Args:
            config: Certbot's configuration of a command that issues; changed in place.
        """
        for dest, value in self.implied.items():
            setattr(config, dest, value)


class CommandLine:
    """A command line that selects the plugin, on its way to a decision.

    Args:
        command: the command line.
        decision: what is decided about it.
    """

    def __init__(self, command: ParsedCommand, decision: Decision) -> None:
        self.namespace: argparse.Namespace = command.namespace
        self.verb = command.verb
        self.decision = decision

    def get(self, dest: str) -> Any:
        """Returns an option's value as it will be."""
        implied = self.decision.implied
        return implied[dest] if dest in implied else getattr(self.namespace, dest, None)

    def imply(self, **values: Any) -> None:
        """Sets options that follow from the flag."""
        self.decision.implied.update(values)

    def say(self, message: str) -> None:
        """Keeps a notice for the user."""
        self.decision.notices.append(message)

    def tell(self) -> None:
        """Gives the notices of a command for which Certbot constructs no plugin that could."""
        if not self.get("quiet"):
            for notice in self.decision.notices:
                print(notice, file=sys.stderr)  # noqa: T201 - no display exists yet

    def config_dir(self) -> str:
        """Returns Certbot's configuration directory."""
        return os.path.abspath(str(self.get("config_dir")))
