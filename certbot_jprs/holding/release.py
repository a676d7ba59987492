"""Waiting for held lineages side by side, and having them put into service.

Rules of this file:

- One failed, revoked or slow lineage delays or spoils no other.
- Nothing is told twice: what went wrong was said where it did.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from datetime import datetime, timezone
from typing import cast

from certbot_jprs.ground import display_util, language, options
from certbot_jprs.ground.exceptions import WaitInterrupted
from certbot_jprs.ground.language import _, marked
from certbot_jprs.ground.said import Said, words
from certbot_jprs.holding import postmortem
from certbot_jprs.holding.ending import UNASKED, Outcome
from certbot_jprs.holding.jobs import Job
from certbot_jprs.holding.leftovers import Damage, set_damaged_aside
from certbot_jprs.holding.records import Step, Store
from certbot_jprs.holding.steps import Steps
from certbot_jprs.lineage import archive, soundness
from certbot_jprs.ocsp import certificates
from certbot_jprs.ocsp.asking import Asking
from certbot_jprs.ocsp.questions import Awaited, Pair
from certbot_jprs.ocsp.responder import Responder
from certbot_jprs.ocsp.signatures import utc
from certbot_jprs.validation.reloads import Reloads
from certbot_jprs.wait import progress, verdict
from certbot_jprs.wait.gate import Gate, Result
from certbot_jprs.wait.interrupts import Interrupts
from certbot_jprs.wait.verdict import InService, StillHeld, Verdict

logger = logging.getLogger(__name__)


class Release:
    """Takes jobs through the wait and into service.

    Args:
        store: where the records are.
        jobs: the held lineages; their names differ.
        quiet: whether Certbot runs under ``-q``.
        reloads: the reloads of this process; what is owed is done when the wait begins in earnest.

    Attributes:
        set_aside: the lineages of which a damaged version was set aside; failures too.
    """

    def __init__(self, store: Store, jobs: list[Job], *, quiet: bool, reloads: Reloads) -> None:
        self._store = store
        self._jobs = {job.name: job for job in jobs}
        self._open = list(jobs)
        self._quiet = quiet
        self._reloads = reloads
        self._steps = Steps(store, reloads)
        self.set_aside: set[str] = set()
        self._in_service: dict[str, InService | None] = {}
        self._waiting: dict[str, Awaited] = {}
        self._still_held: dict[str | None, list[StillHeld]] = {}

    @property
    def failures(self) -> dict[str, str]:
        """What went wrong, by lineage; said already."""
        return self._steps.failures

    def run(self) -> None:
        """Waits and releases until every job has come to an end.

        Raises:
            KeyboardInterrupt: a signal ended the wait; what was not released is still held.
        """
        decided = [
            job
            for job in self._jobs.values()
            if self._is_sound(job) and (job.record.step is not Step.HELD or not self._prepare(job))
        ]
        decided = [job for job in decided if job.name not in self.failures]
        awaited = list(self._waiting.values())
        try:
            # Also while no gate listens: a signal shall not tear what is put into service.
            with Interrupts() as interrupts, Responder() as responder:
                self._steps.put_into_service(decided)
                self._conclude()
                if awaited:
                    with interrupts.listening():
                        gate = self._gate(responder)
                    with contextlib.closing(gate.settle(awaited, self._reloads.settle)) as groups:
                        for group in groups:
                            self._settle(group)
            self._say_what_stays_held()
        except WaitInterrupted as interruption:
            self._say_what_stays_held()
            self._say_how_to_go_on(interruption)
            # Certbot ends the whole run for this one, and goes on to the next lineage for others.
            raise KeyboardInterrupt from None

    def _is_sound(self, job: Job) -> bool:
        """Tells whether the version that waits can be put into service; sets it aside if not."""
        found: list[Damage | None] = []

        def look() -> None:
            soundness.sync(job.lineage, job.record.held)
            found.append(set_damaged_aside(job.record, job.lineage))

        message = marked("The held certificate {name} cannot be read: {error}")
        if not self._steps.attempt([job], look, message):
            return False
        (damage,) = found
        if damage is not None:
            with language.of([job.language]):
                logger.error(words(damage.told))
            self._steps.fail(job, damage.told)
            if not damage.stays:
                self.set_aside.add(job.name)
            job.ending.outcome = Outcome.DAMAGED
        return damage is None

    def _prepare(self, job: Job) -> bool:
        """Reads the versions of a job; tells whether it is to be waited for."""
        self._steps.attempt(
            [job],
            lambda: self._read(job),
            marked("The held certificate {name} cannot be read: {error}"),
        )
        return job.name in self._waiting

    def _read(self, job: Job) -> None:
        """Reads what the wait needs; notes nothing where there is nothing to protect.

        Raises:
            OSError, ValueError: the new version cannot be read.
        """
        name, record = job.name, job.record
        files = archive.files(job.lineage, record.held)
        awaited = certificates.awaited(name, files["cert"], files["chain"], files["fullchain"])
        self._in_service[name] = None
        replaced = None
        if record.in_service is not None:
            try:
                protected, replaced = _protected(job, record.in_service)
            except (OSError, ValueError):
                return  # nothing serves what cannot be read
            self._in_service[name] = protected
            if not protected.protects(datetime.now(timezone.utc)):
                display_util.notify(
                    _(
                        "The certificate of {name} in service has expired: the new one replaces "
                        "it at once."
                    ).format(name=name)
                )
                return
        if awaited is None:
            logger.warning(
                _(
                    "The chain of {name} lacks the certificate of its issuer, without which no "
                    "OCSP answer can be verified: it is put into service without waiting."
                ).format(name=name)
            )
            return
        self._waiting[name] = dataclasses.replace(
            awaited, timeout=getattr(job.config, options.OCSP_TIMEOUT), in_service=replaced
        )

    def _gate(self, responder: Responder) -> Gate:
        configs = [self._jobs[name].config for name in self._waiting]
        return Gate(
            timeout=max(getattr(config, options.OCSP_TIMEOUT) for config in configs),
            interval=min(getattr(config, options.OCSP_INTERVAL) for config in configs),
            asking=Asking(responder.ask_all),
            progress=progress.choose(quiet=self._quiet),
        )

    def _say_how_to_go_on(self, interruption: WaitInterrupted) -> None:
        names = sorted(self._waiting)
        command = "certbot renew"
        if len(names) == 1:
            command += f" --cert-name {names[0]}"
        logger.error(
            _(
                "{what}\n"
                "Saved, and held until the OCSP server knows them: {names}\n"
                "To go on: {command}"
            ).format(what=interruption, names=", ".join(names), command=command)
        )

    def _say_what_stays_held(self) -> None:
        """Says at the end, and once for all, what the OCSP server does not know."""
        for remembered, held in self._still_held.items():
            with language.of([remembered]):
                logger.error(verdict.still_held(sorted(held, key=lambda one: one.name)))

    def _settle(self, group: dict[str, Result]) -> None:
        ready: list[Job] = []
        for name, result in group.items():
            del self._waiting[name]
            job = self._jobs[name]
            self._steps.attempt(
                [job],
                lambda job=job, result=result: self._decide(job, result, ready),  # type: ignore[misc]
                marked("What the OCSP server says of {name} could not be acted upon: {error}"),
            )
        self._steps.put_into_service(ready)
        self._conclude()

    def _conclude(self) -> None:
        """Writes down, once, what became of those that have come to an end."""
        ended = [job for job in self._open if job.ending.outcome is not None]
        self._open = [job for job in self._open if job.ending.outcome is None]
        postmortem.conclude(self._store.config_dir, [job.ending for job in ended])

    def _decide(self, job: Job, result: Result, ready: list[Job]) -> None:
        """Acts upon how the wait for a certificate ended; one to be released goes to ``ready``."""
        ending, answer = job.ending, result.answer
        ending.waited, ending.unknown_until = result.age, result.unknown_until
        ending.status = answer.status.value if answer is not None else UNASKED
        in_service = self._in_service[job.name]
        if result.replaces_revoked and in_service is not None:
            in_service = dataclasses.replace(in_service, revoked=True)
        decision = verdict.judge(job.name, result, in_service)
        if decision is Verdict.RELEASE:
            ready.append(job)
        elif decision is Verdict.WITHDRAW:
            self._withdraw(job)
        else:
            unknown = Said(marked("The OCSP server still does not know the new certificate."))
            self._steps.fail(job, unknown)
            ending.outcome = Outcome.HELD
            until = cast("InService", in_service).not_after  # only what is in service has it held
            still = StillHeld(job.name, result.age, until)
            self._still_held.setdefault(job.language, []).append(still)

    def _withdraw(self, job: Job) -> None:
        """Takes a revoked version out of its lineage."""
        record, held = job.record, job.record.held
        withdrawn = held is None or self._steps.attempt(
            [job],
            lambda: archive.withdraw(job.lineage, held, record.in_service),
            marked("The revoked certificate of {name} could not be taken away: {error}"),
        )
        if withdrawn:
            self._steps.forget(job)
        with language.of([job.language]):
            message = verdict.revoked(job.name, record.in_service)
            logger.error(message)
        self._steps.fail(job, message, keep=False)
        job.ending.outcome = Outcome.REVOKED


def _protected(job: Job, version: int) -> tuple[InService, Pair | None]:
    """Reads the version in service: what is known of it, and what is asked about it.

    Raises:
        OSError, ValueError: it cannot be read.
    """
    old = archive.files(job.lineage, version)
    certificate = certificates.load_first(old["cert"])
    replaced = certificates.awaited(job.name, old["cert"], old["chain"], old["fullchain"])
    pair = (replaced.certificate, replaced.issuer) if replaced is not None else None
    return InService(utc(certificate, "not_valid_after")), pair
