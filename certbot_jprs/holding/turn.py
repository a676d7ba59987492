"""One of Certbot's configurations while Certbot works on it.

Rules of this file: values alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

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
        unreloaded: the lineages that were released and wait for Certbot's own reload.
    """

    config: Any
    workers: Workers
    held: bool = False
    reloaded: bool = False
    unreloaded: list[str] = field(default_factory=list)

    @property
    def settled(self) -> bool:
        """Whether this run waited for its certificate."""
        return self.reloaded or bool(self.unreloaded)
