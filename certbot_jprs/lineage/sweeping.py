"""What a killed process left beside a lineage's files: taken away by the next run.

Rules of this file: nothing that an administrator put there is lost; Certbot's lock is held.
"""

from __future__ import annotations

import contextlib
import glob
import logging
import os
from typing import Callable

from certbot_jprs.lineage import durable
from certbot_jprs.lineage.files import KINDS

logger = logging.getLogger(__name__)

_LINKS = frozenset(f"{kind}.pem" for kind in KINDS)


def sweep(config_dir: str, records: str) -> None:
    """Takes away temporary files and links, and the directories of an earlier way to move links.

    Args:
        config_dir: Certbot's configuration directory.
        records: the directory of the records.
    """
    for folder in (
        records,
        os.path.dirname(records),
        os.path.join(config_dir, "renewal"),
        os.path.join(config_dir, "archive"),
    ):
        durable.sweep(folder)
    live = os.path.join(glob.escape(config_dir), "live")
    for kind in KINDS:
        for path in glob.glob(os.path.join(live, "*", f".{kind}.pem.new")):
            if os.path.islink(path):
                _try(os.unlink, path)
    for path in glob.glob(os.path.join(live, ".*.new")):
        parent, name = os.path.split(path)
        stays = os.path.join(parent, name[1 : -len(".new")])
        # Only where it was: of a lineage that is there.
        if os.path.isdir(path) and not os.path.islink(path) and os.path.isdir(stays):
            _try(_empty, path, stays)


def _try(step: Callable[..., None], *paths: str) -> None:
    try:
        step(*paths)
    except OSError as error:
        logger.debug("%s could not be taken away: %s", paths[0], error)


def _empty(directory: str, stays: str) -> None:
    """Removes the directory with which ``live/NAME`` was exchanged before version 1.

    An administrator's files in it are those of ``live/NAME`` under a second name, or were
    written while the exchange went on: those go where they were meant to be.

    Raises:
        OSError: something could not be moved; it stays.
    """
    for name in os.listdir(directory):
        path, there = os.path.join(directory, name), os.path.join(stays, name)
        if name in _LINKS and os.path.islink(path):
            os.unlink(path)
        elif not os.path.lexists(there):
            os.rename(path, there)
        elif os.path.samestat(os.lstat(path), os.lstat(there)):
            os.unlink(path)
    with contextlib.suppress(OSError):  # what is of two minds is the administrator's to settle
        os.rmdir(directory)
