"""The plugin: what Certbot calls.

Rules of this file:

- All work on web servers is the delegates' (``internals.delegates``), used as objects: their
  http-01 reloads through their own ``restart``, which must not wait.
- Where the plugin is not selected it does nothing, and is no choice in Certbot's menus.
- Each method is short: what it needs is behind the door.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any, Callable

from certbot import errors, interfaces
from certbot.plugins import common, enhancements

from certbot_jprs import door
from certbot_jprs.door import names_us
from certbot_jprs.ground.language import _
from certbot_jprs.ground.names import NAME
from certbot_jprs.ground.options import is_rehearsal
from certbot_jprs.ground.roles import Role
from certbot_jprs.injection import inject
from certbot_jprs.internals.delegation import Workers
from certbot_jprs.internals.parser import ParsedCommand, after_parsing
from certbot_jprs.internals.web import deploy, enhance, hosts

if TYPE_CHECKING:
    from certbot_jprs.house import Selected


def _parsed(command: ParsedCommand) -> None:
    door.current.parsed(command)


class _Description:
    """What the plugin is, in one line; Certbot reads it from the class when it shows it."""

    def __get__(self, instance: object, owner: type | None = None) -> str:
        return _("Certificates from JPRS, put into service once their OCSP status is good")


class Configurator(
    common.Plugin,
    interfaces.Installer,
    interfaces.Authenticator,
    interfaces.RenewDeployer,
    enhancements.AutoHSTSEnhancement,
):
    """Certificates from JPRS, put into service once JPRS's OCSP server knows them."""

    description: Any = _Description()

    @classmethod
    def add_parser_arguments(cls, add: Callable[..., None]) -> None:
        """Adds nothing: ``inject_parser_options`` adds the options with both spellings."""

    @classmethod
    def inject_parser_options(cls, parser: argparse.ArgumentParser, name: str) -> None:
        """Adds the options, and arranges that one flag implies the others.

        Args:
            parser: Certbot's parser or argument group.
            name: the name under which Certbot registers the plugin.
        """
        inject(parser, name)
        if name == NAME:  # once, and in the language of the command line: see ``inject``
            door.current.typed(parser)
        after_parsing(parser, _parsed)

    def __init__(self, config: Any, name: str) -> None:
        """Applies JPRS's rules to Certbot's configuration, before an account or order exists.

        Args:
            config: Certbot's configuration of this command, or of one lineage under ``renew``.
            name: the name under which Certbot registers the plugin.

        Raises:
            DamagedError: a module of this package cannot be imported.
            PolicyError: the command or the lineage breaks one of JPRS's rules. Raised here,
                because Certbot shows errors of ``prepare`` wrapped.
        """
        super().__init__(config, name)
        self._workers = Workers(config, door.current.classes)
        self._selected: Selected | None = None
        if names_us(config.namespace):
            self._selected = door.current.enter().select(config, self._workers)

    @property
    def _role(self) -> Role:
        return self._selected.role if self._selected is not None else Role.DORMANT

    @property
    def _authenticator(self) -> Any:
        return self._workers.authenticator

    @property
    def _installer(self) -> Any:
        return self._workers.installer

    # Plugin

    def prepare(self) -> None:
        """Reads the web server's configuration; refuses where the plugin is not selected.

        Under ``--jprs-check`` the command ends here.

        Raises:
            SystemExit: the rehearsal is over.
            errors.PluginError: not selected (which keeps it out of Certbot's menus), or the web
                server cannot be used.
        """
        if self._selected is None:
            if self.config.verb == "plugins":  # `certbot plugins --prepare` lists it all the same
                return
            raise errors.PluginError(
                _("Select {name} on the command line: -a {name}").format(name=NAME)
            )
        if self._role is Role.JPRS and is_rehearsal(self.config):
            # Certbot goes on to an order from here, whatever this method says.
            sys.exit(door.current.rehearse(self.config, self._workers))
        self._workers.prepare()
        if self._role is Role.JPRS:
            door.current.enter().prepared(self.config, self._selected.turn)

    def more_info(self) -> str:
        """Describes the plugin for Certbot's menus and errors."""
        return _(
            "Gets certificates from JPRS, validates names and installs through Certbot's own "
            "plugins, and puts no certificate into service before JPRS's OCSP server knows it."
        )

    def auth_hint(self, failed_achalls: Any) -> str:
        """Returns what to check after a failed challenge."""
        hint = (
            door.current.enter().hint(self.config, failed_achalls)
            if self._role is Role.JPRS
            else ""
        )
        return hint or str(self._authenticator.auth_hint(failed_achalls))

    # Authenticator

    def get_chall_pref(self, domain: str) -> Any:
        """Returns the challenges that the delegate performs: http-01."""
        return self._authenticator.get_chall_pref(domain)

    def perform(self, achalls: Any) -> Any:
        """Performs http-01."""
        if self._role is Role.OTHER:
            # Another CA's lineage, which stays there: its renewal file shall not name us.
            door.current.enter().restore_plugins(self.config)
        if self._role is Role.JPRS:
            return door.current.enter().perform(self.config, self._authenticator, achalls)
        return self._authenticator.perform(achalls)

    def cleanup(self, achalls: Any) -> None:
        """Takes the challenges away."""
        if self._selected is None or self._role is not Role.JPRS:
            self._authenticator.cleanup(achalls)
            return
        house = door.current.enter()
        house.cleanup(self.config, self._authenticator, achalls, self._selected.turn)
        if house.decision.reuse_new_key:
            self.config.reuse_key = True  # only where it changes: what is set is also stored

    # Installer

    def get_all_names(self) -> Any:
        """Returns the names that the web server serves."""
        return self._installer.get_all_names()

    def deploy_cert(
        self,
        domain: str,
        cert_path: str,
        key_path: str,
        chain_path: str | None = None,
        fullchain_path: str | None = None,
    ) -> None:
        """Configures a certificate for a name, once its OCSP status allows.

        Raises:
            CertificateRevoked: it is revoked; the web server's configuration was not touched.
            KeyboardInterrupt: a signal ended the wait.
            errors.PluginError: the certificate cannot be read, or the web server's configuration
                cannot be changed.
        """
        selected = self._selected
        settled = selected is None or (selected.turn is not None and selected.turn.settled)
        if selected is not None and not settled and selected.deployer is not None:
            selected.deployer.before_install(cert_path, chain_path, fullchain_path)
        paths = (cert_path, key_path, chain_path, fullchain_path)
        deploy(self._installer, self._hosts(domain), *paths)

    def enhance(self, domain: str, enhancement: str, options: Any = None) -> None:
        """Configures an enhancement, such as the redirect to HTTPS.

        Raises:
            errors.PluginEnhancementAlreadyPresent: all hosts that can have it have it already.
            errors.PluginError: no host can have it.
        """
        enhance(self._installer, self._hosts(domain), enhancement, options)

    def _hosts(self, domain: str) -> list[str]:
        """Returns the hosts that a name of a certificate stands for."""
        if self.config.noninteractive_mode:
            return hosts(self._installer, domain)
        return [domain]  # for a wildcard, Certbot's plugins ask which

    def supported_enhancements(self) -> Any:
        """Returns the enhancements that the delegate supports."""
        return self._installer.supported_enhancements()

    def save(self, title: str | None = None, temporary: bool = False) -> None:  # noqa: FBT001, FBT002 - as Certbot calls it
        """Writes the changes of the web server's configuration."""
        self._installer.save(title, temporary)

    def rollback_checkpoints(self, rollback: int = 1) -> None:
        """Takes back saved changes of the web server's configuration."""
        self._installer.rollback_checkpoints(rollback)

    def recovery_routine(self) -> None:
        """Takes back changes of the web server's configuration that were not completed."""
        self._installer.recovery_routine()

    def config_test(self) -> None:
        """Has the web server check its configuration."""
        self._installer.config_test()

    def restart(self) -> None:
        """Reloads the web server, once the OCSP status of what is new allows.

        Where the new certificate is held for the end of the run, or the release has reloaded
        it already, there is nothing to do.

        Raises:
            CertificateRevoked: a new certificate is revoked; nothing was reloaded.
            KeyboardInterrupt: a signal ended the wait.
            errors.PluginError: its configuration is broken, the reload failed, nothing answers
                any more after it, or a new certificate cannot be read.
        """
        turn = self._selected.turn if self._selected is not None else None
        if turn is None:
            if self._selected is not None and self._selected.deployer is not None:
                self._selected.deployer.before_reload()
            self._installer.restart()
        elif not turn.held and not turn.reloaded:
            door.current.enter().reload(turn, self._installer.restart)

    # RenewDeployer

    def renew_deploy(self, lineage: Any, *_args: Any, **_kwargs: Any) -> None:
        """Waits for a renewed certificate's OCSP status; Certbot reloads the web server afterwards.

        Raises:
            CertificateRevoked: the certificate is revoked and was taken out of the lineage.
            KeyboardInterrupt: a signal ended the wait.
            errors.PluginError: the certificate cannot be read.
        """
        selected = self._selected
        if selected is not None and selected.turn is None and selected.deployer is not None:
            selected.deployer.after_renewal(lineage.lineagename)

    # AutoHSTSEnhancement: Certbot finds it by this class, whatever the delegate has

    def _has_autohsts(self) -> bool:
        return self._role is not Role.DORMANT and self._workers.has_autohsts

    def update_autohsts(self, lineage: Any, *args: Any, **kwargs: Any) -> None:
        """Raises the HSTS max-age a step further."""
        if self._has_autohsts():
            self._installer.update_autohsts(lineage, *args, **kwargs)

    def deploy_autohsts(self, lineage: Any, *args: Any, **kwargs: Any) -> None:
        """Makes the HSTS max-age permanent once a certificate was renewed."""
        if self._has_autohsts():
            self._installer.deploy_autohsts(lineage, *args, **kwargs)

    def enable_autohsts(self, lineage: Any, domains: Any, *args: Any, **kwargs: Any) -> None:
        """Begins AutoHSTS for the names; where there is none, the command was refused."""
        self._installer.enable_autohsts(lineage, domains, *args, **kwargs)
