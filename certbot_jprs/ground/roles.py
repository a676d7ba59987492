"""What the plugin is to do for one configuration of Certbot's."""

from __future__ import annotations

import enum


class Role(enum.Enum):
    """What the plugin is to do."""

    DORMANT = "dormant"
    """Not selected: nothing."""

    OTHER = "other"
    """Selected, but the certificate is another CA's: what the delegates do."""

    JPRS = "jprs"
    """JPRS's rules, and the wait."""
