"""``certbot-jprs adopt``: what JPRS's manual set up becomes the plugin's; nothing is issued.

Rules of this file:

- The user sees the change first; what is written is what was shown, or nothing.
- Nothing is written while a Certbot is at work.
- A sleep outside the renewal files is named, with the line to write instead, and left alone.
"""

from __future__ import annotations

import argparse
import difflib
import os
import sys

from certbot_jprs.command import locks, output
from certbot_jprs.ground.language import _
from certbot_jprs.ground.names import NAME
from certbot_jprs.internals.delegates import ALL
from certbot_jprs.internals.delegation import Roles, of_lineage
from certbot_jprs.lineage import adoption, files
from certbot_jprs.lineage.adoption import Change
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.machine import schedulers
from certbot_jprs.rules import policy

OK = 0
FAILED = 1


class _RefusedError(Exception):
    """A lineage cannot be adopted."""


def run(arguments: argparse.Namespace) -> int:
    """Adopts lineages.

    Args:
        arguments: the parsed command line.

    Returns:
        The exit status: 1 if anything that was asked for was not done.
    """
    if bool(arguments.names) == arguments.all:
        output.error(_("Give the names of certificates, or --all."))
        return FAILED
    config_dir = os.path.abspath(arguments.config_dir)
    try:
        with locks.held(config_dir):  # said before anybody reads diffs and answers questions
            pass
        found = _chosen(config_dir, arguments.names)
    except locks.Locked:
        return _refuse_while_locked()
    except OSError as error:
        output.error(
            _("Certbot's configuration cannot be changed: {reason}. Run this as root.").format(
                reason=output.why(error)
            )
        )
        return FAILED
    status = OK
    for name, lineage in found:
        try:
            if not _adopt(config_dir, name, lineage, ask=not arguments.yes):
                status = FAILED
        except locks.Locked:
            return _refuse_while_locked()
        except (_RefusedError, OSError, ValueError) as error:
            output.error(output.why(error))
            status = FAILED
    if not found:
        output.result(_("There is no certificate here that JPRS's manual set up."))
    for sleep in schedulers.find(config_dir).sleeps:
        output.say(sleep.explain())
    return status


def _refuse_while_locked() -> int:
    output.error(_("Another Certbot is running; nothing was changed. Try again when it has ended."))
    return FAILED


def _chosen(config_dir: str, names: list[str]) -> list[tuple[str, Lineage | None]]:
    """Returns the lineages to adopt: those that were named, or all that need it.

    Raises:
        OSError: the directory cannot be read.
    """
    if names:
        return [(name, files.named(config_dir, name)) for name in dict.fromkeys(names)]
    os.listdir(os.path.join(config_dir, "renewal"))
    return [
        (lineage.name, lineage)
        for lineage in files.all_in(config_dir)
        if policy.is_jprs(lineage.server) and _needs_adoption(lineage)
    ]


def _needs_adoption(lineage: Lineage) -> bool:
    if lineage.authenticator in ALL or lineage.installer in ALL:
        return True
    ours = NAME in (lineage.authenticator, lineage.installer)
    return ours and adoption.hook_without_sleep(lineage) != lineage.deploy_hook


def _adopt(config_dir: str, name: str, lineage: Lineage | None, *, ask: bool) -> bool:
    """Adopts one lineage; tells whether it is the plugin's now.

    Raises:
        _RefusedError: it cannot be adopted.
        locks.Locked: a Certbot is at work.
        OSError, ValueError: its renewal file cannot be read or replaced.
    """
    lineage = _check(name, lineage)
    roles = of_lineage(lineage.params)
    if roles == Roles():
        raise _RefusedError(
            _(
                "{name} is renewed by {plugin}, not by one of {delegates}, and cannot be taken "
                "over. Keep it as it is, with this deploy hook: certbot-jprs wait-ocsp && "
                "systemctl reload SERVER"
            ).format(name=name, delegates=", ".join(ALL), plugin=lineage.authenticator)
        )
    change = adoption.plan(lineage, roles)
    if change.before == change.after:
        output.result(_("{name} is the plugin's already; nothing to do.").format(name=name))
        return True
    output.result(_diff(lineage, change))
    if ask and not _agreed(name):
        output.result(_("{name} was left as it is.").format(name=name))
        return False
    with locks.held(config_dir):
        if adoption.plan(lineage, roles) != change:
            raise _RefusedError(
                _("{path} was changed meanwhile. Run the command again.").format(
                    path=lineage.renewal_file
                )
            )
        backup = adoption.write(lineage, change)
    output.result(
        _("{name} is now managed by {plugin}. To undo this: mv {backup} {path}").format(
            name=name, plugin=NAME, backup=backup, path=lineage.renewal_file
        )
    )
    return True


def _check(name: str, lineage: Lineage | None) -> Lineage:
    """Checks that a lineage exists and is JPRS's.

    Raises:
        _RefusedError: it does not, or is another CA's.
    """
    if lineage is None:
        raise _RefusedError(
            _("There is no certificate {name} that can be read. See: certbot certificates").format(
                name=name
            )
        )
    if not policy.is_jprs(lineage.server):
        raise _RefusedError(
            _(
                "{name} is from another CA ({server}). To get it from JPRS: certbot run -a "
                "{plugin} --cert-name {name}"
            ).format(name=name, server=lineage.server, plugin=NAME)
        )
    return lineage


def _diff(lineage: Lineage, change: Change) -> str:
    path = lineage.renewal_file
    return "\n".join(difflib.unified_diff(change.before, change.after, path, path, lineterm=""))


def _agreed(name: str) -> bool:
    """Asks whether to go on.

    Raises:
        _RefusedError: there is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise _RefusedError(
            _(
                "There is no terminal to ask on, so nothing was changed. To change {name} all the "
                "same, add --yes."
            ).format(name=name)
        )
    try:
        answer = input(
            _("Apply this change to the renewal file of {name}? [y/N] ").format(name=name)
        )
    except EOFError:
        return False
    return answer.strip().lower() in ("y", "yes", "はい")
