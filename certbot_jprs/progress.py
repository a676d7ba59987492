"""What the user sees of the wait.

On a terminal a progress bar; elsewhere a line at the start and one each minute; under ``-q``
nothing. How the wait ended is said by whoever waited.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import Any

from certbot.display import util as display_util

from certbot_jprs.gate import Progress
from certbot_jprs.language import _

logger = logging.getLogger(__name__)

MINUTE = 60


def minutes(seconds: float) -> str:
    """Formats a time span as minutes and seconds, like ``9:40``.

    Args:
        seconds: the span; a negative one counts as none.
    """
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02}"


def summary(names: Sequence[str]) -> str:
    """Names certificates in one line.

    Args:
        names: at least one.
    """
    if len(names) <= 3:
        return ", ".join(names)
    return _("{first} and {count} others").format(first=names[0], count=len(names) - 1)


class Lines:
    """A line at the start and one each minute, through Certbot's display, which ``-q`` silences."""

    def __init__(self) -> None:
        self._next = 0.0

    def start(self, names: Sequence[str], age: float, limit: float) -> None:
        """Says what is awaited and how long at most."""
        self._next = age + MINUTE
        display_util.notify(
            _(
                "Waiting for the OCSP responder to know {names} before anything is put into "
                "service: asked every few seconds, at most {rest} minutes."
            ).format(names=summary(names), rest=minutes(limit - age))
        )

    def tick(self, names: Sequence[str], age: float, limit: float) -> None:
        """Says each minute how long it has been."""
        if age < self._next:
            return
        self._next = age + MINUTE
        display_util.notify(
            _(
                "Still waiting for the OCSP responder to know {names}: {age} minutes so far, at "
                "most {rest} more."
            ).format(names=summary(names), age=minutes(age), rest=minutes(limit - age))
        )

    def close(self) -> None:
        """Nothing is left open."""


class Bar:
    """A progress bar on the terminal."""

    def __init__(self, tqdm: Any) -> None:
        self._tqdm = tqdm
        self._bar: Any = None

    def start(self, names: Sequence[str], age: float, limit: float) -> None:
        """Draws the bar."""
        display_util.notify(
            _(
                "Waiting for the OCSP responder to know {names} before anything is put into "
                "service."
            ).format(names=summary(names))
        )
        self._bar = self._tqdm(
            total=round(limit),
            initial=round(age),
            bar_format=_("{desc} |{bar}| at most {total} s"),
            leave=False,
            file=sys.stdout,
            dynamic_ncols=True,
        )
        self._draw(age, limit)

    def tick(self, _names: Sequence[str], age: float, limit: float) -> None:
        """Moves the bar."""
        self._draw(age, limit)

    def _draw(self, age: float, limit: float) -> None:
        if self._bar is not None:
            self._bar.n = min(round(age), round(limit))
            self._bar.set_description_str(minutes(age), refresh=True)

    def close(self) -> None:
        """Removes the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def choose(quiet: bool) -> Progress:
    """Chooses how the wait is shown.

    Args:
        quiet: whether Certbot runs under ``-q``.

    Returns:
        A bar where standard output is a terminal and tqdm is installed; lines elsewhere.
    """
    if quiet or not sys.stdout.isatty():
        return Lines()
    try:
        from tqdm import tqdm
    except ImportError:
        logger.debug("tqdm is not installed: lines instead of a bar")
        return Lines()
    return Bar(tqdm)
