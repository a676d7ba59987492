"""What Certbot loads: the plugin, or, where the installation is damaged, a stand-in for it.

Certbot loads every installed plugin for every command and, since 1.x, stops with an error if
one of them cannot be imported (certbot/certbot#9371 is one such report). A half-removed
certbot-jprs must not stop the renewals of other certificates, so this module catches whatever
goes wrong while ours is imported and says it only to those who select the plugin.

Rules of this file: nothing but the standard library and Certbot is imported outside the guard,
and it stays small, because it cannot guard itself.
"""

from __future__ import annotations

import argparse
import logging
from typing import Any

from certbot import errors
from certbot.plugins import common

logger = logging.getLogger(__name__)

NAME = "certbot-jprs:http"


class Damaged(common.Installer):
    """Stands in for a plugin that cannot be imported: silent, and of no use when selected."""

    description = "Certificates from JPRS (this installation is damaged)"
    hidden = True
    problem = ""

    def __init__(self, config: Any, name: str) -> None:
        super().__init__(config, name)
        if NAME in (config.authenticator, config.installer, config.configurator):
            raise errors.PluginError(
                f"The installation of certbot-jprs is damaged: {self.problem}. Install it again, "
                "for example with: pip install --force-reinstall certbot-jprs"
            )

    @classmethod
    def add_parser_arguments(cls, add: Any) -> None:
        """Adds no arguments."""

    @classmethod
    def inject_parser_options(cls, parser: argparse.ArgumentParser, name: str) -> None:
        """Adds no arguments."""

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
        # Late: this is the import that may fail.
        from certbot_jprs.plugin import Configurator as Plugin
    except Exception as error:  # whatever is wrong with our files, Certbot must run
        logger.debug("certbot-jprs cannot be imported", exc_info=True)
        Damaged.problem = f"{type(error).__name__}: {error}"
        return Damaged
    return Plugin


Configurator = _load()
