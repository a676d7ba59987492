"""Asking about a fleet in the background, so that an answer is there as soon as it is given.

Rules of this file: every question is answered within bounded time, whatever becomes of the thread
that asks it; no answer is ever made up but ``UNDETERMINED``.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from typing import Callable, Protocol

from certbot_jprs.ground.language import marked
from certbot_jprs.ground.said import Said
from certbot_jprs.ocsp.evaluation import Answer, Status
from certbot_jprs.ocsp.questions import Pair, Question


class Asker(Protocol):
    """Asks, and tells each answer as it comes, as ``Responder.ask_all`` does."""

    def __call__(
        self, items: Mapping[Question, Pair], tell: Callable[[Question, Answer], None], /
    ) -> object:
        """Tells an answer for each of the questions, within bounded time."""


class Asking:
    """Questions that are under way, and their answers.

    Args:
        ask: asks; in a thread of its own for those that are asked together.
    """

    def __init__(self, ask: Asker) -> None:
        self._ask = ask
        self._answered: queue.SimpleQueue[tuple[Question, Answer]] = queue.SimpleQueue()

    def ask(self, items: Mapping[Question, Pair]) -> None:
        """Begins to ask.

        Args:
            items: what is to be known, and is not under way.
        """
        threading.Thread(target=self._work, args=(items,), name="OCSP round", daemon=True).start()

    def answers(self, seconds: float) -> dict[Question, Answer]:
        """Returns the answers that have come since the last call.

        Args:
            seconds: how long to wait for one where there is none.
        """
        answers = {}
        try:
            key, answer = self._answered.get(timeout=seconds)
            while True:
                answers[key] = answer
                key, answer = self._answered.get_nowait()
        except queue.Empty:
            return answers

    def _work(self, items: Mapping[Question, Pair]) -> None:
        told = set()

        def tell(key: Question, answer: Answer) -> None:
            told.add(key)
            self._answered.put((key, answer))

        try:
            self._ask(items, tell)
        finally:  # whatever became of this thread, nobody waits for it for ever
            for key in items.keys() - told:
                tell(key, Answer(Status.UNDETERMINED, Said(marked("the query was not completed"))))
