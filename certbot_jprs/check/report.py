"""What a rehearsal found: a line each or a few, ``ok``, ``warn`` or ``FAIL``.

Rules of this file, and of all who write into a report:

- ``FAIL`` is said only of what makes the real command fail. What it mends by itself, what fails
  only later, and what cannot be seen from here, is a ``warn``.
- Whatever is not ``ok`` says what is wrong, then the next step.
"""

from __future__ import annotations

import enum
from typing import Callable


class Level(enum.Enum):
    """How a check ended; the value is what the line begins with."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


class Report:
    """Collects the findings, and shows each one as it is made.

    Args:
        show: prints a line.
        quiet: whether only failures are shown.
    """

    def __init__(self, show: Callable[[str], None], *, quiet: bool = False) -> None:
        self._show = show
        self._quiet = quiet
        self.findings: list[tuple[Level, str]] = []

    def ok(self, text: str) -> None:
        """Notes that something is well."""
        self._note(Level.OK, text)

    def warn(self, text: str) -> None:
        """Notes something that the real command survives."""
        self._note(Level.WARN, text)

    def fail(self, text: str) -> None:
        """Notes something that makes the real command fail."""
        self._note(Level.FAIL, text)

    def say(self, text: str) -> None:
        """Shows a line that is no finding."""
        if not self._quiet:
            self._show(text)

    def _note(self, level: Level, text: str) -> None:
        self.findings.append((level, text))
        if level is Level.FAIL or not self._quiet:
            # What follows the first line stands below it, whatever an error's own words contain.
            lines = [line.rstrip() for line in text.strip().splitlines() if line.strip()]
            self._show(f"{level.value:<4}  " + "\n      ".join(lines))

    def count(self, level: Level) -> int:
        """Returns how many findings of a level there are."""
        return sum(1 for found, _text in self.findings if found is level)

    @property
    def failed(self) -> bool:
        """Whether anything makes the real command fail."""
        return self.count(Level.FAIL) > 0
