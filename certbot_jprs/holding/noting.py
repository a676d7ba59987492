"""Before an order, and before a version is saved: what is written down, and that there is room.

Rules of this file: nothing is ordered that could not be brought into service; what is noted is
durable before a newer version exists.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import time
from typing import Any

from certbot import errors

from certbot_jprs.ground.exceptions import HoldingError
from certbot_jprs.ground.language import _
from certbot_jprs.holding.leftovers import is_held_by_us
from certbot_jprs.holding.records import Record, Step, Store
from certbot_jprs.internals.delegation import of_config
from certbot_jprs.lineage import archive, durable, files, soundness
from certbot_jprs.lineage.files import Lineage

logger = logging.getLogger(__name__)

ROOM_FILES = 32
"""How many files must find room before a certificate is ordered: its own, their links and
directories, key and request where Certbot keeps those, the renewal file, the record, and what the
web server's plugin writes; each while the one that it replaces is still there."""

ROOM_SIZE = 4096
"""How large each may be, in bytes."""


def before_order(config: Any) -> None:
    """Makes sure that a certificate that is about to be ordered can be brought into service.

    Args:
        config: Certbot's configuration of it.

    Raises:
        HoldingError: its record, or the files that follow, cannot be written; or the last
            certificates were damaged.
    """
    store = Store(config.config_dir)
    try:
        _check_room(store, config.config_dir)
        lineage = _lineage_of(config)
        if lineage is not None:
            if config.verb == "renew" and not config.renew_by_default:
                _refuse_a_third(lineage)
            if store.load(lineage.name) is None:
                note(store, lineage.name, config)
    except OSError as error:
        raise HoldingError(
            _(
                "Nothing was ordered, because what a certificate needs until it is in service "
                "cannot be written below {directory}. Free space there, or make it writable. "
                "The error:\n"
                "{error}"
            ).format(directory=config.config_dir, error=error.strerror or error)
        ) from error


def _check_room(store: Store, config_dir: str) -> None:
    """Checks that a record, and the certificate that it is about, could be written now.

    Raises:
        OSError: it could not: no space or no inode is left, say, or it is read-only.
    """
    durable.make_directory(store.directory)
    archives = os.path.join(config_dir, "archive")
    folders = [folder for folder in (store.directory, archives) if os.path.isdir(folder)]
    # An archive may be a link to another file system.
    for folder in {os.stat(folder).st_dev: folder for folder in folders}.values():
        durable.check_room(folder, ROOM_FILES, ROOM_SIZE)


def _lineage_of(config: Any) -> Lineage | None:
    """Finds the lineage that is about to be renewed; None for a first certificate.

    Certbot does not tell its name; it does restore the names of its certificate.
    """
    if config.certname:
        return files.named(config.config_dir, config.certname)
    names = [str(domain) for domain in config.domains]
    likely = files.named(config.config_dir, names[0]) if names else None
    if likely is not None and _is_ours(likely, names):  # a large fleet need not be searched
        return likely
    found = files.with_names(config.config_dir, names)
    return next((lineage for lineage in found if is_held_by_us(lineage.params)), None)


def _is_ours(lineage: Lineage, names: list[str]) -> bool:
    try:
        same = lineage.names() == {name.lower() for name in names}
    except (OSError, ValueError):
        return False
    return same and is_held_by_us(lineage.params)


def _refuse_a_third(lineage: Lineage) -> None:
    """Has nothing ordered by itself after two damaged versions in a row.

    Raises:
        HoldingError: that is so.
        OSError: its directory cannot be read.
    """
    damaged = soundness.damaged_in_a_row(lineage)
    if len(damaged) >= soundness.MOST_IN_A_ROW:
        raise HoldingError(
            _(
                "Nothing was ordered: the last {count} certificates of {name} were damaged after "
                "they were saved ({files}). Check the disk, and what writes there; then: certbot "
                "renew --force-renewal --cert-name {name}"
            ).format(count=len(damaged), name=lineage.name, files=", ".join(damaged))
        )


def note(store: Store, name: str, config: Any) -> None:
    """Has a record, durably, of which version of a lineage is in service.

    Args:
        store: where the records are.
        name: the lineage's name.
        config: Certbot's configuration of it.

    Raises:
        OSError: it cannot be read or written, or a release that was cut short not be completed.
    """
    there = store.load(name)
    found = files.named(config.config_dir, name)
    in_service = archive.current_version(found) if found is not None else None
    if there is not None and there.step is Step.HELD:
        in_service = there.in_service or in_service
    elif there is not None and found is not None and there.held in archive.versions(found):
        archive.link_to(found, there.held)  # a release that was cut short
        in_service = there.held
    record = dataclasses.replace(
        there or Record(name),
        step=Step.HELD,
        in_service=in_service,
        held=None,
        since=0.0,
        directory_hooks=bool(config.directory_hooks),
        reload=of_config(config).installer is not None,
        failure="",
    )
    if record != there:
        store.save(record)


def before_saving(name: str, config: Any, *, ours: bool) -> None:
    """Notes, durably, which version is in service, before a newer one exists.

    Args:
        name: the lineage's name.
        config: Certbot's configuration of it.
        ours: whether its certificates are this plugin's to hold back.

    Raises:
        errors.PluginError: it cannot be noted.
    """
    store = Store(config.config_dir)
    if not ours:
        if store.has(name):
            logger.info("%s is renewed by another plugin: its record is dropped", name)
            with contextlib.suppress(OSError):
                store.remove(name)
        return
    try:
        note(store, name, config)
    except OSError as error:  # not expected: the disk was checked before the order
        raise errors.PluginError(
            _(
                "The record of the held certificate {name} could not be written. Free space, "
                "or make it writable, and run the command again. The error:\n"
                "{error}"
            ).format(name=name, error=error)
        ) from error


def after_saving(name: str, config_dir: str, version: int) -> None:
    """Makes what was saved durable, and notes which version waits.

    Args:
        name: the lineage's name.
        config_dir: Certbot's configuration directory.
        version: the version that was saved.
    """
    store = Store(config_dir)
    if not store.has(name):
        return
    found = files.named(config_dir, name)
    if found is not None:
        make_durable(found, version)
    try:
        record = store.load(name)
        if record is not None:
            record.held, record.since = version, time.time()
            store.save(record)
    except OSError:  # what is newer than the version in service is held all the same
        logger.debug("The record could not be completed", exc_info=True)


def make_durable(lineage: Lineage, version: int) -> None:
    """Has what Certbot saved survive a power cut in the minutes until it is released.

    Args:
        lineage: the lineage.
        version: the version that was saved.
    """
    try:
        soundness.sync(lineage, version)
    except OSError:  # it is synced again, and checked, before the links move
        logger.debug("Version %s of %s could not be synced", version, lineage.name, exc_info=True)
