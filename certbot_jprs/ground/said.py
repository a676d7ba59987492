"""What happened, apart from the words for it.

A reason is found in one place, kept in a record, and shown in another place, perhaps by a later
run in another language. So what travels is the message and its values.

Rules of this file: as a string it is English, for logs; ``words`` makes of it what users read. A
plain string stands for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from certbot_jprs.ground.language import _


class Said(str):
    """Something that happened, in English, which can be said in the user's language.

    Attributes:
        message: the English message, with named ``{placeholders}``; ``marked`` where it is written.
        values: what fills them; another one of these is said in the user's language, too.
    """

    __slots__ = ("message", "values")
    message: str
    values: dict[str, object]

    def __new__(cls, message: str, **values: object) -> Said:
        """Makes one.

        Args:
            message: as above.
            values: as above.

        Raises:
            ValueError, LookupError, AttributeError: these values do not fill this message.
        """
        made = super().__new__(cls, message.format(**values))
        made.message = message
        made.values = values
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, object]]:
        """Lets it be copied."""
        return (self.message,), self.values


def joined(parts: Iterable[str], separator: str = "; ") -> Said:
    """Makes one of several.

    Args:
        parts: what happened.
        separator: what stands between two.
    """
    values: dict[str, object] = {f"part{number}": part for number, part in enumerate(parts)}
    return Said(separator.join(f"{{{name}}}" for name in values), **values)


def words(said: str) -> str:
    """Says what happened in the user's language.

    Args:
        said: what happened; a plain string stays as it is.
    """
    if not isinstance(said, Said):
        return said
    values = {
        name: words(value) if isinstance(value, str) else value
        for name, value in said.values.items()
    }
    return _(said.message).format(**values)


def to_json(said: str) -> object:
    """Returns what a JSON file keeps of it.

    Args:
        said: what happened.
    """
    if not isinstance(said, Said):
        return said
    values = {
        name: to_json(value) if isinstance(value, str) else value
        for name, value in said.values.items()
    }
    return {"message": said.message, "values": values}


def from_json(kept: object) -> str:
    """Reads what ``to_json`` returned.

    Args:
        kept: a value of a JSON file.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(kept, str):
        return kept
    message, values = (
        (kept.get("message"), kept.get("values")) if isinstance(kept, Mapping) else (None, None)
    )
    if not isinstance(message, str) or not message or not isinstance(values, Mapping):
        raise ValueError("not something that was said")
    try:
        return Said(
            message,
            **{
                name: from_json(value) if isinstance(value, Mapping) else value
                for name, value in values.items()
            },
        )
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        raise ValueError("its values do not fill its message") from error
