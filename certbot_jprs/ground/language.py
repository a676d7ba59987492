"""Messages in the user's language, through gettext.

Rules of this file:

- ``_`` is called when the message is shown, never while a module is imported; ``marked`` is for
  messages that are data.
- ``--jprs-language`` decides; else the locale, in gettext's order; else, because timers and cron
  have no locale, what the lineage remembers; else English.
- A missing or torn catalogue, an unknown locale, or an output that cannot show Japanese, means
  English; never an error.
"""

from __future__ import annotations

import contextlib
import functools
import gettext
import locale
import os
import re
import struct
import sys
from collections.abc import Iterable, Iterator

DOMAIN = "certbot_jprs"
LOCALE_DIR = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "locale")

ENGLISH = "en"
JAPANESE = "ja"
LANGUAGES = (ENGLISH, JAPANESE)

_PROBE = "日本語です。"
_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


class _State:
    """What was chosen in this process.

    Attributes:
        option: ``--jprs-language`` of the command line or ``cli.ini``.
        entered: what the lineages of this run remember, the present one last.
    """

    option: str | None = None
    entered: tuple[str | None, ...] = ()


def start(option: str | None) -> None:
    """Begins a command.

    Args:
        option: the language that the command line or ``cli.ini`` asks for, if any.
    """
    _State.option = option if option in LANGUAGES else None
    _State.entered = ()


def enter(remembered: str | None) -> None:
    """Turns to a lineage: what follows is said in its language.

    Args:
        remembered: what its renewal file says, if anything; an option counts more.
    """
    _State.entered += (remembered if remembered in LANGUAGES else None,)


def conclude() -> None:
    """Turns to all lineages of the run together: their language, if they agree on one."""
    remembered = {language for language in _State.entered if language is not None}
    _State.entered = tuple(remembered) if len(remembered) == 1 else ()


@contextlib.contextmanager
def of(remembered: Iterable[str | None]) -> Iterator[None]:
    """Turns, for a while, to some lineages of the run: their language, if they agree on one.

    Args:
        remembered: what their renewal files say.
    """
    before = _State.entered
    theirs = {language for language in remembered if language in LANGUAGES}
    if theirs:
        _State.entered = tuple(theirs) if len(theirs) == 1 else ()
    try:
        yield
    finally:
        _State.entered = before


def chosen() -> str | None:
    """Returns the language that somebody chose: by the option, the locale, or for the lineage."""
    return _State.option or _of_locale() or (_State.entered[-1] if _State.entered else None)


def _of_locale() -> str | None:
    """Returns the language of the environment; None where it names neither of ours.

    Gettext would pass over English, which has no catalogue, in ``LANGUAGE=en:ja``.
    """
    for variable in _VARIABLES:
        value = os.environ.get(variable)
        if value:
            return _preferred(value)
    return None


@functools.cache  # Certbot asks for the plugin's description twice for each lineage
def _preferred(value: str) -> str | None:
    """Returns the first language of ours that a variable's value names."""
    for preferred in value.split(":"):
        match = re.match(r"(en|ja)(?:[_.@]|$)", preferred)
        if match:
            return match.group(1)
    return None


def _can_show_japanese() -> bool:
    """Tells whether the outputs, and files such as Certbot's log, take Japanese characters."""
    encodings = {getattr(stream, "encoding", None) for stream in (sys.stdout, sys.stderr)}
    encodings.add(locale.getpreferredencoding(do_setlocale=False))
    return all(_can_encode(encoding) for encoding in encodings if encoding)


@functools.cache
def _can_encode(encoding: str) -> bool:
    try:
        _PROBE.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


@functools.cache
def _catalogue(language: str) -> gettext.NullTranslations:
    """Returns a language's catalogue, or one that translates nothing."""
    try:
        return gettext.translation(DOMAIN, LOCALE_DIR, languages=[language], fallback=True)
    except (OSError, ValueError, LookupError, struct.error):
        return gettext.NullTranslations()


def _(message: str) -> str:
    """Translates a message.

    Args:
        message: the English text, with named ``{placeholders}`` that the caller fills.

    Returns:
        The text in the user's language, or ``message`` where no translation exists.
    """
    language = chosen() or ENGLISH
    if language == ENGLISH or not _can_show_japanese():
        return message
    return _catalogue(language).gettext(message)


def lend() -> None:
    """Has Argparse say its own words in the user's language.

    For a process that is ours alone: Argparse asks the gettext domain of the process.
    """
    if _of_locale() != JAPANESE or not _can_show_japanese():
        return
    if isinstance(_catalogue(JAPANESE), gettext.GNUTranslations):  # neither missing nor torn
        gettext.bindtextdomain(DOMAIN, LOCALE_DIR)
        gettext.textdomain(DOMAIN)


def marked(message: str) -> str:
    """Marks a message for the catalogue where it is only data; ``_`` translates it when shown.

    Args:
        message: the English text.

    Returns:
        The same text.
    """
    return message
