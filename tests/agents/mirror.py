"""Trees of files kept aside, and brought back as they were, in place.

What is a mount (a container's ``/etc/hosts``) is written, never replaced.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Collection


def mounts() -> set[str]:
    """Returns every path that something is mounted on."""
    with open("/proc/self/mountinfo", encoding="utf-8") as stream:
        return {line.split()[4] for line in stream}


def keep(source: str, target: str, without: Collection[str] = ()) -> None:
    """Copies a tree, or nothing where there is none, with owners, modes and times.

    Args:
        source: the directory.
        target: the copy, which must not be there.
        without: names in the directory that are left out.
    """
    if os.path.lexists(source):
        _copy(source, target, set(without))


def bring_back(source: str, target: str, without: Collection[str] = ()) -> None:
    """Makes a tree what another one is; what is alike is not touched.

    Args:
        source: what it has to be; where it is not there, the target vanishes.
        target: what is changed.
        without: names in the directory that are left as they are.
    """
    _equalise(source, target, set(without), mounts())


def remove(path: str) -> None:
    """Removes a file or a whole directory, if it is there."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def _equalise(source: str, target: str, without: set[str], mounted: set[str]) -> None:
    there, here = _stat(source), _stat(target)
    if there is None:
        if target not in mounted:
            remove(target)
        return
    if stat.S_ISDIR(there.st_mode):
        if here is None or not stat.S_ISDIR(here.st_mode):
            remove(target)
            os.mkdir(target)
        for name in sorted({*os.listdir(source), *os.listdir(target)} - without):
            _equalise(f"{source}/{name}", f"{target}/{name}", set(), mounted)
        _dress(there, target)
    elif here is None or _seen(there, source) != _seen(here, target):
        if target in mounted:
            with open(source, "rb") as stream, open(target, "wb") as written:
                shutil.copyfileobj(stream, written)
            _dress(there, target)
        else:
            remove(target)
            _copy(source, target, set())


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None


def _seen(found: os.stat_result, path: str) -> tuple[object, ...]:
    """Returns by what two files are told apart, as rsync does."""
    link = os.readlink(path) if stat.S_ISLNK(found.st_mode) else ""
    when = 0 if link else found.st_mtime_ns
    size = 0 if link else found.st_size
    return (found.st_mode, found.st_uid, found.st_gid, size, when, link)


def _copy(source: str, target: str, without: set[str]) -> None:
    found = os.lstat(source)
    if stat.S_ISDIR(found.st_mode):
        os.mkdir(target)
        for name in set(os.listdir(source)) - without:
            _copy(f"{source}/{name}", f"{target}/{name}", set())
    elif stat.S_ISLNK(found.st_mode):
        os.symlink(os.readlink(source), target)
    elif stat.S_ISREG(found.st_mode):
        shutil.copyfile(source, target)
    else:
        return  # a socket or a pipe belongs to a process
    _dress(found, target)


def _dress(found: os.stat_result, target: str) -> None:
    """Gives a file the owner, mode and time of another, and its attributes."""
    os.chown(target, found.st_uid, found.st_gid, follow_symlinks=False)
    if not stat.S_ISLNK(found.st_mode):
        os.chmod(target, stat.S_IMODE(found.st_mode))
    os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns), follow_symlinks=False)
