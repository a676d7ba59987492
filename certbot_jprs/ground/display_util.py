"""What Certbot's display shows, where anybody can still read it.

Rules of this file: a standard output that was closed (``certbot renew | head``, a terminal that is
gone) stops nothing: what is to be done matters more than what is said of it.
"""

from __future__ import annotations

import logging

from certbot.display import util

logger = logging.getLogger(__name__)


def notify(text: str) -> None:
    """Shows a text to the user, and keeps it in the log where it cannot be shown.

    Args:
        text: the text.
    """
    try:
        util.notify(text)
    except (OSError, ValueError) as error:  # the latter: closed, or of another encoding
        logger.debug("Could not be shown (%s): %s", error, text)
