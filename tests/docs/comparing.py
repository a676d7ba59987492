"""Compares what a command wrote with what the document shows."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

LEFT_OUT = "…"

# What differs from run to run, and what stands for it.
VOLATILE = (
    (r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: ?UTC|Z|[+-]\d\d:\d\d)?)?", "DATE"),
    (r"\b\d{8}T?\d{6}Z?\b|\b1[6-9]\d{8}(?:\.\d+)?\b", "DATE"),  # as in names of files
    (r"\b\d+:\d\d(?::\d\d)?\b", "TIME"),
    (r"(?:\d+時間)?(?:\d+分)?\d+秒|(?:\d+ h )?(?:\d+ min )?\d+ s\b", "TIME"),
    (r"\b(?:[0-9A-F]{2}:){7,}[0-9A-F]{2}\b|\b[0-9a-fA-F]{28,40}\b", "SERIAL"),
)


def normal(line: str) -> str:
    """Returns a line with dates, times and serial numbers replaced by their kinds."""
    for pattern, kind in VOLATILE:
        line = re.sub(pattern, kind, line)
    return line.rstrip()


def pattern(expected: Iterable[str]) -> re.Pattern[str]:
    """Returns what the whole of an output must match, each line with its end."""
    parts = []
    for line in expected:
        if line.strip() == LEFT_OUT:
            parts.append(r"(?:.*\n)*?")
        else:
            open_end = line.endswith(LEFT_OUT)
            text = re.escape(normal(line.removesuffix(LEFT_OUT) if open_end else line))
            parts.append(text + (".*" if open_end else "") + r"\n")
    return re.compile("".join(parts))


def difference(expected: Iterable[str], written: str) -> str:
    """Returns how an output differs from what is shown; empty where it does not.

    Args:
        expected: the lines in the document.
        written: all that the command wrote.
    """
    shown = list(expected)
    said = [normal(line) for line in written.splitlines()]
    if pattern(shown).fullmatch("".join(f"{line}\n" for line in said)):
        return ""
    lines = difflib.unified_diff(
        [normal(line) for line in shown], said, "in the document", "in the lab", lineterm=""
    )
    return "\n".join(lines)
