"""The plugin's options: destinations, defaults, and how their values are read.

Rules of this file: it knows values, not parsers; ``injection`` adds the options to Certbot's.
"""

from __future__ import annotations

import argparse
from typing import Any, Callable

from certbot_jprs.ground import language
from certbot_jprs.ground.language import _

DEST = "certbot_jprs:http_"
"""Start of the destinations of all its options, and of their keys in renewal files."""

AUTHENTICATOR = DEST + "authenticator"
"""Which of Certbot's plugins validates for this one; without it, who installs."""
INSTALLER = DEST + "installer"
"""Which of Certbot's plugins installs for this one; without it, Apache's."""
OCSP_TIMEOUT = DEST + "ocsp_timeout"
OCSP_INTERVAL = DEST + "ocsp_interval"
CHECK = DEST + "check"
LANGUAGE = DEST + "language"
EAB_FILE = "jprs_eab_file"
"""No plugin's prefix: what begins with one is kept in renewal files, and a secret is read once."""
COLON_IN_FILE = "certbot_jprs_colon_in_file"

OCSP_TIMEOUT_DEFAULT = 900
"""Seconds: the 15 minutes of the Baseline Requirements (4.9.9); JPRS says about 10."""

OCSP_INTERVAL_DEFAULT = 10
"""Seconds between two queries."""

LONGEST = 7 * 24 * 3600
"""Seconds: no longer time is taken; a larger value is a typing error."""


def seconds(least: int) -> Callable[[str], int]:
    """Makes the type of an option that is a whole number of seconds.

    Args:
        least: the smallest number allowed.

    Returns:
        A function from text to that number, which raises ``argparse.ArgumentTypeError`` with
        the whole rule in one line.
    """

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = -1
        if not least <= value <= LONGEST:
            raise argparse.ArgumentTypeError(
                _("{text!r} is not a whole number of seconds from {least} to {most}").format(
                    text=text, least=least, most=LONGEST
                )
            )
        return value

    return convert


def restored(dest: str, text: Any) -> Any:
    """Converts an option's value that was read from a renewal file.

    Args:
        dest: the option's destination.
        text: the stored value.

    Returns:
        The value; for a wait that is no number of seconds, the default.
    """
    least, default = {
        OCSP_TIMEOUT: (0, OCSP_TIMEOUT_DEFAULT),
        OCSP_INTERVAL: (1, OCSP_INTERVAL_DEFAULT),
    }.get(dest, (None, None))
    if least is None:
        return None if text == "None" else text
    try:
        return seconds(least)(str(text))
    except argparse.ArgumentTypeError:
        return default


def enter_language(config: Any) -> None:
    """Says what follows in the language that a lineage remembers.

    Args:
        config: Certbot's configuration, under ``renew`` that of the lineage.
    """
    if config.verb == "renew":
        language.enter(getattr(config, LANGUAGE, None))


def remember_language(config: Any) -> None:
    """Keeps the language for renewals, because timers and cron have no locale.

    Args:
        config: Certbot's configuration of a command that issues; changed in place.
    """
    chosen = language.chosen()
    if chosen is not None:
        setattr(config, LANGUAGE, chosen)


def carry_options(config: Any, given: Callable[[str], bool], prefixes: tuple[str, ...]) -> None:
    """Keeps the delegates' options of a lineage across its renewals.

    A renewal restores options only under the prefix of the lineage's own plugins. So what the
    user gives as ``--apache-server-root`` is stored as ``certbot_jprs:http_apache_server_root``
    and, when that is found in a renewal file, handed to the Apache plugin.

    Args:
        config: Certbot's configuration; changed in place.
        given: tells whether the user gave the option with that destination.
        prefixes: how the destinations of the delegates' options start, such as ``apache_``.
    """
    values = vars(config.namespace)  # a fleet asks often, and Certbot's way notes who asks
    for dest in [name for name in values if name.startswith(prefixes)]:
        own = DEST + dest
        carried: Any | None = values.get(own)
        if given(dest):
            setattr(config, own, getattr(config, dest))
        elif carried is not None:
            setattr(config, dest, carried)


def is_rehearsal(config: Any) -> bool:
    """Tells whether a command is to be rehearsed only.

    Args:
        config: Certbot's configuration.
    """
    return bool(getattr(config, CHECK, False)) and config.verb in ("run", "certonly")
