"""Reads a document: its headings, its blocks, and the commands among them. No lab, no running."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROMPTS = ("# ", "$ ")
STATUS = re.compile(r"\((?:exit status|終了ステータス) (\d+)\)")
COMMENT = re.compile(r"<!--\s*(scene|then)\b:?(.*?)-->", re.DOTALL)
HEADING = re.compile(r"(#+) (.+)")
FENCE = re.compile(r"(```+)\s*([^`]*)")


@dataclass(frozen=True)
class Command:
    """A command and what the document says of it.

    Attributes:
        line: where it stands in the document, from 1.
        text: the command, as typed.
        output: the lines below it.
        status: the exit status that the document gives.
    """

    line: int
    text: str
    output: tuple[str, ...] = ()
    status: int = 0


@dataclass(frozen=True)
class Setting:
    """A comment that sets the world up.

    Attributes:
        line: where it stands.
        anew: whether a new world begins.
        statements: what it says, one by one.
    """

    line: int
    anew: bool
    statements: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, and where its first line stands."""

    language: str
    line: int
    lines: tuple[str, ...]


@dataclass
class Document:
    """What a test needs to know of a document.

    Attributes:
        headings: level and text of each, in order.
        blocks: all of its fenced blocks.
        steps: commands and settings, in order.
    """

    headings: list[tuple[int, str]] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    steps: list[Command | Setting] = field(default_factory=list)

    @property
    def commands(self) -> list[Command]:
        """Its commands, in order."""
        return [step for step in self.steps if isinstance(step, Command)]


def documents(root: Path = ROOT) -> list[Path]:
    """Returns the documents whose commands are run: the READMEs, and the manual."""
    pages = (root / "docs").rglob("*.md")
    manual = [
        page for page in pages if not {"_build", "pictures"} & set(page.relative_to(root).parts)
    ]
    return [root / "README.md", root / "README.ja.md", *sorted(manual)]


def is_japanese(path: Path) -> bool:
    """Tells in which language a document is written, by its name."""
    return path.name.endswith(".ja.md") or "ja" in path.relative_to(ROOT).parts


def in_english(path: Path) -> Path:
    """Returns where the English of a Japanese document stands."""
    parts = ["en" if part == "ja" else part for part in path.relative_to(ROOT).parts]
    return ROOT.joinpath(*parts[:-1], parts[-1].replace(".ja.md", ".md"))


def read(text: str) -> Document:
    """Reads a document.

    Raises:
        ValueError: a block that does not end, or output above the first command of one.
    """
    found = Document()
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        if fence := FENCE.fullmatch(lines[at].strip()):
            block = _block(lines, at, fence)
            found.blocks.append(block)
            if block.language == "console":
                found.steps += commands(block)
            at += len(block.lines) + 2
        elif lines[at].startswith("<!--"):
            size = next(n for n, line in enumerate(lines[at:], 1) if "-->" in line)
            found.steps += _settings("\n".join(lines[at : at + size]), at + 1)
            at += size
        else:
            if heading := HEADING.fullmatch(lines[at]):
                found.headings.append((len(heading[1]), heading[2]))
            at += 1
    return found


def _block(lines: list[str], at: int, fence: re.Match[str]) -> Block:
    margin = len(lines[at]) - len(lines[at].lstrip())
    inside: list[str] = []
    for line in lines[at + 1 :]:
        if line.strip() == fence[1]:
            return Block(fence[2], at + 2, tuple(inside))
        inside.append(line[margin:])
    raise ValueError(f"line {at + 1}: a block that does not end")


def _settings(comment: str, line: int) -> Iterator[Setting]:
    for found in COMMENT.finditer(comment):
        # What stands on lines of its own may contain semicolons: a crontab, for example.
        several = found[2].split("\n" if "\n" in found[2].strip() else ";")
        statements = (each.strip() for each in several)
        yield Setting(line, found[1] == "scene", tuple(each for each in statements if each))


def commands(block: Block) -> Iterator[Command]:
    """Returns the commands of a console block.

    Raises:
        ValueError: it does not begin with a command.
    """
    rest = list(enumerate(block.lines, block.line))
    while rest:
        number, first = rest.pop(0)
        if not first.startswith(PROMPTS):
            raise ValueError(f"line {number}: no prompt before {first!r}")
        typed = [first[2:]]
        while typed[-1].endswith("\\") and rest:
            typed.append(rest.pop(0)[1])
        output = []
        while rest and not rest[0][1].startswith(PROMPTS):
            output.append(rest.pop(0)[1])
        status = STATUS.fullmatch(output[-1]) if output else None
        if status:
            output.pop()
        yield Command(number, "\n".join(typed), tuple(output), int(status[1]) if status else 0)
