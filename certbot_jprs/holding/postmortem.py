"""One line for each release, for the journal or syslog, beside Certbot's log.

It is made of ``key=value`` (logfmt), for programs, whatever the language is::

    outcome=released lineage=www.example.jp version=3 replaces=2 waited=460.1 status=good
        hooks=done reload=done

Rules of this file: where nobody takes it, nothing is said.
"""

from __future__ import annotations

import contextlib
import json
import logging
import logging.handlers
import os
import re
import time
from collections.abc import Sequence

from certbot_jprs.holding.ending import Ending, Outcome
from certbot_jprs.holding.history import History

logger = logging.getLogger(__name__)

SOCKET = "/dev/log"

_SHOWN = ("version", "replaces", "waited", "status", "hooks", "reload")

_PLAIN = re.compile(r"[\w.*@:+-]+")


def conclude(config_dir: str, endings: Sequence[Ending]) -> None:
    """Writes a line about each of some releases, and keeps them in the history.

    Args:
        config_dir: Certbot's configuration directory.
        endings: how they ended; ``ended`` is entered.
    """
    for ending in endings:
        ending.ended = time.time()
    _write([(_level(ending), line(ending)) for ending in endings])
    History(config_dir).add(endings)


def line(ending: Ending) -> str:
    """Returns what is written about a release.

    Args:
        ending: how it ended.
    """
    values = ending.values()
    shown = {
        "outcome": values["outcome"],
        "lineage": ending.name,
        **{key: values[key] for key in _SHOWN},
    }
    return " ".join(f"{key}={_worded(value)}" for key, value in shown.items())


def _worded(value: object) -> str:
    """Words a value; quoted, as JSON, where it is no single word."""
    if value is None:
        return "-"
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


def _level(ending: Ending) -> int:
    return logging.INFO if ending.outcome is Outcome.RELEASED else logging.WARNING


class _Handler(logging.handlers.SysLogHandler):
    """Sends to the journal or syslog; what is not taken is left."""

    append_nul = False  # rsyslog would show it
    ident = f"certbot-jprs[{os.getpid()}]: "

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Says nothing."""


def _write(lines: Sequence[tuple[int, str]]) -> None:
    for level, text in lines:
        logger.log(min(level, logging.INFO), "%s", text)
    if not lines or not os.path.exists(SOCKET):
        return
    facility = logging.handlers.SysLogHandler.LOG_DAEMON
    with contextlib.suppress(OSError), contextlib.closing(_Handler(SOCKET, facility)) as handler:
        for level, text in lines:
            handler.handle(logging.LogRecord(__name__, level, __file__, 0, text, None, None))
