"""Certbot's Apache plugin, which does all work on Apache.

Rules of this file: its class comes from Certbot's entry point ``apache``, because its import
path changes (it moved into Certbot in 5.5).
"""

from __future__ import annotations

from importlib import metadata
from typing import Any

from certbot import errors

from certbot_jprs.ground.language import _
from certbot_jprs.ground.names import NAME


def entry_point(name: str) -> metadata.EntryPoint | None:
    """Returns the entry point of one of Certbot's plugins, or None where it is not installed.

    Args:
        name: the plugin's name.
    """
    found: Any = metadata.entry_points()
    group = (
        found.select(group="certbot.plugins")
        if hasattr(found, "select")
        else found.get("certbot.plugins", [])  # Python 3.9
    )
    return next((each for each in group if each.name == name), None)


def plugin_class() -> Any:
    """Loads the Apache plugin's class.

    Raises:
        errors.PluginError: it is not installed.
    """
    found = entry_point("apache")
    if found is not None:
        return found.load()
    raise errors.PluginError(
        _(
            "Certbot's Apache plugin, which {name} works through, is not installed. Install "
            "python3-certbot-apache (or, with pip, certbot-apache)."
        ).format(name=NAME)
    )


def make(config: Any) -> Any:
    """Makes an Apache plugin object; it reads nothing yet.

    Args:
        config: Certbot's configuration.

    Raises:
        errors.PluginError: the Apache plugin is not installed.
    """
    # Its own name: its options, and its stored state (AutoHSTS), go by that.
    return plugin_class()(config, "apache")


def prepared(config: Any) -> Any:
    """Makes an Apache plugin object that has read Apache's configuration.

    Args:
        config: Certbot's configuration.

    Raises:
        errors.PluginError: the Apache plugin is not installed, or Apache cannot be used.
    """
    plugin = make(config)
    plugin.prepare()
    return plugin


def hosts(plugin: Any, name: str) -> list[str]:
    """Returns the hosts that a name of a certificate stands for, without asking anybody.

    For a wildcard the Apache plugin asks which virtual hosts shall use the certificate, and
    fails where nobody can be asked. All that it covers (RFC 6125 section 6.4.3: one label) shall.

    Args:
        plugin: an Apache plugin object that has read Apache's configuration.
        name: a DNS name, maybe a wildcard.

    Returns:
        The names that Apache serves and that the wildcard covers, sorted; the name itself where
        it is no wildcard, or Apache serves none of those.
    """
    if not name.startswith("*."):
        return [name]
    parent = name[2:].lower()
    covered = [host for host in plugin.get_all_names() if host.lower().partition(".")[2] == parent]
    return sorted(covered) or [name]


def enhance(plugin: Any, names: list[str], enhancement: str, options: Any = None) -> None:
    """Configures an enhancement for several hosts.

    Args:
        plugin: an Apache plugin object that has read Apache's configuration.
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


def has_virtual_host(apache: Any, name: str) -> bool | None:
    """Tells whether the Apache plugin would find a virtual host for a name by itself.

    Why: its public ``choose_vhosts`` asks the user, or changes the configuration. How: by
    ``_find_best_vhost``, which only looks. Tested with Certbot 1.21, 2.1 and 5.8.

    Args:
        apache: the Apache plugin, which has read Apache's configuration.
        name: the name; not a wildcard.

    Returns:
        None where this version of the plugin does not tell.
    """
    find = getattr(apache, "_find_best_vhost", None)
    return find(name) is not None if callable(find) else None


def lacks_ssl_module(apache: Any) -> bool:
    """Tells whether Apache lacks mod_ssl and the Apache plugin will not enable it.

    Why: on RHEL, where mod_ssl is a package of its own, a certificate is issued and then not
    installed ("Could not find ssl_module"). How: by the plugin's options and its list of modules,
    which have no public names. Tested with Certbot 1.21, 2.1 and 5.8.

    Args:
        apache: the Apache plugin, which has read Apache's configuration.

    Returns:
        False also where this version of the plugin does not tell.
    """
    handles = getattr(getattr(apache, "options", None), "handle_modules", None)
    modules = getattr(getattr(apache, "parser", None), "modules", None)
    return handles is False and modules is not None and "ssl_module" not in modules
