"""Certbot's parser: what follows from a flag is there before Certbot looks.

Rules of this file: as of the room; the parser is reached through what Certbot hands to
``inject_parser_options``.
"""

from __future__ import annotations

import argparse
import functools
import logging
import re
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
        from_file: destinations whose value came from ``cli.ini`` (or ``--config``), not
            overridden by the command line.
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
        on_command_line = _set_on_command_line(parser, helpful)
        # ConfigArgParse does not see that "-aNAME" or "--auth NAME" overrides a file's value.
        from_file = _set_in_file(parser) - on_command_line
        command = ParsedCommand(
            namespace=namespace,
            verb=verb,
            from_file=from_file,
            typed=from_file | on_command_line,
            detecting=bool(getattr(helpful, "detect_defaults", False)),
        )
        act(command)
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

    Values need not be told from options: argparse refuses a value that looks like one.
    """
    known = {
        option: action
        for action in getattr(parser, "_actions", [])
        for option in action.option_strings
    }
    found: set[str] = set()
    for word in map(str, getattr(helpful, "args", [])):
        if word == "--":
            break
        found.update(action.dest for action in _named_by(word, known))
    return frozenset(found)


def _named_by(word: str, known: dict[str, Any]) -> list[Any]:
    """Returns the actions of the options in one word of a command line, as argparse reads it."""
    if word.startswith("--"):
        option = word.split("=", 1)[0]
        if option in known:  # `--apache` is no abbreviation of `--apache-server-root`
            return [known[option]]
        return [action for name, action in known.items() if name.startswith(option)]
    named = []
    if word.startswith("-"):
        for letter in word[1:]:  # flags share a dash up to the first that takes a value: `-naNAME`
            action = known.get(f"-{letter}")
            if action is None:
                break
            named.append(action)
            if action.nargs != 0:
                break
    return named


def words_of(group: Any) -> list[str]:
    """Returns the words of the command line that is about to be parsed.

    Why: an error of parsing is told before any option has its value; its language is looked for
    here. Where the parser is unknown there are none, and the locale decides.

    Args:
        group: the parser or group given to ``inject_parser_options``.
    """
    return [str(word) for word in getattr(getattr(group, "_parser", None), "args", None) or ()]


@dataclass(frozen=True)
class TypedValue:
    """The value of an option, as it stands on the command line.

    Attributes:
        dest: the option's destination.
        option: the option as it was typed.
        value: the value.
        following: the words after it up to the next option, which belong to nothing.
    """

    dest: str
    option: str
    value: str
    following: list[str]


def typed_values(group: Any, dests: tuple[str, ...]) -> list[TypedValue]:
    """Returns the values of some options on the command line that is about to be parsed.

    Why: Certbot refuses a value while it parses, in words that do not help. How: from the words of
    the command line and the options that the parser knows. Where the parser is unknown there are
    none, and Certbot's words stay. Tested with Certbot 1.21, 2.1 and 5.8.

    Args:
        group: the parser or group given to ``inject_parser_options``.
        dests: destinations of options that take one value.
    """
    parser = getattr(getattr(group, "_parser", None), "parser", None)
    known = {
        option: action
        for action in getattr(parser, "_actions", [])
        for option in action.option_strings
    }
    words = words_of(group)
    found = []
    for position, word in enumerate(words):
        actions = _named_by(word, known)
        if len(actions) != 1 or actions[0].dest not in dests:
            continue
        option, equals, value = word.partition("=") if word.startswith("--") else (word[:2], "", "")
        after = words[position + 1 :]
        if not word.startswith("--") and len(word) > 2:
            value = word[2:]
        elif not equals:
            value, after = (after[0], after[1:]) if after else ("", [])
        end = next((at for at, each in enumerate(after) if each.startswith("-")), len(after))
        found.append(TypedValue(actions[0].dest, option, value, after[:end]))
    return found


_DASHED = re.compile(r"-\w[\w-]{14,}={0,2}", re.ASCII)


def keep_dashed_values(group: Any, options: tuple[str, ...]) -> None:
    """Lets a credential that begins with a dash be the value of the option before it.

    Why: one base64url text in 64 begins so, and argparse takes it for an option: the command stops
    with "expected one argument", whatever the user may copy. How: option and value become one word
    of the command line. Where the parser is unknown, that stop remains. Tested with Certbot 1.21,
    2.1 and 5.8.

    Args:
        group: the parser or group given to ``inject_parser_options``.
        options: the options that may have such values.
    """
    words = getattr(getattr(group, "_parser", None), "args", None)
    if not isinstance(words, list):
        return
    for position in range(len(words) - 1, 0, -1):
        option, value = words[position - 1 : position + 1]
        if option in options and _DASHED.fullmatch(str(value)):
            words[position - 1 : position + 1] = [f"{option}={value}"]
