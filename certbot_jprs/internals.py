"""The only module that touches what Certbot does not promise.

Rules of this file: every use of a private name is guarded, and stands beside the reason for it,
the Certbot versions that it was tested with, and what happens where the name is missing.
"""

from __future__ import annotations

import argparse
import functools
import logging
from dataclasses import dataclass
from typing import Any, Callable

logger = logging.getLogger(__name__)

_HOOKED = "_certbot_jprs_hooked"


@dataclass(frozen=True)
class ParsedCommand:
    """One parsed command line, before Certbot acts on it.

    Attributes:
        namespace: the options; what is set here is what Certbot sees.
        verb: Certbot's subcommand, such as ``run``.
        from_file: destinations whose value came from ``cli.ini`` (or ``--config``).
        typed: destinations whose value the user gave, on the command line or in a file.
        detecting: True while Certbot before 2.7 parses the same command line once more, only to
            learn which options were given (``cli.set_by_cli``).
    """

    namespace: argparse.Namespace
    verb: str
    from_file: frozenset[str]
    typed: frozenset[str]
    detecting: bool


def after_parsing(group: Any, act: Callable[[ParsedCommand], None]) -> bool:
    """Arranges that ``act`` is called with each parsed command line, before Certbot sees it.

    Why: ``certbot run -n -a certbot-jprs:http`` without ``-i`` stops with "Missing command line
    flags" before any plugin is constructed, and ``register`` and ``revoke`` construct none at
    all; so what the flag implies has to be there when parsing ends. How: ``group`` is what
    Certbot hands to ``inject_parser_options``; its ``_parser`` is Certbot's
    ``HelpfulArgumentParser``, whose ``parser`` is the argparse parser. That one object's
    ``parse_args`` is wrapped. Tested with Certbot 1.21, 2.1 and 5.8.

    Args:
        group: the parser or group given to ``inject_parser_options``.
        act: called once for each parsing; what it raises ends the command.

    Returns:
        False where Certbot has changed too much for this. Then ``-i``, ``--server`` and
        ``--key-type`` have to be given, as without this plugin.
    """
    helpful = getattr(group, "_parser", None)
    parser = getattr(helpful, "parser", None)
    verb = getattr(helpful, "verb", None)
    if parser is None or not isinstance(verb, str) or not hasattr(parser, "parse_args"):
        logger.debug("This Certbot's parser is unknown to certbot-jprs: %r", group)
        return False
    if getattr(parser, _HOOKED, False):  # Certbot before 2.0 registers third parties twice
        return True
    setattr(parser, _HOOKED, True)
    parse_args = parser.parse_args

    @functools.wraps(parse_args)
    def parse_and_act(*args: Any, **kwargs: Any) -> argparse.Namespace:
        namespace: argparse.Namespace = parse_args(*args, **kwargs)
        from_file = _set_in_file(parser)
        act(
            ParsedCommand(
                namespace=namespace,
                verb=verb,
                from_file=from_file,
                typed=from_file | _set_on_command_line(parser, helpful),
                detecting=bool(getattr(helpful, "detect_defaults", False)),
            )
        )
        return namespace

    parser.parse_args = parse_and_act
    return True


def _set_in_file(parser: Any) -> frozenset[str]:
    """Returns the destinations that ConfigArgParse read from configuration files."""
    try:
        sources = parser.get_source_to_settings_dict()
        return frozenset(
            action.dest
            for source, settings in sources.items()
            if source.startswith("config_file")
            for action, _value in settings.values()
            if action is not None
        )
    except (AttributeError, TypeError, ValueError):
        # Fallback: all counts as typed on the command line, which only costs the distinction
        # that `revoke` and the account verbs make.
        logger.debug("This ConfigArgParse is unknown to certbot-jprs", exc_info=True)
        return frozenset()


def _set_on_command_line(parser: Any, helpful: Any) -> frozenset[str]:
    """Returns the destinations of the options that stand on the command line.

    Abbreviations (``--key`` for ``--key-type``) count, as they do for argparse.
    """
    words = [str(word).split("=", 1)[0] for word in getattr(helpful, "args", [])]
    options = {word for word in words if word.startswith("--") and len(word) > 2}
    short = {word[:2] for word in words if word[:1] == "-" and word[1:2] not in ("", "-")}
    found = set()
    for action in getattr(parser, "_actions", []):
        for option in action.option_strings:
            if option in short or any(option.startswith(word) for word in options):
                found.add(action.dest)
    return frozenset(found)


def option_dests(group: Any, prefix: str) -> dict[str, Callable[[str], Any]]:
    """Lists the options of another plugin that the parser knows already.

    Why: Certbot restores a plugin's options from a renewal file only under the names of the
    lineage's own plugins (``renewal._restore_plugin_configs``), so ``--apache-*`` options have
    to be carried under this plugin's prefix, and which there are depends on the Certbot.

    Args:
        group: the parser or group given to ``inject_parser_options``.
        prefix: start of the destinations, such as ``apache_``.

    Returns:
        Each destination with the function that converts its text; empty where the parser is
        unknown, and then those options hold for one command only, as with other plugins.
    """
    parser = getattr(getattr(group, "_parser", None), "parser", None)
    return {
        action.dest: action.type or str
        for action in getattr(parser, "_actions", [])
        if action.dest.startswith(prefix)
    }
