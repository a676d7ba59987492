"""The pictures, drawn from what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.pictures.svg import PICTURES, Drawing
from tests.pictures.words import LANGUAGES, duration

Measured = Mapping[str, Any]
WIDTH = 900
LEFT, RIGHT = 180, 880
BAR, ROW = 18, 24


def renewal(found: Measured) -> None:
    """Draws one renewal, three times, on one time axis."""
    for language, words in LANGUAGES.items():
        drawing = Drawing(WIDTH, words["renewal"], words["renewal, in full"])
        drawing.text(20, 30, words["renewal"], "title")
        y = 58.0
        for which in ("manual", "manual, reloaded", "plugin, reloaded"):
            drawing.text(20, y, words[which], "head")
            y = _Lane(drawing, words, found).draw(found[which], y + 14) + 26
        _minutes(drawing, words, y - 22, 58)
        y += 36
        drawing.text(20, y, words["renewal, key"], "small faint")
        drawing.text(
            20, y + 20, words["renewal, scale"].format(scale=found["scale"]), "small faint"
        )
        drawing.save(PICTURES / f"renewal.{language}.svg", y + 36)


BEFORE, AFTER = -60, 720
"""Seconds before and after the issuance that the axis shows."""


def _at(seconds: float) -> float:
    seconds = min(max(seconds, BEFORE), AFTER)
    return LEFT + (seconds - BEFORE) * (RIGHT - LEFT) / (AFTER - BEFORE)


def _minutes(drawing: Drawing, words: Mapping[str, str], y: float, top: float) -> None:
    for minute in range(0, AFTER // 60 + 1, 2):
        drawing.behind(_at(minute * 60), top + 8, y)
        drawing.text(_at(minute * 60), y + 16, f"{minute}", "small faint middle")
    drawing.text(RIGHT, y + 34, words["minutes"], "small faint end")


class _Lane:
    """One run on the axis: what OCSP says, the hook, what is served."""

    def __init__(self, drawing: Drawing, words: Mapping[str, str], found: Measured) -> None:
        self._drawing, self._words, self._scale = drawing, words, found["scale"]

    def _label(self, row: str, y: float) -> None:
        self._drawing.text(LEFT - 12, y + 14, self._words[row], "small end")

    def _bar(self, start: float, end: float, y: float, kind: str, words: str) -> None:
        x, width = _at(start), _at(end) - _at(start)
        self._drawing.box(x, y, width, BAR, kind)
        if width > 60:
            self._drawing.label(x + 6, y + 13.5, self._words[words])

    def draw(self, run: Measured, y: float) -> float:
        """Draws it below y and returns where it ends."""
        scale = self._scale
        known, served = run["known"] * scale, run["served"] * scale
        hook = [each * scale for each in run["hook"]]
        self._label("OCSP", y)
        self._bar(0, known, y, "old", "unknown")
        self._bar(known, AFTER, y, "good", "good")
        for each in run["asked"]:
            self._drawing.line(_at(each * scale), y + BAR - 4, _at(each * scale), y + BAR, "tick")
        y += ROW
        self._label("hook", y)
        if len(hook) > 1:
            self._bar(hook[0], hook[1], y, "sleep", "sleep")
        else:
            self._bar(0, hook[0], y, "wait", "held")
            self._drawing.diamond(_at(hook[0]), y + BAR / 2)
        y += ROW + 8
        self._label("served", y)
        self._bar(BEFORE, served, y, "old", "old")
        if served < known:
            self._bar(served, known, y, "early", "early")
        self._bar(max(served, known), AFTER, y, "good", "new")
        for each in run["reloads"]:
            if BEFORE <= each * scale <= AFTER:
                self._drawing.arrow(_at(each * scale), y - 1)
        return y + BAR


THIN, GAP = 5, 1.5


def twenty(found: Measured) -> None:
    """Draws twenty renewals in three ways."""
    ways = ("sleeping", "one by one", "side by side")
    scale = found["scale"]
    longest = max(found[way]["end"] for way in ways) * scale
    per_second = (RIGHT - 40) / longest
    for language, words in LANGUAGES.items():
        drawing = Drawing(WIDTH, words["twenty"], words["twenty, in full"])
        drawing.text(20, 30, words["twenty"], "title")
        y = 62.0
        for way in ways:
            waits = found[way]["waits"]
            drawing.text(20, y, words[way], "head")
            if way == "side by side":
                total = max(end for _start, end in waits) - max(start for start, _end in waits)
            else:
                total = sum(end - start for start, end in waits)
            said = words["in all"].format(time=duration(words, total * scale))
            drawing.text(RIGHT, y, said, "head end")
            y += 10
            for start, end in waits:
                x = 20 + start * scale * per_second
                kind = "sleep" if way == "sleeping" else "wait"
                drawing.box(x, y, (end - start) * scale * per_second, THIN, kind)
                y += THIN + GAP
            y += 26
        y -= 22
        for hour in range(int(longest // 3600) + 1):
            x = 20 + hour * 3600 * per_second
            drawing.behind(x, 50, y)
            drawing.text(x, y + 16, f"{hour}", "small faint middle")
        drawing.text(RIGHT, y + 16, words["hours"], "small faint end")
        drawing.text(20, y + 44, words["twenty, scale"].format(scale=scale), "small faint")
        drawing.save(PICTURES / f"twenty.{language}.svg", y + 60)


def _table(found: Measured, words: Mapping[str, str]) -> str:
    """Returns the same as a table in Markdown, with the staples besides."""
    lines = [words["peers, table"], "| --- | --- | --- | --- |"]
    for row in found["clients"]:
        head = f"| {row['client']} | {row['version']} |"
        if not row["account"]:
            lines.append(f"{head} {words['no account']} | |")
            continue
        early = words["seconds"].format(seconds=row["early"]) if row["early"] else words["none"]
        stapled = words["none"]
        if seconds := row["unknown stapled"]:
            which = "still" if row["stapled at the end"] == "unknown" else "seconds"
            stapled = words[which].format(seconds=seconds)
        lines.append(f"{head} {early} | {stapled} |")
    return "\n".join(lines) + "\n"


def peers(found: Measured) -> None:
    """Draws how long each client's new certificate is served too early; a table besides."""
    label, most = 190, found["lag"]
    for language, words in LANGUAGES.items():
        table = _table(found, words)
        (PICTURES / f"peers.{language}.md").write_text(table, encoding="utf-8")
        drawing = Drawing(WIDTH, words["peers"], words["peers, in full"])
        drawing.text(20, 30, words["peers"], "title")
        drawing.text(label, 58, words["peers, head"], "small faint")
        y = 70.0
        for row in found["clients"]:
            drawing.text(label - 12, y + 14, row["client"], "end")
            if row["account"]:
                width = row["early"] * (RIGHT - 60 - label) / most
                drawing.box(label, y, width, BAR, "early" if row["early"] else "good")
                said = words["seconds"].format(seconds=row["early"]) if width else words["none"]
                drawing.text(label + width + 8, y + 14, said, "small")
            else:
                drawing.text(label + 8, y + 14, words["no account"], "small faint")
            y += ROW + 2
        drawing.line(label, 66, label, y)
        drawing.text(20, y + 20, words["peers, scale"].format(lag=f"{most:g}"), "small faint")
        drawing.save(PICTURES / f"peers.{language}.svg", y + 36)
