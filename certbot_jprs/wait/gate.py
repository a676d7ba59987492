"""The wait: until an answer is there, or the time is up.

Rules of this file:

- Four outcomes are never mixed up, and an answer that could not be verified ends nothing early.
- Time is counted from when a certificate was saved (its file in ``archive/``), never from its
  notBefore, which CAs set back; a certificate whose time is up is still asked about once.
- The wait measures with a monotonic clock, so that a clock set back cannot prolong it.
- A certificate's time is up when an answer comes after its deadline: a last query begins at the
  deadline, and one that hangs then must not be followed by another.
- An answer is used when it is there. What is ready waits a second at most for what else is asked.
- Whom to ask about when is in ``schedule.py``.
- Ctrl-C, SIGTERM and SIGHUP end the wait at once, and never what the caller does with a group.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Callable, Protocol

from certbot_jprs.ocsp.evaluation import Answer, responder_urls
from certbot_jprs.ocsp.questions import Awaited, Pair, Question
from certbot_jprs.wait.interrupts import Interrupts
from certbot_jprs.wait.schedule import Schedule, Waiting

logger = logging.getLogger(__name__)

TICK = 1.0
"""Seconds after which the user sees that time goes by."""

PATIENCE = 1.0
"""Seconds that what is ready waits for the answers that are under way: one reload for all."""


@dataclass(frozen=True)
class Result:
    """How the wait for one certificate ended.

    Attributes:
        answer: the last answer; None where nothing was asked (no OCSP URL, or no wait wanted).
        age: seconds since the certificate was saved.
        replaces_revoked: whether the certificate in service was found to be revoked.
        unknown_until: its age in seconds when the responder was last asked and did not know it;
            None where it never said so.
    """

    answer: Answer | None
    age: float
    replaces_revoked: bool = False
    unknown_until: float | None = None


class Asker(Protocol):
    """Asks about several certificates side by side, as ``Asking`` does."""

    def ask(self, items: Mapping[Question, Pair], /) -> None:
        """Begins to ask; each question is answered within bounded time."""

    def answers(self, seconds: float, /) -> Mapping[Question, Answer]:
        """Returns the answers that have come; where there are none, the next one in a while."""


class Progress(Protocol):
    """Shows the user what is awaited."""

    def start(self, names: Sequence[str], age: float, limit: float) -> None:
        """The wait begins, ``age`` seconds after the certificates were saved."""

    def tick(self, names: Sequence[str], age: float, limit: float) -> None:
        """About a second has passed."""

    def hide(self) -> None:
        """Others will write, until the next tick."""

    def close(self) -> None:
        """The wait is over, in whatever way."""


@dataclass(frozen=True)
class Clock:
    """Time, in seconds.

    Attributes:
        monotonic: the time since some start, which never goes back.
        wall: the time since the epoch.
    """

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


class Gate:
    """Holds certificates until the OCSP responder answers for them, or their time is up.

    Args:
        timeout: longest wait in seconds from a certificate's saving; 0 waits and asks not at all.
            A certificate may have one of its own.
        interval: pause between two queries about a certificate, in seconds.
        asking: asks.
        progress: shows the wait.
        clock: the time.
    """

    def __init__(
        self,
        *,
        timeout: float,
        interval: float,
        asking: Asker,
        progress: Progress,
        clock: Clock | None = None,
    ) -> None:
        self._timeout = timeout
        self._interval = interval
        self._asking = asking
        self._progress = progress
        self._meanwhile: Callable[[], None] | None = None
        self._clock = clock or Clock()

    def settle(
        self, awaited: Sequence[Awaited], meanwhile: Callable[[], None] | None = None
    ) -> Generator[dict[str, Result], None, None]:
        """Waits for certificates side by side.

        While the caller works on a group, signals are kept; they end the wait when the next
        group is asked for, or, after the last one, reach the handlers that were there before.
        Whoever may not take all groups has to close the iterator (``contextlib.closing``).

        Args:
            awaited: the certificates; their names differ.
            meanwhile: is called once, as soon as nothing is ready though all that was asked is
                answered, or a second has passed.

        Yields:
            Groups of certificates, by name, whose wait ended at the same time. Each
            certificate is in exactly one group.

        Raises:
            WaitInterrupted: a signal ended the wait; certificates not yet yielded still wait.
        """
        self._meanwhile = meanwhile
        now, wall = self._clock.monotonic(), self._clock.wall()
        all_of_them = [Waiting(item, now, wall, self._timeout) for item in awaited]
        unasked = [
            one for one in all_of_them if one.timeout == 0 or not responder_urls(one.pair[0])
        ]
        schedule = Schedule([one for one in all_of_them if one not in unasked], self._interval)
        with Interrupts() as interrupts:
            if unasked:
                yield {one.name: Result(None, one.age(now)) for one in unasked}
            if not schedule.waiting:
                return
            self._show(self._progress.start, schedule)
            try:
                while schedule.waiting:
                    ready = self._next(schedule, interrupts)
                    (self._progress.hide if schedule.waiting else self._progress.close)()
                    yield ready
            finally:
                self._progress.close()

    def _next(self, schedule: Schedule, interrupts: Interrupts) -> dict[str, Result]:
        """Asks until some are settled, and for a moment longer whether others are too.

        A signal is heard only while answers are waited for: raised elsewhere, ``logging`` would
        swallow it, and a thread that starts leave a lock behind that is not ours to release.
        """
        ready: dict[str, Result] = {}
        began = shown_at = self._clock.monotonic()
        end = math.inf
        while schedule.waiting:
            now = self._clock.monotonic()
            questions = schedule.due(now)
            if questions:
                self._asking.ask(questions)
            if ready and (now >= end or not schedule.is_under_way()):
                break
            seconds = min(TICK, schedule.pause(now), max(0.0, end - now))
            with interrupts.listening():
                answers = self._asking.answers(seconds)
            now = self._clock.monotonic()
            for one in schedule.heard(answers, now):
                ready[one.name] = Result(
                    one.answer, one.age(now), one.replaces_revoked, one.unknown_until
                )
            self._log(answers)
            if ready and end == math.inf:
                end = now + PATIENCE
            is_clear = now - began >= TICK or not schedule.is_under_way()
            if not ready and is_clear and self._meanwhile is not None:
                self._progress.hide()
                once, self._meanwhile = self._meanwhile, None
                once()
                logger.debug("Nothing is ready yet: the wait goes on")
            if now - shown_at >= TICK and schedule.waiting:
                shown_at = now
                self._show(self._progress.tick, schedule)
        return ready

    def _log(self, answers: Mapping[Question, Answer]) -> None:
        for (name, which), answer in answers.items():
            logger.debug(
                "OCSP status of %s (%s): %s (%s)", name, which, answer.status.name, answer.reason
            )

    def _show(
        self, show: Callable[[Sequence[str], float, float], None], schedule: Schedule
    ) -> None:
        last = max(schedule.waiting.values(), key=lambda one: one.deadline)
        show(list(schedule.waiting), last.age(self._clock.monotonic()), last.timeout)
