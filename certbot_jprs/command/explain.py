"""``certbot-jprs explain``: what an error of JPRS's means, and what to do next.

Rules of this file: of the text that is given nothing is shown but what was recognised as an error
and the server's words; Certbot's log holds EAB keys.
"""

from __future__ import annotations

import argparse
import os
import stat
import sys
import time
from dataclasses import dataclass

from certbot_jprs.command import output
from certbot_jprs.ground.language import _
from certbot_jprs.problems.matching import Problem, find_in_text

OK = 0
NOTHING = 1

_MOST = 8 << 20


def run(arguments: argparse.Namespace) -> int:
    """Explains.

    Args:
        arguments: the parsed command line.

    Returns:
        The exit status.
    """
    try:
        text, log = _text(arguments)
    except OSError as error:
        output.error(
            _(
                "The log cannot be read: {reason}. Give the error's words: certbot-jprs explain "
                "TEXT"
            ).format(reason=output.why(error))
        )
        return NOTHING
    if log is not None:
        output.say(_("The log {path} of {time}:").format(path=log.path, time=log.time))
    problems = find_in_text(text)
    explained = [_show(problem) for problem in problems]
    if not problems and log is not None:
        output.error(_("No error of JPRS's service in {path}.").format(path=log.path))
    elif not problems:
        output.error(
            _(
                "No error of JPRS's service was recognised. Give the error's words, or Certbot's "
                "output, unchanged: certbot-jprs explain TEXT"
            )
        )
    if log is not None and log.before is not None:
        output.say(
            _(
                "Certbot begins a new log at each run. The one before: certbot-jprs explain --log "
                "{before}"
            ).format(before=log.before)
        )
    return OK if any(explained) else NOTHING


def _show(problem: Problem) -> bool:
    """Shows an error and what it means.

    Returns:
        Whether that is known.
    """
    output.result(_heading(problem))
    explanation = problem.explanation
    output.result(
        str(explanation)
        if explanation is not None
        else _(
            "JPRS's manual does not list this error. Ask your designated reseller, with these "
            "words."
        )
    )
    output.result("")
    return explanation is not None


def _heading(problem: Problem) -> str:
    return f"{problem.kind}: {problem.detail}" if problem.detail else problem.kind


@dataclass(frozen=True)
class _Log:
    """A log of Certbot's.

    Attributes:
        path: the file.
        time: when it was written last, in local time.
    """

    path: str
    time: str

    @property
    def before(self) -> str | None:
        """The log of the run before; None where there is none."""
        base, _dot, number = self.path.rpartition(".")
        path = f"{base}.{int(number) + 1}" if number.isdecimal() else f"{self.path}.1"
        return path if os.path.exists(path) else None


def _text(arguments: argparse.Namespace) -> tuple[str, _Log | None]:
    """Returns the words given, standard input if something is sent there, or a log.

    Returns:
        The text, and where it came from if it was a log.

    Raises:
        OSError: the log cannot be read.
    """
    if arguments.text:
        return " ".join(arguments.text), None
    if _is_sent_something():
        sent = sys.stdin.buffer.read(_MOST).decode("utf-8", "replace")
        if sent.strip():
            return sent, None
    with open(arguments.log, "rb") as file:
        status = os.fstat(file.fileno())
        file.seek(max(0, status.st_size - _MOST))
        written = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(status.st_mtime))
        return file.read(_MOST).decode("utf-8", "replace"), _Log(arguments.log, written)


def _is_sent_something() -> bool:
    """Tells whether standard input is a pipe or a file, not a terminal or nothing."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)
