"""Argparse, in the user's language.

Rules of this file: Argparse's own words are looked up in the catalogue through the process's
gettext domain, as it is meant to be; this command has the process for itself.
"""

from __future__ import annotations

import argparse
import sys

from certbot_jprs.command import wrapping
from certbot_jprs.ground.language import _, marked

ARGPARSE = (
    marked("usage: "),
    marked("positional arguments"),
    marked("options"),
    marked("optional arguments"),  # Python 3.9
    marked("show this help message and exit"),
    marked("the following arguments are required: %s"),
    marked("argument %(argument_name)s: %(message)s"),
    marked("invalid choice: %(value)r (choose from %(choices)s)"),
    marked("invalid %(type)s value: %(value)r"),
    marked("expected one argument"),
    marked("expected at most one argument"),
    marked("ignored explicit argument %r"),
    marked("not allowed with argument %s"),
    marked("ambiguous option: %(option)s could match %(matches)s"),
)
"""What this command's users can read of Argparse's."""


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Breaks lines also where the language has no spaces; keeps those that were laid out."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrapping.wrap(" ".join(text.split()), width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines = []
        for line in text.splitlines():
            # An indented line is a command, or a row of a list.
            lines += [line] if line.startswith(" ") else wrapping.wrap(line, width)
        return "\n".join(indent + line for line in lines)


class Parser(argparse.ArgumentParser):
    """Ends with the subcommand's own status where it is used wrongly: 1, for ``status`` 3."""

    wrong_use = 1

    def error(self, message: str) -> None:  # type: ignore[override]
        """Says what is wrong, and ends the command."""
        self.print_usage(sys.stderr)
        self.exit(
            self.wrong_use,
            _("{program}: {message}\nFor help: {program} --help").format(
                program=self.prog, message=message
            )
            + "\n",
        )
