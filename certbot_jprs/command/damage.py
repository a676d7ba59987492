"""Damaged files of a lineage: what ``status`` says of them.

Rules of this file: as of ``findings``.
"""

from __future__ import annotations

from certbot_jprs.command.levels import Finding, Level
from certbot_jprs.command.survey import Entry
from certbot_jprs.ground.language import _
from certbot_jprs.ground.said import words
from certbot_jprs.lineage.soundness import MOST_IN_A_ROW


def of_files(entry: Entry) -> list[Finding]:
    """Says what is wrong with the files of a lineage's versions, and with its record.

    Args:
        entry: what is known of it.
    """
    found: list[Finding] = []

    def add(level: Level, message: str, kind: str = "damaged") -> None:
        found.append(Finding(level, kind, message))

    renew = "certbot renew --force-renewal --cert-name " + entry.lineage.name
    if entry.record_error:
        add(
            Level.UNKNOWN,
            _(
                "whether a new certificate waits cannot be read ({error}). Run this as root; "
                "check the disk"
            ).format(error=entry.record_error),
            "unreadable",
        )
    if entry.damage:
        add(
            Level.CRITICAL,
            _(
                "version {version} in live/ is damaged: a web server may not start with it "
                "({error}). Check the disk; then: {renew}"
            ).format(version=entry.version, error=words(entry.damage), renew=renew),
        )
    if len(entry.set_aside) >= MOST_IN_A_ROW:
        add(
            Level.CRITICAL,
            _(
                "its last {count} new certificates were damaged after they were saved and set "
                "aside ({files}); no other is ordered by itself. Check the disk, and what writes "
                "there; then: {renew}"
            ).format(count=len(entry.set_aside), files=", ".join(entry.set_aside), renew=renew),
        )
    elif entry.set_aside:
        add(
            Level.WARNING,
            _(
                "its last new certificate was damaged after it was saved and set aside ({files}). "
                "Check the disk; the next one is ordered when it is due"
            ).format(files=", ".join(entry.set_aside)),
        )
    return found
