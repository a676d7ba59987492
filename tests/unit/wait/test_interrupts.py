"""Signals during the wait: real ones, sent to this process."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any

import pytest

from certbot_jprs.ground.exceptions import WaitInterrupted
from certbot_jprs.ocsp.evaluation import Status
from certbot_jprs.ocsp.questions import Pair, Question
from certbot_jprs.wait.interrupts import SIGNALS, Interrupts
from tests.unit.wait.test_gate import Bench, waits

every_signal = pytest.mark.parametrize("number", SIGNALS)


@pytest.fixture(autouse=True)
def heard() -> Iterator[list[int]]:
    """Installs handlers that stand for Certbot's, and puts pytest's back."""
    found: list[int] = []

    def hear(number: int, _frame: FrameType | None) -> None:
        found.append(number)

    before = {number: signal.signal(number, hear) for number in SIGNALS}
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    yield found
    after = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        signal.signal(number, handler)
    for number in SIGNALS:
        assert after[number] in (handlers[number], signal.SIG_IGN), number


@every_signal
def test_a_signal_ends_what_listens(number: signal.Signals, heard: list[int]) -> None:
    went_on = False

    def work() -> None:
        nonlocal went_on
        with Interrupts() as interrupts, interrupts.listening():
            signal.raise_signal(number)
            went_on = True

    with pytest.raises(WaitInterrupted, match=number.name):
        work()
    assert not went_on
    assert heard == []


@every_signal
def test_a_signal_waits_for_what_must_not_be_torn(number: signal.Signals) -> None:
    done = []

    def work() -> None:
        with Interrupts() as interrupts:
            signal.raise_signal(number)
            done.append("outside")
            with interrupts.listening():
                done.append("inside")

    with pytest.raises(WaitInterrupted, match=number.name):
        work()
    assert done == ["outside"]


@every_signal
def test_a_kept_signal_is_passed_on_at_the_end(number: signal.Signals, heard: list[int]) -> None:
    with Interrupts() as interrupts:
        with interrupts.listening():
            pass
        signal.raise_signal(number)
        signal.raise_signal(number)
        assert heard == []
    assert heard == [number]


def test_a_kept_ctrl_c_interrupts_as_usual(heard: list[int]) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    done = False

    def work() -> None:
        nonlocal done
        with Interrupts():
            signal.raise_signal(signal.SIGINT)
            done = True

    try:
        with pytest.raises(KeyboardInterrupt):
            work()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert done
    assert heard == []


def test_a_second_signal_does_not_disturb_the_end(heard: list[int]) -> None:
    tidied = False

    def work() -> None:
        nonlocal tidied
        with Interrupts() as interrupts, interrupts.listening():
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                signal.raise_signal(signal.SIGINT)
                tidied = True

    with pytest.raises(WaitInterrupted, match="SIGTERM"):
        work()
    assert tidied
    assert heard == []


@every_signal
def test_an_ignored_signal_stays_ignored(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_IGN)
    went_on = False
    with Interrupts() as interrupts, interrupts.listening():
        signal.raise_signal(number)
        went_on = True
    assert went_on
    assert signal.getsignal(number) is signal.SIG_IGN


def test_a_handler_that_python_did_not_install_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []

    def none_for_hup(number: int) -> Any:
        return None if number == signal.SIGHUP else signal.default_int_handler

    with monkeypatch.context() as patch:
        patch.setattr(signal, "getsignal", none_for_hup)
        patch.setattr(signal, "signal", lambda number, _handler: taken.append(number))
        with Interrupts():
            pass
    assert signal.SIGHUP not in taken
    assert signal.SIGTERM in taken


def test_other_threads_change_nothing(heard: list[int]) -> None:
    inside = threading.Event()
    leave = threading.Event()

    def work() -> None:
        with Interrupts() as interrupts, interrupts.listening():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    assert inside.wait(10)
    signal.raise_signal(signal.SIGTERM)
    leave.set()
    thread.join(10)
    assert heard == [signal.SIGTERM]


# The same in the wait itself.


@every_signal
def test_a_signal_ends_the_pause(number: signal.Signals) -> None:
    bench = Bench(a=Status.UNKNOWN)
    bench.asked.on_pause = lambda: signal.raise_signal(number)
    with pytest.raises(WaitInterrupted, match=number.name):
        bench.settle(a=0)
    assert bench.asked.pauses == [1.0]
    assert not bench.shown.open


@every_signal
def test_a_signal_while_a_query_begins_is_heard_right_after(
    number: signal.Signals, heard: list[int]
) -> None:
    """Raised within ``Thread.start`` it can become "release unlocked lock", which nobody hears."""
    bench = Bench(a=Status.UNKNOWN)
    ask = bench.asked.ask
    begun: list[Question] = []

    def interrupted(items: Mapping[Question, Pair], /) -> None:
        signal.raise_signal(number)
        ask(items)
        begun.extend(items)

    bench.asked.ask = interrupted  # type: ignore[method-assign]
    with pytest.raises(WaitInterrupted, match=number.name):
        bench.settle(a=0)
    assert begun == [("a", "new")]
    assert bench.asked.pauses == []
    assert heard == []


@every_signal
def test_a_signal_during_a_release_ends_the_wait_after_it(
    number: signal.Signals, heard: list[int]
) -> None:
    bench = Bench(a=Status.GOOD, b=Status.UNKNOWN)
    groups = bench.gate.settle([waits("a"), waits("b")])
    released: list[str] = []

    def release() -> None:
        for group in groups:
            signal.raise_signal(number)
            released.extend(group)

    with pytest.raises(WaitInterrupted, match=number.name):
        release()
    assert released == ["a"]
    assert bench.asked.times("b") == [0]
    assert heard == []


@every_signal
def test_a_signal_during_the_last_release_is_passed_on_after_it(
    number: signal.Signals, heard: list[int]
) -> None:
    bench = Bench(a=Status.GOOD)
    for _group in bench.gate.settle([waits("a")]):
        signal.raise_signal(number)
        assert heard == []
    assert heard == [number]


def test_the_handlers_are_back_when_the_caller_stops_early() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    bench = Bench(a=Status.GOOD, b=Status.UNKNOWN)
    groups = bench.gate.settle([waits("a"), waits("b")])
    assert [signal.getsignal(number) for number in SIGNALS] == before  # not before it begins
    next(groups)
    assert [signal.getsignal(number) for number in SIGNALS] != before
    groups.close()
    assert [signal.getsignal(number) for number in SIGNALS] == before


@every_signal
def test_what_is_run_unheard_hears_no_terminal(number: signal.Signals, heard: list[int]) -> None:
    """A program's disposition is what it inherits; SIGTERM comes to one process alone."""
    show = f"import signal; print(signal.getsignal({int(number)}).name)"
    words = (sys.executable, "-c", show)
    with Interrupts() as interrupts:
        with interrupts.unheard():
            seen = subprocess.run(words, check=True, capture_output=True, text=True).stdout
            if number is not signal.SIGTERM:
                signal.raise_signal(number)
        with pytest.raises(WaitInterrupted), interrupts.listening():
            signal.raise_signal(number)
    ignored = seen.strip() == "SIG_IGN"
    assert ignored is (number is not signal.SIGTERM), seen
    assert heard == [number]
