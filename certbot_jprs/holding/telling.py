"""What the user is told of lineages that are held.

Rules of this file: words alone; nothing is decided or moved.
"""

from __future__ import annotations

from certbot_jprs.ground import display_util
from certbot_jprs.ground.language import _
from certbot_jprs.holding.jobs import Job


def of_held(name: str) -> None:
    """Says that a new certificate is held for the end of the run.

    Args:
        name: the lineage's name.
    """
    display_util.notify(
        _(
            "The new certificate of {name} is saved and held: the old one stays in service until "
            "the end of this run, and until the OCSP server knows the new one."
        ).format(name=name)
    )


def of_release(new: list[Job], left: list[Job]) -> None:
    """Says what now goes into service.

    Args:
        new: what this run issued.
        left: what an earlier run left.
    """
    if new:
        display_util.notify(
            _(
                "Nothing more is ordered in this run. The held certificates now go into service, "
                "each once the OCSP server knows it."
            )
        )
    if left:
        display_util.notify(
            _("Saved by an earlier run and not yet in service: {names}").format(
                names=", ".join(job.name for job in left)
            )
        )


def not_in_service(failed: set[str]) -> str:
    """Words which lineages did not go into service.

    Args:
        failed: their names.
    """
    return _("Not put into service, for the reasons given above: {names}").format(
        names=", ".join(sorted(failed))
    )
