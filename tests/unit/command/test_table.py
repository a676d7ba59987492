"""Tables, aligned by what a terminal shows and not by what Python counts."""

from __future__ import annotations

import pytest

from certbot_jprs.command.survey import unicode_name
from certbot_jprs.command.table import fitting, pad, render, width


@pytest.mark.parametrize(
    ("text", "columns"),
    [("", 0), ("abc", 3), ("日本語.jp", 9), ("ﾊﾝｶｸ", 4), ("\uff21", 2), ("e\u0301", 1), ("…", 1)],
)
def test_widths(text: str, columns: int) -> None:
    assert width(text) == columns
    assert width(pad(text, 20)) == 20
    assert pad(text, 0) == text


def test_columns_begin_at_the_same_place() -> None:
    rows = [[["日本語.jp (xn--wgv71a119e.jp)", "a.jp"], ["x"]], [["b.jp"], ["yy"]]]
    head, *lines = render(["名前", "KEY"], rows).splitlines()
    assert lines == [
        "日本語.jp (xn--wgv71a119e.jp)  x",
        "a.jp",
        "b.jp                           yy",
    ]
    assert head == "名前" + " " * 27 + "KEY"
    assert width("日本語.jp (xn--wgv71a119e.jp)  ") == width("b.jp" + " " * 27) == 31


ROWS = [[["a.jp"], ["2027"], ["-"], ["x" * 30]], [["b.jp"], ["2028"], ["-"], ["y"]]]
HEAD = ["NAME", "END", "HELD", "WHO"]


@pytest.mark.parametrize(
    ("columns", "titles"),
    [
        (80, ["NAME", "END", "WHO"]),
        (42, ["NAME", "END", "WHO"]),
        (41, ["NAME", "END"]),
        (10, ["NAME", "END"]),
        (9, ["NAME"]),
        (3, ["NAME"]),  # not narrower than what matters
    ],
)
def test_what_tells_nothing_is_left_out_and_what_is_too_wide(
    columns: int, titles: list[str]
) -> None:
    lines = fitting(HEAD, ROWS, columns, spare=(3, 2, 1)).splitlines()
    assert lines[0].split() == titles
    assert [line.split()[0] for line in lines[1:]] == ["a.jp", "b.jp"]


def test_a_column_that_one_row_needs_stays() -> None:
    rows = [*ROWS, [["c.jp"], ["2029"], ["today"], ["z"]]]
    assert fitting(HEAD, rows, 80, spare=(3,)).splitlines()[0].split() == HEAD


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("xn--wgv71a119e.jp", "日本語.jp"),
        ("www.xn--wgv71a119e.jp", "www.日本語.jp"),
        ("*.xn--wgv71a119e.jp", "*.日本語.jp"),
        ("www.example.jp", None),
        ("xn--a.jp", None),  # no punycode that means anything
        ("xn--.jp", None),
    ],
)
def test_names_as_people_write_them(name: str, written: str | None) -> None:
    assert unicode_name(name) == written
