"""Certbot's own lock, so that no renewal file is changed while a Certbot works with it.

Why not Certbot's code: its lock is private. What it does is this: every Certbot takes an exclusive
``lockf`` lock on ``.certbot.lock`` in its configuration directory and removes the file before it
lets go, so a lock counts only if the file is still the one at that path.

Rules of this file: nobody waits for the lock, and it is never taken by what runs as a hook.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator

NAME = ".certbot.lock"


class Locked(Exception):
    """A Certbot is at work."""


@contextlib.contextmanager
def held(config_dir: str) -> Iterator[None]:
    """Holds Certbot's lock while the context lasts.

    Args:
        config_dir: Certbot's configuration directory.

    Raises:
        Locked: another process holds it.
        OSError: the lock's file cannot be made.
    """
    path = os.path.join(config_dir, NAME)
    descriptor = _acquire(path)
    try:
        yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        os.close(descriptor)


def _acquire(path: str) -> int:
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(path, descriptor):
                return descriptor
        except OSError as error:
            os.close(descriptor)
            if error.errno in (errno.EACCES, errno.EAGAIN):
                raise Locked from error
            raise
        os.close(descriptor)  # its last holder removed it meanwhile


def _is_at(path: str, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
