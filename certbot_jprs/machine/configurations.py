"""Reads the configurations of Apache and nginx, directive by directive.

Rules of this file:

- It only reads; what cannot be read is passed over.
- Every condition (``<IfModule>``, ``<IfDefine>``) holds, and what a variable stands for may be
  anything.
"""

from __future__ import annotations

import abc
import glob
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

_MOST_BYTES = 1 << 20
_MOST_FILES = 10_000

VARIABLE = re.compile(r"\$\{[^}]*\}|[$%]\w+")
"""A variable of either."""

_NGINX_TOKEN = re.compile(
    r"""\s+ | \#[^\n]* | "(?P<double>(?:[^"\\]|\\.)*)" | '(?P<single>(?:[^'\\]|\\.)*)'
    | (?P<mark>[;{}]) | (?P<word>(?:\$\{[^}\s]*\} | \\. | [^\s;{}"'\\])+) | .""",
    re.VERBOSE | re.DOTALL,
)


@dataclass
class Directive:
    """One directive, or the begin or the end of a block of them.

    Attributes:
        words: its name and its words; of the end of a block, none.
        where: the file, and the line's number.
        opens: whether it begins a block.
    """

    words: list[str]
    where: str
    opens: bool = False


class Reader(abc.ABC):
    """Reads one web server's configuration.

    Args:
        root: the directory that relative paths start from.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self._left = _MOST_FILES

    def read(self, path: str, through: tuple[str, ...]) -> Iterator[Directive]:
        """Yields the directives of a file and of those that it includes, in their order.

        Args:
            path: the file.
            through: the files that include it, which it cannot include again.
        """
        if path in through or self._left <= 0 or not os.path.isfile(path):
            return
        self._left -= 1
        try:
            with open(path, "rb") as file:
                text = os.fsdecode(file.read(_MOST_BYTES))
        except OSError:
            return
        for directive in self.parse(text, path):
            yield directive
            if not directive.opens and directive.words[1:]:
                for pattern in self.included(directive.words):
                    for each in _files(os.path.join(self.root, pattern)):
                        yield from self.read(each, (*through, path))

    @abc.abstractmethod
    def parse(self, text: str, path: str) -> Iterator[Directive]:
        """Yields the directives of a text."""

    def included(self, words: list[str]) -> list[str]:
        """Returns what a directive includes."""
        return words[1:] if words[0].lower() == "include" else []


def _files(pattern: str) -> list[str]:
    """Returns the files that an ``Include`` stands for; of a directory, all below it."""
    found = []
    for path in sorted(glob.glob(VARIABLE.sub("*", pattern))):
        if os.path.isdir(path):
            found += [
                os.path.join(at, name) for at, _each, names in os.walk(path) for name in names
            ]
        else:
            found.append(path)
    return found


class Apache(Reader):
    """Reads Apache's configuration."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self._defined: dict[str, str] = {}

    def parse(self, text: str, path: str) -> Iterator[Directive]:
        """Yields the directives of a text."""
        begun = ""
        for number, line in enumerate(text.split("\n"), 1):
            whole = (begun + line).strip()
            begun = ""
            if whole.endswith("\\"):
                begun = whole[:-1] + " "
                continue
            where = f"{path}:{number}"
            if whole.startswith("</"):
                yield Directive([], where)
            elif whole and not whole.startswith("#"):
                opens = whole.startswith("<")
                words = [self._replaced(word) for word in _words(whole.strip("<>"))]
                if words:
                    yield self._noticed(Directive(words, where, opens))

    def _noticed(self, directive: Directive) -> Directive:
        """Heeds what says how to read the rest."""
        name, *words = directive.words
        if name.lower() == "serverroot" and words:
            self.root = words[0]
        elif name.lower() == "define" and len(words) == 2:
            self._defined[words[0]] = words[1]
        return directive

    def _replaced(self, word: str) -> str:
        """Puts into a word the values that ``Define`` gives."""
        return re.sub(r"\$\{(\w+)\}", lambda found: self._defined.get(found[1], found[0]), word)

    def included(self, words: list[str]) -> list[str]:
        """Returns what a directive includes."""
        return words[1:] if words[0].lower() in ("include", "includeoptional") else []


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:  # a quotation mark without the other
        return line.split()


class Nginx(Reader):
    """Reads nginx's configuration."""

    def parse(self, text: str, path: str) -> Iterator[Directive]:
        """Yields the directives of a text."""
        words: list[str] = []
        number, counted, begins = 1, 0, 1
        for token in _NGINX_TOKEN.finditer(text):
            mark, kind = token["mark"], token.lastgroup
            if kind is None:
                continue
            number += text.count("\n", counted, token.start())
            counted = token.start()
            if mark is None:
                begins = begins if words else number
                words.append(token[kind])
                continue
            if words:
                yield Directive(words, f"{path}:{begins}", opens=mark == "{")
            elif mark == "{":  # without a name: broken, but the count of blocks is kept
                yield Directive(["{"], f"{path}:{number}", opens=True)
            if mark == "}":
                yield Directive([], f"{path}:{number}")
            words = []
