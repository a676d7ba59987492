"""Recognises the errors of JPRS's service, and explains them.

Rules of this file:

- Matching only: nothing is read, printed or asked for. The data is in ``problem_table``.
- A row with the message wins over its type alone. ``malformed`` and ``unauthorized`` say nothing
  without a message; every other type of the table has one meaning in RFC 8555 section 6.7, so it
  is explained whatever its message says.
- What is not in the table gets no advice.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from certbot_jprs.problems.rows import CHALLENGE, Explanation, Row
from certbot_jprs.problems.table import OTHERS, TABLE

__all__ = ["CHALLENGE", "Explanation", "Problem", "explain", "find", "find_in_text"]

_DEEPEST = 8
"""So many braces before a type are tried as the beginning of its document."""

_PREFIX = re.compile(r"urn:(?:ietf:params:)?acme:error:", re.IGNORECASE)
_HAS_TYPE = re.compile(_PREFIX.pattern + r'|"detail"\s*:|^\s*Detail:', re.IGNORECASE)


def explain(
    kind: str, detail: str | None, status: int | None = None, where: str | None = None
) -> Explanation | None:
    """Explains an error of JPRS's service.

    Args:
        kind: the ACME error type, with or without its ``urn:``.
        detail: the server's words.
        status: the HTTP status, where it is known.
        where: ``CHALLENGE`` for the error of a challenge.

    Returns:
        The explanation; None for what is not known.
    """
    row = find(kind, detail, status, where)
    return None if row is None else row.explain(detail or "")


def find(
    kind: str, detail: str | None, status: int | None = None, where: str | None = None
) -> Row | None:
    """Finds the row of an error; see ``explain`` for the arguments."""
    kind = _PREFIX.sub("", kind.strip()).lower()
    words = _plain(detail or "")
    of_kind = [row for row in (*TABLE, *OTHERS) if row.kind.lower() == kind]
    if where == CHALLENGE and kind == "unauthorized":
        return next(row for row in of_kind if row.where == CHALLENGE)
    by_words = [
        row
        for row in of_kind
        if row.message and row.where is None and words.startswith(_plain(row.message))
    ]
    by_kind = [row for row in of_kind if row.alone and row.where is None]
    # Of two rows, that with the status; of two with it, the longer message.
    ranked = sorted(by_words, key=lambda row: (row.status == status, len(row.message)))
    best = ranked or by_kind
    return best[-1] if best else None


def _plain(words: str) -> str:
    """Makes messages comparable: white space, capitals and the last punctuation do not count."""
    return re.sub(r"\s*([.:])(?=\s|$)", "", " ".join(words.split())).strip().lower()


@dataclass(frozen=True)
class Problem:
    """An error that was found in a text.

    Attributes:
        kind: the ACME error type without its prefix.
        detail: the server's words, empty where the text has none.
        status: the HTTP status, where the text has it.
        where: ``CHALLENGE`` for the error of a challenge.
    """

    kind: str
    detail: str
    status: int | None = None
    where: str | None = None

    @property
    def explanation(self) -> Explanation | None:
        """What it means and what to do next; None for what is not known."""
        return explain(self.kind, self.detail, self.status, self.where)


def find_in_text(text: str) -> list[Problem]:
    """Recognises the errors in a text: Certbot's output, ``letsencrypt.log``, a pasted sentence.

    Args:
        text: the text.

    Returns:
        Each error once, in the order of the text, also those that have no explanation; nothing
        of the text but error types and the server's words.
    """
    found = sorted(
        (*_typed(text), *_reported(text), *_worded(text)), key=lambda positioned: positioned[0]
    )
    problems: dict[tuple[str, str], Problem] = {}
    for _position, problem in found:
        problems.setdefault((problem.kind, _plain(problem.detail)), problem)
    return list(problems.values())


def _typed(text: str) -> Iterator[tuple[int, Problem]]:
    """Finds what has its type: ``urn:… :: description :: words``, and problem documents."""
    for match in re.finditer(_PREFIX.pattern + r"(\w+)", text, re.IGNORECASE):
        kind, end = match.group(1), match.end()
        if text[end : end + 1] == '"':
            yield match.start(), _document(text, match.start(), end, kind)
            continue
        line = text[end : _end_of_line(text, end)]
        # Certbot puts its own description of the type before the server's words.
        _before, *parts = line.split(" :: ")
        detail = parts[1] if len(parts) > 1 else "".join(parts)
        yield match.start(), Problem(kind, detail.strip())


def _document(text: str, start: int, end: int, kind: str) -> Problem:
    """Reads the problem document (RFC 7807) around a type."""
    begin = start
    for _attempt in range(_DEEPEST):
        begin = text.rfind("{", 0, begin)
        if begin < 0:
            break
        try:
            document, stop = json.JSONDecoder().raw_decode(text, begin)
        except (ValueError, RecursionError):
            continue
        if stop < end or not str(document.get("type")).endswith(kind):
            continue  # a brace in a text, or an object around
        detail, status = document.get("detail"), document.get("status")
        of_challenge = re.search(r'"error"\s*:\s*$', text[max(begin - 100, 0) : begin])
        return Problem(
            kind,
            detail if isinstance(detail, str) else "",
            status if isinstance(status, int) else None,
            CHALLENGE if of_challenge else None,
        )
    return Problem(kind, "")


def _reported(text: str) -> Iterator[tuple[int, Problem]]:
    """Finds what Certbot reports of failed challenges."""
    pattern = r"^[ \t]*Type:[ \t]*(\w+)\s*\n[ \t]*Detail:[ \t]*(.*)"
    for match in re.finditer(pattern, text, re.MULTILINE):
        yield match.start(), Problem(match.group(1), match.group(2).strip(), where=CHALLENGE)


def _worded(text: str) -> Iterator[tuple[int, Problem]]:
    """Finds the table's messages where their type is not given."""
    opening, messages = _messages()
    for opened in opening.finditer(text):
        match = messages.match(text, opened.start())
        if match is None:
            continue
        start = text.rfind("\n", 0, match.start()) + 1
        if _HAS_TYPE.search(text, start, match.start()):
            continue
        row = TABLE[int((match.lastgroup or "").lstrip("_"))]
        # Certbot before 2.0 puts its own description, in the same words, before the server's.
        following = text[match.end() : _end_of_line(text, match.end())]
        before, separator, rest = following.partition(" :: ")
        detail = rest if separator and not before else match.group(0)
        yield match.start(), Problem(row.kind, " ".join(detail.split()))


@functools.lru_cache(maxsize=1)
def _messages() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Returns what finds the messages' first words, and each message with its value.

    The latter is a group ``_N`` for each row; looking for all of them everywhere takes long.
    """
    openings = {row.message.split()[0] for row in TABLE}
    parts = []
    for number, row in enumerate(TABLE):
        words = r"\s+".join(map(re.escape, row.message.rstrip(" .:").split()))
        value = r"(?:\s*:(?:\s*\[[^\n]*\])?)?" if row.unnamed else r"[.:]?"
        parts.append(rf"(?P<_{number}>{words}\b{value})")
    return (
        re.compile(rf"\b(?:{'|'.join(sorted(openings))})\s"),
        re.compile("|".join(parts), re.IGNORECASE),
    )


def _end_of_line(text: str, position: int) -> int:
    end = text.find("\n", position)
    return end if end >= 0 else len(text)
