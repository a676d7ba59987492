"""Records that an earlier run left: which still ask for something, and which version waits.

Rules of this file: a record is dropped only where it is certain that nothing waits any more, with
a line in the log; a lineage that cannot be read at the moment keeps its record.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

from certbot_jprs.ground.names import NAME
from certbot_jprs.holding.records import Record, Step, Store
from certbot_jprs.lineage import archive
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.rules import policy

logger = logging.getLogger(__name__)


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
    """
    record = store.load(name)
    if record is None:
        return None
    if lineage is None and store.has_renewal_file(name):
        logger.info("The certificate %s stays held: its renewal file cannot be read", name)
        return None
    try:
        reason = _reason_to_drop(record, lineage)
    except OSError as error:
        logger.info("The certificate %s stays held: its files cannot be read: %s", name, error)
        return None
    if reason is None:
        return record
    logger.info("The record of the held certificate %s is dropped: %s", name, reason)
    try:
        store.remove(name)
    except OSError:
        logger.debug("It could not be removed", exc_info=True)
    return None


def _reason_to_drop(record: Record, lineage: Lineage | None) -> str | None:
    """Settles which version waits; says why none does.

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
        return "no newer certificate was saved"
    linked = archive.current_version(lineage)
    if record.held is not None and linked is not None and linked > record.held:
        return "a newer certificate was put into service without this plugin"
    record.held = newer[-1]
    if not record.since:
        record.since = os.stat(archive.files(lineage, record.held)["cert"]).st_mtime
    return None
