"""The versions of a lineage, and the links in ``live/`` that choose one.

Rules of this file: each of the four links is replaced atomically, in the directory that is there,
so that none is ever missing and whoever watches or has mounted that directory sees it. A process
killed in between leaves links that the next call mends.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re

from certbot_jprs.lineage import durable
from certbot_jprs.lineage.files import KINDS, Lineage

logger = logging.getLogger(__name__)

REVOKED_SUFFIX = ".revoked"

_ORDER = ("privkey", "fullchain", "cert", "chain")
"""The links in the order in which they move: those that servers load directly after each other."""


def directory(lineage: Lineage) -> str:
    """Returns the lineage's directory in ``archive/``.

    Args:
        lineage: the lineage; its links may dangle.

    Raises:
        OSError: none of its links can be read.
    """
    # `live/` or `live/NAME/` may be a link itself, from whose target a relative link starts.
    live = os.path.realpath(os.path.dirname(lineage.links["cert"]))
    return os.path.realpath(os.path.join(live, _linked_directory(lineage)))


def _linked_directory(lineage: Lineage) -> str:
    """Returns the directory as the links name it: relative, or absolute.

    Certbot takes each link away before it makes it anew, so that a killed Certbot leaves one
    missing; which, is unknown.
    """
    *others, last = (lineage.links[kind] for kind in ("cert", "privkey", "chain", "fullchain"))
    for link in others:
        if os.path.islink(link):
            return os.path.dirname(os.readlink(link))
    return os.path.dirname(os.readlink(last))


def current_version(lineage: Lineage) -> int | None:
    """Returns the version that the certificate's link points to, or None if it is no such link.

    Args:
        lineage: the lineage.
    """
    try:
        target = os.path.basename(os.readlink(lineage.links["cert"]))
    except OSError:
        return None
    match = re.fullmatch(r"cert([0-9]+)\.pem", target)
    return int(match.group(1)) if match else None


def is_torn(lineage: Lineage) -> bool:
    """Tells whether the four links do not all point to one version: a move was cut short.

    Args:
        lineage: the lineage.
    """
    version = current_version(lineage)
    return version is None or not all(_links_to(lineage, kind, version) for kind in KINDS)


def versions(lineage: Lineage) -> list[int]:
    """Returns the versions whose four files all exist, in rising order.

    Args:
        lineage: the lineage.

    Raises:
        OSError: its directory cannot be read.
    """
    names = set(os.listdir(directory(lineage)))
    numbers = [re.fullmatch(r"cert([0-9]+)\.pem", name) for name in names]
    return sorted(
        int(match.group(1))
        for match in numbers
        if match and all(f"{kind}{match.group(1)}.pem" in names for kind in KINDS)
    )


def files(lineage: Lineage, version: int | None) -> dict[str, str]:
    """Returns the paths in ``archive/`` of a version's files.

    Args:
        lineage: the lineage.
        version: the version; its files need not exist.

    Raises:
        OSError: the lineage's directory cannot be found.
    """
    folder = directory(lineage)
    return {kind: os.path.join(folder, f"{kind}{version}.pem") for kind in KINDS}


def link_to(lineage: Lineage, version: int) -> None:
    """Points the four links to a version; does nothing where they do already.

    Args:
        lineage: the lineage.
        version: a version whose files exist.

    Raises:
        OSError: a link could not be replaced; those before it were.
    """
    folder = _linked_directory(lineage)
    # What a link says counts, not where it leads in the end: with --reuse-key the key of a
    # version is itself a link to that of an earlier one.
    moved = False
    for kind in _ORDER:
        link, target = lineage.links[kind], os.path.join(folder, f"{kind}{version}.pem")
        if not (os.path.islink(link) and os.readlink(link) == target):
            _link(link, target)
            moved = True
    if moved:
        durable.sync_directory(os.path.dirname(lineage.links["cert"]))


def mend(lineage: Lineage, version: int) -> None:
    """Completes what was cut short between two links: key and certificate would differ.

    Args:
        lineage: the lineage.
        version: the version that its links are to point to.
    """
    if is_torn(lineage):
        try:
            link_to(lineage, version)
        except OSError:
            logger.debug("The links of %s could not be mended", lineage.name, exc_info=True)


def _link(link: str, target: str) -> None:
    folder, name = os.path.split(link)
    # Always the same name, so that what a killed process left is not left for ever.
    temporary = os.path.join(folder, f".{name}.new")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)
    os.symlink(target, temporary)
    try:
        os.replace(temporary, link)
    except BaseException:
        os.unlink(temporary)
        raise


def withdraw(
    lineage: Lineage, version: int, back_to: int | None = None, suffix: str = REVOKED_SUFFIX
) -> int | None:
    """Takes a revoked (or damaged) version out of a lineage, and goes back to another one.

    Certbot links and serves the newest version that it finds, and issues a lineage anew whose
    newest version is revoked, at every run; so the version's files get another name.

    Args:
        lineage: the lineage.
        version: the revoked version.
        back_to: the version that was in service before; None goes back to the newest other one.
        suffix: what is appended to the names of its files.

    Returns:
        The version that is linked now; None where there is no other, and then nothing was
        changed: nothing serves that certificate, and Certbot's next run issues a new one.

    Raises:
        OSError: links or files could not be changed.
    """
    others = [number for number in versions(lineage) if number != version]
    if not others:
        return None
    stays = back_to if back_to in others else others[-1]
    folder = directory(lineage)
    if any(_links_to(lineage, kind, version) for kind in KINDS):  # some: a move was cut short
        link_to(lineage, stays)
    for kind in KINDS:
        path = os.path.join(folder, f"{kind}{version}.pem")
        # Missing: an earlier call was cut short. Used: with --reuse-key the keys of later
        # versions are links to this one; without its other files it is no version any more.
        if os.path.lexists(path) and not _is_used(path):
            os.replace(path, path + suffix)
    durable.sync_directory(folder)
    return stays


def _links_to(lineage: Lineage, kind: str, version: int) -> bool:
    link = lineage.links[kind]
    return os.path.islink(link) and os.path.basename(os.readlink(link)) == f"{kind}{version}.pem"


def _is_used(path: str) -> bool:
    """Tells whether another file in the same directory is a link to this one."""
    folder, name = os.path.split(path)
    with os.scandir(folder) as entries:
        return any(
            entry.is_symlink() and os.path.basename(os.readlink(entry.path)) == name
            for entry in entries
        )
