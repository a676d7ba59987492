"""What is done with a web server's plugin object, whichever it is.

Rules of this file: by Certbot's public calls alone.
"""

from __future__ import annotations

from typing import Any

from certbot import errors


def hosts(plugin: Any, name: str) -> list[str]:
    """Returns the hosts that a name of a certificate stands for, without asking anybody.

    For a wildcard Certbot's plugins ask which virtual hosts shall use the certificate, and
    fail where nobody can be asked. All that it covers (RFC 6125 section 6.4.3: one label) shall.

    Args:
        plugin: an installer that has read its server's configuration.
        name: a DNS name, maybe a wildcard.

    Returns:
        The names that the server serves and that the wildcard covers, sorted; the name itself where
        it is no wildcard, or it serves none of those.
    """
    if not name.startswith("*."):
        return [name]
    parent = name[2:].lower()
    covered = [host for host in plugin.get_all_names() if host.lower().partition(".")[2] == parent]
    return sorted(covered) or [name]


def enhance(plugin: Any, names: list[str], enhancement: str, options: Any = None) -> None:
    """Configures an enhancement for several hosts.

    Args:
        plugin: an installer that has read its server's configuration.
        names: the hosts.
        enhancement: Certbot's name of it, such as ``redirect``.
        options: its options, as Certbot gives them.

    Raises:
        errors.PluginEnhancementAlreadyPresent: all of them have it already.
        errors.PluginError: it cannot be configured.
    """
    present = 0
    for name in names:
        try:
            plugin.enhance(name, enhancement, options)
        except errors.PluginEnhancementAlreadyPresent:
            present += 1
            if present == len(names):
                raise
