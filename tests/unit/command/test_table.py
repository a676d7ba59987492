"""Tables, aligned by what a terminal shows and not by what Python counts."""

from __future__ import annotations

import pytest

from certbot_jprs.command.survey import unicode_name
from certbot_jprs.command.table import pad, render, width


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
