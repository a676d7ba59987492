"""What happens when Certbot has parsed a command line: nothing, unless it concerns this plugin.

Rules of this file: Certbot imports it for every command, so it imports what is light, and tells
with a look at the options and at one directory whether there is more to do.
"""

from __future__ import annotations

import os

from certbot_jprs import language, options
from certbot_jprs.internals import ParsedCommand
from certbot_jprs.options import NAME

FINISHING = ("run", "certonly", "renew")
"""Subcommands under which Certbot moves links, and an earlier run's held lineages count."""


class _Current:
    """The command line of this process; Certbot parses one per process."""

    command: ParsedCommand | None = None
    begun = False


def parsed(command: ParsedCommand) -> None:
    """Acts on a command line before Certbot does, where it concerns the plugin.

    Args:
        command: the command line; its namespace is changed in place.

    Raises:
        PolicyError: it breaks one of JPRS's rules.
    """
    if command.detecting:
        if _Current.begun:
            from certbot_jprs import one_flag

            one_flag.apply(command)
        return
    _Current.command, _Current.begun = command, False
    if _concerns_us(command):
        begin()


def begin() -> None:
    """Applies the command line, if that has not been done.

    Under ``renew`` it is a lineage's renewal file that selects the plugin, which is known only
    when Certbot constructs it.

    Raises:
        PolicyError: the command breaks one of JPRS's rules.
    """
    command = _Current.command
    if command is None or _Current.begun:
        return
    _Current.begun = True
    from certbot_jprs import explanations, one_flag
    from certbot_jprs.holding import keeper

    language.start(getattr(command.namespace, options.LANGUAGE, None))
    one_flag.apply(command)
    explanations.parsed(command)
    keeper.parsed(command.namespace, held=_holds_something(command))


def _concerns_us(command: ParsedCommand) -> bool:
    namespace = command.namespace
    return (
        any(
            getattr(namespace, dest, None) == NAME
            for dest in ("authenticator", "installer", "configurator")
        )
        # Misspelled in cli.ini, or given without -a: both get a line of their own.
        or bool(getattr(namespace, options.COLON_IN_FILE, None))
        or bool(getattr(namespace, options.CHECK, False))
        # The lineage may be one of ours, which is looked up if the revocation is refused.
        or command.verb == "revoke"
        or _holds_something(command)
    )


def _holds_something(command: ParsedCommand) -> bool:
    """Tells whether an earlier run left something held that this command may touch."""
    if command.verb not in FINISHING:
        return False
    config_dir = str(getattr(command.namespace, "config_dir", ""))
    try:
        return bool(os.listdir(os.path.join(config_dir, "certbot-jprs", "held")))
    except OSError:
        return False
