"""How late at most, and with how many questions, by the fleet's size and order: on a fake clock.

Each wait is played through the gate: answers take a tenth of a second, and what is ready is put
into service by a reload of two seconds, during which nobody is asked about.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from certbot_jprs.ocsp.evaluation import Answer, Status
from certbot_jprs.ocsp.questions import Question
from certbot_jprs.wait import schedule
from certbot_jprs.wait.schedule import Schedule, Waiting
from tests.unit.wait.test_gate import ASKABLE, CA, START, Bench, good_after, replacing, waits

RELOAD = 2.0
INTERVAL = 10.0
SIZES = (1, 2, 3, 5, 8, 10, 11, 12, 20, 60)
SLACK = 1.5
"""What an answer takes, and the moment for those that are under way."""


def all_say(names: Sequence[str], says: Any) -> dict[str, Any]:
    return dict.fromkeys(names, says)


@dataclass
class Played:
    """What came of a wait.

    Attributes:
        late: seconds from each one's own good to when it is served, in the order of issue.
        asked: when each question was put.
        first: when the first one was served.
        groups: how many reloads there were.
    """

    late: list[float]
    asked: list[float]
    first: float
    groups: int

    def asked_before(self, time: float) -> int:
        return sum(at <= time for at in self.asked)


def play(
    good: Sequence[float | None],
    *,
    timeout: float = 3600,
    interval: float = INTERVAL,
    spacing: float = 0.0,
    seconds: float = 0.1,
) -> Played:
    """Plays a wait.

    Args:
        good: when each is good, in the order of issue; None for never.
        timeout: as the gate's.
        interval: as the gate's.
        spacing: seconds from one issuance to the next.
        seconds: what an answer takes.
    """
    names = [f"n{number:03}" for number in range(len(good))]
    says = {name: Status.UNKNOWN if at is None else good_after(at) for name, at in zip(names, good)}
    bench = Bench(timeout=timeout, interval=interval, **says)
    bench.asked.seconds = seconds
    # Issued one after the other; given in another order, since nothing says that it is this one.
    items = [replacing(name, (len(good) - n) * spacing) for n, name in enumerate(names)]
    random.Random(1).shuffle(items)  # noqa: S311
    served: dict[str, float] = {}
    groups = 0
    for group in bench.gate.settle(items):
        bench.time.pass_by(RELOAD)
        groups += 1
        served.update(dict.fromkeys(group, bench.asked.now))
    late = [served[name] - at for name, at in zip(names, good) if at is not None]
    return Played(late, [at for at, _who in bench.asked.asked], min(served.values()), groups)


@pytest.mark.parametrize("begins", [0, 60, 63.3, 66.6])
@pytest.mark.parametrize("count", [*SIZES, 300])
def test_together(count: int, begins: float) -> None:
    played = play([begins] * count)
    assert max(played.late) <= INTERVAL + RELOAD + SLACK
    assert played.groups <= 2


@pytest.mark.parametrize(
    ("count", "spacing"),
    [*((count, spacing) for count in SIZES for spacing in (0.2, 1, 3.5, 8, 13)), (300, 3.5)],
)
def test_in_the_order_of_issue(count: int, spacing: float) -> None:
    for begins in (60, 64.5):
        played = play([begins + n * spacing for n in range(count)], spacing=spacing, timeout=9999)
        # A reload may be under way when it becomes ready.
        assert max(played.late) <= INTERVAL + 2 * RELOAD + SLACK < 20


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("count", [*SIZES, 150])
def test_out_of_order(count: int, seed: int) -> None:
    order = random.Random(seed)  # noqa: S311
    good = [60 + order.uniform(0, 300) for _ in range(count)]
    if seed % 2:
        good.sort(reverse=True)
    played = play(good, spacing=3.5)
    rotation = max(INTERVAL, count * schedule.PACE)
    assert played.first - min(good) <= rotation + RELOAD + SLACK
    # After the first one, the limit is lifted.
    lifted = played.first
    ends = [at + late for at, late in zip(good, played.late)]
    assert all(
        end - max(at, lifted) <= INTERVAL + 2 * RELOAD + SLACK for at, end in zip(good, ends)
    )


@pytest.mark.parametrize("stuck", [0, 1, 59])
@pytest.mark.parametrize("spacing", [0, 3.5])
def test_one_that_stays_unknown_holds_up_no_other(stuck: int, spacing: float) -> None:
    good: list[float | None] = [60 + spacing * n for n in range(60)]
    good[stuck] = None
    played = play(good, timeout=600, spacing=spacing)
    assert len(played.late) == 59
    assert max(played.late) <= INTERVAL + 2 * RELOAD + SLACK


def test_five() -> None:
    for offsets in (
        [0.0] * 5,
        [3.5 * n for n in range(5)],
        [-3.5 * n for n in range(5)],
        [0, 90, 30, 120, 60],
        [0, 2, 2.5, 11, 3],
    ):
        late: list[float] = []
        for phase in range(40):
            played = play([60 + phase / 4 + offset for offset in offsets], spacing=3.5)
            # Without the reload, which is the server's: the figures are of what is asked.
            late += [each - RELOAD for each in played.late]
        assert max(late) <= 12
        assert statistics.median(late) <= 6


@pytest.mark.parametrize("count", [60, 300])
def test_a_fleet_asks_about_one_a_second(count: int) -> None:
    played = play([60.0] * count)
    assert played.asked_before(60) <= 80
    for second in range(60):
        # One in turn, the two oldest, and one about what is in service.
        assert sum(second <= at < second + 1 for at in played.asked) <= 4
    assert played.asked_before(60) >= 60


def test_none_is_forgotten() -> None:
    names = [f"n{n:03}" for n in range(60)]
    bench = Bench(timeout=9999, **all_say(names, Status.UNKNOWN))
    groups = bench.gate.settle([waits(name, 60 - n) for n, name in enumerate(names)])

    def enough() -> None:
        if bench.asked.now > 240:
            raise EOFError

    bench.asked.on_pause = enough
    with pytest.raises(EOFError):
        next(groups)
    first_round = list(dict.fromkeys(name for _at, (name, _which) in bench.asked.asked))
    assert first_round == names
    for n, name in enumerate(names):
        times = bench.asked.times(name)
        gaps = [later - sooner for sooner, later in zip(times, times[1:])]
        assert max(gaps) <= (10.0 if n < schedule.OLDEST else 60.0)


def test_hanging_queries_take_nobodys_turn() -> None:
    played = play([60.0] * 60, seconds=9.0)
    assert max(played.late) <= INTERVAL + 9 + RELOAD + SLACK
    assert played.asked_before(60) <= 80


def test_what_is_past_its_time_is_asked_about_at_once_and_together() -> None:
    played = play([None] * 60, timeout=100, spacing=60)
    late = [at for at in played.asked if at == 0]
    # All but the last two, with what they have in service; and those two in their turn.
    assert len(late) >= 58 * 2
    assert played.first < RELOAD + SLACK
    assert played.groups <= 3


def test_an_interval_of_a_second_is_no_reason_to_hurry() -> None:
    played = play([60.0] * 60, interval=1)
    assert played.asked_before(60) <= 80
    assert max(played.late) <= RELOAD + SLACK + 1


@pytest.mark.parametrize("count", [1, 5])
def test_few_are_asked_about_every_interval(count: int) -> None:
    played = play([600.0] * count)
    assert played.asked_before(599) <= 1.2 * count * 60 + 2 * count


# What is in service.


def asked_about_old(bench: Bench) -> list[tuple[float, str]]:
    return [(at, name) for at, (name, which) in bench.asked.asked if which == "in service"]


def test_one_that_is_revoked_has_all_looked_at() -> None:
    names = [f"n{n:02}" for n in range(30)]
    bench = Bench(timeout=9999, **all_say(names, good_after(1000)))
    bench.asked.old = {names[2]: Status.REVOKED, names[20]: Status.REVOKED}
    groups = bench.gate.settle([replacing(name, 100 - n) for n, name in enumerate(names)])
    group = next(groups)
    # Two are looked at in the first 15 seconds, the third is revoked, and with it the other one.
    assert sorted(group) == [names[2], names[20]]
    assert all(result.replaces_revoked for result in group.values())
    assert bench.asked.now == 2 * schedule.ASIDE
    old = asked_about_old(bench)
    assert [at for at, _name in old[:3]] == [0, schedule.ASIDE, 2 * schedule.ASIDE]
    assert sorted(name for _at, name in old) == names


@pytest.mark.parametrize("timeout", [40, 45])
def test_the_one_in_service_is_looked_at_with_the_last_question_at_the_latest(
    timeout: int,
) -> None:
    names = [f"n{n:02}" for n in range(30)]
    bench = Bench(timeout=timeout, **all_say(names, Status.UNKNOWN))
    list(bench.gate.settle([replacing(name) for name in names]))
    old = asked_about_old(bench)
    assert [at for at, _name in old] == [0, 15, 30, *[timeout] * 27]


def test_few_are_looked_at_one_a_second() -> None:
    names = list("abcde")
    bench = Bench(timeout=40, **all_say(names, Status.UNKNOWN))
    list(bench.gate.settle([replacing(name) for name in names]))
    assert asked_about_old(bench) == list(enumerate(names))


# The schedule by itself.


def make(*names: str, interval: float = INTERVAL) -> Schedule:
    items = [Waiting(waits(name), 50.0, START, 900) for name in names]
    return Schedule(items, interval)


def unknown(*names: str) -> dict[Question, Answer]:
    return {(name, "new"): Answer(Status.UNKNOWN, "because") for name in names}


def good(*names: str) -> dict[Question, Answer]:
    return {(name, "new"): Answer(Status.GOOD, "because") for name in names}


def asked(questions: Iterable[Question]) -> list[str]:
    assert {which for _name, which in questions} <= {"new"}
    return [name for name, _which in questions]


def run(what: Schedule, begin: float, seconds: float) -> list[tuple[float, list[str]]]:
    """Asks whenever something is due, and hears ``unknown`` at once."""
    found = []
    now = begin
    while now < begin + seconds:
        if names := asked(what.due(now)):
            found.append((now - begin, names))
            what.heard(unknown(*names), now)
        assert what.pause(now) > 0
        now += what.pause(now)
    return found


def test_turns_of_few_are_spread_over_the_interval() -> None:
    what = make(*"abcde")
    assert run(what, 50, 20) == [
        # All are asked about soon, the two oldest and one more at once; then one each two seconds.
        (0, ["a", "b", "c"]),
        *((1, ["d"]), (2, ["e"])),
        *((4, ["a"]), (6, ["b"]), (8, ["c"]), (10, ["d"]), (12, ["e"])),
        *((14, ["a", "b"]), (16, ["c"]), (18, ["d"])),
    ]


@pytest.mark.parametrize("interval", [1, 10, 30])
def test_the_oldest_are_asked_about_every_interval_but_not_in_a_hurry(interval: int) -> None:
    what = make(*(f"n{n:02}" for n in range(60)), interval=interval)
    times = [at for at, names in run(what, 50, 61) if "n00" in names]
    assert times == list(range(0, 61, max(interval, 10)))


def test_after_the_first_good_a_crowd_is_asked_about_every_interval() -> None:
    names = [f"n{n:02}" for n in range(20)]
    what = make(*names)
    assert asked(what.due(50)) == names[:3]
    what.heard(unknown(*names[:2]), 50)
    (settled,) = what.heard(good(names[2]), 50.5)
    rest = [name for name in names if name != names[2]]
    # Who was asked about a moment ago is asked again a second later.
    assert asked(what.due(50.5)) == rest[2:]
    what.heard(unknown(*rest[2:]), 50.5)
    assert what.pause(50.5) == 0.5
    assert asked(what.due(51)) == rest[:2]
    what.heard(unknown(*rest[:2]), 51)
    # No more turns; and a further good is no reason to ask about all others again.
    assert what.pause(51) == 9.5
    assert asked(what.due(60.5)) == rest[2:]
    what.heard({**unknown(*rest[3:]), **good(rest[2])}, 60.5)
    assert what.due(60.5) == {}
    assert settled.name == names[2]


@pytest.mark.parametrize("count", [schedule.FEW, schedule.FEW + 1])
def test_each_good_has_all_others_asked_about_while_few_wait(count: int) -> None:
    names = [f"n{n:02}" for n in range(count + 2)]
    what = make(*names)
    what.due(50)
    what.heard(good(names[0]), 50)
    what.due(50)
    what.heard(unknown(*names[1:]), 50)
    what.due(60)
    what.heard({**unknown(*names[2:]), **good(names[1])}, 61.5)
    rest = names[2:]
    assert len(what.waiting) == count
    assert asked(what.due(61.5)) == (rest if count <= schedule.FEW else [])


def test_few_take_turns_after_the_first_good_too() -> None:
    what = make(*"abcdef")
    what.due(50)
    what.heard({**good("a"), **unknown("b", "c")}, 50)
    assert asked(what.due(50)) == ["d", "e", "f"]
    what.heard(unknown("d", "e", "f"), 50)
    assert [at for at, _names in run(what, 50, 6)] == [1, 3, 5]


@pytest.mark.parametrize("status", [Status.REVOKED, Status.UNDETERMINED])
def test_nothing_but_a_good_lifts_the_limit(status: Status) -> None:
    names = [f"n{n:02}" for n in range(20)]
    what = make(*names)
    assert asked(what.due(50)) == names[:3]
    what.heard({("n00", "new"): Answer(status, "because"), **unknown(*names[1:3])}, 50)
    assert what.due(50) == {}
    assert what.pause(50) == 1
    assert asked(what.due(51)) == [names[3]]


def test_a_last_answer_is_not_judged_before_the_one_in_service_was_asked_about() -> None:
    names = ("a", *(f"n{n:02}" for n in range(20)))
    items = [Waiting(replacing(name, 100 - n), 50.0, START, 103) for n, name in enumerate(names)]
    what = Schedule(items, INTERVAL)
    assert {("a", "new"), ("a", "in service"), ("n00", "new")} <= set(what.due(50))
    # Asked before the deadline, answered after it: the one in service has never been asked about.
    assert what.heard(unknown("n00"), 60) == []
    assert ("n00", "in service") in what.due(60)
    old: Question = ("n00", "in service")
    (settled,) = what.heard({old: Answer(Status.GOOD, "because")}, 61)
    assert (settled.name, settled.replaces_revoked) == ("n00", False)


def test_an_answer_that_comes_too_late_to_count_is_let_go() -> None:
    what = make("a", "b")
    what.due(50)
    assert [one.name for one in what.heard(good("a"), 51)] == ["a"]
    assert what.heard(unknown("a"), 52) == []
    assert list(what.waiting) == ["b"]


def test_nothing_is_due_twice_and_the_pause_lasts_until_something_is() -> None:
    one = make("a")
    assert one.pause(50) == 0
    assert one.due(50) == {("a", "new"): (ASKABLE, CA.issuer)}
    assert one.is_under_way()
    assert one.due(50) == {}
    assert one.pause(50) == float("inf")
    assert one.heard({("a", "new"): Answer(Status.UNKNOWN, "because")}, 51) == []
    assert not one.is_under_way()
    assert one.pause(51) == 9
    assert one.due(59.9) == {}
    assert list(one.due(60)) == [("a", "new")]


def test_what_replaces_a_revoked_one_is_asked_about_out_of_turn() -> None:
    names = [f"n{n:02}" for n in range(20)]
    what = Schedule([Waiting(replacing(name), 50.0, START, 900) for name in names], INTERVAL)
    assert ("n00", "in service") in what.due(50)
    revoked, fine = Answer(Status.REVOKED, "because"), Answer(Status.GOOD, "because")
    what.heard({("n00", "in service"): revoked, **unknown(*names[:3])}, 50)
    others: list[Question] = [(name, "in service") for name in names[1:]]
    assert list(what.due(50)) == others  # one is revoked: all are looked at
    assert what.pause(50) == 1
    what.heard({others[9]: revoked, others[10]: fine}, 50)
    assert what.pause(50) == 0
    assert asked(what.due(50)) == [others[9][0]]
