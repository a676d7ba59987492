"""Rounds of questions: quick answers are not kept waiting by slow ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

import pytest

from certbot_jprs.ocsp.asking import Asking
from certbot_jprs.ocsp.evaluation import Answer, Status
from certbot_jprs.ocsp.questions import Pair, Question
from tests.unit import pki

CA = pki.world()
PAIR = (CA.leaf(), CA.issuer)
GOOD = Answer(Status.GOOD, "")
UNKNOWN = Answer(Status.UNKNOWN, "")

A: Question = ("a", "new")
B: Question = ("b", "new")
OLD: Question = ("b", "in service")


class Asked:
    """A responder that answers for ``a`` at once, and for all else when it is let go."""

    def __init__(self) -> None:
        self.batches: list[set[Question]] = []
        self.go = threading.Event()

    def __call__(
        self, items: Mapping[Question, Pair], tell: Callable[[Question, Answer], None], /
    ) -> None:
        self.batches.append(set(items))
        if A in items:
            tell(A, UNKNOWN)
        slow = [key for key in items if key != A]
        if slow and self.go.wait(10):
            for key in slow:
                tell(key, GOOD)


@pytest.fixture
def asked() -> Asked:
    return Asked()


def test_all_that_answer_at_once_are_in_the_round(asked: Asked) -> None:
    asked.go.set()
    asking = Asking(asked, patience=5)
    assert asking({A: PAIR, B: PAIR}) == {A: UNKNOWN, B: GOOD}
    assert asking({A: PAIR}) == {A: UNKNOWN}
    assert asked.batches == [{A, B}, {A}]
    assert asking({}) == {}


def test_a_slow_one_is_heard_in_a_later_round_and_asked_once(asked: Asked) -> None:
    asking = Asking(asked, patience=0.05)
    for _ in range(2):
        began = time.monotonic()
        assert asking({A: PAIR, B: PAIR}) == {A: UNKNOWN}
        assert time.monotonic() - began < 2
    asked.go.set()
    assert asking({B: PAIR}) == {B: GOOD}
    assert asked.batches == [{A, B}, {A}]


def test_where_none_is_quick_the_round_is_as_long_as_the_quickest_takes(asked: Asked) -> None:
    asking = Asking(asked, patience=0.01)
    threading.Timer(0.2, asked.go.set).start()
    began = time.monotonic()
    assert B in asking({B: PAIR, OLD: PAIR})
    assert time.monotonic() - began > 0.15


def test_an_answer_that_nobody_asks_for_any_more_is_let_go(asked: Asked) -> None:
    asking = Asking(asked, patience=0.01)
    assert asking({A: PAIR, OLD: PAIR}) == {A: UNKNOWN}
    asked.go.set()
    assert asking({A: PAIR}) == {A: UNKNOWN}
    assert asking({B: PAIR}) == {B: GOOD}


def test_a_thread_that_fails_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda _args: failed.set())

    def broken(_items: object, tell: Callable[[Question, Answer], None], /) -> None:
        tell(A, GOOD)
        raise MemoryError

    answers = Asking(broken, patience=5)({A: PAIR, B: PAIR})
    assert answers[A] is GOOD
    assert answers[B].status is Status.UNDETERMINED
    assert failed.wait(5)
