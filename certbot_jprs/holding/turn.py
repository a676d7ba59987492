"""One of Certbot's configurations while Certbot works on it.

Rules of this file: values alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable


@dataclass
class Turn:
    """One of Certbot's configurations while Certbot works on it.

    Certbot hands the same object to the plugin and to the hooks, and works on one at a time.

    Attributes:
        config: the configuration, of this command or of one lineage.
        apache: returns the Apache plugin for it, ready for use.
        held: whether its lineage is held for the end of this run.
        reloaded: whether the release reloaded Apache for it already.
        unreloaded: the lineages that were released and wait for Certbot's own reload.
    """

    config: Any
    apache: Callable[[], Any]
    held: bool = False
    reloaded: bool = False
    unreloaded: list[str] = field(default_factory=list)

    @property
    def settled(self) -> bool:
        """Whether this run waited for its certificate."""
        return self.reloaded or bool(self.unreloaded)
