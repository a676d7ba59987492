"""Where the ``certbot-jprs`` command prints: results to standard output, the rest beside it."""

from __future__ import annotations

import io
import logging
import os
import sys

from certbot_jprs.ground.language import _


def prepare() -> None:
    """Makes every message printable, and shows the warnings of the modules in use."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name that the terminal's encoding lacks must not end the command.
            stream.reconfigure(errors="backslashreplace")
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)


def result(text: str) -> None:
    """Prints a result."""
    print(text, flush=True)  # noqa: T201 - the one place that prints results


def give_up() -> None:
    """Drops what nobody reads any more, which Python would otherwise try to write at its end.

    Source: Python's documentation of ``signal``, "Note on SIGPIPE".
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())


def say(text: str) -> None:
    """Prints what the user should know beside the result."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the one place for messages


def error(text: str) -> None:
    """Prints what is wrong, and the next step."""
    say(_("certbot-jprs: {message}").format(message=text))


def why(problem: Exception) -> str:
    """Puts an error of a file into words.

    Args:
        problem: an ``OSError`` or ``ValueError``.
    """
    if isinstance(problem, OSError) and problem.strerror:
        return f"{problem.filename}: {problem.strerror}" if problem.filename else problem.strerror
    return str(problem)
