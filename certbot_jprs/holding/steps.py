"""The steps of a release: links forward, deploy hooks, installation, one reload for all together.

Rules of this file:

- All links of a group move before its first hook runs: a hook reloads a server, and one that reads
  its files while they change may end.
- Each step is written to the lineage's record before it is taken, and can be taken again.
- Each runs within the one boundary of ``attempt``: whatever goes wrong is the trouble of the
  lineages that it is about, and the others go on. Those that need no web server go first.
- A record that cannot be written any more does not stop a release: the certificate matters more.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable, Sequence
from typing import Callable

from certbot_jprs.ground import display_util, language
from certbot_jprs.ground.language import _, marked
from certbot_jprs.ground.said import Said, words
from certbot_jprs.holding.ending import Done, Outcome
from certbot_jprs.holding.installation import install
from certbot_jprs.holding.jobs import Job
from certbot_jprs.holding.records import Step, Store
from certbot_jprs.holding.sight import Sight, View
from certbot_jprs.internals.delegate import WebServer
from certbot_jprs.lineage import archive, soundness
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.validation.reloads import Reloads

logger = logging.getLogger(__name__)


class Steps:
    """Puts lineages into service.

    Args:
        store: where the records are.
        reloads: the reloads of this process.
    """

    def __init__(self, store: Store, reloads: Reloads) -> None:
        self._store = store
        self._reloads = reloads
        self.failures: dict[str, str] = {}
        """What went wrong, by lineage; said already."""

    def put_into_service(self, jobs: Sequence[Job]) -> None:
        """Moves links, runs hooks, reloads once for each web server, forgets the records.

        Args:
            jobs: lineages that may go into service now.
        """
        servers: dict[Hashable, list[Job]] = {}
        if jobs:
            self._reloads.wait()
        linked = [job for job in sorted(jobs, key=lambda job: job.record.reload) if self._link(job)]
        for job in linked:
            self._run_hooks(job)
            if not job.record.reload:
                self._succeed(job)
            elif job.reload_here:
                servers.setdefault(job.server_key, []).append(job)
        for group in servers.values():
            self._reload([job for job in group if self._install(job)])

    def attempt(
        self,
        jobs: Sequence[Job | str],
        step: Callable[[], object],
        message: str,
        server: WebServer | None = None,
    ) -> bool:
        """Takes a step; whatever goes wrong is recorded and told as these lineages' failure.

        Args:
            jobs: the lineages that the step is about; of one that could not be read, its name.
            step: takes it.
            message: what to say if it fails, with ``{name}`` (or ``{names}``) and
                ``{error}``; where it is about a web server, with ``{server}`` and ``{test}``. In
                English.
            server: that web server.

        Returns:
            Whether it was taken.
        """
        with language.of(job.language for job in jobs if not isinstance(job, str)):
            try:
                step()
            except Exception as error:
                logger.debug("A step failed", exc_info=True)
                names = ", ".join(job if isinstance(job, str) else job.name for job in jobs)
                kept = [each for each in error.args if isinstance(each, Said)]
                why = kept[0] if kept else str(error) or type(error).__name__
                about = server.words() if server is not None else {}
                failure = Said(message, name=names, names=names, error=why, **about)
                logger.error(words(failure))
                for job in jobs:
                    self.fail(job, failure)
                return False
        return True

    def fail(self, job: Job | str, message: str, *, keep: bool = True) -> None:
        """Remembers a failure that was said, and keeps it in the record.

        Args:
            job: whose it is; of a lineage that could not be read, its name.
            message: what went wrong.
            keep: whether the lineage still has a record.
        """
        if isinstance(job, str):
            self.failures[job] = message
            return
        self.failures[job.name] = message
        job.ending.outcome = Outcome.FAILED
        if keep:
            job.record.failure = message
            self._save(job)

    def forget(self, job: Job) -> None:
        """Removes the record of a lineage for which nothing is left to do.

        Args:
            job: the lineage.
        """
        try:
            self._store.remove(job.name)
        except OSError as error:
            logger.warning(
                _("The record of the held certificate {name} could not be removed: {error}").format(
                    name=job.name, error=error
                )
            )

    def _save(self, job: Job) -> None:
        try:
            self._store.save(job.record)
        except OSError as error:
            logger.warning(
                _("The record of the held certificate {name} could not be written: {error}").format(
                    name=job.name, error=error
                )
            )

    def _link(self, job: Job) -> bool:
        """Tells whether the links are forward."""
        record = job.record
        if record.step is Step.HOOKED:
            return True
        record.step = Step.RELEASED
        record.failure = ""
        self._save(job)
        held = record.held
        return held is None or self.attempt(
            [job],
            lambda: _link(job.lineage, held),
            marked(
                "The links of {name} in live/ could not be moved to its new certificate: {error}"
            ),
        )

    def _run_hooks(self, job: Job) -> None:
        """Runs deploy hooks, but those that ran; what failed is run again by the next run."""
        if job.record.step is Step.HOOKED:
            job.ending.hooks = Done.EARLIER
            return
        message = marked("A deploy hook of {name} could not be run: {error}")
        job.ending.hooks = Done.FAILED
        if self.attempt([job], job.run_hooks, message):
            job.ending.hooks = Done.DONE
            job.record.step = Step.HOOKED
            self._save(job)
        if job.has_hooks():
            self._reloads.begun()

    def _install(self, job: Job) -> bool:
        """Configures a first certificate that an interrupted ``certbot run`` did not."""
        if not job.record.install:
            return True
        return self.attempt(
            [job],
            lambda: install(job.record, job.lineage, job.installer()),
            marked(
                "The certificate {name} could not be installed in {server}. Run the command that "
                "ordered it again. The error:\n"
                "{error}"
            ),
            job.server,
        )

    def _reload(self, jobs: Sequence[Job]) -> None:
        """Has the web server reloaded, once for all that share it, and looks at what it serves."""
        views: dict[str, View] = {}
        for job in jobs:
            self._view(job, views)
        sight = Sight(views.values())
        message = marked(
            "{server} could not be reloaded with the new certificates of {names}. Fix its "
            "configuration (to check it: {test}); the next `certbot renew` reloads it. The "
            "error:\n"
            "{error}"
        )
        reloaded = bool(jobs) and self.attempt(
            jobs, lambda: jobs[0].installer().restart(), message, jobs[0].server
        )
        if jobs:
            self._reloads.done(jobs[0].server_key)  # the challenges, too, are out of its memory
        for job in jobs:
            job.ending.reload = Done.DONE if reloaded else Done.FAILED
        if reloaded:
            sight.look()
            for job in jobs:
                self._succeed(job, views.get(job.name))

    def _view(self, job: Job, views: dict[str, View]) -> None:
        """Reads what is needed to look at what visitors of a lineage are served."""

        def view() -> None:
            expected = bool(job.record.install)
            views[job.name] = View.of(job.lineage, job.installer, expected=expected)

        self.attempt([job], view, marked("What {name} serves could not be looked at: {error}"))

    def _succeed(self, job: Job, view: View | None = None) -> None:
        """Forgets a lineage for which nothing is left to do, and says what visitors see of it."""
        with language.of([job.language]):
            if view is not None and view.silent:
                failure = view.failure()
                logger.error(words(failure))
                job.ending.reload = Done.FAILED
                self.fail(job, failure)
            if job.name in self.failures:  # or its hooks: the next run goes on with them
                return
            self.forget(job)
            job.ending.outcome = Outcome.RELEASED
            if view is not None and view.behind:
                view.say()
            elif job.record.in_service is None and not job.earlier:
                return  # a first certificate: Certbot is about to say so
            elif view is not None:
                view.say()
            else:
                display_util.notify(
                    _(
                        "The new certificate of {name} is released, and its deploy hooks were run."
                    ).format(name=job.name)
                )


def _link(lineage: Lineage, version: int) -> None:
    """Moves the links to a version, if that still is sound after the wait.

    Raises:
        OSError: a file cannot be read, or a link not be replaced.
        UnsoundError: the version is damaged; the next run sets it aside.
    """
    soundness.check(lineage, version)
    archive.link_to(lineage, version)
