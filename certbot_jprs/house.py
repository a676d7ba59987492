"""The house: what lives as long as the process, made once and handed down from here.

Rules of this file: it brings the rooms together and decides nothing; only the door imports it.
"""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable

from certbot_jprs.ground import language, options
from certbot_jprs.ground.roles import Role
from certbot_jprs.holding.lookout import Lookout
from certbot_jprs.holding.turn import Turn, Turns
from certbot_jprs.internals.delegates import APACHE, PREFIXES
from certbot_jprs.internals.delegation import Workers, of_config
from certbot_jprs.internals.parser import ParsedCommand
from certbot_jprs.problems.challenges import failed_http, hint_for
from certbot_jprs.problems.watch import Watch
from certbot_jprs.rules.decision import ISSUING, Decision
from certbot_jprs.rules.existing import take_over
from certbot_jprs.rules.one_flag import decide
from certbot_jprs.rules.selection import Selection
from certbot_jprs.validation.http01 import Http01
from certbot_jprs.validation.reloads import Reloads

if TYPE_CHECKING:
    from certbot_jprs.holding.deployment import Deployer
    from certbot_jprs.holding.keeper import Keeper


@dataclass(frozen=True)
class Workshop:
    """What waits and releases; a renewal that finds nothing due has no use for it.

    Attributes:
        keeper: keeps the version in service where it is.
        deployer: waits right before a web server is changed or reloaded.
    """

    keeper: type[Keeper]
    deployer: type[Deployer]


class House:
    """What was parsed, what was decided, what is held, what watches.

    Args:
        command: the command line; None where this Certbot's parser could not be reached.
        workshop: imports what waits and releases, once that is needed.

    Attributes:
        decision: what the command line means for the plugin.
    """

    def __init__(self, command: ParsedCommand | None, workshop: Callable[[], Workshop]) -> None:
        self._namespace = command.namespace if command is not None else None
        self.decision = Decision()
        self._selection = Selection(self.decision)
        self._reloads = Reloads()
        self._http01 = Http01(self._reloads)
        self._workshop = workshop
        self._turns = Turns()
        self._lookout = Lookout(self._namespace, self._turns, self._open)
        self._watch: Watch | None = None

    def _open(self) -> Keeper:
        return self._workshop().keeper(self._namespace, self._reloads, self._turns)

    def begin(self, command: ParsedCommand, *, held: bool) -> None:
        """Applies a command line.

        Args:
            command: the command line; its namespace is changed in place.
            held: whether an earlier run left something held that the command may touch.

        Raises:
            OptionError: an option has a value that cannot be used.
            PolicyError: the command breaks one of JPRS's rules.
        """
        language.start(getattr(command.namespace, options.LANGUAGE, None))
        decide(command, self.decision)
        self._watch = Watch(command.namespace, command.verb)
        self._watch.parsed()
        if held:
            self._lookout.engage()

    def select(self, config: Any, workers: Workers) -> Selected:
        """Applies the rules to a configuration that selects the plugin.

        Args:
            config: Certbot's configuration, of this command or of one lineage; changed in place.
            workers: the delegates for it.

        Raises:
            PolicyError: the command or the lineage breaks one of JPRS's rules.
        """
        options.enter_language(config)
        role = self._selection.enforce(config)
        self._selection.delegate(config, role, workers)
        options.carry_options(config, self.decision.given, PREFIXES)
        if role is not Role.JPRS:
            return Selected(role)
        if config.verb != "renew":  # it certainly will be needed, and is found damaged early
            self._workshop()
        turn = self._lookout.govern(config, workers)
        if self._watch is None:
            self._watch = Watch(config.namespace, config.verb)
        self._watch.selected()
        if config.verb in ISSUING:
            options.remember_language(config)
        born = time.time()
        return Selected(role, turn, lambda: self._workshop().deployer(config, born))

    def restore_plugins(self, config: Any) -> None:
        """Keeps in the renewal file of another CA's lineage the plugins that it names.

        Args:
            config: Certbot's configuration of that lineage; changed in place.
        """
        self._selection.restore_plugins(config)

    def perform(self, config: Any, plugin: Any, achalls: Any) -> Any:
        """Performs http-01.

        Args:
            config: Certbot's configuration.
            plugin: the authenticator's plugin object.
            achalls: Certbot's annotated challenges.
        """
        return self._http01.perform(config, plugin, achalls)

    def cleanup(self, config: Any, plugin: Any, achalls: Any, turn: Turn | None) -> None:
        """Takes challenges away.

        Args:
            config: Certbot's configuration.
            plugin: the authenticator's plugin object.
            achalls: Certbot's annotated challenges.
            turn: its turn; under ``renew`` the end of the run is told of, if there is one.
        """
        put_off = turn is not None and config.verb == "renew"
        self._http01.cleanup(config, plugin, achalls, put_off=put_off)

    def prepared(self, config: Any, turn: Turn | None) -> None:
        """Finishes, before Certbot goes on, what an earlier run or JPRS's manual left.

        Args:
            config: Certbot's configuration of this command.
            turn: its turn.

        Raises:
            errors.Error: a certificate that was held could not be put into service.
            KeyboardInterrupt: a signal ended the wait for it.
            OSError, ValueError: a renewal file cannot be replaced.
        """
        taken_over, self.decision.taken_over = self.decision.taken_over, None
        if taken_over is not None:
            take_over(config, taken_over)
        if turn is not None and self.decision.lineage is not None and config.verb in ISSUING:
            self._lookout.keeper.finish(turn, [self.decision.lineage])

    def reload(self, turn: Turn, reload: Callable[[], None]) -> None:
        """Does Certbot's own reload, and looks at what was released before it.

        Args:
            turn: the turn of this command.
            reload: reloads the web server.

        Raises:
            errors.PluginError: the reload failed, or nothing answers any more after it.
        """
        self._lookout.keeper.reload(turn, reload)

    def hint(self, config: Any, failed_achalls: Any) -> str:
        """Returns what to check after challenges failed; nothing where others know better.

        Args:
            config: Certbot's configuration.
            failed_achalls: Certbot's annotated challenges, each with its error.
        """
        failed = failed_http(failed_achalls)
        hint = hint_for(failed, of_config(config).authenticator or APACHE) if failed else ""
        if hint and self._watch is not None:
            self._watch.report = hint
        return hint


@dataclass(frozen=True)
class Selected:
    """What is to be done for one configuration.

    Attributes:
        role: what the plugin is to do.
        turn: its turn; None where nothing is held.
        waits: makes what waits right before a web server is changed or reloaded; None where
            nothing waits.
    """

    role: Role
    turn: Turn | None = None
    waits: Callable[[], Deployer] | None = None

    @functools.cached_property
    def deployer(self) -> Deployer | None:
        """What waits right before a web server is changed or reloaded; None where nothing waits.

        Raises:
            DamagedError: a module cannot be imported.
        """
        return self.waits() if self.waits is not None else None
