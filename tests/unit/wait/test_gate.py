"""The wait with a clock that the test moves: schedule, deadlines, groups."""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Callable, Mapping, Sequence

import pytest
from cryptography import x509

from certbot_jprs.ground.exceptions import WaitInterrupted
from certbot_jprs.ocsp.evaluation import Answer, Status
from certbot_jprs.ocsp.questions import Awaited, Pair, Question
from certbot_jprs.wait.gate import Clock, Gate, Result
from tests.unit import pki

CA = pki.world()
ASKABLE = CA.leaf("http://ocsp.example/")
SILENT = CA.leaf()

START = 1_000_000.0


class Time:
    """A clock that moves only when somebody waits, or the test says so."""

    def __init__(self) -> None:
        self.monotonic = 50.0
        self.wall = START

    def pass_by(self, seconds: float) -> None:
        self.monotonic += seconds
        self.wall += seconds

    def clock(self) -> Clock:
        return Clock(lambda: self.monotonic, lambda: self.wall)


Says = Callable[[float], Status]


class Asked:
    """A responder that says at each time what the test laid down.

    Attributes:
        seconds: how long an answer takes.
        one_by_one: whether it answers only one question at a time.
        silent: who is never answered for until it is told otherwise.
    """

    def __init__(self, time: Time, says: Mapping[str, Says]) -> None:
        self.time = time
        self.says = says
        self.seconds = 0.0
        self.one_by_one = False
        self.silent: set[Question] = set()
        self.old: dict[str, Status] = {}
        self.asked: list[tuple[float, Question]] = []
        self.pauses: list[float] = []
        self.on_pause: Callable[[], None] = lambda: None
        self._began = time.monotonic
        self._free = 0.0
        self._coming: list[tuple[float, Question, Answer]] = []

    @property
    def now(self) -> float:
        return self.time.monotonic - self._began

    def ask(self, items: Mapping[Question, Pair], /) -> None:
        assert items
        under_way = {question for _at, question, _answer in self._coming}
        for question in items:
            assert question not in under_way, f"{question} is under way"
            name, which = question
            self.asked.append((self.now, question))
            begins = max(self.now, self._free) if self.one_by_one else self.now
            self._free = begins + self.seconds
            status = self.old.get(name, Status.GOOD) if which != "new" else self.says[name](begins)
            at = math.inf if question in self.silent else self._free
            self._coming.append((at, question, Answer(status, "because")))

    def answers(self, seconds: float, /) -> Mapping[Question, Answer]:
        end = self.now + seconds
        first = min((at for at, _question, _answer in self._coming), default=math.inf)
        if first > self.now:
            pause = min(end, first) - self.now
            self.pauses.append(pause)
            self.time.pass_by(pause)
            self.on_pause()
        ready = [each for each in self._coming if each[0] <= self.now + 1e-9]
        self._coming = [each for each in self._coming if each not in ready]
        return {question: answer for _at, question, answer in ready}

    def answer(self, question: Question, status: Status) -> None:
        """Answers a question that was left open."""
        self.silent.discard(question)
        self._coming = [each for each in self._coming if each[1] != question]
        self._coming.append((self.now, question, Answer(status, "because")))

    def times(self, name: str = "", which: str = "new") -> list[float]:
        """Returns when was asked, about anybody or about one."""
        times = [at for at, (who, what) in self.asked if name in ("", who) and what == which]
        return [round(at, 6) for at in dict.fromkeys(times)]


class Shown:
    """Records what the user would be shown."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[str, ...], float, float]] = []
        self.open = False
        self.hidden = False

    def start(self, names: Sequence[str], age: float, limit: float) -> None:
        self.open = True
        self.calls.append(("start", tuple(names), age, limit))

    def tick(self, names: Sequence[str], age: float, limit: float) -> None:
        assert self.open
        self.hidden = False
        self.calls.append(("tick", tuple(names), age, limit))

    def hide(self) -> None:
        self.hidden = True

    def close(self) -> None:
        self.open = False


class Bench:
    """A gate with all that it works with."""

    def __init__(
        self, timeout: float = 60, interval: float = 10, **says: Callable[[float], Status] | Status
    ) -> None:
        self.time = Time()
        self.asked = Asked(self.time, {name: _always(status) for name, status in says.items()})
        self.shown = Shown()
        self.gate = Gate(
            timeout=timeout,
            interval=interval,
            asking=self.asked,
            progress=self.shown,
            clock=self.time.clock(),
        )

    def settle(self, **saved_ago: float) -> list[dict[str, Result]]:
        return list(self.gate.settle([waits(name, ago) for name, ago in saved_ago.items()]))


def _always(status: Callable[[float], Status] | Status) -> Callable[[float], Status]:
    return (lambda _time: status) if isinstance(status, Status) else status


def waits(name: str, ago: float = 0, certificate: x509.Certificate = ASKABLE) -> Awaited:
    return Awaited(name, certificate, CA.issuer, START - ago)


def good_after(seconds: float, before: Status = Status.UNKNOWN) -> Callable[[float], Status]:
    return lambda time: Status.GOOD if time >= seconds else before


def statuses(groups: list[dict[str, Result]]) -> list[dict[str, Status | None]]:
    return [
        {name: result.answer.status if result.answer else None for name, result in group.items()}
        for group in groups
    ]


@pytest.mark.parametrize("status", [Status.GOOD, Status.REVOKED])
def test_a_final_answer_ends_the_wait_at_once(status: Status) -> None:
    bench = Bench(a=status)
    assert statuses(bench.settle(a=2)) == [{"a": status}]
    assert bench.asked.times() == [0]
    assert bench.asked.pauses == []


@pytest.mark.parametrize("status", [Status.UNKNOWN, Status.UNDETERMINED])
def test_other_answers_end_it_only_when_time_is_up(status: Status) -> None:
    bench = Bench(timeout=25, interval=10, a=status)
    (group,) = bench.settle(a=0)
    assert group["a"].answer == Answer(status, "because")
    assert group["a"].age == 25
    # Every interval, and a last time at the deadline itself.
    assert bench.asked.times() == [0, 10, 20, 25]


def test_it_asks_every_interval_until_good() -> None:
    bench = Bench(interval=10, a=good_after(31, before=Status.UNDETERMINED))
    (group,) = bench.settle(a=5)
    assert bench.asked.times() == [0, 10, 20, 30, 40]
    assert group["a"].age == 45


def test_time_counts_from_when_the_certificate_was_saved() -> None:
    bench = Bench(timeout=60, interval=10, a=Status.UNKNOWN)
    (group,) = bench.settle(a=35)
    assert bench.asked.times() == [0, 10, 20, 25]
    assert group["a"].age == 60


@pytest.mark.parametrize("ago", [60, 61, 1e6])
@pytest.mark.parametrize("status", list(Status))
def test_a_certificate_whose_time_is_up_is_asked_about_once(ago: float, status: Status) -> None:
    bench = Bench(timeout=60, a=status)
    assert statuses(bench.settle(a=ago)) == [{"a": status}]
    assert len(bench.asked.asked) == 1
    assert bench.asked.pauses == []


def test_no_timeout_no_question() -> None:
    bench = Bench(timeout=0, a=Status.GOOD, b=Status.GOOD)
    (group,) = bench.settle(a=0, b=7)
    assert group == {"a": Result(None, 0), "b": Result(None, 7)}
    assert bench.asked.asked == []
    assert bench.shown.calls == []


def test_no_responder_no_question_and_nobody_else_waits_longer_for_it() -> None:
    bench = Bench(a=good_after(15))
    groups = bench.gate.settle([waits("a"), waits("b", certificate=SILENT)])
    assert next(groups) == {"b": Result(None, 0)}
    assert bench.asked.asked == []
    assert statuses(list(groups)) == [{"a": Status.GOOD}]
    assert {question for _at, question in bench.asked.asked} == {("a", "new")}


@pytest.mark.parametrize(
    ("says", "until"),
    [
        (lambda now: Status.GOOD if now >= 25 else Status.UNKNOWN, 120),
        (lambda now: Status.GOOD if now >= 25 else Status.UNDETERMINED, None),
        (lambda now: (Status.UNKNOWN, Status.UNDETERMINED, Status.GOOD)[int(now) // 10], 100),
        (lambda _now: Status.GOOD, None),
    ],
)
def test_it_tells_until_when_the_responder_said_unknown(says: Says, until: float | None) -> None:
    """Counted from when it was saved to when the question was put, not to the answer."""
    bench = Bench(timeout=900, interval=10, a=says)
    bench.asked.seconds = 0.5
    (group,) = bench.gate.settle([waits("a", 100)])
    assert group["a"].unknown_until == (pytest.approx(until, abs=1) if until is not None else None)
    assert group["a"].unknown_until is None or group["a"].unknown_until < group["a"].age - 5


def replacing(name: str, ago: float = 0) -> Awaited:
    return dataclasses.replace(waits(name, ago), in_service=(ASKABLE, CA.issuer))


@pytest.mark.parametrize("status", list(Status))
def test_a_revoked_certificate_in_service_ends_the_wait(status: Status) -> None:
    bench = Bench(a=status)
    bench.asked.old["a"] = Status.REVOKED
    (group,) = bench.gate.settle([replacing("a")])
    unknown_until = 0 if status is Status.UNKNOWN else None
    expected = Result(Answer(status, "because"), 0, True, unknown_until)
    assert group["a"] == expected
    assert bench.asked.pauses == []


@pytest.mark.parametrize("old", [Status.GOOD, Status.UNKNOWN, Status.UNDETERMINED])
def test_any_other_certificate_in_service_is_asked_about_once(old: Status) -> None:
    bench = Bench(timeout=25, interval=10, a=Status.UNKNOWN, b=Status.UNKNOWN)
    bench.asked.old["a"] = old
    (group,) = bench.gate.settle([replacing("a"), waits("b")])
    assert not group["a"].replaces_revoked
    assert bench.asked.times("a")[::2] == [0, 10, 20]
    assert bench.asked.times("a", "in service") == [0]
    assert bench.asked.times("b", "in service") == []


def test_one_in_service_that_names_no_responder_is_not_asked_about() -> None:
    bench = Bench(timeout=5, a=Status.UNKNOWN)
    item = dataclasses.replace(waits("a"), in_service=(SILENT, CA.issuer))
    ((name, result),) = next(bench.gate.settle([item])).items()
    assert (name, result.age) == ("a", 5)
    assert bench.asked.times(which="in service") == []


def test_nothing_to_wait_for() -> None:
    bench = Bench()
    assert bench.settle() == []
    assert bench.shown.calls == []


def test_a_file_from_the_future_counts_as_saved_just_now() -> None:
    bench = Bench(timeout=20, interval=10, a=Status.UNKNOWN)
    (group,) = bench.settle(a=-10_000)
    assert group["a"].age == 20


@pytest.mark.parametrize("jump", [-1e6, 1e6])
def test_a_clock_that_is_set_changes_nothing(jump: float) -> None:
    bench = Bench(timeout=30, interval=10, a=Status.UNKNOWN)

    def set_once() -> None:
        bench.time.wall += jump
        bench.asked.on_pause = lambda: None

    bench.asked.on_pause = set_once
    (group,) = bench.settle(a=0)
    assert group["a"].age == 30
    assert bench.asked.times() == [0, 10, 20, 30]


def test_what_hangs_across_the_deadline_is_not_asked_again() -> None:
    # Ten seconds for each query: the second one ends after the deadline, and that is the end.
    bench = Bench(timeout=14, interval=1, a=Status.UNDETERMINED)
    bench.asked.seconds = 10
    (group,) = bench.settle(a=0)
    assert bench.asked.times() == [0, 10]
    assert group["a"].age == 20


@pytest.mark.parametrize(
    ("says", "seconds", "calls"),
    [
        (Status.GOOD, 0.0, []),
        (Status.GOOD, 0.9, []),
        (Status.GOOD, 2.5, [1]),
        (good_after(20), 0.0, [0]),
        (good_after(20), 0.5, [0.5]),
    ],
)
def test_what_is_done_meanwhile_is_done_once_and_only_where_nothing_is_ready(
    says: Says | Status, seconds: float, calls: list[float]
) -> None:
    bench = Bench(a=says)
    bench.asked.seconds = seconds
    at: list[float] = []

    def meanwhile() -> None:
        assert bench.shown.hidden  # it may write
        at.append(bench.asked.now)

    list(bench.gate.settle([waits("a")], meanwhile))
    assert at == calls


def test_one_answer_of_several_is_no_sign_of_a_wait() -> None:
    bench = Bench(a=Status.UNKNOWN, b=Status.GOOD)
    bench.asked.one_by_one, bench.asked.seconds = True, 0.4
    called: list[float] = []
    groups = bench.gate.settle([waits("a"), waits("b")], lambda: called.append(bench.asked.now))
    assert statuses([next(groups)]) == [{"b": Status.GOOD}]
    assert bench.asked.now == pytest.approx(0.8)
    assert called == []
    groups.close()


def test_several_become_ready_in_groups() -> None:
    bench = Bench(
        timeout=30,
        interval=10,
        a=good_after(10),
        b=good_after(20),
        c=good_after(10),
        d=Status.UNKNOWN,
        e=Status.REVOKED,
    )
    groups = bench.settle(a=0, b=0, c=0, d=0, e=0)
    assert statuses(groups) == [
        {"e": Status.REVOKED},
        {"a": Status.GOOD, "c": Status.GOOD},
        {"b": Status.GOOD},
        {"d": Status.UNKNOWN},
    ]
    assert bench.asked.times("a")[-1] == bench.asked.times("c")[-1] < 20


def test_what_is_ready_waits_a_moment_for_what_is_under_way() -> None:
    bench = Bench(a=Status.GOOD, b=Status.GOOD, c=Status.GOOD, d=Status.GOOD)
    bench.asked.seconds, bench.asked.one_by_one = 0.4, True
    groups = bench.settle(a=0, b=0, c=0, d=0)
    assert [list(group) for group in groups] == [["a", "b", "c"], ["d"]]
    assert bench.asked.now == pytest.approx(1.6)
    # No moment for nothing: where no answer is under way, what is ready is used at once.
    assert Bench(a=Status.GOOD, b=Status.GOOD).settle(a=0, b=0)[0].keys() == {"a", "b"}


def test_five_and_a_slow_responder_that_answers_one_by_one() -> None:
    # Once, each answer later than a second lay there for a whole interval.
    names = "abcde"
    bench = Bench(timeout=900, interval=10, **{name: good_after(21) for name in names})
    bench.asked.seconds, bench.asked.one_by_one = 0.3, True
    ends = {}
    for group in bench.gate.settle([waits(name) for name in names]):
        ends.update(dict.fromkeys(group, bench.asked.now))
    assert sorted(ends) == list(names)
    assert max(ends.values()) < 21 + 2 + 5 * 0.3 + 1


def test_each_has_a_deadline_of_its_own() -> None:
    bench = Bench(timeout=30, interval=10, a=Status.UNKNOWN, b=Status.UNDETERMINED)
    groups = bench.settle(a=25, b=0)
    assert [{name: round(result.age) for name, result in group.items()} for group in groups] == [
        {"a": 30},
        {"b": 30},
    ]
    assert bench.asked.times("a") == [0, 5]
    assert bench.asked.times("b")[-1] == 30


def test_the_callers_time_counts_too() -> None:
    bench = Bench(timeout=30, interval=10, a=Status.GOOD, b=Status.UNKNOWN)
    groups = bench.gate.settle([waits("a"), waits("b")])
    next(groups)
    asked = len(bench.asked.asked)
    bench.time.pass_by(100)
    assert statuses(list(groups)) == [{"b": Status.UNKNOWN}]
    assert bench.asked.asked[asked:] == [(100, ("b", "new"))]


def test_progress_is_shown_each_second_and_out_of_the_way_when_the_caller_writes() -> None:
    bench = Bench(timeout=60, interval=2, a=good_after(2), b=good_after(4))
    groups = bench.gate.settle([waits("a", 3), waits("b", 8)])
    assert bench.shown.calls == []
    next(groups)
    assert bench.shown.hidden
    # The youngest decides how long it may take; a's age is shown, for as long as it waits.
    assert bench.shown.calls == [
        ("start", ("b", "a"), 3, 60),
        ("tick", ("b", "a"), 4, 60),
        ("tick", ("b", "a"), 5, 60),
    ]
    next(groups)
    assert not bench.shown.open
    assert bench.shown.calls[3] == ("tick", ("b",), 11, 60)
    assert list(groups) == []
    assert max(bench.asked.pauses) <= 1


def test_progress_is_closed_when_the_caller_stops_early() -> None:
    bench = Bench(a=Status.GOOD, b=Status.UNKNOWN)
    groups = bench.gate.settle([waits("a"), waits("b")])
    next(groups)
    assert bench.shown.open
    groups.close()
    assert not bench.shown.open


def test_progress_is_closed_when_asking_fails() -> None:
    bench = Bench(a=Status.UNKNOWN)

    def interrupted() -> None:
        raise WaitInterrupted("enough")

    bench.asked.on_pause = interrupted
    with pytest.raises(WaitInterrupted):
        bench.settle(a=0)
    assert not bench.shown.open


def test_a_certificate_may_have_a_time_of_its_own() -> None:
    bench = Bench(timeout=60, interval=10, a=Status.UNKNOWN, b=Status.UNKNOWN, c=Status.GOOD)
    mine = [
        dataclasses.replace(waits("a"), timeout=15),
        waits("b", 45),
        dataclasses.replace(waits("c"), timeout=0),
    ]
    groups = list(bench.gate.settle(mine))
    assert [{name: result.age for name, result in group.items()} for group in groups] == [
        {"c": 0},
        {"a": 15, "b": 60},
    ]
    assert bench.asked.times("a")[-1] == bench.asked.times("b")[-1] == 15
    assert bench.shown.calls[0] == ("start", ("b", "a"), 45, 60)


def test_one_whose_query_hangs_holds_up_no_other() -> None:
    bench = Bench(timeout=25, interval=10, a=good_after(10), b=Status.UNDETERMINED)
    bench.asked.silent = {("b", "new")}
    groups = bench.gate.settle([waits("a"), waits("b")])
    first = next(groups)
    # One second, for what is under way may be ready too.
    assert (list(first), first["a"].age, bench.asked.now) == (["a"], 10, 11)
    bench.time.pass_by(30)
    bench.asked.answer(("b", "new"), Status.UNDETERMINED)
    # Its time is over: it is not asked again.
    assert next(groups)["b"].age == 41
    assert bench.asked.times("b") == [0]


def test_the_one_in_service_is_asked_about_once_and_its_late_answer_counts() -> None:
    bench = Bench(timeout=60, interval=10, a=Status.UNKNOWN)
    old: Question = ("a", "in service")
    bench.asked.silent = {old}

    def revoked() -> None:
        if bench.asked.now >= 7:
            bench.asked.on_pause = lambda: None
            bench.asked.answer(old, Status.REVOKED)

    bench.asked.on_pause = revoked
    (group,) = bench.gate.settle([replacing("a")])
    assert group["a"].replaces_revoked
    assert bench.asked.now == 7
    assert bench.asked.times("a", "in service") == [0]


def test_an_unknown_one_is_not_judged_before_the_one_in_service_is_known() -> None:
    bench = Bench(timeout=5, interval=10, a=Status.UNKNOWN, b=Status.UNDETERMINED)
    late: list[Question] = [("a", "in service"), ("b", "in service")]
    bench.asked.silent = set(late)

    def answer() -> None:
        if bench.asked.now >= 8:
            bench.asked.on_pause = lambda: None
            bench.asked.answer(late[0], Status.REVOKED)

    bench.asked.on_pause = answer
    first, second = bench.gate.settle([replacing("a"), replacing("b")])
    # What becomes of an undetermined one does not depend on it.
    assert (list(first), first["b"].age) == (["b"], 5)
    assert (list(second), second["a"].age) == (["a"], 8)
    assert second["a"].replaces_revoked
    assert bench.asked.times("a") == [0, 5]


def test_each_answer_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    Bench(a=Status.GOOD).settle(a=0)
    assert caplog.messages == ["OCSP status of a (new): GOOD (because)"]
