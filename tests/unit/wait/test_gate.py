"""The wait with a clock that the test moves: schedule, deadlines, groups."""

from __future__ import annotations

import dataclasses
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
        self.pauses: list[float] = []
        self.on_pause: Callable[[], None] = lambda: None

    def pass_by(self, seconds: float) -> None:
        self.monotonic += seconds
        self.wall += seconds

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.pass_by(seconds)
        self.on_pause()

    def clock(self) -> Clock:
        return Clock(lambda: self.monotonic, lambda: self.wall, self._pause)


class Asked:
    """A responder that says at each time what the test laid down."""

    def __init__(self, time: Time, says: Mapping[str, Callable[[float], Status]]) -> None:
        self.time = time
        self.says = says
        self.seconds = 0.0
        self.old = Status.GOOD
        self.asked_about_old: list[str] = []
        self.rounds: list[tuple[float, tuple[str, ...]]] = []

    def __call__(self, items: Mapping[Question, Pair], /) -> Mapping[Question, Answer]:
        began = self.time.wall - START
        self.rounds.append((began, tuple(name for name, which in items if which == "new")))
        self.asked_about_old += [name for name, which in items if which != "new"]
        self.time.pass_by(self.seconds)
        return {
            (name, which): Answer(self.says[name](began) if which == "new" else self.old, "because")
            for name, which in items
        }

    @property
    def times(self) -> list[float]:
        return [time for time, _names in self.rounds]


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
            ask=self.asked,
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
    assert bench.asked.times == [0]
    assert bench.time.pauses == []


@pytest.mark.parametrize("status", [Status.UNKNOWN, Status.UNDETERMINED])
def test_other_answers_end_it_only_when_time_is_up(status: Status) -> None:
    bench = Bench(timeout=25, interval=10, a=status)
    (group,) = bench.settle(a=0)
    assert group["a"].answer == Answer(status, "because")
    assert group["a"].age == 25
    # Every interval, and a last time at the deadline itself.
    assert bench.asked.times == [0, 10, 20, 25]


def test_it_asks_every_interval_until_good() -> None:
    bench = Bench(interval=10, a=good_after(31, before=Status.UNDETERMINED))
    (group,) = bench.settle(a=5)
    assert bench.asked.times == [0, 10, 20, 30, 40]
    assert group["a"].age == 45


def test_time_counts_from_when_the_certificate_was_saved() -> None:
    bench = Bench(timeout=60, interval=10, a=Status.UNKNOWN)
    (group,) = bench.settle(a=35)
    assert bench.asked.times == [0, 10, 20, 25]
    assert group["a"].age == 60


@pytest.mark.parametrize("ago", [60, 61, 1e6])
@pytest.mark.parametrize("status", list(Status))
def test_a_certificate_whose_time_is_up_is_asked_about_once(ago: float, status: Status) -> None:
    bench = Bench(timeout=60, a=status)
    assert statuses(bench.settle(a=ago)) == [{"a": status}]
    assert len(bench.asked.rounds) == 1
    assert bench.time.pauses == []


def test_no_timeout_no_question() -> None:
    bench = Bench(timeout=0, a=Status.GOOD, b=Status.GOOD)
    (group,) = bench.settle(a=0, b=7)
    assert group == {"a": Result(None, 0), "b": Result(None, 7)}
    assert bench.asked.rounds == []
    assert bench.shown.calls == []


def test_no_responder_no_question_and_nobody_else_waits_longer_for_it() -> None:
    bench = Bench(a=good_after(15))
    groups = bench.gate.settle([waits("a"), waits("b", certificate=SILENT)])
    assert next(groups) == {"b": Result(None, 0)}
    assert bench.asked.rounds == []
    assert statuses(list(groups)) == [{"a": Status.GOOD}]
    assert all(names == ("a",) for _time, names in bench.asked.rounds)


def replacing(name: str, ago: float = 0) -> Awaited:
    return dataclasses.replace(waits(name, ago), in_service=(ASKABLE, CA.issuer))


@pytest.mark.parametrize("status", list(Status))
def test_a_revoked_certificate_in_service_ends_the_wait(status: Status) -> None:
    bench = Bench(a=status)
    bench.asked.old = Status.REVOKED
    (group,) = bench.gate.settle([replacing("a")])
    assert group["a"] == Result(Answer(status, "because"), 0, replaces_revoked=True)
    assert bench.time.pauses == []


@pytest.mark.parametrize("old", [Status.GOOD, Status.UNKNOWN, Status.UNDETERMINED])
def test_any_other_certificate_in_service_is_asked_about_once(old: Status) -> None:
    bench = Bench(timeout=25, interval=10, a=Status.UNKNOWN, b=Status.UNKNOWN)
    bench.asked.old = old
    (group,) = bench.gate.settle([replacing("a"), waits("b")])
    assert not group["a"].replaces_revoked
    assert bench.asked.times == [0, 10, 20, 25]
    assert bench.asked.asked_about_old == ["a"]


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
        bench.time.on_pause = lambda: None

    bench.time.on_pause = set_once
    (group,) = bench.settle(a=0)
    assert group["a"].age == 30
    assert len(bench.asked.rounds) == 4


def test_what_hangs_across_the_deadline_is_not_asked_again() -> None:
    # Ten seconds for each query: the second one ends after the deadline, and that is the end.
    bench = Bench(timeout=14, interval=1, a=Status.UNDETERMINED)
    bench.asked.seconds = 10
    (group,) = bench.settle(a=0)
    assert bench.asked.times == [0, 11]
    assert group["a"].age == 21


def test_several_become_ready_in_groups_and_are_asked_about_together() -> None:
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
    assert [names for _time, names in bench.asked.rounds] == [
        ("a", "b", "c", "d", "e"),
        ("a", "b", "c", "d"),
        ("b", "d"),
        ("d",),
    ]


def test_each_has_a_deadline_of_its_own() -> None:
    bench = Bench(timeout=30, interval=10, a=Status.UNKNOWN, b=Status.UNDETERMINED)
    groups = bench.settle(a=25, b=0)
    assert [{name: round(result.age) for name, result in group.items()} for group in groups] == [
        {"a": 30},
        {"b": 30},
    ]
    # At 5 s, a's deadline; then each interval from there.
    assert bench.asked.times == [0, 5, 15, 25, 30]


def test_the_callers_time_counts_too() -> None:
    bench = Bench(timeout=30, interval=10, a=Status.GOOD, b=Status.UNKNOWN)
    groups = bench.gate.settle([waits("a"), waits("b")])
    next(groups)
    bench.time.pass_by(100)
    assert statuses(list(groups)) == [{"b": Status.UNKNOWN}]
    assert bench.asked.times == [0, 100]


def test_progress_is_shown_each_second_and_out_of_the_way_when_the_caller_writes() -> None:
    bench = Bench(timeout=60, interval=2.5, a=good_after(2), b=good_after(4))
    groups = bench.gate.settle([waits("a", 3), waits("b", 8)])
    assert bench.shown.calls == []
    next(groups)
    assert bench.shown.hidden
    # The youngest decides how long it may take; a's age is shown, for as long as it waits.
    assert bench.shown.calls == [
        ("start", ("a", "b"), 3, 60),
        ("tick", ("a", "b"), 4, 60),
        ("tick", ("a", "b"), 5, 60),
        ("tick", ("a", "b"), 5.5, 60),
    ]
    next(groups)
    assert not bench.shown.open
    assert bench.shown.calls[4] == ("tick", ("b",), 11.5, 60)
    assert list(groups) == []
    assert max(bench.time.pauses) <= 1


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

    bench.time.on_pause = interrupted
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
    assert bench.asked.times == [0, 10, 15]
    assert bench.shown.calls[0] == ("start", ("a", "b"), 0, 15)


def test_one_whose_query_is_under_way_holds_up_no_other() -> None:
    bench = Bench(timeout=25, interval=10, a=good_after(10), b=Status.UNDETERMINED)
    inner = bench.gate._ask

    def slow_about_b(items: Mapping[Question, Pair], /) -> Mapping[Question, Answer]:
        answers = dict(inner(items))
        if bench.time.wall - START < 40:
            bench.time.pass_by(1)
            answers.pop(("b", "new"), None)
        return answers

    bench.gate._ask = slow_about_b
    (first, second) = bench.gate.settle([waits("a"), waits("b")])
    assert (list(first), first["a"].age) == (["a"], 12)
    # Its time is over, but not its query; and there is no pause before that one's end.
    assert (list(second), second["b"].age) == (["b"], 40)


def test_the_one_in_service_is_asked_about_until_it_is_answered_for() -> None:
    bench = Bench(timeout=60, interval=10, a=Status.UNKNOWN)
    inner = bench.gate._ask
    rounds: list[list[str]] = []

    def slow_about_the_old(items: Mapping[Question, Pair], /) -> Mapping[Question, Answer]:
        rounds.append([which for _name, which in items])
        answers = dict(inner(items))
        old: Question = ("a", "in service")
        if len(rounds) == 1:
            del answers[old]
        elif old in answers:
            answers[old] = Answer(Status.REVOKED, "because")
        return answers

    bench.gate._ask = slow_about_the_old
    (group,) = bench.gate.settle([replacing("a")])
    assert group["a"].replaces_revoked
    assert rounds == [["new", "in service"]] * 2
