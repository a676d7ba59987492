"""Who does the work for a configuration: a delegate for each of the two roles.

One validates and one installs. They may be two: webroot validates, and Apache installs.

Rules of this file: it is the one place that reads the choice, from a configuration of Certbot's or
from a renewal file; a file that names the delegate itself is read like one that names this plugin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable

from certbot import errors

from certbot_jprs.ground.language import _
from certbot_jprs.ground.names import NAME
from certbot_jprs.ground.options import AUTHENTICATOR, INSTALLER
from certbot_jprs.internals.delegate import Delegate, WebServer
from certbot_jprs.internals.delegates import ALL, APACHE, WEB_SERVERS


@dataclass(frozen=True)
class Roles:
    """The delegate for each role.

    Attributes:
        authenticator: who validates; None where that is another plugin.
        installer: who installs; None where nobody does, or another plugin.
    """

    authenticator: Delegate | None = None
    installer: WebServer | None = None

    def dests(self) -> dict[str, str | None]:
        """Returns what says which they are, where this plugin is named for their roles.

        Apache, which they mean where they say nothing, is not mentioned.
        """
        if {self.authenticator, self.installer} <= {APACHE, None}:
            return {AUTHENTICATOR: None, INSTALLER: None}
        return {
            AUTHENTICATOR: self.authenticator.name if self.authenticator is not None else None,
            INSTALLER: self.installer.name if self.installer is not None else None,
        }

    def params(self) -> dict[str, str | None]:
        """Returns what a renewal file says that has this plugin work through them.

        A role that is left to another plugin is not among it; None: nothing shall be there.
        """
        named = {"authenticator": self.authenticator, "installer": self.installer}
        return {
            **{role: NAME for role, delegate in named.items() if delegate is not None},
            **self.dests(),
        }


def of_config(config: Any) -> Roles:
    """Returns the delegates that a configuration of Certbot's names.

    Args:
        config: the configuration, or a parsed command line.
    """
    return _roles(vars(_namespace(config)).get)


def _namespace(config: Any) -> Any:
    """Returns the options; a fleet asks often, and Certbot's configuration notes who asks."""
    return getattr(config, "namespace", config)


def of_lineage(params: Mapping[str, Any]) -> Roles:
    """Returns the delegates that a renewal file names.

    Args:
        params: its ``[renewalparams]`` section.
    """
    return _roles(params.get)


def _roles(get: Callable[[str], Any]) -> Roles:
    """Reads both roles, whether this plugin or the delegate itself is named for them."""
    both = get("configurator")
    named = {role: both or get(role) for role in ("authenticator", "installer")}
    installer = authenticator = None
    if named["installer"] == NAME:
        installer = ALL.get(get(INSTALLER), APACHE)
    elif named["installer"] in ALL:
        installer = ALL[named["installer"]]
    if not isinstance(installer, WebServer):
        installer = None
    if named["authenticator"] == NAME:
        authenticator = ALL.get(get(AUTHENTICATOR), installer or APACHE)
    elif named["authenticator"] in ALL:
        authenticator = ALL[named["authenticator"]]
    return Roles(authenticator, installer)


def ours(config: Any, roles: Roles | None = None) -> list[Delegate]:
    """Returns the delegates through which this plugin works; not those named for themselves.

    Args:
        config: Certbot's configuration, or a parsed command line.
        roles: the delegates, if not those that the configuration names.
    """
    roles = roles or of_config(config)
    read = _namespace(config)
    found: list[Delegate] = []
    if roles.installer is not None and NAME in (read.installer, read.configurator):
        found.append(roles.installer)
    if roles.authenticator is not None and NAME in (read.authenticator, read.configurator):
        found.append(roles.authenticator)
    return list(dict.fromkeys(found))


def not_found(delegate: Delegate, config: Any, error: errors.NoInstallationError) -> str:
    """Says that a delegate's web server was not found, and what to do.

    Args:
        delegate: the delegate.
        config: Certbot's configuration.
        error: what its plugin says.
    """
    text = _(
        "{server} was not found ({error}). Install it, or name its program with "
        "--{delegate}-ctl; or have another validate: certonly --webroot -w DIR"
    ).format(error=str(error).rstrip("."), delegate=delegate.name, **delegate.words())
    others = [each for each in WEB_SERVERS if each is not delegate and each.is_here(config)]
    for other in others:
        text += "\n" + _(
            "There is {server} here: for that, add --{delegate} to the command."
        ).format(delegate=other.name, **other.words())
    return text


class Workers:
    """The delegates' plugin objects for one configuration: each is made and prepared once.

    Args:
        config: Certbot's configuration.
        classes: the delegates' classes by name, which others found; looking for one takes time.
    """

    def __init__(self, config: Any, classes: dict[str, Any] | None = None) -> None:
        self._config = config
        self._classes = {} if classes is None else classes
        self._roles: Roles | None = None
        self._made: dict[str, Any] = {}
        self._prepared: set[str] = set()

    def follow(self, roles: Roles) -> None:
        """Settles which the delegates are, whatever the configuration says later.

        Args:
            roles: the delegates.
        """
        self._roles = roles

    @property
    def roles(self) -> Roles:
        """The delegates."""
        return self._roles or of_config(self._config)

    @property
    def authenticator(self) -> Any:
        """The plugin object of who validates."""
        return self.make(self.roles.authenticator or APACHE)

    @property
    def installer(self) -> Any:
        """The plugin object of who installs."""
        return self.make(self.roles.installer or APACHE)

    @property
    def has_autohsts(self) -> bool:
        """Whether who installs has AutoHSTS."""
        return (self.roles.installer or APACHE).has_autohsts

    def prepare(self) -> None:
        """Has those that this plugin works through read their servers' configuration.

        Raises:
            errors.Error: a plugin is not installed, or a server cannot be used.
        """
        for delegate in ours(self._config, self.roles):
            try:
                self.prepared(delegate)
            except errors.NoInstallationError as error:
                # As it is, Certbot would show it as "The plugin is not working".
                raise errors.Error(not_found(delegate, self._config, error)) from error

    def load(self, delegate: Delegate) -> Any:
        """Returns a delegate's class; what is installed is looked through once, which takes long.

        Args:
            delegate: the delegate.

        Raises:
            errors.PluginError: the plugin is not installed.
        """
        if delegate.name not in self._classes:
            self._classes[delegate.name] = delegate.plugin_class()
        return self._classes[delegate.name]

    def make(self, delegate: Delegate) -> Any:
        """Returns a delegate's plugin object.

        Args:
            delegate: the delegate.

        Raises:
            errors.PluginError: the plugin is not installed.
        """
        if delegate.name not in self._made:
            self._made[delegate.name] = delegate.make(self.load(delegate), self._config)
        return self._made[delegate.name]

    def prepared(self, delegate: Delegate) -> Any:
        """Returns a delegate's plugin object once it has read its server's configuration.

        Args:
            delegate: the delegate.

        Raises:
            errors.Error: the plugin is not installed, or the server cannot be used.
        """
        plugin = self.make(delegate)
        if delegate.name not in self._prepared:
            plugin.prepare()
            self._prepared.add(delegate.name)
        return plugin
