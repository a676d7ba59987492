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
import contextlib
import copy
import logging
import os
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Callable

from certbot import configuration, errors
from certbot.display import util as display_util

from certbot_jprs import internals, language
from certbot_jprs.exceptions import HoldingError
from certbot_jprs.language import _
from certbot_jprs.options import DEST, NAME

if TYPE_CHECKING:
    from certbot_jprs.lineages import Lineage
    from certbot_jprs.records import Record, Store
    from certbot_jprs.release import Job

logger = logging.getLogger(__name__)


class Keeper:
    """Keeps the version in service where it is, for all lineages of one process."""

    def __init__(self) -> None:
        self._namespace: argparse.Namespace | None = None
        self._governed: dict[int, tuple[Any, Callable[[], Any]]] = {}
        self._queue: dict[str, Job] = {}
        self._queued: set[int] = set()
        self._unreloaded: dict[int, list[str]] = {}
        self._reloaded: set[int] = set()
        self._engaged: bool | None = None

    # What the plugin calls

    def parsed(self, namespace: argparse.Namespace, *, held: bool) -> None:
        """Notices a command line; takes its place where an earlier run left something held.

        Args:
            namespace: the options.
            held: whether an earlier run left something held that the command may touch.
        """
        self._namespace = namespace
        if held:
            self.engage()

    def engage(self) -> bool:
        """Has Certbot's steps intercepted.

        Returns:
            False where this Certbot does not allow that.
        """
        if self._engaged is None:
            self._engaged = internals.intercept(self)
            if not self._engaged:
                logger.warning(
                    _(
                        "This version of Certbot lacks what {name} needs to hold a new "
                        "certificate back. It waits before each reload of Apache instead, and "
                        "deploy hooks run before that wait."
                    ).format(name=NAME)
                )
        return self._engaged

    def govern(self, config: Any, apache: Callable[[], Any]) -> bool:
        """Takes a configuration whose certificates are to be held.

        Args:
            config: Certbot's configuration, of this command or of one lineage.
            apache: returns the Apache plugin for it, ready for use.

        Returns:
            False where this Certbot does not allow holding.
        """
        if not self.engage():
            return False
        self._governed[id(config)] = (config, apache)
        return True

    def holds(self, config: Any) -> bool:
        """Tells whether the lineage of a configuration is held for the end of this run."""
        return id(config) in self._queued

    def finish(self, config: Any, names: Iterable[str]) -> None:
        """Waits for what an earlier run left held, and releases it, before Certbot goes on.

        Args:
            config: Certbot's configuration of this command.
            names: the lineages that the command touches.

        Raises:
            errors.Error: a certificate could not be put into service.
            KeyboardInterrupt: a signal ended the wait.
        """
        jobs = self._left_held(config.config_dir, names)
        for job in jobs:
            if config.verb == "run":
                job.record.install = []  # Certbot is about to do that itself
        try:
            self._release_now(config, jobs)
        except HoldingError as error:
            # A PluginError from here would be shown as "The plugin is not working".
            raise errors.Error(str(error)) from error

    def was_reloaded(self, config: Any) -> bool:
        """Tells whether the release reloaded Apache for a configuration already."""
        return id(config) in self._reloaded

    def settled(self, config: Any) -> bool:
        """Tells whether this run waited for the certificate of a configuration."""
        return id(config) in self._unreloaded or id(config) in self._reloaded

    def reloaded(self, config: Any) -> None:
        """Notices that Apache was reloaded by Certbot, after a release on the spot.

        Args:
            config: Certbot's configuration.
        """
        from certbot_jprs.records import Store

        for name in self._unreloaded.pop(id(config), []):
            try:
                Store(config.config_dir).remove(name)
            except OSError:
                logger.debug("The record of %s could not be removed", name, exc_info=True)

    # What Certbot's steps call: see internals.Interceptor

    def before_issuing(self, config: Any) -> None:
        """Makes sure, before a certificate is ordered, that it can be brought into service.

        Raises:
            HoldingError: its record cannot be written.
            errors.PluginError: the installation of the plugin is damaged.
        """
        if id(config) not in self._governed or config.dry_run:
            return
        from certbot_jprs import integrity
        from certbot_jprs.records import Store

        integrity.check()

        try:
            Store(config.config_dir).check_writable()
        except OSError as error:
            raise HoldingError(
                _(
                    "Nothing was ordered, because what a certificate needs until it is in service "
                    "cannot be written below {directory}: {error}. Free space there, or make it "
                    "writable."
                ).format(directory=config.config_dir, error=error.strerror or error)
            ) from error

    def before_saving(self, lineage: Any, config: Any) -> None:
        """Notes, durably, which version is in service, before a newer one exists."""
        from certbot_jprs import archive, lineages
        from certbot_jprs.records import Record, Step, Store

        store = Store(config.config_dir)
        name = lineage.lineagename
        if id(config) not in self._governed:
            if store.has(name):
                logger.info("%s is renewed by another plugin: its record is dropped", name)
                with contextlib.suppress(OSError):
                    store.remove(name)
            return
        record = store.load(name)
        files = lineages.named(config.config_dir, name)
        in_service = archive.current_version(files) if files is not None else None
        if record is not None and record.step is Step.HELD:
            in_service = record.in_service or in_service
        elif record is not None and record.held is not None and files is not None:
            archive.link_to(files, record.held)  # a release that was cut short
            in_service = record.held
        self._save(
            store,
            Record(
                name,
                in_service=in_service,
                since=time.time(),
                directory_hooks=bool(config.directory_hooks),
                reload=config.installer == NAME,
            ),
        )

    def after_saving(self, lineage: Any, version: int) -> None:
        """Notes which version waits."""
        from certbot_jprs.records import Store

        store = Store(lineage.cli_config.config_dir)
        record = store.load(lineage.lineagename)
        if record is not None:
            record.held = version
            try:
                store.save(record)
            except OSError:  # what is newer than the version in service is held all the same
                logger.debug("The record could not be completed", exc_info=True)

    def keeps_links(self, lineage: Any, version: int | None) -> bool:
        """Tells whether a lineage's links stay where they are; mends what a kill has torn."""
        from certbot_jprs.records import Step, Store

        config_dir, name = lineage.cli_config.config_dir, lineage.lineagename
        store = Store(config_dir)
        if not store.has(name):
            return False
        from certbot_jprs.leftovers import is_held_by_us

        if not is_held_by_us(lineage.configuration.get("renewalparams", {})):
            return False  # another plugin's by now, and that one's to link
        record = store.load(name)
        if record is None:
            return False
        held = record.step is Step.HELD
        self._mend_links(config_dir, name, record.in_service if held else record.held)
        if not held or record.in_service is None:
            return False
        return version is None or version != record.in_service

    def _mend_links(self, config_dir: str, name: str, version: int | None) -> None:
        """Completes what was cut short between two links: key and certificate would differ."""
        from certbot_jprs import archive, lineages

        lineage = lineages.named(config_dir, name)
        if lineage is None or version is None or not archive.is_torn(lineage):
            return
        try:
            archive.link_to(lineage, version)
        except OSError:
            logger.debug("The links of %s could not be mended", name, exc_info=True)

    def deploy_hooks(self, config: Any, lineage_path: str, run: Callable[[], None]) -> None:
        """Queues the deploy hooks of a held lineage, or waits for it on the spot.

        Raises:
            HoldingError: the certificate could not be put into service.
            KeyboardInterrupt: a signal ended the wait.
        """
        if id(config) not in self._governed or config.dry_run:
            run()
            return
        from certbot_jprs.records import Store

        name = os.path.basename(lineage_path)
        store = Store(config.config_dir)
        job = self._job_of_this_run(config, name, store, run)
        if config.verb == "renew" and config.installer in (None, NAME):
            self._queue[name] = job
            self._queued.add(id(config))
            display_util.notify(
                _(
                    "The new certificate of {name} is saved and held: the old one stays in "
                    "service until the end of this run, and until the OCSP responder knows the "
                    "new one."
                ).format(name=name)
            )
            return
        self._release_now(config, [job])

    def at_end(self) -> Callable[[], None]:
        """Waits for all that is held, side by side, and releases it."""
        namespace = self._namespace
        if namespace is None or namespace.dry_run:
            return lambda: None
        from certbot_jprs.records import Store
        from certbot_jprs.release import Release

        config_dir = os.path.abspath(namespace.config_dir)
        store = Store(config_dir)
        names = [namespace.certname] if namespace.certname else store.names()
        new = list(self._queue.values())
        left = self._left_held(config_dir, [name for name in names if name not in self._queue])
        self._queue.clear()
        jobs = new + left
        if not jobs:
            return lambda: None
        language.conclude()
        if new:
            display_util.notify(
                _(
                    "Nothing more is ordered in this run. What is held goes into service now, "
                    "each once the OCSP responder knows it."
                )
            )
        if left:
            display_util.notify(
                _("An earlier run left on their way into service: {names}").format(
                    names=", ".join(job.record.name for job in left)
                )
            )
        release = Release(store, jobs, bool(namespace.quiet))
        release.run()
        failed = sorted(release.failures)

        def conclude() -> None:
            if failed:
                raise HoldingError(
                    _("Not in service, for the reasons given above: {names}").format(
                        names=", ".join(failed)
                    )
                )

        return conclude

    # Jobs

    def _job_of_this_run(
        self, config: Any, name: str, store: Store, run: Callable[[], None]
    ) -> Job:
        """Makes the job of a certificate that was issued in this run.

        Raises:
            HoldingError: its files cannot be read.
        """
        from certbot_jprs import archive, lineages
        from certbot_jprs.records import Record
        from certbot_jprs.release import Job

        lineage = lineages.named(config.config_dir, name)
        if lineage is None:
            raise HoldingError(
                _(
                    "The renewal file of the new certificate {name} cannot be read. It is not "
                    "put into service before that is mended."
                ).format(name=name)
            )
        newest = archive.versions(lineage)[-1]
        record = store.load(name)
        if record is not None and record.held is None:  # it could not be noted when it was saved
            record.held = newest
        if record is None or record.held != newest:
            # A first certificate: nothing is in service. A record is that of a deleted lineage.
            record = Record(
                name,
                held=newest,
                since=time.time(),
                directory_hooks=bool(config.directory_hooks),
            )
        record.reload = config.installer == NAME
        if config.verb == "run" and record.reload:
            record.install = [str(domain) for domain in config.domains]
            record.redirect = config.redirect is not False
        try:
            store.save(record)
        except OSError as error:  # only a kill before it is in service would be felt
            logger.warning(
                _("The record of the held certificate {name} could not be written: {error}").format(
                    name=name, error=error
                )
            )
        _config, apache = self._governed[id(config)]
        return Job(record, lineage, config, run, apache)

    def _left_held(self, config_dir: str, names: Iterable[str]) -> list[Job]:
        """Makes the jobs of what an earlier run left."""
        from certbot_jprs import lineages
        from certbot_jprs.leftovers import relevant
        from certbot_jprs.records import Store

        store = Store(config_dir)
        jobs = []
        for name in names:
            lineage = lineages.named(config_dir, name)
            record = relevant(store, name, lineage)
            if record is not None and lineage is not None:
                jobs.append(self._job_of_earlier_run(record, lineage))
        return jobs

    def _job_of_earlier_run(self, record: Record, lineage: Lineage) -> Job:
        from certbot_jprs import certificates
        from certbot_jprs.release import Job

        config = self._configuration_of(record, lineage)
        live = os.path.dirname(lineage.links["cert"])

        def run_hooks() -> None:
            names = certificates.names_in_order(lineage.certificate())
            internals.run_deploy_hooks(config, names, live, record.in_service is not None)

        def apache() -> Any:
            from certbot_jprs import apache

            return apache.prepared(config)

        return Job(record, lineage, config, run_hooks, apache, earlier=True)

    def _configuration_of(self, record: Record, lineage: Lineage) -> Any:
        """Makes a configuration with a lineage's own settings, as ``renew`` restores them."""
        from certbot_jprs import options

        namespace = copy.copy(self._namespace or argparse.Namespace())
        config: Any = configuration.NamespaceConfig(namespace)
        for key, value in lineage.params.items():
            if key.startswith(DEST):
                setattr(config, key, options.restored(key, value))
        options.carry_apache_options(config, lambda _dest: False)
        options.enter_language(config)
        # Certbot before 5.0 runs the first for a renewed certificate, the second for a new one.
        config.renew_hook = config.deploy_hook = lineage.deploy_hook
        config.directory_hooks = record.directory_hooks
        config.dry_run = False
        return config

    def _release_now(self, config: Any, jobs: list[Job]) -> None:
        """Waits and releases on the spot.

        Raises:
            HoldingError: a certificate could not be put into service.
            KeyboardInterrupt: a signal ended the wait.
        """
        if not jobs:
            return
        from certbot_jprs.records import Step, Store
        from certbot_jprs.release import Release

        by_certbot = config.verb == "run" and config.installer == NAME
        for job in jobs:
            job.reload_here = not by_certbot
        release = Release(Store(config.config_dir), jobs, config.quiet)
        release.run()
        if release.failures:
            raise HoldingError(
                _("Not in service, for the reason given above: {names}").format(
                    names=", ".join(sorted(release.failures))
                )
            )
        if by_certbot:
            waiting = [job.record.name for job in jobs if job.record.step is Step.HOOKED]
            self._unreloaded.setdefault(id(config), []).extend(waiting)
        else:
            self._reloaded.add(id(config))

    def _save(self, store: Store, record: Record) -> None:
        """Writes a record; the disk was checked before the order, so failing is not expected."""
        try:
            store.save(record)
        except OSError as error:
            raise errors.PluginError(
                _(
                    "The record of the held certificate {name} could not be written: {error}. "
                    "Free space, or make it writable, and run the command again."
                ).format(name=record.name, error=error)
            ) from error


keeper = Keeper()
"""The one of this process: Certbot makes plugin objects anew for each lineage."""
