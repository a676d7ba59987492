"""Held lineages: from the moment Certbot saves a new version until it is in service.

Rules of this file:

- The version in service stays linked in ``live/`` from before the new one is saved until it is
  released; whoever reloads a server meanwhile reloads the old one. The deploy hooks wait too.
- Under ``renew`` all lineages wait side by side, after the last was issued, before the
  post-hooks. Elsewhere, and beside another installer, which reloads at once, each waits on the
  spot.
- What an earlier run left held is held again, or released, by the next run that touches it.
- Lineages that are not the plugin's pass through untouched, whatever state ours are in.
"""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Iterable
from typing import Any, Callable

from certbot import errors

from certbot_jprs.ground import language
from certbot_jprs.ground.exceptions import HoldingError
from certbot_jprs.ground.language import _
from certbot_jprs.ground.names import NAME
from certbot_jprs.ground.said import words
from certbot_jprs.holding import jobs, noting, release, telling, watched
from certbot_jprs.holding.jobs import Job
from certbot_jprs.holding.leftovers import is_held_by_us, set_damaged_aside
from certbot_jprs.holding.records import Record, Step, Store
from certbot_jprs.holding.turn import Turn, Turns
from certbot_jprs.holding.uptake import Uptake
from certbot_jprs.lineage import archive, files
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.validation.http01 import server_of
from certbot_jprs.validation.reloads import Reloads

logger = logging.getLogger(__name__)


class Keeper:
    """Keeps the version in service where it is, for all lineages of one process.

    Args:
        namespace: the options of the command; None where they are not known.
        reloads: the reloads of this process.
        turns: whose configuration Certbot works on.
    """

    def __init__(
        self, namespace: argparse.Namespace | None, reloads: Reloads, turns: Turns
    ) -> None:
        self._namespace = namespace
        self._reloads = reloads
        self._turns = turns
        self._queue: dict[str, Job] = {}
        self._damaged: set[str] = set()

    # What the plugin calls

    def finish(self, turn: Turn, names: Iterable[str]) -> None:
        """Waits for what an earlier run left held, and releases it, before Certbot goes on.

        Args:
            turn: the turn of this command.
            names: the lineages that the command touches.

        Raises:
            errors.Error: a certificate could not be put into service.
            KeyboardInterrupt: a signal ended the wait.
        """
        left = Uptake(turn.config.namespace, turn.config.config_dir, names, self._reloads)
        for job in left.jobs:
            if turn.config.verb == "run":
                job.record.install = []  # Certbot is about to do that itself
        # What was damaged is set aside, and Certbot goes on to order another one.
        failed = {*left.failures, *self._release_now(turn, left.jobs, tolerate=True)}
        if failed:
            # A PluginError from here would be shown as "The plugin is not working".
            raise errors.Error(telling.not_in_service(failed))

    def reload(self, turn: Turn, reload: Callable[[], None]) -> None:
        """Does Certbot's own reload, and looks at what was released on the spot before it.

        Args:
            turn: the turn in which that was.
            reload: reloads the web server.

        Raises:
            HoldingError: nothing answers any more where something did right before.
            errors.PluginError: the reload failed.
        """
        watched.reload(turn, reload)

    # What Certbot's steps call: see interception.Interceptor

    def before_issuing(self, config: Any) -> None:
        """Makes sure, before a certificate is ordered, that it can be brought into service.

        And that no challenge of ours is left in a web server's memory, where it may be in the way
        of another plugin's.

        Raises:
            HoldingError: it cannot.
        """
        ours = self._turns.of(config) is not None
        self._reloads.settle(spared=server_of(config) if ours else None)
        if ours and not config.dry_run:
            self._reloads.guard()
            noting.before_order(config)

    def before_saving(self, lineage: Any, config: Any) -> None:
        """Notes, durably, which version is in service, before a newer one exists.

        Raises:
            errors.PluginError: it cannot be noted.
        """
        ours = self._turns.of(config) is not None
        noting.before_saving(lineage.lineagename, config, ours=ours)

    def after_saving(self, lineage: Any, version: int) -> None:
        """Makes what was saved durable, and notes which version waits."""
        noting.after_saving(lineage.lineagename, lineage.cli_config.config_dir, version)

    def keeps_links(self, lineage: Any, version: int | None) -> bool:
        """Tells whether the links of one with a record stay; mends what a kill has torn."""
        config_dir, name = lineage.cli_config.config_dir, lineage.lineagename
        store = Store(config_dir)
        if not is_held_by_us(lineage.configuration.get("renewalparams", {})):
            return False  # another plugin's by now, and that one's to link
        found = files.named(config_dir, name)
        try:
            record = store.load(name)
            if record is not None and found is not None:
                self._set_aside(store, record, found)
        except OSError as error:  # told when the record is taken up
            logger.debug("The links of %s stay: %s", name, error)
            return True
        if record is None:
            return False
        held = record.step is Step.HELD
        linked = record.in_service if held else record.held
        if found is not None and linked is not None:
            archive.mend(found, linked)
        if not held or record.in_service is None:
            return False
        return version is None or version != record.in_service

    def _set_aside(self, store: Store, record: Record, lineage: Lineage) -> None:
        """Sets aside what is damaged, before Certbot looks at it: its renewal is due again.

        Raises:
            OSError: a file cannot be read, or not be changed.
        """
        damage = set_damaged_aside(record, lineage)
        if damage is not None and not damage.stays:  # else it is told when it is taken up
            logger.error(words(damage.told))
            self._damaged.add(lineage.name)
            store.save(record)

    def deploy_hooks(self, config: Any, lineage_path: str, run: Callable[[], None]) -> None:
        """Queues the deploy hooks of a held lineage, or waits for it on the spot.

        Raises:
            HoldingError: the certificate could not be put into service.
            KeyboardInterrupt: a signal ended the wait.
        """
        turn = self._turns.of(config)
        if turn is None or config.dry_run:
            run()
            self._reloads.begun()
            return
        name = os.path.basename(lineage_path)
        job = jobs.of_this_run(config, name, run, turn.workers)
        if config.verb == "renew" and (config.installer is None or job.server is not None):
            jobs.share_plugin_objects(self._queue.values(), job)
            self._queue[name] = job
            turn.held = True
            telling.of_held(name)
            return
        failed = self._release_now(turn, [job])
        if failed:
            raise HoldingError(telling.not_in_service(failed))

    def at_end(self) -> Callable[[], None]:
        """Waits for all that is held, side by side, and releases it.

        No challenge of ours stays in a web server's memory.
        """
        failed = self._release_all()
        self._reloads.settle()

        def conclude() -> None:
            if failed:
                raise HoldingError(telling.not_in_service(failed))
            if self._reloads.failed:
                raise HoldingError(
                    _("A web server could not be reloaded, for the reason given above.")
                )

        return conclude

    def _release_all(self) -> set[str]:
        """Returns the lineages that could not be put into service; said already."""
        namespace = self._namespace
        if namespace is None or namespace.dry_run:
            return set()
        config_dir = os.path.abspath(namespace.config_dir)
        store = Store(config_dir)
        names = [namespace.certname] if namespace.certname else store.names()
        new = list(self._queue.values())
        names = [name for name in names if name not in self._queue]
        left = Uptake(namespace, config_dir, names, self._reloads)
        # What was damaged is made up for where another one was ordered.
        failed = {*left.failures, *self._damaged} - {*self._queue}
        self._queue.clear()
        if new or left.jobs:
            language.conclude()
            telling.of_release(new, left.jobs)
            quiet = bool(namespace.quiet)
            one = release.Release(store, new + left.jobs, quiet=quiet, reloads=self._reloads)
            one.run()
            failed |= {*one.failures}
        return failed

    def _release_now(self, turn: Turn, held: list[Job], *, tolerate: bool = False) -> set[str]:
        """Waits and releases on the spot.

        Args:
            turn: the turn of this command.
            held: the lineages.
            tolerate: whether it is no failure that a damaged version was set aside.

        Returns:
            The lineages that could not be put into service; said already.

        Raises:
            KeyboardInterrupt: a signal ended the wait.
        """
        if not held:
            return set()
        config = turn.config
        by_certbot = config.verb == "run" and config.installer == NAME
        for job in held:
            job.reload_here = not by_certbot
        store = Store(config.config_dir)
        one = release.Release(store, held, quiet=config.quiet, reloads=self._reloads)
        one.run()
        self._reloads.settle()
        failed = {*one.failures} - (one.set_aside if tolerate else set())
        if not failed and by_certbot:
            turn.unreloaded += [job.ending for job in held if job.record.step is Step.HOOKED]
        elif not one.failures:
            turn.reloaded = True
        return failed
