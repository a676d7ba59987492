"""What follows from the end of a wait, and what the user is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Optional

import pytest

from certbot_jprs.ocsp.evaluation import Answer, Status
from certbot_jprs.wait import verdict
from certbot_jprs.wait.gate import Result
from certbot_jprs.wait.verdict import InService, StillHeld, Verdict, judge

NAME = "www.example.jp"


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """Everything that the user is told, in order, with its level."""
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(
        vars(verdict)["display_util"], "notify", lambda text: told.append(("told", text))
    )
    for level in ("warning", "error"):
        monkeypatch.setattr(
            verdict.logger, level, lambda text, level=level: told.append((level, text))
        )
    yield told
    assert all(NAME in text and "{" not in text for _level, text in told)


def result(status: Status | None, age: float = 580, *, replaces_revoked: bool = False) -> Result:
    answer = None if status is None else Answer(status, "connection refused")
    return Result(answer, age, replaces_revoked)


DAY = timedelta(days=1)
LONG = 60 * DAY

Left = Optional[timedelta]
"""How long the certificate in service lasts, from when a test runs; None: there is none."""


def ends_in(left: Left, *, revoked: bool = False) -> InService | None:
    return None if left is None else InService(datetime.now(timezone.utc) + left, revoked)


@pytest.mark.parametrize("left", [None, LONG, 3 * DAY])
def test_good_is_released(said: list[tuple[str, str]], left: Left) -> None:
    assert judge(NAME, result(Status.GOOD), ends_in(left)) is Verdict.RELEASE
    ((level, text),) = said
    assert level == "told"
    assert "knows www.example.jp (good, " in text
    assert "9 min 40 s" in text


@pytest.mark.parametrize("revoked", [False, True])
@pytest.mark.parametrize("left", [None, LONG, 3 * DAY])
def test_revoked_is_withdrawn_and_said_by_whoever_withdraws(
    said: list[tuple[str, str]], left: Left, revoked: bool
) -> None:
    in_service = ends_in(left, revoked=revoked)
    assert judge(NAME, result(Status.REVOKED), in_service) is Verdict.WITHDRAW
    assert said == []


def test_what_is_not_asked_about_is_released_without_a_word(said: list[tuple[str, str]]) -> None:
    assert judge(NAME, result(None), ends_in(LONG)) is Verdict.RELEASE
    assert said == []


@pytest.mark.parametrize("left", [None, LONG])
def test_undetermined_is_released_with_a_warning(said: list[tuple[str, str]], left: Left) -> None:
    assert judge(NAME, result(Status.UNDETERMINED), ends_in(left)) is Verdict.RELEASE
    ((level, text),) = said
    assert level == "warning"
    assert "connection refused" in text
    assert "Check that" in text


@pytest.mark.parametrize("left", [7 * DAY + timedelta(minutes=5), LONG])
def test_unknown_is_held_while_the_one_in_service_lasts(
    said: list[tuple[str, str]], left: Left
) -> None:
    in_service = ends_in(left)
    assert in_service is not None
    assert judge(NAME, result(Status.UNKNOWN), in_service) is Verdict.HOLD
    assert said == []  # but once, together with others
    text = verdict.still_held([StillHeld(NAME, 12 * 3600 + 180, in_service.not_after)])
    assert f"new certificate of {NAME}, 12 h 3 min after" in text
    assert str(in_service.not_after.date()) in text
    assert "`certbot renew`" in text


def test_many_that_stay_held_are_one_message() -> None:
    end = datetime(2027, 1, 2, tzinfo=timezone.utc)
    held = [StillHeld(name, age, end) for name, age in (("a", 5), ("b", 7200), ("c", 0))]
    head, *lines = verdict.still_held(held).split("\n")
    assert "these 3 new certificates" in head
    assert "`certbot renew`" in head
    assert lines == [
        "  a: saved 5 s ago; the one in service is valid until 2027-01-02",
        "  b: saved 2 h ago; the one in service is valid until 2027-01-02",
        "  c: saved 0 s ago; the one in service is valid until 2027-01-02",
    ]


@pytest.mark.parametrize("left", [None, 7 * DAY, -DAY])
def test_unknown_is_released_where_there_is_little_to_protect(
    said: list[tuple[str, str]], left: Left
) -> None:
    assert judge(NAME, result(Status.UNKNOWN), ends_in(left)) is Verdict.RELEASE
    ((level, text),) = said
    assert level == "warning"
    assert "all the same" in text


@pytest.mark.parametrize("status", [Status.GOOD, Status.UNKNOWN, Status.UNDETERMINED])
def test_the_one_in_service_is_revoked(said: list[tuple[str, str]], status: Status) -> None:
    revoked = ends_in(LONG, revoked=True)
    assert judge(NAME, result(status, replaces_revoked=True), revoked) is Verdict.RELEASE
    ((level, text),) = said
    assert level == "told"
    assert "revoked" in text
    assert "at once" in text


def test_what_protects() -> None:
    now = datetime(2026, 4, 1, tzinfo=timezone.utc)
    last = InService(now + timedelta(days=7))
    assert last.protects(now)
    assert last.protects(now, timedelta(days=6))
    assert not last.protects(now, timedelta(days=7))
    assert not last.protects(now + timedelta(days=7))
    assert not InService(last.not_after, revoked=True).protects(now)


def test_words_about_a_revoked_one() -> None:
    first = verdict.revoked(NAME, None)
    assert first.startswith("The OCSP server says")
    assert NAME in first
    assert "version" not in first
    renewed = verdict.revoked(NAME, 3)
    assert renewed.startswith("The OCSP server says")
    assert "(version 3) stays" in renewed
    assert f"certbot renew --force-renewal --cert-name {NAME}" in renewed
