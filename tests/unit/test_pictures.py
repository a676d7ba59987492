"""The pictures show what was measured: drawn again from that, they are the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pictures import drawings, recording
from tests.pictures.__main__ import PARTS
from tests.pictures.svg import PICTURES
from tests.pictures.words import LANGUAGES

DRAWINGS = {**{name: draw for name, (_measure, draw) in PARTS.items()}, "peers": drawings.peers}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_picture_is_drawn_from_what_was_measured(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawings, "PICTURES", tmp_path)
    DRAWINGS[name](json.loads((PICTURES / f"{name}.json").read_text(encoding="utf-8")))
    drawn = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert {f"{name}.{language}.svg" for language in LANGUAGES} <= set(drawn)
    for each, text in drawn.items():
        assert text == (PICTURES / each).read_text(encoding="utf-8"), f"{each} is of another time"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_recording_that_plays_is_the_one_that_was_made(language: str) -> None:
    events = recording.load_cast(PICTURES / f"demo.{language}.cast")
    svg = recording.animated(events, LANGUAGES[language]["demo"])
    assert svg == (PICTURES / f"demo.{language}.svg").read_text(encoding="utf-8")


def test_the_words_of_both_languages_are_the_same_ones() -> None:
    english, japanese = LANGUAGES.values()
    assert list(english) == list(japanese)


def test_a_line_of_the_recording_is_shown_as_long_as_it_stood_there() -> None:
    found, whole = recording.spans([(0.0, "one\r\n"), (2.0, "two"), (4.0, "\rTWO")])
    shown = {
        (start, end): ["".join(piece.text for piece in row) for _number, row in lines]
        for (start, end), lines in found.items()
    }
    assert whole == 4 + recording.HOLD
    assert shown == {(0.0, whole): ["one"], (2.0, 4.0): ["two"], (4.0, whole): ["TWO"]}
