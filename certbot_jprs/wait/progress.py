"""What the user sees of the wait.

On a terminal a progress bar; elsewhere a line at the start and one each minute; under ``-q``
nothing. How the wait ended is said by whoever waited.

Rules of this file: every message fits into 80 columns with a name of usual length, and says what
is awaited, how long it has been and how long it can be at most.
"""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Sequence
from typing import Any, Callable

from certbot_jprs.ground import display_util

try:
    from tqdm import tqdm
except ImportError:  # lines instead of a bar
    tqdm = None  # type: ignore[assignment, misc]

from certbot_jprs.ground.language import _
from certbot_jprs.wait.gate import Progress

logger = logging.getLogger(__name__)

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR

Say = Callable[[str], None]


def duration(seconds: float) -> str:
    """Words a time span as people write it: ``7 s``, ``9 min 40 s``, ``12 h 3 min``.

    Args:
        seconds: the span, rounded down; a negative one counts as none.

    Returns:
        Its largest unit, and the next smaller one unless there is none of that.
    """
    whole = max(0, int(seconds))
    units = (
        (whole // DAY, _("{count} d")),
        (whole % DAY // HOUR, _("{count} h")),
        (whole % HOUR // MINUTE, _("{count} min")),
        (whole % MINUTE, _("{count} s")),
    )
    largest = next((place for place, (count, _unit) in enumerate(units) if count), len(units) - 1)
    parts = [unit.format(count=count) for count, unit in units[largest : largest + 2] if count]
    if len(parts) == 2:
        return _("{larger} {smaller}").format(larger=parts[0], smaller=parts[1])
    return parts[0] if parts else units[-1][1].format(count=0)


def summary(names: Sequence[str]) -> str:
    """Names certificates in one line.

    Args:
        names: at least one.
    """
    if len(names) <= 3:
        return ", ".join(names)
    return _("{first} and {count} others").format(first=names[0], count=len(names) - 1)


def _notify(line: str) -> None:
    """Shows a line through Certbot's display."""
    display_util.notify(line)


def _announce_last(say: Say, names: Sequence[str], limit: float) -> None:
    say(
        _(
            "The wait for the OCSP server ({limit}) is over;\nit is asked once about {names}."
        ).format(limit=duration(limit), names=summary(names))
    )


class Lines:
    """A line at the start and one each minute, through Certbot's display, which ``-q`` silences.

    Args:
        say: shows a line; by Certbot's display unless given.
    """

    def __init__(self, say: Say = _notify) -> None:
        self._say = say
        self._next = 0.0

    def start(self, names: Sequence[str], age: float, limit: float) -> None:
        """Says what is awaited and how long at most."""
        self._next = age + MINUTE
        if age >= limit:
            _announce_last(self._say, names, limit)
            return
        self._say(
            _(
                "Waiting for the OCSP server to know {names} before use:\n"
                "{age} so far, at most {limit}."
            ).format(names=summary(names), age=duration(age), limit=duration(limit))
        )

    def tick(self, names: Sequence[str], age: float, limit: float) -> None:
        """Says each minute how long it has been."""
        # Not at the end, which is about to be told.
        if not self._next <= age < limit:
            return
        self._next = age + MINUTE
        self._say(
            _("Still waiting for {names}: {age} so far, at most {limit}.").format(
                names=summary(names), age=duration(age), limit=duration(limit)
            )
        )

    def hide(self) -> None:
        """A line stays where it is."""

    def close(self) -> None:
        """Nothing is left open."""


class Bar:
    """A progress bar on the terminal."""

    def __init__(self, tqdm: Any, say: Say = _notify) -> None:
        """Draws nothing yet.

        Args:
            tqdm: the class of that name, or one like it.
            say: shows a line; by Certbot's display unless given.
        """
        self._say = say
        self._tqdm = tqdm
        self._bar: Any = None

    def start(self, names: Sequence[str], age: float, limit: float) -> None:
        """Says what is awaited, and draws the bar."""
        if age >= limit:
            _announce_last(self._say, names, limit)
            return
        self._say(
            _("Waiting for the OCSP server to know {names} before use:").format(
                names=summary(names)
            )
        )
        most = _("at most {limit}").format(limit=duration(limit))
        self._bar = self._tqdm(
            total=limit,
            initial=age,
            desc=duration(age),
            # Braces would be placeholders of tqdm's.
            bar_format="{desc} |{bar}| " + most.replace("{", "(").replace("}", ")"),
            leave=False,
            position=0,
            file=sys.stdout,
            # tqdm draws nothing on a terminal that does not tell its size (a serial console).
            ncols=_columns(),
            nrows=2,
        )

    def tick(self, _names: Sequence[str], age: float, limit: float) -> None:
        """Moves the bar."""
        if self._bar is not None:
            self._bar.n = min(age, limit)
            self._bar.ncols = _columns()
            self._bar.set_description_str(duration(age), refresh=True)

    def hide(self) -> None:
        """Removes the bar until the next tick."""
        if self._bar is not None:
            self._bar.clear()

    def close(self) -> None:
        """Removes the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _columns() -> int:
    # One less: a full last column makes some terminals go to the next line.
    return shutil.get_terminal_size().columns - 1


def choose(*, quiet: bool, say: Say = _notify) -> Progress:
    """Chooses how the wait is shown.

    Args:
        quiet: whether Certbot runs under ``-q``.
        say: shows a line; by Certbot's display unless given.

    Returns:
        A bar where standard output is a terminal and tqdm is installed; lines elsewhere, and
        where Certbot's own debug messages (``-vv``) would be written across a bar.
    """
    if quiet or not sys.stdout.isatty() or _debug_on_terminal():
        return Lines(say)
    if tqdm is None:
        logger.debug("tqdm is not installed: lines instead of a bar")
        return Lines(say)
    return Bar(tqdm, say)


def _debug_on_terminal() -> bool:
    return any(
        isinstance(handler, logging.StreamHandler)
        and handler.stream is sys.stderr
        and handler.level <= logging.DEBUG
        for handler in logging.getLogger().handlers
    )
