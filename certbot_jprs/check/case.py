"""What is rehearsed: the command line as Certbot understood it, and the lineage it is about."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Any

from cryptography import x509

from certbot_jprs.ground.names import NAME
from certbot_jprs.internals.delegate import Delegate, WebServer
from certbot_jprs.internals.delegation import of_config
from certbot_jprs.lineage import files
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.rules.decision import Decision


@dataclass(frozen=True)
class Case:
    """One command that is rehearsed.

    Attributes:
        config: Certbot's configuration.
        names: the names that the certificate shall have.
        lineage: the existing lineage that the command is about.
        broken_rule: what is to be said of one of JPRS's rules that the command breaks.
        notices: what the real command would tell the user first.
    """

    config: Any
    names: tuple[str, ...]
    lineage: Lineage | None
    broken_rule: str = ""
    notices: tuple[str, ...] = ()

    @property
    def server(self) -> str:
        """The URL of the CA's directory."""
        return str(self.config.server)

    @property
    def config_dir(self) -> str:
        """Certbot's configuration directory."""
        return os.path.abspath(str(self.config.config_dir))

    @property
    def validates(self) -> Delegate | None:
        """Through whom this plugin proves control of the names, by http-01."""
        named = NAME in (self.config.authenticator, self.config.configurator)
        return of_config(self.config).authenticator if named else None

    @property
    def validates_by_http(self) -> bool:
        """Whether control of the names is proved by http-01, for which they need addresses."""
        return of_config(self.config).authenticator is not None

    @property
    def installs(self) -> WebServer | None:
        """Where this plugin installs the certificate."""
        named = NAME in (self.config.installer, self.config.configurator)
        return of_config(self.config).installer if named else None

    @property
    def interactive(self) -> bool:
        """Whether the real command can ask questions."""
        if self.config.noninteractive_mode:
            return False
        return bool(self.config.force_interactive) or sys.stdin.isatty()

    def certificate(self) -> x509.Certificate | None:
        """Returns the lineage's certificate, or None where there is none that can be read."""
        if self.lineage is None:
            return None
        try:
            return self.lineage.certificate()
        except (OSError, ValueError):
            return None


def make(config: Any, decision: Decision) -> Case:
    """Describes the command that Certbot has parsed.

    Args:
        config: Certbot's configuration.
        decision: what it means for the plugin.
    """
    name = decision.lineage or config.certname
    lineage = files.named(os.path.abspath(str(config.config_dir)), name) if name else None
    names = tuple(str(name).lower() for name in config.domains or ())
    if not names and lineage is not None:
        try:
            names = tuple(sorted(lineage.names()))
        except (OSError, ValueError):
            names = ()
    return Case(config, names, lineage, decision.broken_rule, tuple(decision.notices))
