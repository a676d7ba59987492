"""What ``status`` tells, in whatever form: what was found on the machine, and what is wrong."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from datetime import datetime, timezone

from certbot_jprs.command import findings, output, survey
from certbot_jprs.command.levels import WORST_FIRST, Finding, Level, Limits
from certbot_jprs.command.survey import Entry, Survey
from certbot_jprs.ground.language import _

Judged = tuple[Entry, list[Finding]]


@dataclass(frozen=True)
class Judgement:
    """What was found, and what is wrong.

    Attributes:
        survey: what was found.
        lineages: each lineage with what is wrong with it.
        general: what is wrong beside them.
        now: when that was, in UTC.
    """

    survey: Survey
    lineages: list[Judged]
    general: list[Finding]
    now: datetime

    @property
    def every(self) -> list[Finding]:
        """All that is wrong."""
        return [*self.general, *(finding for _entry, each in self.lineages for finding in each)]

    @property
    def level(self) -> Level:
        """How bad the worst of it is."""
        levels = (finding.level for finding in self.every)
        return min(levels, key=WORST_FIRST.index, default=Level.OK)


def judge(arguments: argparse.Namespace) -> Judgement | None:
    """Looks at the machine.

    Args:
        arguments: the parsed command line.

    Returns:
        What was found; None where Certbot's configuration cannot be read, which is said.
    """
    try:
        found = survey.make(os.path.abspath(arguments.config_dir))
    except OSError as error:
        output.error(
            _("Certbot's configuration cannot be read: {reason}. Run this as root.").format(
                reason=output.why(error)
            )
        )
        return None
    limits = Limits(arguments.warn_days, arguments.crit_days)
    now = datetime.now(timezone.utc)
    judged = [(entry, findings.of_lineage(entry, limits, now)) for entry in found.entries]
    return Judgement(found, judged, findings.of_machine(found), now)
