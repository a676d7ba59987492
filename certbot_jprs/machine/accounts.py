"""The ACME accounts on this machine.

Rules of this file: files are looked at; the CA is not asked, and no key is kept or shown.
"""

from __future__ import annotations

import json
import os


def usable_accounts(directory: str) -> list[str]:
    """Returns the accounts of a server that can be read.

    Args:
        directory: the server's, below ``accounts/``.
    """
    try:
        names = sorted(name for name in os.listdir(directory) if not name.startswith("."))
    except OSError:
        return []
    return [name for name in names if _is_usable(os.path.join(directory, name))]


def _is_usable(directory: str) -> bool:
    try:
        for name in ("regr.json", "private_key.json"):
            with open(os.path.join(directory, name), encoding="utf-8") as file:
                json.load(file)
    except (OSError, ValueError):
        return False
    return True
