"""The plugin's options on Certbot's command line: their spellings, defaults and checks.

Rules of this file:

- Every option has two spellings with one destination. The first carries the plugin's name, as
  Certbot prescribes and as it is stored in renewal files; the second exists because a colon in
  a ``cli.ini`` key is read as ``key: value``.
- A value is checked while the command line is parsed, so that a typing error costs nothing.
"""

from __future__ import annotations

import argparse
import contextlib
from typing import Any, Callable

from certbot import errors

from certbot_jprs.ground import language
from certbot_jprs.ground.language import _
from certbot_jprs.ground.names import NAME
from certbot_jprs.ground.options import (
    AUTHENTICATOR,
    COLON_IN_FILE,
    DEST,
    EAB_FILE,
    INSTALLER,
    OCSP_INTERVAL_DEFAULT,
    OCSP_TIMEOUT_DEFAULT,
    seconds,
)
from certbot_jprs.internals import delegates, parser


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
    words = parser.words_of(group)
    language.start(_language_in(words))
    if any(word.endswith(NAME) for word in words):
        parser.keep_dashed_values(group, ("--eab-kid", "--eab-hmac-key"))
    for option, settings in _options().items():
        spellings = f"--{NAME}-{option}", f"--jprs-{option}"
        group.add_argument(*spellings, **{"dest": DEST + option.replace("-", "_"), **settings})
    # `certbot-jprs:http-ocsp-timeout = 7` in cli.ini is read as key `certbot-jprs`.
    group.add_argument(
        "--certbot-jprs",
        dest=COLON_IN_FILE,
        action="append",
        default=None,
        help=argparse.SUPPRESS,
    )
    # What only renewal files say; Certbot restores what its parser knows.
    for dest, convert in {AUTHENTICATOR: str, INSTALLER: str, **_carried()}.items():
        group.add_argument(
            f"--{NAME}-{dest[len(DEST) :].replace('_', '-')}",
            dest=dest,
            type=convert,
            default=None,
            help=argparse.SUPPRESS,
        )


def _carried() -> dict[str, Callable[[str], Any]]:
    """Returns the delegates' options under this plugin's prefix.

    Why: Certbot restores a plugin's options from a renewal file only under the names of the
    lineage's own plugins (``renewal._restore_plugin_configs``), so ``--apache-*`` options have
    to be carried under this plugin's prefix, and which there are depends on the Certbot.
    """
    found: dict[str, Callable[[str], Any]] = {}
    for server in delegates.WEB_SERVERS:
        with contextlib.suppress(errors.PluginError):  # not installed
            types = server.option_types()
            found.update({DEST + dest: convert for dest, convert in types.items()})
    return found


def _options() -> dict[str, dict[str, Any]]:
    """Returns what argparse is told of each option."""
    return {
        "ocsp-timeout": {
            "type": seconds(0),
            "default": OCSP_TIMEOUT_DEFAULT,
            "metavar": "SECONDS",
            "help": _(
                "Longest wait, in seconds, for JPRS's OCSP server to know a new certificate, "
                "counted from when it was saved; 0 waits not at all"
            ),
        },
        "ocsp-interval": {
            "type": seconds(1),
            "default": OCSP_INTERVAL_DEFAULT,
            "metavar": "SECONDS",
            "help": _("Pause between two OCSP queries, in seconds, at least 1"),
        },
        "eab-file": {
            "dest": EAB_FILE,
            "default": None,
            "metavar": "FILE",
            "help": _(
                "File with the EAB credentials, instead of --eab-kid and --eab-hmac-key: key "
                "identifier and MAC key in two lines, or JSON with kid and hmac; only root may be "
                "able to read it"
            ),
        },
        "language": {
            "type": str.lower,
            "choices": language.LANGUAGES,
            "default": None,
            "help": _(
                "Language of this plugin's messages, kept for renewals; without it, the locale "
                "decides"
            ),
        },
        "check": {
            "action": "store_true",
            "default": False,
            "help": _(
                "Rehearse `run` or `certonly` instead of issuing a certificate: check JPRS, the "
                "account, the names, the web server and the renewal, and change nothing"
            ),
        },
    }
