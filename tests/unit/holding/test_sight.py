"""What visitors see around a reload: the rules by which it is judged."""

from __future__ import annotations

import pytest
from cryptography import x509

from certbot_jprs.ground.said import words
from certbot_jprs.holding.sight import View
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.machine import served
from certbot_jprs.machine.served import Place
from tests.unit import pki

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
