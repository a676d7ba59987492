"""What the tests of ``status`` share: an entry in which nothing is wrong."""

from __future__ import annotations

from certbot_jprs.command.survey import Entry
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.ocsp.evaluation import Answer, Status


def well(lineage: Lineage, name: str) -> Entry:
    """Makes the entry of a lineage whose only version is good, and served for its name."""
    certificate = lineage.certificate()
    return Entry(
        lineage,
        certificate,
        (name,),
        Answer(Status.GOOD, ""),
        version=1,
        newest=1,
        versions={1: certificate},
        served={name: certificate},
        account_exists=True,
    )
