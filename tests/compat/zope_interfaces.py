"""Verifies the plugin as Certbot 1.x verifies plugins; run by that Certbot's own Python.

Usage: zope_interfaces.py DIRECTORY [METHOD]: with a method, that one is spoilt first.
Prints the interfaces that the plugin satisfies. Ends with zope.interface's error otherwise.

``IPlugin``, ``IAuthenticator`` and ``IInstaller`` demand nothing any more in 1.21: what was in them
has moved to abstract classes, which Python checks for missing methods and never for signatures. So
zope.interface gets interfaces made from those classes, too.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from certbot import configuration, interfaces
from certbot._internal import cli
from certbot._internal.plugins import disco
from zope.interface.common import ABCInterface
from zope.interface.verify import verifyObject

NAME = "certbot-jprs:http"


class IPlugin(ABCInterface):  # type: ignore[misc]
    """What ``interfaces.Plugin`` demands."""

    abc = interfaces.Plugin


class IAuthenticator(IPlugin):
    """What ``interfaces.Authenticator`` demands."""

    abc = interfaces.Authenticator


class IInstaller(IPlugin):
    """What ``interfaces.Installer`` demands."""

    abc = interfaces.Installer


def spoilt(self: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any) -> None:  # noqa: PLR0917
    """Wants more arguments than any method of a plugin is called with."""


def main(directory: str, *spoil: str) -> None:
    """Verifies the plugin.

    Args:
        directory: where Certbot may put its files.
        spoil: names of methods to break first.

    Raises:
        zope.interface.Invalid: the plugin does not satisfy an interface.
    """
    for path in ("config", "work", "logs"):
        (Path(directory) / path).mkdir()
    dirs = [f"--{path}-dir={directory}/{path}" for path in ("config", "work", "logs")]
    plugins = disco.PluginsRegistry.find_all()
    config: Any = cli.prepare_and_parse_args(plugins, ["certificates", "-a", NAME, *dirs])
    plugin = plugins[NAME].init(configuration.NamespaceConfig(config))
    for method in spoil:
        setattr(type(plugin), method, spoilt)
    theirs = [getattr(interfaces, name) for name in ("IPlugin", "IAuthenticator", "IInstaller")]
    for each in (*theirs, IPlugin, IAuthenticator, IInstaller):
        # Tentative: neither Certbot's base classes nor its abstract ones declare what they provide.
        verifyObject(each, plugin, tentative=True)
        print(each.__module__, each.__name__, len(each.names(all=True)))


if __name__ == "__main__":
    main(*sys.argv[1:])
