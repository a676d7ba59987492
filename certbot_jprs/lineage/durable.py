"""Files that survive a crash: written whole or not at all.

Rules of this file: a temporary file in the same directory, fsync, rename, fsync of the directory.
Certbot's ``PluginStorage`` is no place for what must not be lost: it truncates in place, and all
plugins share one file.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import tempfile

DIRECTORY_MODE = 0o700

_TEMPORARY = re.compile(r"\.new-[a-z0-9_]{8}|\.trial(?:-[a-z0-9_]{8})?")


def write(path: str, text: str, mode: int = 0o600) -> None:
    """Creates or replaces a file.

    Args:
        path: the file; its directory exists.
        text: what it shall contain.
        mode: the mode of a new file.

    Where there was a file, owner, mode and extended attributes (SELinux's context among them)
    stay.

    Raises:
        OSError: it could not be written, and names this path; then what was there is as it was.
    """
    try:
        _write(path, text, mode)
    except OSError as error:  # of the temporary file beside it, mostly
        error.filename, error.filename2 = path, None
        raise


def _write(path: str, text: str, mode: int) -> None:
    directory = os.path.dirname(path)
    descriptor, temporary = tempfile.mkstemp(prefix=".new-", dir=directory)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), mode)
            if os.path.lexists(path):
                copy_attributes(path, temporary)
                os.utime(temporary)  # what is new is not to look old: backups go by that
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    sync_directory(directory)


def copy_attributes(source: str, target: str) -> None:
    """Copies owner, mode, times and extended attributes.

    Args:
        source: a file.
        target: another one.

    Raises:
        OSError: they could not be read or set.
    """
    status = os.stat(source)
    os.chown(target, status.st_uid, status.st_gid)
    shutil.copystat(source, target)


def unused(path: str) -> str:
    """Returns a path at which nothing is: this one, or with a number appended.

    Args:
        path: the path.
    """
    number = 0
    candidate = path
    while os.path.lexists(candidate):
        number += 1
        candidate = f"{path}.{number}"
    return candidate


def remove(path: str) -> None:
    """Removes a file, if it is there.

    Args:
        path: the file.

    Raises:
        OSError: it could not be removed.
    """
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    sync_directory(os.path.dirname(path))


def make_directory(path: str) -> None:
    """Makes a directory of mode 0700, with the one above it if that is missing too.

    Args:
        path: the directory.

    Raises:
        OSError: it could not be made.
    """
    for directory in (os.path.dirname(path), path):
        if not os.path.isdir(directory):
            os.mkdir(directory, DIRECTORY_MODE)
            sync_directory(os.path.dirname(directory))


def check_room(directory: str, files: int, size: int) -> None:
    """Checks that files can be made in a directory, all of them at the same time.

    Args:
        directory: the directory.
        files: how many.
        size: of each, in bytes.

    Raises:
        OSError: no space or no inode is left, say, or the file system is read-only.
    """
    trial = tempfile.mkdtemp(prefix=".trial-", dir=directory)
    try:
        for number in range(files):
            descriptor = os.open(os.path.join(trial, str(number)), os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, size)
            finally:
                os.close(descriptor)
    finally:
        shutil.rmtree(trial, ignore_errors=True)


def sweep(directory: str) -> None:
    """Takes away what a killed process left half-written in a directory.

    Args:
        directory: the directory; Certbot's lock is held, so that nobody writes there now.
    """
    with contextlib.suppress(OSError):
        for name in filter(_TEMPORARY.fullmatch, os.listdir(directory)):
            path = os.path.join(directory, name)
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path, ignore_errors=True)
            else:
                os.unlink(path)


def sync_file(path: str) -> None:
    """Makes what was written to a file durable.

    Args:
        path: the file.

    Raises:
        OSError: it cannot be opened or synced.
    """
    _sync(path, os.O_RDONLY)


def sync_directory(directory: str) -> None:
    """Makes renames in a directory durable, where the file system knows how.

    Args:
        directory: its path.

    Raises:
        OSError: it cannot be opened or synced.
    """
    _sync(directory, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: str, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network and FUSE file systems have no such thing
            raise
    finally:
        os.close(descriptor)
