"""The plugin's name and options: their spellings, defaults and checks.

Rules of this file:

- Every option has two spellings with one destination. The first carries the plugin's name, as
  Certbot prescribes and as it is stored in renewal files; the second exists because a colon in
  a ``cli.ini`` key is read as ``key: value``.
- A value is checked while the command line is parsed, so that a typing error costs nothing.
"""

from __future__ import annotations

import argparse
from typing import Any, Callable

from certbot_jprs import internals, language
from certbot_jprs.language import _

NAME = "certbot-jprs:http"
"""The plugin's name: what ``-a``, ``-i`` and renewal files call it."""

DEST = "certbot_jprs:http_"
"""Start of the destinations of all its options, and of their keys in renewal files."""

APACHE_DEST = "apache_"

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


def _language_in(words: list[str]) -> str | None:
    """Finds the language on a command line that is not parsed yet."""
    spellings = (f"--{NAME}-language", "--jprs-language")
    for word, following in zip(words, [*words[1:], ""]):
        option, equals, value = word.partition("=")
        if option in spellings:
            return (value if equals else following).lower()
    return None


def inject(group: Any, name: str) -> None:
    """Adds the options to Certbot's parser.

    Certbot before 2.0 registers every third-party plugin twice, the second time under its
    package's name too; the options exist once all the same, or every Certbot command would
    stop with "conflicting option string".

    Args:
        group: the parser or group given to ``inject_parser_options``.
        name: the name under which Certbot registers the plugin.
    """
    if name != NAME:
        return
    words = internals.words_of(group)
    language.start(_language_in(words))
    if any(word.endswith(NAME) for word in words):
        internals.keep_dashed_values(group, ("--eab-kid", "--eab-hmac-key"))

    def add(option: str, **kwargs: Any) -> None:
        kwargs.setdefault("dest", DEST + option.replace("-", "_"))
        group.add_argument(f"--{NAME}-{option}", f"--jprs-{option}", **kwargs)

    add(
        "ocsp-timeout",
        type=seconds(0),
        default=OCSP_TIMEOUT_DEFAULT,
        metavar="SECONDS",
        help=_(
            "Longest wait for JPRS's OCSP responder to know a new certificate, counted from "
            "when it was saved; 0 waits not at all"
        ),
    )
    add(
        "ocsp-interval",
        type=seconds(1),
        default=OCSP_INTERVAL_DEFAULT,
        metavar="SECONDS",
        help=_("Pause between two OCSP queries, at least 1"),
    )
    add(
        "eab-file",
        dest=EAB_FILE,
        default=None,
        metavar="FILE",
        help=_(
            "File with the EAB credentials, instead of --eab-kid and --eab-hmac-key: key "
            "identifier and MAC key in two lines, or JSON with kid and hmac; only root may be able "
            "to read it"
        ),
    )
    add(
        "language",
        type=str.lower,
        choices=language.LANGUAGES,
        default=None,
        help=_(
            "Language of this plugin's messages, kept for renewals; without it, the locale decides"
        ),
    )
    add(
        "check",
        action="store_true",
        default=False,
        help=_(
            "Rehearse `run` or `certonly` instead of issuing a certificate: check JPRS, the "
            "account, the names, Apache and the renewal, and change nothing"
        ),
    )
    # `certbot-jprs:http-ocsp-timeout = 7` in cli.ini is read as key `certbot-jprs`.
    group.add_argument(
        "--certbot-jprs",
        dest=COLON_IN_FILE,
        action="append",
        default=None,
        help=argparse.SUPPRESS,
    )
    for dest, convert in internals.option_dests(group, APACHE_DEST).items():
        group.add_argument(
            f"--{NAME}-{dest.replace('_', '-')}",
            dest=DEST + dest,
            type=convert,
            default=None,
            help=argparse.SUPPRESS,
        )


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


def carry_apache_options(config: Any, given: Callable[[str], bool]) -> None:
    """Keeps the Apache plugin's options of a lineage across its renewals.

    A renewal restores options only under the prefix of the lineage's own plugins. So what the
    user gives as ``--apache-server-root`` is stored as ``certbot_jprs:http_apache_server_root``
    and, when that is found in a renewal file, handed to the Apache plugin.

    Args:
        config: Certbot's configuration; changed in place.
        given: tells whether the user gave the option with that destination.
    """
    for dest in [name for name in vars(config.namespace) if name.startswith(APACHE_DEST)]:
        own = DEST + dest
        carried: Any | None = getattr(config, own, None)
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
