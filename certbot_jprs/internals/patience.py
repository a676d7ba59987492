"""The sleep in which Certbot's plugins for web servers wait until a reload has taken effect.

Rules of this file: as of the room.
"""

from __future__ import annotations

import contextlib
import fnmatch
import ipaddress
import logging
import time
from collections.abc import Iterator
from typing import Any, Callable

logger = logging.getLogger(__name__)


class _Time:
    """The module ``time`` with another ``sleep``."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self.sleep = sleep

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


@contextlib.contextmanager
def sleeping(plugin: Any, sleep: Callable[[float], None]) -> Iterator[None]:
    """Has a plugin for a web server sleep in another way while it puts up challenges.

    Why: after the reload for http-01 Apache's sleeps for 3 seconds, a "dirty hack" in its own
    words, because it cannot tell when the new configuration is used; nginx's does for as long as
    ``--nginx-sleep-seconds`` says (certbot/certbot#7422). How: the module that defines its
    ``perform`` knows the module ``time`` by that name, which is another one meanwhile. Tested with
    Certbot 1.21, 2.1 and 5.8.

    Where this version of the plugin has no such name, it sleeps by itself.

    Args:
        plugin: the plugin object.
        sleep: is given the seconds that the plugin would sleep.
    """
    names = getattr(getattr(type(plugin), "perform", None), "__globals__", {})
    if names.get("time") is not time:
        yield
        return
    names["time"] = _Time(sleep)
    try:
        yield
    finally:
        names["time"] = time


def addresses_of(plugin: Any, name: str, port: int) -> set[str]:
    """Returns the addresses on which alone a web server's configuration has a name answered.

    Why: a virtual host that listens on one address serves its challenges there alone. How: by the
    virtual hosts that the plugin has read (Apache's are its ``vhosts``, nginx's its parser's), and
    their ``addrs``, whose form Certbot does not promise. Tested with Certbot 1.21, 2.1 and 5.8.

    Args:
        plugin: an authenticator that has read its server's configuration.
        name: the DNS name.
        port: the TCP port.

    Returns:
        IPv4 and IPv6 addresses; none where a virtual host of the name takes all, there is no
        virtual host for it, or this version of the plugin does not tell.
    """
    found = set()
    try:
        for vhost in _virtual_hosts(plugin):
            names = vhost.get_names() if hasattr(vhost, "get_names") else vhost.names
            if any(_covers(str(pattern), name) for pattern in names):
                found |= {_plain(each) for each in vhost.addrs if _has_port(each, port)}
    except (AttributeError, TypeError) as error:
        logger.debug("The virtual hosts of this version are unknown to certbot-jprs: %s", error)
        return set()
    return set() if None in found else {str(address) for address in found}


def _virtual_hosts(plugin: Any) -> Any:
    return plugin.vhosts if hasattr(plugin, "vhosts") else plugin.parser.get_vhosts()


def _has_port(address: Any, port: int) -> bool:
    return address.get_port() in (str(port), "*", "")


def _plain(address: Any) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Returns the address of a virtual host; None where that is all, or a name."""
    try:
        plain = ipaddress.ip_address(address.get_addr().strip("[]"))
    except ValueError:
        return None
    return None if plain.is_unspecified else plain


def _covers(pattern: str, name: str) -> bool:
    """Tells whether a name of a virtual host, maybe with wildcards, covers a name."""
    pattern = pattern.lower()
    if pattern.startswith("."):  # nginx: the domain, and all below it
        return name == pattern[1:] or name.endswith(pattern)
    return fnmatch.fnmatchcase(name, pattern)
