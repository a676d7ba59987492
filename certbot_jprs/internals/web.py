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


def deploy(plugin: Any, names: list[str], *paths: str | None) -> None:
    """Configures a certificate for several hosts.

    With Apache, making the virtual host of the next one reloads Augeas, which drops what was not
    saved: so each is saved by itself, as Certbot's client does after each name.

    Args:
        plugin: an installer that has read its server's configuration.
        names: the hosts.
        paths: of the certificate, the key, the chain and the full chain, as ``deploy_cert`` takes
            them.

    Raises:
        errors.PluginError: the configuration cannot be changed.
    """
    for name in names:
        plugin.deploy_cert(name, *paths)
        plugin.save()


def enhance(plugin: Any, names: list[str], enhancement: str, options: Any = None) -> None:
    """Configures an enhancement for several hosts; one that fails keeps no other from it.

    Args:
        plugin: an installer that has read its server's configuration.
        names: the hosts.
        enhancement: Certbot's name of it, such as ``redirect``.
        options: its options, as Certbot gives them.

    Raises:
        errors.PluginEnhancementAlreadyPresent: it was there already wherever it can be.
        errors.PluginError: it cannot be configured for any of them. The installer says by
            itself of each host why it cannot.
    """
    configured, present, failed = 0, None, None
    for name in names:
        try:
            plugin.enhance(name, enhancement, options)
            configured += 1
        except errors.PluginEnhancementAlreadyPresent as error:
            present = error
        except errors.PluginError as error:
            failed = error
    reason = present or failed
    if not configured and reason is not None:
        raise reason
