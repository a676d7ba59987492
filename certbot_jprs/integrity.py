"""Whether the installation of this package is whole.

A half-removed or half-updated installation must say so to those who select the plugin, before
anything is sent to the CA, instead of failing in the middle of an issuance.

Rules of this file: nothing but the standard library and Certbot is imported when it is.
"""

from __future__ import annotations

import functools
import importlib
import os
import pkgutil
from importlib import metadata

from certbot import errors

PACKAGE = "certbot_jprs"
DISTRIBUTION = "certbot-jprs"


@functools.lru_cache(maxsize=1)
def problem() -> str | None:
    """Returns what is wrong with the installation, or None where it is whole.

    Every file that pip recorded has to be there in full, and every module to be importable,
    which its dependencies decide too. (Packages in this one serve other commands.)
    """
    return _lost_file() or _broken_module()


def check() -> None:
    """Makes sure that the installation is whole.

    Raises:
        errors.PluginError: it is not.
    """
    found = problem()
    if found is not None:
        from certbot_jprs.entrypoint import damaged

        raise errors.PluginError(damaged(found))


def _lost_file() -> str | None:
    """Compares the files with pip's record; distributions' packages have none."""
    try:
        files = metadata.files(DISTRIBUTION) or []
    except (metadata.PackageNotFoundError, OSError, ValueError):
        return None
    for file in files:
        if file.parts[0] != PACKAGE or file.suffix != ".py" or file.size is None:
            continue
        try:
            size = os.stat(str(file.locate())).st_size
        except OSError as error:
            return f"{file}: {error.strerror}"
        if size != file.size:
            return f"{file} has {size} bytes instead of {file.size}"
    return None


def _broken_module() -> str | None:
    modules = pkgutil.iter_modules([os.path.dirname(__file__)])
    for name in sorted(each.name for each in modules if not each.ispkg):
        try:
            module = importlib.import_module(f"{PACKAGE}.{name}")
        except Exception as error:  # noqa: BLE001 - a torn module may raise anything
            return f"{type(error).__name__}: {error}"
        if not module.__doc__:  # every one of ours has a docstring: this file was emptied
            return f"{PACKAGE}/{name}.py is empty"
    return None
