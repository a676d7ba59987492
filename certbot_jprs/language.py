"""Messages in the user's language, through gettext.

Rules of this file:

- ``_`` is called when the message is shown, never while a module is imported.
- A missing or torn catalogue, or an unknown locale, means English; never an error.
"""

from __future__ import annotations

import functools
import gettext
import os
import struct

DOMAIN = "certbot_jprs"
LOCALE_DIR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "locale")


@functools.lru_cache(maxsize=1)
def _translations() -> gettext.NullTranslations:
    """Returns the catalogue of the process's locale, or one that translates nothing."""
    try:
        return gettext.translation(DOMAIN, LOCALE_DIR, fallback=True)
    except (OSError, ValueError, LookupError, struct.error):
        return gettext.NullTranslations()


def _(message: str) -> str:
    """Translates a message.

    Args:
        message: the English text, with named ``{placeholders}`` that the caller fills.

    Returns:
        The text in the user's language, or ``message`` where no translation exists.
    """
    return _translations().gettext(message)


def marked(message: str) -> str:
    """Marks a message for the catalogue where it is only data; ``_`` translates it when shown.

    Args:
        message: the English text.

    Returns:
        The same text.
    """
    return message
