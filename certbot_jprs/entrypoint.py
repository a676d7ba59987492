"""What Certbot loads: the plugin, or, where it cannot be imported, a stand-in for it.

Certbot loads every installed plugin for every command and, since 1.x, stops with an error if
one of them cannot be imported (certbot/certbot#9371 is one such report). A half-removed
certbot-jprs must not stop the renewals of other certificates, so this module catches whatever
goes wrong while ours is imported and says it only to those who select the plugin.

Rules of this file: nothing but the standard library, Certbot and ``ground.names`` is imported
outside the guard, and it stays small, because it cannot guard itself.
"""

from __future__ import annotations

import argparse
import logging
from typing import Any

from certbot import errors, interfaces
from certbot.plugins import common

from certbot_jprs.ground.names import NAME, damaged

logger = logging.getLogger(__name__)

OPTIONS = ("ocsp-timeout", "ocsp-interval", "eab-file", "language", "check")
"""The plugin's options. In cli.ini they must not stop Certbot for others either."""


class Damaged(common.Installer, interfaces.Authenticator):
    """Stands in for a plugin that cannot be imported: silent, and of no use when selected."""

    description = "Certificates from JPRS (this installation is damaged)"
    hidden = True
    problem = ""

    def __init__(self, config: Any, name: str) -> None:
        super().__init__(config, name)
        if NAME in (config.authenticator, config.installer, config.configurator):
            raise errors.PluginError(damaged(self.problem))

    @classmethod
    def add_parser_arguments(cls, add: Any) -> None:
        """Adds no arguments."""

    @classmethod
    def inject_parser_options(cls, parser: argparse.ArgumentParser, name: str) -> None:
        """Takes the plugin's options and ignores them; refuses where it is named.

        A command line that names only the authenticator would otherwise be called incomplete
        by Certbot, without a word of the damage.

        Args:
            parser: Certbot's parser or argument group.
            name: the name under which Certbot registers the plugin.

        Raises:
            errors.PluginError: the command line names the plugin.
        """
        if name != NAME:  # Certbot before 2.0 registers third parties twice
            return
        for option in OPTIONS:
            nargs = "?" if option == "check" else None
            spellings = f"--{NAME}-{option}", f"--jprs-{option}"
            parser.add_argument(*spellings, help=argparse.SUPPRESS, nargs=nargs)
        parser.add_argument("--certbot-jprs", help=argparse.SUPPRESS)
        words = getattr(getattr(parser, "_parser", None), "args", ())
        if any(str(word).rpartition("=")[2].endswith(NAME) for word in words):
            raise errors.PluginError(damaged(cls.problem))

    def prepare(self) -> None:
        """Keeps out of Certbot's menus.

        Raises:
            errors.PluginError: always.
        """
        raise errors.PluginError(self.problem)

    def more_info(self) -> str:
        """Returns what is wrong."""
        return self.problem

    def _unusable(self, *_args: Any, **_kwargs: Any) -> Any:
        raise errors.PluginError(self.problem)

    get_all_names = deploy_cert = enhance = supported_enhancements = save = _unusable
    config_test = restart = get_chall_pref = perform = cleanup = _unusable


def _load() -> Any:
    """Returns the plugin's class, or the stand-in where that cannot be imported."""
    try:
        # Here, because this is the import that may fail.
        from certbot_jprs.plugin import Configurator as Plugin
    except Exception as error:  # whatever is wrong with our files, Certbot must run
        logger.debug("certbot-jprs cannot be imported", exc_info=True)
        Damaged.problem = f"{type(error).__name__}: {error}"
        return Damaged
    return Plugin


Configurator = _load()
