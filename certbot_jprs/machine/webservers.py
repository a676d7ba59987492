"""Where web servers' configurations name certain files: Apache's and nginx's, as they lie there.

Rules of this file:

- It only reads: no web server is asked and no plugin of Certbot's prepared, so that no lock and no
  broken configuration is in the way; what cannot be read is passed over.
- What cannot be told from the files counts as use: every condition (``<IfModule>``, ``<IfDefine>``)
  holds, and what a variable stands for may be anything.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from certbot_jprs.machine.configurations import VARIABLE, Apache, Directive, Nginx, Reader

ROOTS = ("/etc/apache2", "/etc/httpd", "/etc/nginx")
"""Where Debian's and RHEL's web servers have their configuration."""

_MAIN_FILES = ("apache2.conf", "httpd.conf", "conf/httpd.conf", "nginx.conf")

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
                reader = Nginx(root) if nginx else Apache(root)
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
            if VARIABLE.search(word):
                pattern = word if VARIABLE.match(word) else path
                if fnmatch.filter(self._paths, VARIABLE.sub("*", pattern)):
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


def _in_blocks(reader: Reader, directives: Iterable[Directive], sought: _Sought) -> Iterator[Use]:
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
