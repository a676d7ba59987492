"""How renewals ended: a small history for ``certbot-jprs status`` and its metrics.

One file, ``certbot-jprs/history.jsonl`` below Certbot's configuration directory: a JSON object in
each line, the oldest first. It holds no commands and no keys.

Rules of this file:

- It is written after all that matters, and never in the way of it: whatever is wrong with the file
  is a line in Certbot's log.
- It is bounded; the last entry of each lineage stays.
- What did not go into service has one entry, however many runs have tried since.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import stat
from collections.abc import Iterable, Sequence

from certbot_jprs.holding.ending import Ending, Outcome
from certbot_jprs.holding.records import Store
from certbot_jprs.lineage import durable

logger = logging.getLogger(__name__)

MOST = 400
"""How many entries are kept: of forty certificates, those of more than a year."""


class History:
    """The history below one Certbot configuration directory.

    Args:
        config_dir: Certbot's configuration directory.

    Attributes:
        path: the file.
    """

    def __init__(self, config_dir: str) -> None:
        self._store = Store(config_dir)
        self.path = os.path.join(config_dir, "certbot-jprs", "history.jsonl")

    def entries(self) -> list[Ending]:
        """Returns all entries, the oldest first; lines that are none are left out.

        Raises:
            OSError: the file cannot be read.
        """
        try:
            # A pipe or a device may never come to an end.
            if not stat.S_ISREG(os.stat(self.path).st_mode):
                raise OSError(f"{self.path} is no file")
        except FileNotFoundError:
            return []
        with open(self.path, encoding="utf-8", errors="replace") as file:
            return [entry for line in file if (entry := _read(line)) is not None]

    def add(self, endings: Sequence[Ending]) -> None:
        """Adds entries; what cannot be kept is only logged.

        Args:
            endings: how some renewals ended.
        """
        if not endings:
            return
        try:
            entries = self.entries()
            for ending in endings:
                _put(entries, ending)
            durable.make_directory(os.path.dirname(self.path))
            text = "".join(entry.to_json() + "\n" for entry in self._bounded(entries))
            durable.write(self.path, text)
        except OSError as error:
            logger.info("The history of renewals could not be written: %s", error)

    def _bounded(self, entries: Sequence[Ending]) -> list[Ending]:
        """Returns the newest, and what else is the last of a lineage that there is."""
        last = last_of(entries)
        older = (
            entry
            for entry in entries[:-MOST]
            if last[entry.name] is entry and self._store.has_renewal_file(entry.name)
        )
        return [*older, *entries[-MOST:]]


def last_of(entries: Iterable[Ending]) -> dict[str, Ending]:
    """Returns the last entry of each lineage, by name.

    Args:
        entries: the entries, the oldest first.
    """
    return {entry.name: entry for entry in entries}


def _put(entries: list[Ending], ending: Ending) -> None:
    """Adds an entry; one before it about the same version, which came to nothing, goes."""
    before = last_of(entries).get(ending.name)
    if (
        before is not None
        and before.outcome is not Outcome.RELEASED
        and before.version == ending.version
    ):
        entries[:] = [entry for entry in entries if entry is not before]
        ending = _with_wait_of(before, ending)
    entries.append(ending)


def _with_wait_of(before: Ending, ending: Ending) -> Ending:
    """Returns an entry with what an earlier run has measured and this one has not."""
    if ending.waited is None:
        ending = dataclasses.replace(ending, waited=before.waited, status=before.status)
    if ending.unknown_until is None:
        ending = dataclasses.replace(ending, unknown_until=before.unknown_until)
    return ending


def _read(line: str) -> Ending | None:
    try:
        return Ending.from_json(line)
    except (ValueError, TypeError, RecursionError):
        return None
