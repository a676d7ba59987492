"""Certbot's own reload, after what this plugin released on the spot.

Rules of this file: what is well is Certbot's to say, who is about to.
"""

from __future__ import annotations

import logging
from typing import Callable

from certbot_jprs.ground.exceptions import HoldingError
from certbot_jprs.ground.said import words
from certbot_jprs.holding import postmortem
from certbot_jprs.holding.ending import Done, Outcome
from certbot_jprs.holding.records import Store
from certbot_jprs.holding.sight import Sight, View
from certbot_jprs.holding.turn import Turn
from certbot_jprs.lineage import files

logger = logging.getLogger(__name__)


def reload(turn: Turn, reload: Callable[[], None]) -> None:
    """Does the reload, and looks at what is served.

    Args:
        turn: the turn; nothing of it waits for a reload any more afterwards.
        reload: reloads the web server.

    Raises:
        HoldingError: nothing answers any more where something did right before.
        errors.PluginError: the reload failed.
    """
    endings, config_dir = list(turn.unreloaded), turn.config.config_dir
    found = (files.named(config_dir, ending.name) for ending in endings)
    sight = Sight(
        View.of(lineage, lambda: turn.workers.installer) for lineage in found if lineage is not None
    )
    reload()
    turn.unreloaded.clear()
    sight.look()
    failures = {view.lineage.name: view.failure() for view in sight.views if view.silent}
    for ending in endings:
        failure = failures.get(ending.name, "")
        _conclude(Store(config_dir), ending.name, failure)
        ending.reload = Done.FAILED if failure else Done.DONE
        ending.outcome = Outcome.FAILED if failure else Outcome.RELEASED
    for view in sight.views:
        if view.behind:
            view.say()
    postmortem.conclude(config_dir, endings)
    if failures:
        raise HoldingError("\n".join(map(words, failures.values())))


def _conclude(store: Store, name: str, failure: str) -> None:
    """Removes the record of a lineage in service, or keeps in it why it is not."""
    try:
        record = store.load(name) if failure else None
        if record is None:
            store.remove(name)
        else:
            record.failure = failure
            store.save(record)
    except OSError:
        logger.debug("The record of %s could not be changed", name, exc_info=True)
