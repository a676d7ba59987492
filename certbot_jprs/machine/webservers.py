"""Where web servers' configurations name certain files: Apache's and nginx's, as they lie there.

Rules of this file:

- It only reads: no web server is asked and no plugin of Certbot's prepared, so that no lock and no
  broken configuration is in the way; what cannot be read is passed over.
- What cannot be told from the files counts as use: every condition (``<IfModule>``, ``<IfDefine>``)
  holds, and what a variable stands for may be anything.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

ROOTS = ("/etc/apache2", "/etc/httpd", "/etc/nginx")
"""Where Debian's and RHEL's web servers have their configuration."""

_MAIN_FILES = ("apache2.conf", "httpd.conf", "conf/httpd.conf", "nginx.conf")
_MOST_BYTES = 1 << 20
_MOST_FILES = 10_000

_VARIABLE = re.compile(r"\$\{[^}]*\}|[$%]\w+")
_NGINX_TOKEN = re.compile(
    r"""\s+ | \#[^\n]* | "(?P<double>(?:[^"\\]|\\.)*)" | '(?P<single>(?:[^'\\]|\\.)*)'
    | (?P<mark>[;{}]) | (?P<word>(?:\$\{[^}\s]*\} | \\. | [^\s;{}"'\\])+) | .""",
    re.VERBOSE | re.DOTALL,
)
_NAMES = ("servername", "serveralias", "server_name")


@dataclass(frozen=True)
class Use:
    """A virtual host, or what stands outside of all, that names one of the files.

    Attributes:
        where: the first place: the file, and the line's number from 1.
        names: the names of the virtual host; none outside of all.
    """

    where: str
    names: tuple[str, ...]


def uses(files: Iterable[str], roots: Iterable[str] = ()) -> list[Use]:
    """Finds the virtual hosts that name some files, or any file beside them.

    Args:
        files: absolute paths; what leads there by links counts, too.
        roots: directories of web servers' configurations besides ``ROOTS``.
    """
    sought = _Sought(files)
    found: list[Use] = []
    for root in dict.fromkeys((*ROOTS, *roots)):
        for main in _MAIN_FILES:
            path = os.path.join(root, main)
            if os.path.isfile(path):
                nginx = main == "nginx.conf"
                reader = _Nginx(root) if nginx else _Apache(root)
                found += _in_blocks(reader, reader.read(path, ()), sought)
    return list(dict.fromkeys(found))


class _Sought:
    """The files that are looked for.

    Args:
        files: absolute paths.
    """

    def __init__(self, files: Iterable[str]) -> None:
        self._paths = {each for file in files for each in (file, os.path.realpath(file))}
        self._directories = {os.path.dirname(path) for path in self._paths}

    def among(self, words: list[str], root: str) -> bool:
        """Tells whether one of a directive's words leads to one of the files.

        Args:
            words: the directive and its words.
            root: what relative paths start from.
        """
        certificates = "certificate" in words[0].lower()
        for word in words[1:]:
            if "/" not in word and not certificates:
                continue
            path = os.path.normpath(os.path.join(root, word))
            if _VARIABLE.search(word):
                pattern = word if _VARIABLE.match(word) else path
                if fnmatch.filter(self._paths, _VARIABLE.sub("*", pattern)):
                    return True
            elif not {os.path.dirname(path), os.path.dirname(_real(path))}.isdisjoint(
                self._directories
            ):
                return True
        return False


def _real(path: str) -> str:
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):  # a null character
        return path


@dataclass
class _Directive:
    """One directive, or the begin or the end of a block of them.

    Attributes:
        words: its name and its words; of the end of a block, none.
        where: the file, and the line's number.
        opens: whether it begins a block.
    """

    words: list[str]
    where: str
    opens: bool = False


@dataclass
class _Block:
    """A block of directives.

    Attributes:
        is_host: whether it is a virtual host.
        names: its names.
        where: where the files are named in it.
    """

    is_host: bool
    names: list[str] = field(default_factory=list)
    where: list[str] = field(default_factory=list)

    def use(self) -> Iterator[Use]:
        """Yields the use that it makes of the files, if any."""
        if self.where:
            yield Use(self.where[0], tuple(dict.fromkeys(self.names)))


def _in_blocks(reader: _Reader, directives: Iterable[_Directive], sought: _Sought) -> Iterator[Use]:
    """Finds the blocks that name the files, nested ones as part of their virtual host."""
    hosts = [_Block(is_host=True)]
    blocks: list[_Block] = []
    for directive in directives:
        if directive.opens:
            block = _Block(directive.words[0].lower() in ("virtualhost", "server"))
            blocks.append(block)
            if block.is_host:
                hosts.append(block)
        elif directive.words:
            if directive.words[0].lower() in _NAMES:
                hosts[-1].names += filter(None, map(_host, directive.words[1:]))
            if sought.among(directive.words, reader.root):
                hosts[-1].where.append(directive.where)
        elif blocks and blocks.pop().is_host:
            yield from hosts.pop().use()
    # That which stands outside of all has a name, too, but the certificate is not for that alone.
    hosts[0].names.clear()
    for host in hosts:
        yield from host.use()


def _host(name: str) -> str | None:
    """Returns a name without scheme and port; None for what is none: ``_``, ``~^w``, ``$host``."""
    name = name.rpartition("://")[2].partition(":")[0].lower()
    return name if re.fullmatch(r"[\w*.-]*\w\.[\w*.-]+", name) else None


class _Reader:
    """Reads one web server's configuration.

    Args:
        root: the directory that relative paths start from.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self._left = _MOST_FILES

    def read(self, path: str, through: tuple[str, ...]) -> Iterator[_Directive]:
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

    def parse(self, text: str, path: str) -> Iterator[_Directive]:
        """Yields the directives of a text."""
        raise NotImplementedError

    def included(self, words: list[str]) -> list[str]:
        """Returns what a directive includes."""
        return words[1:] if words[0].lower() == "include" else []


def _files(pattern: str) -> list[str]:
    """Returns the files that an ``Include`` stands for; of a directory, all below it."""
    found = []
    for path in sorted(glob.glob(_VARIABLE.sub("*", pattern))):
        if os.path.isdir(path):
            found += [
                os.path.join(at, name) for at, _each, names in os.walk(path) for name in names
            ]
        else:
            found.append(path)
    return found


class _Apache(_Reader):
    """Reads Apache's configuration."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self._defined: dict[str, str] = {}

    def parse(self, text: str, path: str) -> Iterator[_Directive]:
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
                yield _Directive([], where)
            elif whole and not whole.startswith("#"):
                opens = whole.startswith("<")
                words = [self._replaced(word) for word in _words(whole.strip("<>"))]
                if words:
                    yield self._noticed(_Directive(words, where, opens))

    def _noticed(self, directive: _Directive) -> _Directive:
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


class _Nginx(_Reader):
    """Reads nginx's configuration."""

    def parse(self, text: str, path: str) -> Iterator[_Directive]:
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
                yield _Directive(words, f"{path}:{begins}", opens=mark == "{")
            elif mark == "{":  # without a name: broken, but the count of blocks is kept
                yield _Directive(["{"], f"{path}:{number}", opens=True)
            if mark == "}":
                yield _Directive([], f"{path}:{number}")
            words = []
