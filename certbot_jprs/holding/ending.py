"""How a lineage's way into service ended: what is kept of it, and written to the journal.

Rules of this file: values alone; no words for people.
"""

from __future__ import annotations

import enum
import json
from dataclasses import asdict, dataclass, fields
from typing import Any


class Outcome(enum.Enum):
    """What became of a renewal."""

    RELEASED = "released"
    """The new version is in service."""

    HELD = "held"
    """Time was up, and the OCSP responder did not know it: a later run asks again."""

    REVOKED = "revoked"
    """It is revoked and was taken out of the lineage."""

    DAMAGED = "damaged"
    """It is damaged and not put into service."""

    FAILED = "failed"
    """A step of the release failed: a later run goes on."""

    NOT_ISSUED = "not-issued"
    """An order was begun, and no certificate came of it."""


class Done(enum.Enum):
    """What became of one step of a release."""

    NONE = "none"
    """It was not needed, or not come to."""

    DONE = "done"
    EARLIER = "earlier"
    """An earlier run did it."""

    FAILED = "failed"


@dataclass
class Ending:
    """How the way of one version into service ended.

    Attributes:
        name: the lineage's name.
        version: the version; None where none was saved.
        replaces: the version that was in service; None for a first certificate.
        saved: when it was saved, in seconds since the epoch; 0 where that is not known.
        ended: when all this ended, likewise.
        outcome: what became of it; None while that is open.
        waited: seconds from when it was saved until the wait ended; None where this run did not
            wait.
        status: what the OCSP responder said at last, as ``ocsp.evaluation.Status`` has it, or
            ``UNASKED``; None where this run did not wait.
        unknown_until: after how many seconds the responder was last asked and did not know it;
            None where it never said so. It came to know it between then and ``known_after``.
        hooks: whether its deploy hooks were run.
        reload: whether the web server was reloaded.
    """

    name: str
    version: int | None = None
    replaces: int | None = None
    saved: float = 0.0
    ended: float = 0.0
    outcome: Outcome | None = None
    waited: float | None = None
    status: str | None = None
    unknown_until: float | None = None
    hooks: Done = Done.NONE
    reload: Done = Done.NONE

    @property
    def known_after(self) -> float | None:
        """How many seconds the OCSP responder took, at most, to know it; None: never good."""
        return self.waited if self.status == "good" else None

    def to_json(self) -> str:
        """Returns it as one line, without its end."""
        return json.dumps(self.values())

    def values(self) -> dict[str, Any]:
        """Returns what it says, for JSON."""
        values = asdict(self)
        for key, value in values.items():
            if isinstance(value, enum.Enum):
                values[key] = value.value
            elif isinstance(value, float):
                values[key] = round(value, 3)
        return values

    @classmethod
    def from_json(cls, text: str) -> Ending:
        """Reads one; what a later version added is left out.

        Args:
            text: what ``to_json`` returned.

        Raises:
            ValueError, RecursionError: it is none.
        """
        values = json.loads(text)
        if not isinstance(values, dict):
            raise ValueError("no object")
        known = {field.name: values.get(field.name, field.default) for field in fields(cls)}
        known["outcome"] = Outcome(known["outcome"])
        known["hooks"], known["reload"] = Done(known["hooks"]), Done(known["reload"])
        found = cls(**known)
        found.check()
        return found

    def check(self) -> None:
        """Checks the types of what was read.

        Raises:
            ValueError: a field has another type.
        """
        numbers: list[Any] = [self.version, self.replaces]
        times: list[Any] = [self.waited, self.unknown_until]
        if not (
            isinstance(self.name, str)
            and (self.status is None or isinstance(self.status, str))
            and all(number is None or type(number) is int for number in numbers)
            and all(time is None or _is_time(time) for time in times)
            and _is_time(self.saved)
            and _is_time(self.ended)
        ):
            raise ValueError("a field has a wrong type")


def _is_time(value: Any) -> bool:
    # Neither NaN nor infinite, and before the year 10000, of which no date can be made.
    return type(value) in (int, float) and 0 <= value < 253_402_300_800


UNASKED = "unasked"
"""The status where there was nothing to ask, or no wait was wanted."""
