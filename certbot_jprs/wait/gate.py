"""The wait: schedule and deadline.

Rules of this file:

- Four outcomes are never mixed up, and an answer that could not be verified ends nothing early.
- Time is counted from when a certificate was saved (its file in ``archive/``), never from its
  notBefore, which CAs set back; a certificate whose time is up is still asked about once.
- The wait measures with a monotonic clock, so that a clock set back cannot prolong it.
- A certificate's time is up when an answer comes after its deadline: a last query begins at the
  deadline, and one that hangs then must not be followed by another.
- Ctrl-C, SIGTERM and SIGHUP end the wait at once, and never what the caller does with a group.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable, Protocol

from certbot_jprs.ocsp.evaluation import Answer, Status, responder_urls
from certbot_jprs.ocsp.questions import Awaited, Pair, Question
from certbot_jprs.wait.interrupts import Interrupts

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """How the wait for one certificate ended.

    Attributes:
        answer: the last answer; None where nothing was asked (no OCSP URL, or no wait wanted).
        age: seconds since the certificate was saved.
        replaces_revoked: whether the certificate in service was found to be revoked.
    """

    answer: Answer | None
    age: float
    replaces_revoked: bool = False


class Asker(Protocol):
    """Asks about several certificates side by side, as ``Responder.ask_all`` does."""

    def __call__(self, items: Mapping[Question, Pair], /) -> Mapping[Question, Answer]:
        """Returns answers, one at least, within bounded time; no answer: it is still asked."""


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
        pause: waits.
    """

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    pause: Callable[[float], Any] = time.sleep


class _Waiting:
    """One certificate on its way through the wait."""

    def __init__(self, awaited: Awaited, now: float, wall: float, timeout: float) -> None:
        self.awaited = awaited
        self.timeout = timeout if awaited.timeout is None else awaited.timeout
        # A file from the future (the clock was set back) counts as written just now.
        self.born = now - max(0.0, wall - awaited.saved_at)
        # Asked about once, beside the first question about the new one: it costs no time then.
        self.in_service = awaited.in_service
        self.replaces_revoked = False

    def age(self, now: float) -> float:
        return now - self.born


class Gate:
    """Holds certificates until the OCSP responder answers for them, or their time is up.

    Args:
        timeout: longest wait in seconds from a certificate's saving; 0 waits and asks not at all.
            A certificate may have one of its own.
        interval: pause between two rounds of queries, in seconds.
        ask: asks about all certificates that still wait.
        progress: shows the wait.
        clock: the time.
    """

    def __init__(
        self,
        *,
        timeout: float,
        interval: float,
        ask: Asker,
        progress: Progress,
        clock: Clock | None = None,
    ) -> None:
        self._timeout = timeout
        self._interval = interval
        self._ask = ask
        self._progress = progress
        self._clock = clock or Clock()

    def settle(self, awaited: Sequence[Awaited]) -> Generator[dict[str, Result], None, None]:
        """Waits for certificates side by side.

        While the caller works on a group, signals are kept; they end the wait when the next
        group is asked for, or, after the last one, reach the handlers that were there before.
        Whoever may not take all groups has to close the iterator (``contextlib.closing``).

        Args:
            awaited: the certificates; their names differ.

        Yields:
            Groups of certificates, by name, whose wait ended at the same time. Each
            certificate is in exactly one group.

        Raises:
            WaitInterrupted: a signal ended the wait; certificates not yet yielded still wait.
        """
        now, wall = self._clock.monotonic(), self._clock.wall()
        waiting = {item.name: _Waiting(item, now, wall, self._timeout) for item in awaited}
        unasked = {
            name: Result(None, one.age(now))
            for name, one in waiting.items()
            if one.timeout == 0 or not responder_urls(one.awaited.certificate)
        }
        for name in unasked:
            del waiting[name]
        with Interrupts() as interrupts:
            if unasked:
                yield unasked
            if not waiting:
                return
            self._show(self._progress.start, waiting)
            try:
                while waiting:
                    with interrupts.listening():
                        ready = self._round(waiting)
                    if ready:
                        (self._progress.hide if waiting else self._progress.close)()
                        yield ready
                    if waiting:
                        with interrupts.listening():
                            self._sleep(waiting)
            finally:
                self._progress.close()

    def _round(self, waiting: dict[str, _Waiting]) -> dict[str, Result]:
        """Asks once about all that wait, and takes out of ``waiting`` what is settled."""
        questions: dict[Question, Pair] = {}
        for name, one in waiting.items():
            questions[name, "new"] = (one.awaited.certificate, one.awaited.issuer)
            if one.in_service is not None:
                questions[name, "in service"] = one.in_service
        answers = self._ask(questions)
        now = self._clock.monotonic()
        ready = {}
        for name, one in waiting.items():
            old = answers.get((name, "in service"))
            if old is not None:
                one.in_service = None
                one.replaces_revoked = old.status is Status.REVOKED
            answer = answers.get((name, "new"))
            if answer is None:  # its query is under way, and ends in time
                continue
            logger.debug(
                "OCSP status of %s after %.1f s: %s (%s)",
                name,
                one.age(now),
                answer.status.name,
                answer.reason,
            )
            final = answer.status in (Status.GOOD, Status.REVOKED)
            if final or one.replaces_revoked or one.age(now) >= one.timeout:
                ready[name] = Result(answer, one.age(now), one.replaces_revoked)
        for name in ready:
            del waiting[name]
        return ready

    def _sleep(self, waiting: dict[str, _Waiting]) -> None:
        """Pauses until the next round, or the next deadline if that is sooner."""
        now = self._clock.monotonic()
        until = now + self._interval
        for one in waiting.values():
            until = min(until, one.born + one.timeout)
        while now < until:
            self._clock.pause(min(1.0, until - now))
            now = self._clock.monotonic()
            self._show(self._progress.tick, waiting)

    def _show(
        self, show: Callable[[Sequence[str], float, float], None], waiting: dict[str, _Waiting]
    ) -> None:
        last = max(waiting.values(), key=lambda one: one.born + one.timeout)
        show(list(waiting), last.age(self._clock.monotonic()), last.timeout)
