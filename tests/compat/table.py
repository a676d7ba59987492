"""Prints what the tests said of each Certbot, as a table; fails where one failed.

Usage: python -m tests.compat.table DIRECTORY NAME...
"""

from __future__ import annotations

import collections
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

HEAD = ("environment", "Certbot", "Python", "passed", "failed", "skipped", "time")


@dataclass(frozen=True)
class Outcome:
    """What the tests said of one Certbot.

    Attributes:
        name: of the environment.
        certbot: its version; empty where nothing was run.
        python: the version of its Python.
        passed: how many tests passed.
        failed: the names of those that did not.
        skipped: how many were skipped, for each reason.
        seconds: how long they took.
    """

    name: str
    certbot: str
    python: str
    passed: int
    failed: tuple[str, ...]
    skipped: collections.Counter[str]
    seconds: float

    def row(self) -> tuple[str, ...]:
        """Returns its row of the table."""
        if not self.certbot:
            return (self.name, "-", "-", "-", "-", "not run: see above", "-")
        time = f"{int(self.seconds) // 60}:{int(self.seconds) % 60:02}"
        numbers = (self.passed, len(self.failed), self.skipped.total())
        return (self.name, self.certbot, self.python, *map(str, numbers), time)


def read(directory: Path, name: str) -> Outcome:
    """Reads the results of one environment."""
    which, report = directory / f"{name}.which", directory / f"{name}.xml"
    if not report.exists():
        return Outcome(name, "", "", 0, (), collections.Counter(), 0)
    certbot, python = which.read_text(encoding="utf-8").split()
    failed: dict[str, None] = {}
    skipped: collections.Counter[str] = collections.Counter()
    root = ET.parse(report).getroot()  # noqa: S314 - pytest wrote it
    cases = list(root.iter("testcase"))
    for case in cases:
        if case.find("failure") is not None or case.find("error") is not None:
            failed[f"{case.get('classname')}::{case.get('name')}"] = None
        elif (skip := case.find("skipped")) is not None:
            skipped[str(skip.get("message"))] += 1
    names = {f"{case.get('classname')}::{case.get('name')}" for case in cases}
    passed = len(names) - len(failed) - skipped.total()
    seconds = sum(float(suite.get("time", 0)) for suite in root.iter("testsuite"))
    return Outcome(name, certbot, python, passed, tuple(failed), skipped, seconds)


def show(outcomes: list[Outcome]) -> str:
    """Returns the table, and below it why tests were skipped and which failed."""
    rows = [HEAD, *(outcome.row() for outcome in outcomes)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths)] for row in rows]
    padded.insert(1, ["-" * width for width in widths])
    lines = [f"| {' | '.join(row)} |" for row in padded]
    for outcome in outcomes:
        if outcome.skipped or outcome.failed:
            lines += ["", f"{outcome.name}:"]
        lines += [f"- {count} skipped: {why}" for why, count in sorted(outcome.skipped.items())]
        lines += [f"- FAILED {name}" for name in outcome.failed]
    return "\n".join(lines)


def main(directory: str, *names: str) -> int:
    """Prints the table and returns the exit status."""
    outcomes = [read(Path(directory), name) for name in names]
    print(show(outcomes))
    missing = [outcome.name for outcome in outcomes if not outcome.certbot]
    return int(
        any(outcome.failed for outcome in outcomes) or bool(os.environ.get("CI") and missing)
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
