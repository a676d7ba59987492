"""What a test needs of the machine, and why it is skipped where that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab import subject
from tests.lab.place import CONFINED, WEB

STANDALONE = f"--standalone --http-01-address {WEB}" if CONFINED else "--standalone"
"""Certbot's own server, which elsewhere can listen on every address."""


def needs_namespace(why: str) -> pytest.MarkDecorator:
    """Skips a test where the container is the world: no mounts, one network, one world.

    Args:
        why: what it does that only a world with walls of its own can have.
    """
    return pytest.mark.skipif(CONFINED, reason=f"not in a container: {why}")


needs_ipv6 = pytest.mark.skipif(
    not Path("/proc/net/if_inet6").exists(), reason="this kernel has no IPv6"
)

needs_rhel_class = pytest.mark.needs_certbot(
    "2.0", "its Apache plugin cannot run the httpd of RHEL 9"
)
"""Source: Certbot issue 9386."""

LOSES_WORDS = subject.version()[:2] == (2, 1)
"""Whether Certbot alone loses what a CA says: Debian 12's, with Python 3.11, says
"AttributeError: can't set attribute" instead."""

needs_words = pytest.mark.skipif(LOSES_WORDS, reason="this Certbot alone loses what a CA says")
