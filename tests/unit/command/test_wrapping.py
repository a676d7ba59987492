"""Lines of help, in English and Japanese."""

# ruff: noqa: RUF001 - marks of full width

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certbot_jprs.command.table import width
from certbot_jprs.command.wrapping import wrap

JAPANESE = "新しい証明書の情報がOCSPサーバーに登録されるまで（最大10分程度）、待機する。"


@pytest.mark.parametrize(
    ("text", "columns", "lines"),
    [
        ("", 10, [""]),
        ("one two three", 40, ["one two three"]),
        ("one two three", 8, ["one two", "three"]),
        ("one two three", 3, ["one", "two", "three"]),
        ("certbot-jprs/explain", 5, ["certbot-jprs/explain"]),
        ("あいうえお", 6, ["あいう", "えお"]),
        ("あいう。え", 6, ["あい", "う。え"]),  # not before a closing mark
        ("あい（うえ", 6, ["あい", "（うえ"]),  # not after an opening one
        ("のサーバー", 8, ["の", "サーバー"]),  # not within a word of katakana
        ("値は --log FILE です", 9, ["値は", "--log", "FILE です"]),
    ],
)
def test_where_a_line_breaks(text: str, columns: int, lines: list[str]) -> None:
    assert wrap(text, columns) == lines


@pytest.mark.parametrize("columns", range(20, 80, 7))
def test_japanese_fits(columns: int) -> None:
    lines = wrap(JAPANESE, columns)
    assert max(map(width, lines)) <= columns
    assert "".join(lines) == JAPANESE


@given(st.text(alphabet="ab -。、（）あサー", max_size=60), st.integers(1, 30))
def test_nothing_is_lost(text: str, columns: int) -> None:
    assert "".join("".join(wrap(text, columns)).split()) == "".join(text.split())
