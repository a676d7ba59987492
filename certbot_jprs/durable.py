"""Files that survive a crash: written whole or not at all.

Rules of this file: a temporary file in the same directory, fsync, rename, fsync of the directory.
Certbot's ``PluginStorage`` is no place for what must not be lost: it truncates in place, and all
plugins share one file.
"""

from __future__ import annotations

import ctypes
import os
import tempfile

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2

DIRECTORY_MODE = 0o700


def write(path: str, text: str) -> None:
    """Creates or replaces a file of mode 0600.

    Args:
        path: the file; its directory exists.
        text: what it shall contain.

    Raises:
        OSError: it could not be written; then what was there is as it was.
    """
    directory = os.path.dirname(path)
    descriptor, temporary = tempfile.mkstemp(prefix=".new-", dir=directory)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    sync_directory(directory)


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


def exchange(one: str, other: str) -> None:
    """Lets two directories change places, in one step (Linux 3.15, ``renameat2``).

    Args:
        one: a directory.
        other: another one of the same file system.

    Raises:
        OSError: the system or the file system does not know how, or they could not be.
    """
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError as error:
        raise OSError("this C library has no renameat2") from error
    paths = os.fsencode(one), os.fsencode(other)
    if renameat2(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), other)


def sync_directory(directory: str) -> None:
    """Makes renames in a directory durable.

    Args:
        directory: its path.

    Raises:
        OSError: it cannot be opened or synced.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
