"""The durable record of each held lineage.

One small JSON file per lineage, ``certbot-jprs/held/NAME.json`` below Certbot's configuration
directory. It says which version is in service, which is never computed as "newest minus one",
and how far the release of a newer one has come. It holds no hooks' commands and no keys: those
are in the lineage's renewal file, where Certbot keeps them.

Rules of this file: what was read and is no record is reported and rebuilt from the lineage's links;
what cannot be read (EACCES, EIO) is trouble, and nothing is rebuilt.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import logging
import os
import stat
from dataclasses import dataclass
from typing import Any

from certbot_jprs.ground import said
from certbot_jprs.ground.language import _
from certbot_jprs.internals.delegation import of_lineage
from certbot_jprs.lineage import archive, durable, files
from certbot_jprs.lineage.files import Lineage

logger = logging.getLogger(__name__)

FORMAT = 1

_LAST_TIME = 253_402_300_799.0
"""The last second of the year 9999, beyond which no date can be made of a time."""


class Step(enum.Enum):
    """How far a lineage has come on its way into service."""

    HELD = "held"
    """Whatever is newer than the version in service waits."""

    RELEASED = "released"
    """Decided: the links move forward, the deploy hooks run."""

    HOOKED = "hooked"
    """Links and hooks are done; the web server has yet to be reloaded."""


@dataclass
class Record:
    """One lineage on its way into service.

    Attributes:
        name: the lineage's name.
        step: how far it has come.
        in_service: the version that was in service before; None for a first certificate.
        held: the version that waits; None until Certbot has saved it.
        since: when it was saved, in seconds since the epoch.
        directory_hooks: whether the hooks of ``renewal-hooks/deploy/`` run too.
        reload: whether the web server is to be reloaded by this plugin.
        install: for a first certificate, the names to configure in it; empty otherwise.
        redirect: whether those shall redirect to HTTPS.
        enhancements: what else was asked for with them, as destinations of Certbot's options.
        failure: what went wrong last, for ``certbot-jprs status``; see ``ground/said``.
    """

    name: str
    step: Step = Step.HELD
    in_service: int | None = None
    held: int | None = None
    since: float = 0.0
    directory_hooks: bool = True
    reload: bool = False
    install: list[str] = dataclasses.field(default_factory=list)
    redirect: bool = False
    enhancements: list[str] = dataclasses.field(default_factory=list)
    failure: str = ""

    def to_json(self) -> str:
        """Returns the record as text."""
        values = {
            "format": FORMAT,
            **dataclasses.asdict(self),
            "step": self.step.value,
            "failure": said.to_json(self.failure),
        }
        return json.dumps(values, ensure_ascii=False, indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Record:
        """Reads a record.

        Args:
            text: what ``to_json`` returned.

        Raises:
            ValueError: it is not a record of a format that this version knows.
        """
        values = json.loads(text)
        if not isinstance(values, dict) or values.pop("format", None) != FORMAT:
            raise ValueError("not a record of this version of certbot-jprs")
        try:
            failure = said.from_json(values.get("failure", ""))
            record = cls(**{**values, "step": Step(values.get("step")), "failure": failure})
        except TypeError as error:
            raise ValueError(str(error)) from error
        record.check()
        return record

    def check(self) -> None:
        """Checks the types of what was read.

        Raises:
            ValueError: a field has another type.
        """
        numbers: list[Any] = [self.in_service, self.held]
        if not (
            isinstance(self.name, str)
            and all(number is None or (type(number) is int and number > 0) for number in numbers)
            and isinstance(self.since, (int, float))
            and 0 <= self.since <= _LAST_TIME  # neither is NaN
            and all(type(f) is bool for f in (self.directory_hooks, self.reload, self.redirect))
            and all(isinstance(each, list) for each in (self.install, self.enhancements))
            and all(isinstance(name, str) for name in (*self.install, *self.enhancements))
        ):
            raise ValueError("a field has a wrong type")


class Store:
    """The records below one Certbot configuration directory.

    Args:
        config_dir: Certbot's configuration directory.

    Attributes:
        config_dir: that directory.
        directory: where they are.
    """

    def __init__(self, config_dir: str) -> None:
        self.config_dir = config_dir
        self.directory = os.path.join(config_dir, "certbot-jprs", "held")

    def _path(self, name: str) -> str:
        return os.path.join(self.directory, f"{name}.json")

    def has(self, name: str) -> bool:
        """Tells whether a lineage has a record, whether or not it can be read.

        Args:
            name: the lineage's name.
        """
        return os.path.lexists(self._path(name))

    def has_renewal_file(self, name: str) -> bool:
        """Tells whether there is a lineage of that name, whether or not it can be read.

        Args:
            name: the lineage's name.
        """
        return os.path.lexists(os.path.join(self.config_dir, "renewal", f"{name}.conf"))

    def names(self) -> list[str]:
        """Returns the names of the lineages that have a record, sorted."""
        try:
            files = os.listdir(self.directory)
        except OSError:
            return []
        texts = (file for file in files if file.isprintable())  # what is not UTF-8 is not ours
        return sorted(file[: -len(".json")] for file in texts if file.endswith(".json"))

    def is_empty(self) -> bool:
        """Tells whether there is nothing at all: no record, and nothing of a killed process."""
        try:
            beside = os.listdir(os.path.dirname(self.directory))  # where the history is
            return not os.listdir(self.directory) and not any(n[0] == "." for n in beside)
        except OSError:
            return True

    def look(self, name: str) -> Record | None:
        """Returns a lineage's record, and writes and says nothing.

        Args:
            name: the lineage's name.

        Returns:
            The record; a rebuilt one where it is none; None where there is none.

        Raises:
            OSError: it cannot be read.
        """
        try:
            return self._read(name)
        except (ValueError, RecursionError):
            return self._rebuilt(name)

    def load(self, name: str) -> Record | None:
        """Returns a lineage's record; one that is none is reported, and mended on the disk.

        Args:
            name: the lineage's name.

        Returns:
            As ``look`` does.

        Raises:
            OSError: it cannot be read.
        """
        try:
            return self._read(name)
        except (ValueError, RecursionError) as error:
            logger.warning(
                _(
                    "The record of the held certificate {name} could not be read ({error}). It "
                    "is rebuilt from the certificate's files."
                ).format(name=name, error=error)
            )
        record = self._rebuilt(name)
        try:
            path = self._path(name)
            if not os.path.isfile(path):  # a directory, for example
                os.rename(path, durable.unused(f"{path}.no-record"))
            self.save(record)
        except OSError:
            logger.debug("The rebuilt record could not be written", exc_info=True)
        return record

    def _read(self, name: str) -> Record | None:
        """Reads a record.

        Raises:
            OSError: it cannot be read.
            ValueError, RecursionError: it is none.
        """
        path = self._path(name)
        try:
            # A pipe or a device may never come to an end.
            if not stat.S_ISREG(os.stat(path).st_mode):
                raise ValueError("it is no file")
        except FileNotFoundError:
            return None
        with open(path, encoding="utf-8") as file:
            record = Record.from_json(file.read())
        if record.name != name:
            raise ValueError(f"it is that of {record.name}")
        return record

    def _rebuilt(self, name: str) -> Record:
        """Makes a record anew from what the lineage's links and versions tell."""
        lineage = files.named(self.config_dir, name)
        return Record(name) if lineage is None else rebuilt(lineage)

    def save(self, record: Record) -> None:
        """Writes a record.

        Args:
            record: the record.

        Raises:
            OSError: it could not be written; an older one of that lineage is as it was.
        """
        durable.make_directory(self.directory)
        durable.write(self._path(record.name), record.to_json())

    def remove(self, name: str) -> None:
        """Removes a lineage's record, if there is one.

        Args:
            name: the lineage's name.

        Raises:
            OSError: it could not be removed.
        """
        durable.remove(self._path(name))


def rebuilt(lineage: Lineage) -> Record:
    """Makes a lineage's record from its links and versions alone.

    Args:
        lineage: the lineage.

    Returns:
        Held, where a version newer than the linked one exists. Otherwise released: the links
        are forward, and hooks and reload are done once more, because nobody knows whether they
        were.
    """
    linked = archive.current_version(lineage)
    reload = of_lineage(lineage.params).installer is not None
    record = Record(lineage.name, in_service=linked, reload=reload)
    try:
        newest = archive.versions(lineage)[-1]
    except (OSError, IndexError):
        return record
    record.held = newest
    if newest == linked:
        record.in_service = None
        record.step = Step.RELEASED
    return record
