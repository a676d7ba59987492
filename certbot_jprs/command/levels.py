"""How bad something is, in the levels of monitoring systems."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import timedelta

DAY = timedelta(days=1)


class Level(enum.IntEnum):
    """How bad something is; the values are the exit statuses of monitoring systems."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


KINDS = (
    "account",
    "damaged",
    "ecdsa",
    "expired",
    "expires",
    "held",
    "no-certificate",
    "no-config-dir",
    "no-scheduler",
    "ocsp-undetermined",
    "ocsp-unknown",
    "other-server",
    "pending",
    "renews-always",
    "revoked",
    "schedulers",
    "served-other",
    "server-url",
    "sleep",
    "unreadable",
)
"""Every kind of problem."""

WORST_FIRST = (Level.CRITICAL, Level.WARNING, Level.UNKNOWN, Level.OK)


@dataclass(frozen=True)
class Finding:
    """Something that is wrong.

    Attributes:
        level: how bad it is.
        kind: a word for programs.
        message: what is wrong, then the next step.
    """

    level: Level
    kind: str
    message: str


@dataclass(frozen=True)
class Limits:
    """From how many days before the end on something is the matter; None: by the lifetime.

    Attributes:
        warn: days before the end from which that is a warning.
        crit: days before the end from which that is critical.
    """

    warn: int | None = None
    crit: int | None = None

    def of(self, lifetime: timedelta) -> tuple[timedelta, timedelta]:
        """Returns both for a certificate.

        Certbot renews in the last third of a lifetime, and 30 days before the end of 90. A fifth
        and a tenth leave some days for its trials.

        Args:
            lifetime: how long it is valid from beginning to end.
        """
        warn = min(20 * DAY, lifetime / 5) if self.warn is None else self.warn * DAY
        crit = min(7 * DAY, lifetime / 10) if self.crit is None else self.crit * DAY
        return warn, crit
