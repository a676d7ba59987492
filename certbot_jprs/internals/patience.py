"""The sleep in which Certbot's plugins for web servers wait until a reload has taken effect.

Rules of this file: as of the room.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any, Callable


class _Time:
    """The module ``time`` with another ``sleep``."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self.sleep = sleep

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


@contextlib.contextmanager
def sleeping(plugin: Any, sleep: Callable[[float], None]) -> Iterator[bool]:
    """Has a plugin for a web server sleep in another way while it puts up challenges.

    Why: after the reload for http-01 Apache's sleeps for 3 seconds, a "dirty hack" in its own
    words, because it cannot tell when the new configuration is used; nginx's does for as long as
    ``--nginx-sleep-seconds`` says (certbot/certbot#7422). How: the module that defines its
    ``perform`` knows the module ``time`` by that name, which is another one meanwhile. Tested with
    Certbot 1.21, 2.1 and 5.8.

    Args:
        plugin: the plugin object.
        sleep: is given the seconds that the plugin would sleep.

    Yields:
        False where this version of the plugin has no such name: then it sleeps by itself.
    """
    names = getattr(getattr(type(plugin), "perform", None), "__globals__", {})
    if names.get("time") is not time:
        yield False
        return
    names["time"] = _Time(sleep)
    try:
        yield True
    finally:
        names["time"] = time


def addresses_of(plugin: Any, name: str, port: int) -> set[str]:
    """Returns the addresses on which a web server's configuration has a name answered.

    Why: a virtual host that listens on one address serves its challenges there alone. How: by the
    plugin's ``vhosts``, whose form Certbot does not promise. Tested with Certbot 1.21, 2.1 and 5.8,
    Apache's and nginx's.

    Args:
        plugin: an authenticator that has read its server's configuration.
        name: the DNS name.
        port: the TCP port.

    Returns:
        IPv4 and IPv6 addresses; none where a virtual host of the name takes all, there is no
        virtual host for it, or this version of the plugin does not tell.
    """
    found = set()
    for vhost in getattr(plugin, "vhosts", None) or ():
        names = vhost.get_names() if hasattr(vhost, "get_names") else getattr(vhost, "names", ())
        if not any(_covers(str(pattern), name) for pattern in names):
            continue
        for address in getattr(vhost, "addrs", ()):
            if address.get_port() in (str(port), "*", ""):
                found.add(address.get_addr().strip("[]"))
    everywhere = {"", "*", "_default_", "0.0.0.0", "::"}  # noqa: S104 - compared, not bound
    return set() if found & everywhere else found


def _covers(pattern: str, name: str) -> bool:
    """Tells whether a name of a virtual host, maybe with a wildcard at its begin, is a name."""
    pattern = pattern.lower()
    return pattern == name or (pattern.startswith("*.") and name.endswith(pattern[1:]))
