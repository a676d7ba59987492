"""Taking up what an earlier run left: swept, settled, and made into jobs.

Rules of this file: one lineage's trouble, whatever it is, is its own, and the others are taken up.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterable

from certbot_jprs.ground.language import marked
from certbot_jprs.holding import jobs
from certbot_jprs.holding.jobs import Job
from certbot_jprs.holding.leftovers import relevant
from certbot_jprs.holding.records import Store
from certbot_jprs.holding.steps import Steps
from certbot_jprs.lineage import files, sweeping
from certbot_jprs.validation.reloads import Reloads

logger = logging.getLogger(__name__)


class Uptake:
    """What an earlier run left.

    Args:
        namespace: the options of this command.
        config_dir: Certbot's configuration directory, whose lock is held.
        names: the lineages that the command touches.

    Attributes:
        jobs: the lineages that still have something to be done.
        failures: what went wrong, by lineage; said already.
    """

    def __init__(
        self,
        namespace: argparse.Namespace,
        config_dir: str,
        names: Iterable[str],
        reloads: Reloads,
    ) -> None:
        self.jobs: list[Job] = []
        self._namespace = namespace
        self._config_dir = config_dir
        self._store = Store(config_dir)
        sweeping.sweep(config_dir, self._store.directory)
        steps = Steps(self._store, reloads)
        self.failures = steps.failures
        for name in names:
            steps.attempt(
                [name],
                lambda name=name: self._take_up(name),  # type: ignore[misc]
                marked("The held certificate {name} cannot be read: {error}"),
            )

    def _take_up(self, name: str) -> None:
        """Makes the job of a lineage, if something is left to do.

        Raises:
            OSError: its record or its files cannot be read: it stays held.
        """
        lineage = files.named(self._config_dir, name)
        record = relevant(self._store, name, lineage)
        if record is not None and lineage is not None:
            self.jobs.append(jobs.of_earlier_run(self._namespace, record, lineage))
