"""What follows from how the wait for a certificate ended, and what the user is told of it.

Rules of this file: the four answers of the responder are never mixed up; each message says what
is, then what to do.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from certbot_jprs.ground import display_util
from certbot_jprs.ground.language import _
from certbot_jprs.ground.said import words
from certbot_jprs.ocsp.evaluation import Status
from certbot_jprs.wait.gate import Result
from certbot_jprs.wait.progress import duration

logger = logging.getLogger(__name__)

MARGIN = timedelta(days=7)
"""How long before the end of the certificate in service an unknown one replaces it."""


class Verdict(enum.Enum):
    """What happens to a certificate now."""

    RELEASE = "release"
    HOLD = "hold"
    WITHDRAW = "withdraw"


@dataclass(frozen=True)
class InService:
    """What is known of the certificate that a new one is to replace.

    Attributes:
        not_after: when it ends, in UTC.
        revoked: whether the OCSP responder says, verified, that it is revoked.
    """

    not_after: datetime
    revoked: bool = False

    def protects(self, now: datetime, margin: timedelta = timedelta(0)) -> bool:
        """Tells whether there is reason to keep it in service.

        Args:
            now: the time, in UTC.
            margin: how long it shall last at least.
        """
        return not self.revoked and self.not_after - margin > now


def judge(name: str, result: Result, in_service: InService | None) -> Verdict:
    """Decides on a certificate whose wait has ended, and tells the user if it is released.

    Args:
        name: the lineage's name.
        result: how the wait ended.
        in_service: the certificate that it replaces; None for a first one.

    Returns:
        What to do with it.
    """
    age = duration(result.age)
    if result.answer is None:
        logger.info("Nothing to wait for: %s names no OCSP responder, or no wait is wanted", name)
        return Verdict.RELEASE
    if result.answer.status is Status.REVOKED:
        return Verdict.WITHDRAW
    replaces_revoked = in_service is not None and in_service.revoked
    if replaces_revoked or result.answer.status is Status.GOOD:
        said = (
            _("The certificate of {name} in service is revoked: the new one replaces it at once.")
            if replaces_revoked
            else _("The OCSP server knows {name} (good, {age} after it was saved).")
        )
        display_util.notify(said.format(name=name, age=age))
        return Verdict.RELEASE
    if result.answer.status is Status.UNDETERMINED:
        logger.warning(
            _(
                "The OCSP server gave no usable answer for {name} within {age} ({reason}). It is "
                "put into service unchecked, because the longest wait is over. Check that this "
                "machine reaches the OCSP server."
            ).format(name=name, age=age, reason=words(result.answer.reason))
        )
        return Verdict.RELEASE
    if in_service is not None and in_service.protects(datetime.now(timezone.utc), MARGIN):
        return Verdict.HOLD
    logger.warning(
        _(
            "The OCSP server still does not know {name}, {age} after it was saved. It is put "
            "into service all the same; browsers that ask the OCSP server may refuse it for some "
            "time. If that lasts, tell JPRS's designated reseller."
        ).format(name=name, age=age)
    )
    return Verdict.RELEASE


@dataclass(frozen=True)
class StillHeld:
    """A certificate that stays held.

    Attributes:
        name: the lineage's name.
        age: how long ago it was saved, in seconds.
        until: when the certificate in service ends, in UTC.
    """

    name: str
    age: float
    until: datetime


def still_held(held: Sequence[StillHeld]) -> str:
    """Words the message about certificates that the OCSP server still does not know.

    Args:
        held: at least one.
    """
    if len(held) == 1:
        return _(
            "The OCSP server still does not know the new certificate of {name}, {age} after it was "
            "saved. It stays held, and the one in service, valid until {end}, stays there. Each "
            "later `certbot renew` asks again. If this lasts, tell JPRS's designated reseller."
        ).format(name=held[0].name, age=duration(held[0].age), end=held[0].until.date())
    lines = [
        _("  {name}: saved {age} ago; the one in service is valid until {end}").format(
            name=one.name, age=duration(one.age), end=one.until.date()
        )
        for one in held
    ]
    return "\n".join(
        [
            _(
                "The OCSP server still does not know these {count} new certificates. They "
                "stay held, and those in service stay there. Each later `certbot renew` asks "
                "again. If this lasts, tell JPRS's designated reseller."
            ).format(count=len(held)),
            *lines,
        ]
    )


def revoked(name: str, stays: int | None) -> str:
    """Words the message about a new certificate that is revoked.

    Args:
        name: the lineage's name.
        stays: the version that stays in service, or None.
    """
    if stays is None:
        return _(
            "The OCSP server says that the new certificate {name} is revoked. It was not put "
            "into service. Ask JPRS's designated reseller why; then issue it anew with "
            "--force-renewal."
        ).format(name=name)
    return _(
        "The OCSP server says that the new certificate of {name} is revoked. It was not put "
        "into service: the present one (version {version}) stays there. Ask JPRS's "
        "designated reseller why; then issue it anew: certbot renew --force-renewal "
        "--cert-name {name}"
    ).format(name=name, version=stays)
