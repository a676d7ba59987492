"""What visitors see around a reload: the rules by which it is judged."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from cryptography import x509

from certbot_jprs.ground.said import words
from certbot_jprs.holding import sight
from certbot_jprs.holding.sight import View
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.machine import served
from certbot_jprs.machine.served import Place
from tests.unit import pki
from tests.unit.config_dir import ConfigDir

NAME = "www.example.jp"
ONE, TWO = Place("192.0.2.1", NAME), Place("192.0.2.2", NAME)
OLD, NEW, OTHER = (pki.mint(text, pki.ec_key(text)) for text in ("old", "new", "other"))


def view(*judged: Place, new: x509.Certificate | None = NEW, expected: bool = False) -> View:
    lineage = Lineage(NAME, "", {}, {})
    return View(lineage, [NAME], [OLD, NEW], new, expected, judged={*judged})


@pytest.fixture(autouse=True)
def addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "listening", lambda _port: ["192.0.2.2", "192.0.2.1"])


def state(one: View) -> tuple[set[Place], set[Place], set[Place]]:
    return one.shown, one.behind, one.silent


def test_the_last_look_counts() -> None:
    one = view(ONE)
    one.note({ONE: None})
    assert state(one) == (set(), set(), {ONE})
    one.note({ONE: OLD})
    assert state(one) == (set(), {ONE}, set())
    one.note({ONE: None})
    assert state(one) == (set(), set(), {ONE})
    assert not one.done
    one.note({ONE: NEW})
    assert state(one) == ({ONE}, set(), set())
    assert one.done


def test_another_certificate_is_behind_too() -> None:
    one = view(ONE, TWO)
    one.note({ONE: NEW, TWO: OTHER})
    assert state(one) == ({ONE}, {TWO}, set())
    assert not one.done
    assert one.wanted() == [TWO]


def test_of_places_that_showed_nothing_before_nothing_is_known() -> None:
    one = view(ONE)
    one.note({TWO: None})
    one.note({TWO: OTHER})
    assert state(one) == (set(), set(), set())


def test_where_to_look() -> None:
    assert view(TWO, ONE).wanted() == [ONE, TWO]
    assert view().wanted() == []
    first = view(expected=True)
    assert first.wanted() == [TWO, ONE]  # as the addresses are listed
    first.note({ONE: NEW})
    assert first.done
    assert first.wanted() == []
    assert view(new=None, expected=True).done


def test_what_answers_no_more_is_named() -> None:
    one = view(ONE, TWO)
    one.note({TWO: None, ONE: None})
    assert words(one.failure()) == (
        "Nothing answers any more at port 443 of this machine (192.0.2.1, 192.0.2.2; "
        f"{NAME}) since the web server was reloaded with the new certificate of {NAME}. See the "
        "web server's error log and mend what it names; the next `certbot renew` reloads or "
        "starts it again."
    )


def test_what_is_seen_is_said_word_for_word(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(sight.logger, "error", told.append)
    monkeypatch.setattr(vars(sight)["display_util"], "notify", told.append)
    one = view(ONE, TWO, Place("192.0.2.1", "b.example.jp"))
    one.say()
    one.note({ONE: NEW})
    one.say()
    one.note({TWO: OLD, Place("192.0.2.1", "b.example.jp"): OLD})
    one.say()
    assert told == [
        f"The new certificate of {NAME} is released, and the web server reloaded.",
        f"The new certificate of {NAME} is in service.",
        "10 seconds after the reload, port 443 of this machine (192.0.2.1, 192.0.2.2; "
        f"b.example.jp, {NAME}) still does not serve the new certificate of {NAME}. See what "
        "listens there (ss -ltnp 'sport = :443') and its error log, and restart it.",
    ]


class Clock:
    """Passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def test_one_looks_until_all_are_seen_or_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(sight, "time", clock)
    other = Place("192.0.2.1", "b.example.jp")
    second_of_other = Place("192.0.2.2", "b.example.jp")
    serves = {ONE: OLD, TWO: OLD, other: OTHER, second_of_other: OTHER}
    asked: list[list[Place]] = []
    bounds: list[float] = []

    def look_at(places: Iterable[Place], seconds: float = 5.0) -> dict[Place, x509.Certificate]:
        asked.append(list(places))
        bounds.append(seconds)
        return {place: serves[place] for place in asked[-1]}

    monkeypatch.setattr(served, "look_at", look_at)
    first = view()
    second = View(Lineage("b", "", {}, {}), ["b.example.jp"], [OTHER], OTHER)
    both = sight.Sight([first, second])
    assert first.judged == {ONE, TWO}
    asked.clear()
    serves[ONE] = NEW
    both.look()
    assert asked[0] == [ONE, TWO, other, second_of_other]
    assert {*map(tuple, asked[1:])} == {(TWO,)}
    assert len(asked) == pytest.approx(50, abs=1)  # each fifth of a second, for ten
    assert {*clock.pauses} == {0.2}
    assert bounds[0] == 5.0
    assert bounds[-1] <= 0.4  # no longer than is left
    assert first.behind == {TWO}


def test_the_tables_of_the_kernel_are_read_once_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time they are read anew takes milliseconds, and a fleet is many."""
    reads: list[int] = []

    def listening(port: int) -> list[str]:
        reads.append(port)
        return []

    monkeypatch.setattr(served, "listening", listening)
    sight.Sight([view() for _lineage in range(20)])
    assert reads == [served.PORT]


def test_nothing_is_looked_for_of_one_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "look_at", lambda places, *_: dict.fromkeys(places, OLD))
    unread, beside = view(new=None), view()
    both = sight.Sight([unread, beside])  # two lineages with the same name
    assert (unread.judged, beside.judged) == (set(), {ONE, TWO})
    assert both.views[0].done


def test_only_those_installed_just_now_are_expected(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(NAME)
    one = View.of(lineage, lambda: None)
    assert not one.expected
    assert one.hosts == [NAME]
    assert View.of(lineage, lambda: None, expected=True).expected
    assert not View(lineage, [], [], None).expected
