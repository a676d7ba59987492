"""Turning a lineage set up by JPRS's manual into the plugin's, by editing its renewal file.

Why not Certbot's ``reconfigure``: it performs a dry run, which JPRS does not offer.

Rules of this file: the file is replaced atomically or not at all; its mode, owner and security
context stay; a backup is kept beside it; comments and unknown keys survive.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from dataclasses import dataclass

import configobj

from certbot_jprs import durable
from certbot_jprs.lineages import Lineage
from certbot_jprs.options import APACHE_DEST, DEST, NAME

_SLEEP = re.compile(r"(?:^|(?<=[;&]))\s*sleep\s+[0-9.]+[smhd]?\s*(?:;|&&|$)\s*")

_APACHE_RELOAD = re.compile(
    r"""(?:/\S*/)?(?:
        systemctl\s+(?:--\S+\s+)*(?:reload|restart|reload-or-restart)\s+(?:httpd|apache2)(?:\.service)?
      | service\s+(?:httpd|apache2)\s+(?:reload|restart|graceful)
      | (?:apachectl|apache2ctl|httpd)\s+(?:-k\s+)?(?:graceful|restart)
    )\s*;?""",
    re.VERBOSE,
)


def without_sleep(hook: str | None) -> str | None:
    """Removes from a deploy hook what the plugin does better.

    A ``sleep`` before the reload is what JPRS's manual prescribes; the plugin waits for the OCSP
    responder instead. If only a reload of Apache remains, that goes too: the plugin reloads it.

    Args:
        hook: the hook's shell command, or None.

    Returns:
        What is left to run, or None where nothing is.
    """
    if hook is None:
        return None
    left, removed = _SLEEP.subn("", hook)
    if not removed:
        return hook
    left = left.strip().strip(";&").strip()
    return None if not left or _APACHE_RELOAD.fullmatch(left) else left


@dataclass(frozen=True)
class Change:
    """The change of one renewal file.

    Attributes:
        before: its lines as they are.
        after: its lines as they are to be.
    """

    before: list[str]
    after: list[str]


def plan(lineage: Lineage, authenticator: str | None, installer: str | None) -> Change:
    """Works out the renewal file of a lineage that becomes the plugin's.

    Args:
        lineage: the lineage as it is.
        authenticator: the plugin that shall validate its renewals; None leaves that as it is.
        installer: the plugin that shall install them; None leaves that as it is.

    Raises:
        OSError: the file cannot be read.
    """
    conf = configobj.ConfigObj(
        lineage.renewal_file, encoding="utf-8", default_encoding="utf-8", file_error=True
    )
    before = [line.rstrip("\n") for line in conf.write()]
    params = conf["renewalparams"]
    if authenticator is not None:
        params["authenticator"] = authenticator
    if installer is not None:
        params["installer"] = installer
    if "key_type" in params or authenticator is not None:
        params["key_type"] = "rsa"
    for key in ("renew_hook", "deploy_hook"):
        if key in params:
            hook = without_sleep(params[key])
            if hook is None:
                del params[key]
            else:
                params[key] = hook
    if NAME in (authenticator, installer):
        for key in [key for key in params if key.startswith(APACHE_DEST)]:
            params.rename(key, DEST + key)
    return Change(before, [line.rstrip("\n") for line in conf.write()])


def write(lineage: Lineage, change: Change) -> str | None:
    """Replaces the renewal file of a lineage.

    Args:
        lineage: whose file it is.
        change: what ``plan`` returned.

    Returns:
        The path of the backup, or None where there was nothing to change.

    Raises:
        OSError: it could not be written; then the old file is as it was.
    """
    if change.before == change.after:
        return None
    path = lineage.renewal_file
    backup = _unused(f"{path}.before-jprs")
    _copy(path, backup)
    directory = os.path.dirname(path)
    descriptor, temporary = tempfile.mkstemp(prefix=".jprs-", dir=directory)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("\n".join(change.after) + "\n")
            _copy_attributes(path, temporary)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    durable.sync_directory(directory)
    return backup


def _unused(path: str) -> str:
    number = 0
    candidate = path
    while os.path.lexists(candidate):
        number += 1
        candidate = f"{path}.{number}"
    return candidate


def _copy(source: str, target: str) -> None:
    shutil.copy2(source, target)
    _copy_attributes(source, target)


def _copy_attributes(source: str, target: str) -> None:
    """Copies mode, owner and extended attributes (SELinux's context among them)."""
    status = os.stat(source)
    os.chown(target, status.st_uid, status.st_gid)
    shutil.copystat(source, target)

