"""Records that an earlier run left: which still ask for something, and which version waits.

Rules of this file: a record is dropped only where it is certain that nothing waits any more, with
a line in the log; a lineage that cannot be read at the moment keeps its record. A version that is
damaged waits for nothing: it is set aside.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from certbot_jprs.ground.language import marked
from certbot_jprs.ground.names import NAME
from certbot_jprs.ground.said import Said, joined
from certbot_jprs.holding.ending import Ending, Outcome
from certbot_jprs.holding.history import History
from certbot_jprs.holding.records import Record, Step, Store
from certbot_jprs.lineage import archive, soundness
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.lineage.soundness import UnsoundError
from certbot_jprs.rules import policy

logger = logging.getLogger(__name__)

NOTHING_SAVED = "no newer certificate was saved"


def is_held_by_us(params: Mapping[str, Any]) -> bool:
    """Tells whether a lineage's certificates are this plugin's to hold back.

    Args:
        params: the ``[renewalparams]`` section of its renewal file.
    """
    ours = NAME in (params.get("authenticator"), params.get("installer"))
    server = params.get("server")
    return ours and bool(server) and not policy.is_lets_encrypt(server)


def relevant(store: Store, name: str, lineage: Lineage | None) -> Record | None:
    """Returns a lineage's record if there still is something to do, and drops it otherwise.

    Args:
        store: where the records are.
        name: the lineage's name.
        lineage: the lineage; None where there is none that can be read.

    Returns:
        The record, with the version that waits; None where none was, or is left.

    Raises:
        OSError: the record or the lineage's files cannot be read: it stays held.
    """
    record = store.load(name)
    if record is None:
        return None
    if lineage is None and store.has_renewal_file(name):
        logger.info("The certificate %s stays held: its renewal file cannot be read", name)
        return None
    reason = reason_to_drop(record, lineage)
    if reason is None:
        return record
    logger.info("The record of the held certificate %s is dropped: %s", name, reason)
    try:
        store.remove(name)
    except OSError:
        logger.debug("It could not be removed", exc_info=True)
    if reason == NOTHING_SAVED:
        ended = Ending(name, ended=time.time(), outcome=Outcome.NOT_ISSUED)
        History(store.config_dir).add([ended])
    return None


@dataclass(frozen=True)
class Damage:
    """What was found of damaged versions.

    Attributes:
        told: what is to be told of it, and what to do next.
        stays: whether the damaged version stays, because there is no sound one.
    """

    told: Said
    stays: bool


def set_damaged_aside(record: Record, lineage: Lineage) -> Damage | None:
    """Sets aside the versions that wait and are damaged, newest first, up to a sound one.

    Args:
        record: the lineage's record; changed where a version is set aside, to be saved.
        lineage: the lineage.

    Returns:
        The damage; None where there was none.

    Raises:
        OSError: a file cannot be read, or not be renamed.
    """
    messages: list[Said] = []
    stays: int | None = None
    for version in reversed(archive.versions(lineage)):
        if record.in_service is not None and version <= record.in_service:
            break
        try:
            soundness.check(lineage, version)
            break
        except UnsoundError as error:
            stays = soundness.set_aside(lineage, version, record.in_service)
            messages.append(_told(lineage, version, stays, error))
            if stays is None:
                break
            record.step, record.in_service = Step.HELD, stays
            record.held, record.since = None, 0.0
    return Damage(joined(messages, " "), stays is None) if messages else None


def _told(lineage: Lineage, version: int, stays: int | None, error: UnsoundError) -> Said:
    if stays is not None:
        return Said(
            marked(
                "Version {version} of {name} is damaged and was set aside, with {suffix} appended "
                "to the names of its files: version {stays} stays in service, and is renewed when "
                "it is due. Check the disk, and what writes there. {error}"
            ),
            name=lineage.name,
            version=version,
            suffix=soundness.SUFFIX,
            stays=stays,
            error=error.reason,
        )
    return Said(
        marked(
            "The certificate {name} is damaged, and there is no other version: it is not put into "
            "service. {error} Check the disk; then order it anew: {command}"
        ),
        name=lineage.name,
        command=anew(lineage),
        error=error.reason,
    )


def anew(lineage: Lineage) -> str:
    """Returns the commands that replace a lineage's only version, which is damaged.

    Args:
        lineage: the lineage.
    """
    forced = f"certbot renew --force-renewal --cert-name {lineage.name}"
    try:
        lineage.certificate()
    except (OSError, ValueError):
        # Certbot itself reads the names of a renewal from the certificate.
        return Said(
            marked(
                "certbot delete --cert-name {name}, then the command that ordered it (the usual "
                "{forced} is of no use where the certificate itself cannot be read)."
            ),
            name=lineage.name,
            forced="--force-renewal",
        )
    return forced


def reason_to_drop(record: Record, lineage: Lineage | None) -> str | None:
    """Settles which version waits; says why none does.

    Args:
        record: a record; the version that waits is entered.
        lineage: its lineage; None where there is none.

    Returns:
        Why nothing waits; None where something does.

    Raises:
        OSError: the lineage's versions cannot be read.
    """
    if lineage is None:
        return "its lineage is gone"
    if not is_held_by_us(lineage.params):
        return "its lineage belongs to another plugin or CA now"
    versions = archive.versions(lineage)
    if record.in_service is not None and record.step is Step.HELD:
        return _settle(record, lineage, versions)
    return None if record.held in versions else "its certificate is gone"


def _settle(record: Record, lineage: Lineage, versions: list[int]) -> str | None:
    # Also after a kill while Certbot was saving, when the record does not name it yet.
    newer = [version for version in versions if version > (record.in_service or 0)]
    if not newer:
        return NOTHING_SAVED
    linked = archive.current_version(lineage)
    if record.held is not None and linked is not None and linked > record.held:
        return "a newer certificate was put into service without this plugin"
    record.held = newer[-1]
    if not record.since:
        record.since = os.stat(archive.files(lineage, record.held)["cert"]).st_mtime
    return None
