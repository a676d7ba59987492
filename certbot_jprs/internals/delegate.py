"""What a delegate is: one of Certbot's own plugins, which validates by http-01 or installs.

Rules of this file:

- What differs between delegates stands in ``delegates``; who needs it asks the delegate.
- A delegate's class comes from Certbot's entry point of its name, because import paths change
  (Apache's moved into Certbot in 5.5). It is used as an object under its own name: its options,
  and what it stores, go by that.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Callable

from certbot import errors, util

from certbot_jprs.ground.language import _
from certbot_jprs.ground.names import NAME

_SYSTEMD_OR_INIT = r"""(?:/\S*/)?(?:
    systemctl\s+(?:--\S+\s+)*(?:reload|restart|reload-or-restart)\s+(?:{units})(?:\.service)?
  | service\s+(?:{units})\s+(?:reload|restart|graceful)
  | {own}
)\s*;?"""


_GROUP = "certbot.plugins"


def entry_point(name: str) -> metadata.EntryPoint | None:
    """Returns the entry point of one of Certbot's plugins.

    Its own distribution is looked at first: to look at all takes ten times as long, and it is
    asked for by every command, and for each lineage.

    Args:
        name: the plugin's name.

    Returns:
        The entry point; None where the plugin is not installed.
    """
    for distribution in (f"certbot-{name}", "certbot"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            for each in metadata.distribution(distribution).entry_points:
                if each.group == _GROUP and each.name == name:
                    return each
    found: Any = metadata.entry_points()
    # Before Python 3.10 there is no select.
    group = found.select(group=_GROUP) if hasattr(found, "select") else found[_GROUP]
    return next((each for each in group if each.name == name), None)


@dataclass(frozen=True)
class Delegate:
    """One of Certbot's plugins that validate by http-01.

    Attributes:
        name: the plugin's name: what flags, entry points and renewal files call it.
        title: what users call who answers on port 80.
        package: how its plugin is installed.
        check: what to check of it after a failed validation.
        listen: the line of its configuration that has it listen on port 80; empty if there is none.
        handlers: what in its configuration may handle a path, each with a comma behind it.
    """

    name: str
    title: str
    package: str
    check: str
    listen: str
    handlers: str

    @property
    def prefix(self) -> str:
        """Start of the destinations of its options."""
        return f"{self.name}_"

    def words(self) -> dict[str, str]:
        """Returns what messages say of it: the values of their placeholders."""
        return {"server": _(self.title)}

    def plugin_class(self) -> Any:
        """Loads its class.

        Raises:
            errors.PluginError: it is not installed.
        """
        found = entry_point(self.name)
        if found is not None:
            return found.load()
        raise errors.PluginError(
            _(
                "Certbot's plugin {delegate}, which {name} works through here, is not installed. "
                "Install {package}."
            ).format(delegate=self.name, name=NAME, package=self.package)
        )

    def make(self, plugin_class: Any, config: Any) -> Any:
        """Returns its plugin object.

        Args:
            plugin_class: its class, as ``plugin_class`` loads it.
            config: Certbot's configuration.
        """
        return plugin_class(config, self.name)

    def stored(self, _params: Mapping[str, Any]) -> dict[str, Any]:
        """Returns its options that Certbot writes into renewal files and reads for it alone.

        Args:
            _params: the ``[renewalparams]`` section of a renewal file.

        Returns:
            Destinations and values; nothing of what is carried under this plugin's prefix.
        """
        return {}

    def option_types(self) -> dict[str, Callable[[str], Any]]:
        """Returns the destination of each of its options, with what converts its text.

        Why not from Certbot's parser: plugins add their options in the order of their names, and
        nginx's come after ours.

        Raises:
            errors.PluginError: the plugin is not installed.
        """
        types: dict[str, Callable[[str], Any]] = {}

        def add(argument: str, *_more: Any, **settings: Any) -> None:
            types[self.prefix + argument.replace("-", "_")] = settings.get("type") or str

        self.plugin_class().add_parser_arguments(add)
        return types


@dataclass(frozen=True)
class WebServer(Delegate):
    """A delegate that installs, too.

    Attributes:
        processes: what its processes are called.
        test: the command that tests its configuration.
        reload: the command that reloads it.
        start: the command that starts it.
        server_name: the lines of its configuration that name a virtual host.
        has_autohsts: whether its plugin has AutoHSTS.
        reload_command: how commands of its own that reload it look, for ``reloads``.
        units: its units of systemd, for ``reloads``.
    """

    processes: frozenset[str]
    test: str
    reload: str
    start: str
    server_name: str
    has_autohsts: bool
    reload_command: str
    units: str

    def words(self) -> dict[str, str]:
        """Returns what messages say of it: the values of their placeholders."""
        return {
            **super().words(),
            "test": self.test,
            "reload": self.reload,
            "start": self.start,
            "server_name": self.server_name,
        }

    def reloads(self, command: str) -> bool:
        """Tells whether a shell command reloads it, and does nothing else.

        Args:
            command: the command.
        """
        pattern = _SYSTEMD_OR_INIT.format(units=self.units, own=self.reload_command)
        return re.fullmatch(pattern, command, re.VERBOSE) is not None

    def is_here(self, config: Any) -> bool:
        """Tells whether its plugin is installed and finds its program.

        Args:
            config: Certbot's configuration.
        """
        program = str(getattr(config, f"{self.prefix}ctl", None) or self.name)
        return entry_point(self.name) is not None and util.exe_exists(program)

    def key(self, config: Any) -> tuple[tuple[str, str], ...]:
        """Tells apart its servers: configurations with the same options are about one.

        Args:
            config: Certbot's configuration.
        """
        values, prefix = vars(config.namespace), self.prefix
        options = sorted((k, str(v)) for k, v in values.items() if k.startswith(prefix))
        return (("", self.name), *options)

    def names_virtual_host(self, _plugin: Any, _name: str) -> bool | None:
        """Tells whether its plugin would find a virtual host for a name by itself.

        Args:
            _plugin: its plugin object, which has read the configuration.
            _name: the name; not a wildcard.

        Returns:
            None where this version of the plugin does not tell.
        """
        return None

    def lacks_ssl_module(self, _plugin: Any) -> bool:
        """Tells whether it cannot serve HTTPS, and its plugin will not mend that.

        Args:
            _plugin: its plugin object, which has read the configuration.

        Returns:
            False also where this version of the plugin does not tell.
        """
        return False
