"""What comes along when names, addresses and credentials are copied, from a PDF for example.

Rules of this file: it is applied to the words as they were typed, before Certbot reads them, whose
own words for all this are "Non-ASCII domain names not supported" and "unrecognized arguments".
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import idna

from certbot_jprs.ground.exceptions import OptionError
from certbot_jprs.ground.language import _
from certbot_jprs.internals.parser import TypedValue

DESTS = ("domains", "email", "server")
"""Destinations of the options whose values are often copied from a manual."""

_INVISIBLE = "Zs", "Zl", "Zp", "Cc", "Cf"


def check(value: str, place: str) -> None:
    """Refuses a value with what is no part of it but often comes along with it.

    Args:
        value: the value, not empty.
        place: where it was given, for the message.

    Raises:
        OptionError: it has a quotation mark around it, or a typographic one, or a space.
    """
    for character in value:
        if character.isspace() or unicodedata.category(character) in _INVISIBLE:
            found = _("a space, a line break or an invisible character")
        elif _is_typographic_quote(character) or value[0] in "\"'" or value[-1] in "\"'":
            found = _("a quotation mark")
        else:
            continue
        raise OptionError(
            _(
                "The value of {place} contains {found}, which came along when it was copied. Give "
                "it without that."
            ).format(place=place, found=found)
        )


def _is_typographic_quote(character: str) -> bool:
    name = unicodedata.name(character, "")
    return not character.isascii() and (
        "QUOTATION MARK" in name or "APOSTROPHE" in name or "CORNER BRACKET" in name
    )


def check_typed(values: Iterable[TypedValue]) -> None:
    """Refuses what Certbot would misunderstand of a command line that names the plugin.

    Args:
        values: the values of the options in ``DESTS``.

    Raises:
        OptionError: one contains what came along when it was copied, or a name not in Punycode.
    """
    for typed in values:
        parts = [part.strip(" ") for part in typed.value.split(",")]
        for part in filter(None, parts):
            check(part, typed.option)
        if typed.dest == "server":
            continue
        after = typed.following
        if after and (typed.value.endswith(",") or after[0].startswith(",")):
            parts += [part.strip(" ") for word in after for part in word.split(",")]
            raise OptionError(
                _(
                    "There is a space beside a comma in the value of {option}. Write it without: "
                    "{option} {value}"
                ).format(option=typed.option, value=",".join(filter(None, parts)))
            )
        if typed.dest == "domains":
            _refuse_other_letters(typed.option, parts)


def _refuse_other_letters(option: str, names: list[str]) -> None:
    """Refuses names that are not in Punycode (RFC 5891), as Certbot does, and says how."""
    try:
        written = [name if name.isascii() else _punycode(name) for name in names]
    except (idna.IDNAError, UnicodeError):
        return  # no name at all: Certbot says so
    if written != names:
        raise OptionError(
            _(
                "Certbot takes internationalized domain names in Punycode. Write instead of "
                "{names}: {option} {value}"
            ).format(
                names=", ".join(name for name in names if not name.isascii()),
                option=option,
                value=",".join(written),
            )
        )


def _punycode(name: str) -> str:
    wildcard = "*." if name.startswith("*.") else ""
    return wildcard + idna.encode(name[len(wildcard) :], uts46=True).decode("ascii")
