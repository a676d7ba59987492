"""The one door: what Certbot imports for every command stays outside, all else is behind it.

Rules of this file:

- The rest of the house is imported here and nowhere else, once the plugin is selected, an earlier
  run left something held, or the command may be about a lineage of ours; ``check``, which needs
  dnspython, only for a rehearsal.
- What cannot be imported is told to those who select the plugin, and stops nobody else's Certbot.
- ``current`` is the only reference to what lives as long as the process.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from certbot_jprs.ground import options
from certbot_jprs.ground.exceptions import DamagedError
from certbot_jprs.ground.names import NAME, damaged
from certbot_jprs.internals.delegation import Workers
from certbot_jprs.internals.parser import ParsedCommand, typed_values, words_of

if TYPE_CHECKING:
    from certbot_jprs.house import House, Workshop

logger = logging.getLogger(__name__)

FINISHING = ("run", "certonly", "renew")
"""Subcommands under which Certbot moves links, and an earlier run's held lineages count."""


class Door:
    """Lets a command in, if it concerns the plugin.

    Attributes:
        classes: the classes of Certbot's own plugins that were needed, by name.
    """

    def __init__(self) -> None:
        self._command: ParsedCommand | None = None
        self._house: House | None = None
        self.classes: dict[str, Any] = {}

    def typed(self, group: Any) -> None:
        """Looks at a command line that names the plugin before Certbot parses it.

        Args:
            group: the parser or group given to ``inject_parser_options``.

        Raises:
            DamagedError: a module cannot be imported.
            OptionError: it contains what Certbot would misunderstand.
        """
        if any(word.endswith(NAME) for word in words_of(group)):
            with _importing():
                from certbot_jprs.rules import pasted
            pasted.check_typed(typed_values(group, pasted.DESTS))

    def parsed(self, command: ParsedCommand) -> None:
        """Acts on a command line before Certbot does, where it concerns the plugin.

        Args:
            command: the command line; its namespace is changed in place.

        Raises:
            DamagedError: it selects the plugin, which cannot be imported.
            OptionError: an option has a value that cannot be used.
            PolicyError: it breaks one of JPRS's rules.
        """
        if command.detecting:
            if self._house is not None:
                vars(command.namespace).update(self._house.decision.implied)
            return
        self._command, self._house = command, None
        named = names_us(command.namespace)
        if not named and not _concerns_us(command):
            return
        try:
            self.enter()
        except DamagedError:
            if named:
                raise
            logger.debug("certbot-jprs could not look at the command line", exc_info=True)

    def enter(self) -> House:
        """Opens the house, and applies the command line, if that has not been done.

        Under ``renew`` it is a lineage's renewal file that selects the plugin, which is known
        only when Certbot constructs it.

        Raises:
            DamagedError: a module cannot be imported.
            OptionError: an option has a value that cannot be used.
            PolicyError: the command breaks one of JPRS's rules.
        """
        if self._house is None:
            with _importing():
                from certbot_jprs.house import House
            self._house = House(self._command, _workshop)
            if self._command is not None:
                self._house.begin(self._command, held=_holds_something(self._command))
        return self._house

    def rehearse(self, config: Any, workers: Workers) -> int:
        """Rehearses the command, and returns the exit status.

        Args:
            config: Certbot's configuration.
            workers: the delegates.

        Raises:
            DamagedError: a module cannot be imported.
        """
        with _importing():
            from certbot_jprs.check import rehearsal
        return rehearsal.run(config, self.enter().decision, workers)


current = Door()
"""That of this process: Certbot makes plugin objects anew for each lineage."""


@contextlib.contextmanager
def _importing() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # a torn module may raise anything
        raise DamagedError(damaged(f"{type(error).__name__}: {error}")) from error


def _workshop() -> Workshop:
    """Imports what waits and releases, which takes as long as all the rest.

    Raises:
        DamagedError: a module cannot be imported.
    """
    with _importing():
        from certbot_jprs.holding.deployment import Deployer
        from certbot_jprs.holding.keeper import Keeper
        from certbot_jprs.house import Workshop
    return Workshop(Keeper, Deployer)


def names_us(options: Any) -> bool:
    """Tells whether options select the plugin.

    Args:
        options: a parsed command line, or Certbot's configuration.
    """
    return NAME in (options.authenticator, options.installer, options.configurator)


def _concerns_us(command: ParsedCommand) -> bool:
    namespace = command.namespace
    return (
        # Misspelled in cli.ini, or given without -a: both get a line of their own.
        bool(getattr(namespace, options.COLON_IN_FILE, None))
        or bool(getattr(namespace, options.CHECK, False))
        # The lineage may be one of ours, which is looked up if the revocation is refused.
        or command.verb == "revoke"
        or _holds_something(command)
    )


def _holds_something(command: ParsedCommand) -> bool:
    """Tells whether an earlier run left something held that this command may touch."""
    if command.verb not in FINISHING:
        return False
    config_dir = str(getattr(command.namespace, "config_dir", ""))
    try:
        return bool(os.listdir(os.path.join(config_dir, "certbot-jprs", "held")))
    except OSError:
        return False
