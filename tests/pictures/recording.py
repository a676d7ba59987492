"""A recording of ``make demo`` that plays in a README: one SVG, animated by CSS, in real time."""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import pty
import struct
import subprocess
import termios
import time
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import pyte

COLUMNS, ROWS = 100, 30
STEP = 0.5  # seconds; what changes more often is not shown more often
HOLD = 8.0  # seconds that the end stays
CELL, LINE, EDGE = 8.0, 18, 14
LOCALES = {"en": "C.UTF-8", "ja": "ja_JP.UTF-8"}
COMMAND = ("make", "--no-print-directory", "demo")
TYPED = "$ make demo\r\n"
TYPING = 1.0  # seconds until the first words
STYLE = """\
.ground { fill: #0d1117; stroke: #3d444d; }
text { font: 13px ui-monospace, "SFMono-Regular", Menlo, Consolas, "DejaVu Sans Mono",
  "Noto Sans Mono CJK JP", "BIZ UDGothic", "MS Gothic", monospace;
  fill: #e6edf3; white-space: pre; }
.b { font-weight: 700; }
g { visibility: hidden; animation-duration: %(whole).2fs; animation-timing-function: step-end;
  animation-iteration-count: infinite; }
@media (prefers-reduced-motion: reduce) {
  g { animation: none !important; } .z { visibility: visible; } }
"""

Event = tuple[float, str]


@dataclass(frozen=True)
class Piece:
    """Characters of one line that stand beside each other, all wide or all narrow."""

    column: int
    text: str
    bold: bool
    wide: bool


Row = tuple[Piece, ...]
Spans = dict[tuple[float, float], list[tuple[int, Row]]]


def record(language: str) -> list[Event]:
    """Runs the demonstration on a terminal and returns what it wrote, with seconds.

    Raises:
        CalledProcessError: it failed.
    """
    subprocess.run(("make", "--silent", ".venv/.ready"), check=True)
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    env = {**os.environ, "LC_ALL": LOCALES[language], "LANGUAGE": "", "TERM": "xterm"}
    process = subprocess.Popen(COMMAND, stdin=slave, stdout=slave, stderr=slave, env=env)
    os.close(slave)
    events: list[Event] = []
    waiting = b""
    while True:
        try:
            data = os.read(master, 65536)
        except OSError:  # Linux says EIO when the last process has closed its side
            break
        if not data:
            break
        text = (waiting + data).decode(errors="ignore")
        waiting = (waiting + data)[len(text.encode()) :]
        events.append((time.monotonic(), text))
    os.close(master)
    if process.wait():
        raise subprocess.CalledProcessError(process.returncode, COMMAND, str(events))
    began = events[0][0]
    return [(0.0, TYPED), *((round(at - began + TYPING, 3), text) for at, text in events)]


def save_cast(events: Sequence[Event], path: Path) -> None:
    """Writes a recording in asciinema's format, version 2."""
    head = {"version": 2, "width": COLUMNS, "height": ROWS, "title": "make demo"}
    lines = [json.dumps(head), *(json.dumps([at, "o", text]) for at, text in events)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def load_cast(path: Path) -> list[Event]:
    """Reads such a file."""
    _head, *lines = path.read_text(encoding="utf-8").splitlines()
    return [(at, text) for at, _kind, text in map(json.loads, lines)]


def is_wide(letter: str) -> bool:
    """Tells whether a character takes two cells."""
    return unicodedata.east_asian_width(letter) in "WF"


def pieces(screen: pyte.Screen, number: int) -> Row:
    """Returns what stands in a line of the screen."""
    cells = [
        (column, cell.data, cell.bold, is_wide(cell.data))
        for column in range(COLUMNS)
        if (cell := screen.buffer[number][column]).data  # nothing: right half of a wide one
    ]
    found = []
    for (bold, wide), group in itertools.groupby(cells, key=lambda cell: cell[2:]):
        each = list(group)
        text = "".join(data for _column, data, _bold, _wide in each).rstrip()
        if text:
            found.append(Piece(each[0][0], text, bold, wide))
    return tuple(found)


def frames(events: Sequence[Event]) -> Iterator[tuple[float, tuple[Row, ...]]]:
    """Yields what the screen shows, from when on."""
    screen = pyte.Screen(COLUMNS, ROWS)
    screen.set_mode(pyte.modes.LNM)
    stream = pyte.Stream(screen)
    for number, group in itertools.groupby(events, key=lambda event: int(event[0] / STEP)):
        for _at, text in group:
            stream.feed(text)
        yield number * STEP, tuple(pieces(screen, row) for row in range(ROWS))


def spans(
    events: Sequence[Event],
) -> tuple[dict[tuple[float, float], list[tuple[int, Row]]], float]:
    """Returns from when to when each line shows what, and how long all of it takes."""
    shown: list[tuple[float, Row]] = [(0.0, ())] * ROWS
    found: Spans = {}
    at = 0.0
    for at, rows in frames(events):
        for number, row in enumerate(rows):
            since, before = shown[number]
            if row != before:
                if before:
                    found.setdefault((since, at), []).append((number, before))
                shown[number] = (at, row)
    whole = at + HOLD
    for number, (since, row) in enumerate(shown):
        if row:
            found.setdefault((since, whole), []).append((number, row))
    return found, whole


def keyframes(name: str, start: float, end: float, whole: float) -> str:
    """Returns the CSS that shows something from one time to another."""
    hidden, visible = "{visibility:hidden}", "{visibility:visible}"
    steps = "" if start <= 0 else f"0%{hidden}"
    steps += f"{100 * start / whole:.2f}%{visible}"
    steps += "" if end >= whole else f"{100 * end / whole:.2f}%{hidden}"
    return f"@keyframes {name}{{{steps}}}"


def written(number: int, row: Row) -> str:
    """Returns a line as SVG."""
    y = EDGE + (number + 0.75) * LINE
    said = []
    for piece in row:
        cells = len(piece.text) * (2 if piece.wide else 1)
        kind = ' class="b"' if piece.bold else ""
        said.append(
            f'<text x="{EDGE + piece.column * CELL:g}" y="{y:g}" textLength="{cells * CELL:g}"'
            f'{kind} lengthAdjust="spacingAndGlyphs">{escape(piece.text)}</text>'
        )
    return "".join(said)


def animated(events: Sequence[Event], title: str) -> str:
    """Returns the recording as an animated SVG."""
    found, whole = spans(events)
    used = max(number for lines in found.values() for number, _row in lines) + 1
    width, height = COLUMNS * CELL + 2 * EDGE, used * LINE + 2 * EDGE
    rules, groups = [], []
    for index, ((start, end), lines) in enumerate(sorted(found.items())):
        name = f"k{index}"
        rules.append(keyframes(name, start, end, whole))
        last = ' class="z"' if end >= whole else ""
        inside = "".join(written(number, row) for number, row in lines)
        groups.append(f'<g{last} style="animation-name:{name}">{inside}</g>')
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" role="img" aria-labelledby="title">',
        f'<title id="title">{escape(title)}</title>',
        f"<style>{STYLE % {'whole': whole}}{''.join(rules)}</style>",
        '<rect class="ground" x=".5" y=".5" rx="8" '
        f'width="{width - 1:g}" height="{height - 1:g}"/>',
        *groups,
        "</svg>",
    ]
    return "\n".join(parts) + "\n"
