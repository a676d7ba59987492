"""A table for a terminal, aligned also where characters are two columns wide.

Rules of this file: widths are those of Unicode's East Asian Width (UAX #11); text in, text out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def width(text: str) -> int:
    """Returns how many columns of a terminal a text takes.

    Args:
        text: the text.
    """
    return sum(
        0
        if unicodedata.combining(character)
        else 2
        if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )


def pad(text: str, columns: int) -> str:
    """Fills a text with spaces up to a number of columns.

    Args:
        text: the text.
        columns: how wide it shall be; a longer text stays as it is.
    """
    return text + " " * max(0, columns - width(text))


NOTHING = "-"
"""A cell with nothing to tell."""


def fitting(
    head: Sequence[str], rows: Sequence[Sequence[Sequence[str]]], columns: int, spare: Sequence[int]
) -> str:
    """Lays out a table without the columns that tell nothing, and within a terminal's width.

    Args:
        head: as for ``render``.
        rows: as for ``render``.
        columns: how wide it may be.
        spare: the numbers of the columns that can be left out for that, in this order; what is
            still too wide after that is too wide.
    """
    kept = [
        number
        for number in range(len(head))
        if any(list(row[number]) not in ([NOTHING], [""], []) for row in rows)
    ]

    def laid_out() -> str:
        return render(
            [head[number] for number in kept], [[row[number] for number in kept] for row in rows]
        )

    for number in spare:
        if number in kept and max(map(width, laid_out().splitlines())) > columns:
            kept.remove(number)
    return laid_out()


def render(head: Sequence[str], rows: Sequence[Sequence[Sequence[str]]]) -> str:
    """Lays out a table.

    Args:
        head: the columns' titles.
        rows: for each row its cells, each of them one or more lines.

    Returns:
        The lines, without spaces at their ends.
    """
    columns = [
        max([width(title), *(width(line) for row in rows for line in row[number])])
        for number, title in enumerate(head)
    ]
    lines = [_line(head, columns)]
    for row in rows:
        for number in range(max(len(cell) for cell in row)):
            texts = [cell[number] if number < len(cell) else "" for cell in row]
            lines.append(_line(texts, columns))
    return "\n".join(lines)


def _line(texts: Sequence[str], columns: Sequence[int]) -> str:
    return "  ".join(pad(text, width) for text, width in zip(texts, columns)).rstrip()
