"""Certbot's steps as they are met first: whether they are about what is held at all.

Rules of this file:

- It is imported with every lineage of the plugin's, due or not: what waits, asks and releases is
  opened only once there is something to hold, and comes from whoever made this.
- What it cannot tell from the records' names is the keeper's to tell.
"""

from __future__ import annotations

import argparse
import logging
import os
from typing import TYPE_CHECKING, Any, Callable

from certbot_jprs.ground.language import _
from certbot_jprs.ground.names import NAME
from certbot_jprs.holding.records import Store
from certbot_jprs.holding.turn import Turn, Turns
from certbot_jprs.internals import interception
from certbot_jprs.internals.delegation import Workers

if TYPE_CHECKING:
    from certbot_jprs.holding.keeper import Keeper

logger = logging.getLogger(__name__)


class Lookout:
    """Stands in for the keeper until it is needed.

    Args:
        namespace: the options of the command; None where they are not known.
        turns: whose configuration Certbot works on.
        opening: makes the keeper; called once.
    """

    def __init__(
        self, namespace: argparse.Namespace | None, turns: Turns, opening: Callable[[], Keeper]
    ) -> None:
        self._namespace = namespace
        self._turns = turns
        self._opening = opening
        self._opened: Keeper | None = None
        self._engaged: bool | None = None

    @property
    def keeper(self) -> Keeper:
        """The keeper.

        Raises:
            DamagedError: a module cannot be imported.
        """
        if self._opened is None:
            self._opened = self._opening()
        return self._opened

    # What the plugin calls

    def engage(self) -> bool:
        """Has Certbot's steps intercepted.

        Returns:
            False where this Certbot does not allow that.
        """
        if self._engaged is None:
            self._engaged = interception.intercept(self)
            if not self._engaged:
                logger.warning(
                    _(
                        "This version of Certbot lacks what {name} needs to hold a new "
                        "certificate back. It waits before each reload of the web server "
                        "instead, and deploy hooks run before that wait."
                    ).format(name=NAME)
                )
        return self._engaged

    def govern(self, config: Any, workers: Workers) -> Turn | None:
        """Takes a configuration whose certificates are to be held.

        Args:
            config: Certbot's configuration, of this command or of one lineage.
            workers: the delegates for it.

        Returns:
            Its turn; None where this Certbot does not allow holding.
        """
        return self._turns.take(config, workers) if self.engage() else None

    # What Certbot's steps call: see interception.Interceptor

    def before_issuing(self, config: Any) -> None:
        """A certificate is about to be ordered."""
        self.keeper.before_issuing(config)

    def before_saving(self, lineage: Any, config: Any) -> None:
        """A new version is about to be written."""
        self.keeper.before_saving(lineage, config)

    def after_saving(self, lineage: Any, version: int) -> None:
        """That version was written."""
        self.keeper.after_saving(lineage, version)

    def keeps_links(self, lineage: Any, version: int | None) -> bool:
        """Tells whether a lineage's links stay where they are: only what has a record is held."""
        store = Store(lineage.cli_config.config_dir)
        return store.has(lineage.lineagename) and self.keeper.keeps_links(lineage, version)

    def deploy_hooks(self, config: Any, lineage_path: str, run: Callable[[], None]) -> None:
        """Certbot would run deploy hooks now."""
        self.keeper.deploy_hooks(config, lineage_path, run)

    def at_end(self) -> Callable[[], None]:
        """The last lineage was processed; nothing is to be done where nothing was, or is, held."""
        if self._opened is None and not self._holds_something():
            return lambda: None
        return self.keeper.at_end()

    def _holds_something(self) -> bool:
        namespace = self._namespace
        if namespace is None:
            return False
        return not Store(os.path.abspath(namespace.config_dir)).is_empty()
