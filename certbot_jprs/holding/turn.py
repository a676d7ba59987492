"""One of Certbot's configurations while Certbot works on it.

Rules of this file: values alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from certbot_jprs.holding.ending import Ending
from certbot_jprs.internals.delegation import Workers


@dataclass
class Turn:
    """One of Certbot's configurations while Certbot works on it.

    Certbot hands the same object to the plugin and to the hooks, and works on one at a time.

    Attributes:
        config: the configuration, of this command or of one lineage.
        workers: the delegates for it.
        held: whether its lineage is held for the end of this run.
        reloaded: whether the release reloaded its web server already.
        unreloaded: the lineages that were released and wait for Certbot's own reload: how that went
            so far.
    """

    config: Any
    workers: Workers
    held: bool = False
    reloaded: bool = False
    unreloaded: list[Ending] = field(default_factory=list)

    @property
    def settled(self) -> bool:
        """Whether this run waited for its certificate."""
        return self.reloaded or bool(self.unreloaded)


class Turns:
    """Whose turn it is: Certbot works on one configuration at a time."""

    def __init__(self) -> None:
        self._turn: Turn | None = None

    def take(self, config: Any, workers: Workers) -> Turn:
        """Begins the turn of a configuration whose certificates are to be held.

        Args:
            config: Certbot's configuration, of this command or of one lineage.
            workers: the delegates for it.

        Returns:
            Its turn; where it is its turn already, that one.
        """
        turn = self.of(config)
        if turn is None:
            turn = self._turn = Turn(config, workers)
        return turn

    def of(self, config: Any) -> Turn | None:
        """Returns the turn of a configuration; None where its certificates are not ours to hold.

        Args:
            config: Certbot's configuration.
        """
        turn = self._turn
        return turn if turn is not None and turn.config is config else None
