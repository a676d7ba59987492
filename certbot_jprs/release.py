"""Waiting for held lineages side by side, and putting them into service.

Rules of this file:

- Each step is written to the lineage's record before it is taken, and can be taken again: links
  forward, deploy hooks, one reload for all that are ready together.
- One failed, revoked or slow lineage delays or spoils no other.
- A record that cannot be written any more does not stop a release: the certificate matters more.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Callable

from certbot import errors
from certbot.display import util as display_util

from certbot_jprs import apache, archive, certificates, options, progress, verdict
from certbot_jprs.asking import Asking
from certbot_jprs.exceptions import WaitInterrupted
from certbot_jprs.gate import Awaited, Gate, Result
from certbot_jprs.interrupts import Interrupts
from certbot_jprs.language import _
from certbot_jprs.lineages import Lineage
from certbot_jprs.records import Record, Step, Store
from certbot_jprs.responder import Responder
from certbot_jprs.signatures import utc
from certbot_jprs.verdict import InService, Verdict

logger = logging.getLogger(__name__)


@dataclass
class Job:
    """One held lineage in this run.

    Attributes:
        record: its record.
        lineage: its files.
        config: Certbot's configuration of it.
        run_hooks: runs its deploy hooks.
        apache: returns the Apache plugin, ready for use.
        reload_here: whether the release reloads Apache (or Certbot does, right after it).
        earlier: whether an earlier run left it.
    """

    record: Record
    lineage: Lineage
    config: Any
    run_hooks: Callable[[], None]
    apache: Callable[[], Any]
    reload_here: bool = True
    earlier: bool = False

    def server_key(self) -> Hashable:
        """Tells apart web servers: lineages with the same Apache options share a reload."""
        values = vars(self.config.namespace)
        apache = options.APACHE_DEST
        return tuple(sorted((k, str(v)) for k, v in values.items() if k.startswith(apache)))


class Release:
    """Takes jobs through the wait and into service.

    Args:
        store: where the records are.
        jobs: the held lineages; their names differ.
        quiet: whether Certbot runs under ``-q``.
    """

    def __init__(self, store: Store, jobs: list[Job], quiet: bool) -> None:
        self._store = store
        self._jobs = {job.record.name: job for job in jobs}
        self._quiet = quiet
        self._in_service: dict[str, InService | None] = {}
        self._left: set[str] = set()
        self.failures: dict[str, str] = {}
        """What went wrong, by lineage; said already."""

    def run(self) -> None:
        """Waits and releases until every job has come to an end.

        Raises:
            KeyboardInterrupt: a signal ended the wait; what was not released is still held.
        """
        decided = []
        waiting = {}
        for name, job in self._jobs.items():
            if job.record.step is not Step.HELD:
                decided.append(job)
                continue
            try:
                awaited = self._prepare(job)
            except (OSError, ValueError) as error:
                self._fail(
                    job,
                    _("The held certificate {name} cannot be read: {error}").format(
                        name=name, error=error
                    ),
                )
                continue
            if awaited is None:
                decided.append(job)
            else:
                waiting[name] = awaited
        self._left = set(waiting)
        try:
            # Also while no gate listens: a signal shall not tear what is put into service.
            with Interrupts() as interrupts, Responder() as responder:
                self._put_into_service(decided)
                if waiting:
                    with interrupts.listening():
                        gate = self._gate(waiting, responder)
                    with contextlib.closing(gate.settle(list(waiting.values()))) as groups:
                        for group in groups:
                            self._left -= set(group)
                            self._settle(group)
        except WaitInterrupted as interruption:
            self._say_how_to_go_on(interruption)
            # Certbot ends the whole run for this one, and goes on to the next lineage for others.
            raise KeyboardInterrupt from None

    def _prepare(self, job: Job) -> Awaited | None:
        """Reads the versions of a job.

        Returns:
            What to wait for; None where it cannot be waited for, or nothing is to be protected.

        Raises:
            OSError, ValueError: the new version cannot be read.
        """
        name = job.record.name
        files = archive.files(job.lineage, job.record.held)
        awaited = certificates.awaited(name, files["cert"], files["chain"], None)
        self._in_service[name] = None
        replaced = None
        if job.record.in_service is not None:
            old = archive.files(job.lineage, job.record.in_service)
            try:
                in_service = certificates.load_all(old["cert"])[0]
                replaced = certificates.awaited(name, old["cert"], old["chain"], None)
            except (OSError, ValueError, IndexError):
                return None  # nothing serves what cannot be read
            protected = InService(utc(in_service, "not_valid_after"))
            self._in_service[name] = protected
            if not protected.protects(datetime.now(timezone.utc)):
                display_util.notify(
                    _(
                        "The certificate of {name} in service has expired: the new one replaces "
                        "it at once."
                    ).format(name=name)
                )
                return None
        if awaited is None:
            logger.warning(
                _(
                    "The chain of {name} lacks the certificate of its issuer, without which no "
                    "OCSP answer can be verified: it is put into service without waiting."
                ).format(name=name)
            )
            return None
        return dataclasses.replace(
            awaited,
            timeout=getattr(job.config, options.OCSP_TIMEOUT),
            in_service=(replaced.certificate, replaced.issuer) if replaced is not None else None,
        )

    def _gate(self, waiting: dict[str, Awaited], responder: Responder) -> Gate:
        configs = [self._jobs[name].config for name in waiting]
        return Gate(
            timeout=max(getattr(config, options.OCSP_TIMEOUT) for config in configs),
            interval=min(getattr(config, options.OCSP_INTERVAL) for config in configs),
            ask=Asking(responder.ask_all),
            progress=progress.choose(self._quiet),
        )

    def _say_how_to_go_on(self, interruption: WaitInterrupted) -> None:
        names = sorted(self._left)
        command = "certbot renew"
        if len(names) == 1:
            command += f" --cert-name {names[0]}"
        logger.error(
            _(
                "{what} Saved, and held until the OCSP responder knows them: {names}. To go on: "
                "{command}"
            ).format(what=interruption, names=", ".join(names), command=command)
        )

    def _settle(self, group: dict[str, Result]) -> None:
        ready = []
        for name, result in group.items():
            job = self._jobs[name]
            in_service = self._in_service[name]
            if result.replaces_revoked and in_service is not None:
                in_service = dataclasses.replace(in_service, revoked=True)
            decision = verdict.judge(name, result, in_service)
            if decision is Verdict.RELEASE:
                ready.append(job)
            elif decision is Verdict.WITHDRAW:
                self._withdraw(job)
            else:
                message = _("The OCSP responder still does not know the new certificate.")
                self._fail(job, message, said=True)
        self._put_into_service(ready)

    def _withdraw(self, job: Job) -> None:
        name = job.record.name
        try:
            if job.record.held is not None:
                archive.withdraw(job.lineage, job.record.held, job.record.in_service)
            self._forget(job)
        except OSError as error:
            self._fail(
                job,
                _("The revoked certificate of {name} could not be taken away: {error}").format(
                    name=name, error=error
                ),
            )
        self._fail(job, verdict.revoked(name, job.record.in_service), keep=False)

    def _fail(self, job: Job, message: str, *, said: bool = False, keep: bool = True) -> None:
        """Remembers a failure, says it once, and keeps it in the record."""
        if not said:
            logger.error(message)
        self.failures[job.record.name] = message
        if keep:
            job.record.failure = message
            self._save(job)

    def _save(self, job: Job) -> None:
        try:
            self._store.save(job.record)
        except OSError as error:
            logger.warning(
                _("The record of the held certificate {name} could not be written: {error}").format(
                    name=job.record.name, error=error
                )
            )

    def _forget(self, job: Job) -> None:
        try:
            self._store.remove(job.record.name)
        except OSError as error:
            logger.warning(
                _("The record of the held certificate {name} could not be removed: {error}").format(
                    name=job.record.name, error=error
                )
            )

    def _put_into_service(self, jobs: list[Job]) -> None:
        """Moves links, runs hooks, reloads once for each web server, forgets the records."""
        done = [job for job in jobs if self._link_and_run_hooks(job)]
        servers: dict[Hashable, list[Job]] = {}
        for job in done:
            if not job.record.reload:
                self._succeed(job)
            elif job.reload_here:
                servers.setdefault(job.server_key(), []).append(job)
        for group in servers.values():
            self._reload(group)

    def _link_and_run_hooks(self, job: Job) -> bool:
        if job.record.step is Step.HOOKED:
            return True
        job.record.step = Step.RELEASED
        job.record.failure = ""
        self._save(job)
        try:
            if job.record.held is not None:
                archive.link_to(job.lineage, job.record.held)
        except OSError as error:
            self._fail(
                job,
                _("The links of {name} could not be moved to its new certificate: {error}").format(
                    name=job.record.name, error=error
                ),
            )
            return False
        try:
            job.run_hooks()
        except (OSError, ValueError, errors.Error) as error:
            logger.error(
                _("A deploy hook of {name} could not be run: {error}").format(
                    name=job.record.name, error=error
                )
            )
        job.record.step = Step.HOOKED
        self._save(job)
        return True

    def _reload(self, jobs: list[Job]) -> None:
        """Installs what is to be installed, and has Apache reloaded."""
        ready = [job for job in jobs if self._install(job)]
        if not ready:
            return
        try:
            ready[0].apache().restart()
        except errors.Error as error:
            message = _(
                "Apache could not be reloaded with the new certificates of {names}: {error} "
                "Mend its configuration (apachectl configtest); the next `certbot renew` reloads "
                "it."
            ).format(names=", ".join(job.record.name for job in ready), error=error)
            logger.error(message)
            for job in ready:
                self._fail(job, message, said=True)
            return
        for job in ready:
            self._succeed(job)

    def _install(self, job: Job) -> bool:
        """Configures a first certificate that an interrupted ``certbot run`` did not."""
        record, links = job.record, job.lineage.links
        if not record.install:
            return True
        plugin = job.apache()
        names = [host for name in record.install for host in apache.hosts(plugin, name)]
        try:
            for name in names:
                plugin.deploy_cert(
                    name, links["cert"], links["privkey"], links["chain"], links["fullchain"]
                )
                plugin.save()
            plugin.save("Deployed ACME Certificate")
            if record.redirect:
                with contextlib.suppress(errors.PluginEnhancementAlreadyPresent):
                    apache.enhance(plugin, names, "redirect")
                plugin.save("Add enhancement redirect")
        except errors.Error as error:
            plugin.recovery_routine()
            self._fail(
                job,
                _(
                    "The certificate {name} could not be installed in Apache: {error} Run the "
                    "command that ordered it again."
                ).format(name=record.name, error=error),
            )
            return False
        return True

    def _succeed(self, job: Job) -> None:
        self._forget(job)
        record = job.record
        if record.in_service is None and not job.earlier:
            return  # a first certificate: Certbot is about to say so
        said = (
            _("The new certificate of {name} is in service.")
            if record.reload
            else _("The new certificate of {name} is released, and its deploy hooks were run.")
        )
        display_util.notify(said.format(name=record.name))
