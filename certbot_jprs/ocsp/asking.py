"""Asking about a fleet so that a responder that is slow about one delays no other.

Rules of this file: a question is put once at a time; who has no answer yet is heard in a later
round, and its answer is never made up.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Mapping
from typing import Callable, Protocol

from certbot_jprs.ocsp.evaluation import Answer, Status
from certbot_jprs.ocsp.questions import Pair, Question

PATIENCE = 1.0
"""Seconds that a round goes on, once one has answered, for the others."""


class Asker(Protocol):
    """Asks, and tells each answer as it comes, as ``Responder.ask_all`` does."""

    def __call__(
        self, items: Mapping[Question, Pair], tell: Callable[[Question, Answer], None], /
    ) -> object:
        """Tells an answer for each of the questions, within bounded time."""


class Asking:
    """Rounds of questions, each as long as its quick answers take.

    Args:
        ask: asks; in a thread of its own.
        patience: as ``PATIENCE``.
    """

    def __init__(self, ask: Asker, patience: float = PATIENCE) -> None:
        self._ask = ask
        self._patience = patience
        self._under_way: set[Question] = set()
        self._answered: queue.SimpleQueue[tuple[Question, Answer]] = queue.SimpleQueue()

    def __call__(self, items: Mapping[Question, Pair]) -> dict[Question, Answer]:
        """Asks what is not being asked yet.

        Args:
            items: what is to be known.

        Returns:
            The answers that are there, one at least; the others' questions are under way.
        """
        fresh = {key: pair for key, pair in items.items() if key not in self._under_way}
        if fresh:
            self._under_way |= set(fresh)
            threading.Thread(
                target=self._work, args=(fresh,), name="OCSP round", daemon=True
            ).start()
        answers: dict[Question, Answer] = {}
        end = time.monotonic() + self._patience
        while len(answers) < len(items):
            # As long as none has answered, nobody is kept waiting by the others.
            left = max(0.0, end - time.monotonic()) if answers else None
            try:
                key, answer = self._answered.get(timeout=left)
            except queue.Empty:
                break
            self._under_way.discard(key)
            if key in items:
                answers[key] = answer
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
                tell(key, Answer(Status.UNDETERMINED, "the query was not completed"))
