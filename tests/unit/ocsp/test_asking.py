"""Questions in the background: an answer is there as soon as it is given."""

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
        self.batches: list[dict[Question, Pair]] = []
        self.go = threading.Event()

    def __call__(
        self, items: Mapping[Question, Pair], tell: Callable[[Question, Answer], None], /
    ) -> None:
        self.batches.append(dict(items))
        if A in items:
            tell(A, UNKNOWN)
        slow = [key for key in items if key != A]
        if slow and self.go.wait(60):
            for key in slow:
                tell(key, GOOD)


@pytest.fixture
def asked() -> Asked:
    return Asked()


def collect(asking: Asking, count: int) -> dict[Question, Answer]:
    """Waits until so many have been answered for."""
    answers: dict[Question, Answer] = {}
    end = time.monotonic() + 60
    while len(answers) < count and time.monotonic() < end:
        answers.update(asking.answers(1))
    return answers


def test_all_that_is_asked_is_answered(asked: Asked) -> None:
    asked.go.set()
    asking = Asking(asked)
    asking.ask({A: PAIR, OLD: PAIR})
    assert collect(asking, 2) == {A: UNKNOWN, OLD: GOOD}
    assert asked.batches == [{A: PAIR, OLD: PAIR}]
    assert asking.answers(0) == {}


def test_an_answer_is_there_before_the_slow_ones(asked: Asked) -> None:
    asking = Asking(asked)
    asking.ask({A: PAIR, B: PAIR})
    assert asking.answers(60) == {A: UNKNOWN}
    # Others are asked about meanwhile.
    asking.ask({A: PAIR})
    assert asking.answers(60) == {A: UNKNOWN}
    asked.go.set()
    assert asking.answers(60) == {B: GOOD}


def test_who_waits_is_woken_by_the_answer_and_not_before(asked: Asked) -> None:
    asking = Asking(asked)
    asking.ask({B: PAIR})
    began = time.monotonic()
    assert asking.answers(0.05) == {}
    assert time.monotonic() - began >= 0.05
    threading.Timer(0.2, asked.go.set).start()
    assert asking.answers(60) == {B: GOOD}
    assert time.monotonic() - began < 30


def test_answers_that_came_meanwhile_are_all_there(asked: Asked) -> None:
    asked.go.set()
    asking = Asking(asked)
    asking.ask({B: PAIR, OLD: PAIR})
    end = time.monotonic() + 60
    while asking._answered.qsize() < 2 and time.monotonic() < end:
        time.sleep(0.01)
    assert asking.answers(0) == {B: GOOD, OLD: GOOD}


def test_a_thread_that_fails_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda _args: failed.set())

    def broken(_items: object, tell: Callable[[Question, Answer], None], /) -> None:
        tell(A, GOOD)
        raise MemoryError

    asking = Asking(broken)
    asking.ask({A: PAIR, B: PAIR})
    answers = collect(asking, 2)
    assert answers[A] is GOOD
    assert answers[B].status is Status.UNDETERMINED
    assert answers[B].reason
    assert failed.wait(60)


def test_a_process_can_end_while_questions_are_under_way(asked: Asked) -> None:
    before = {*threading.enumerate()}  # an earlier test's may just be ending
    Asking(asked).ask({B: PAIR})
    (thread,) = {*threading.enumerate()} - before
    assert thread.name == "OCSP round"
    assert thread.daemon
    asked.go.set()
    thread.join(60)
