"""What the user sees of the wait, on a terminal and elsewhere."""

from __future__ import annotations

import io
import logging
import runpy
import sys
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from certbot.display import util as display_util
from tqdm import tqdm

from certbot_jprs.ground import language
from certbot_jprs.wait import progress
from certbot_jprs.wait.progress import Bar, Lines

NAME = "www.example.jp"
STDERR = io.StringIO()


class Screen(io.StringIO):
    """A terminal, as far as writing to it goes; ``lines`` is what stands on it."""

    def isatty(self) -> bool:
        return True

    @property
    def lines(self) -> list[str]:
        shown = []
        for line in self.getvalue().split("\n"):
            cells: list[str] = []
            column = 0
            for char in line:
                if char == "\r":
                    column = 0
                    continue
                cells[column : column + 1] = [char]
                column += 1
            shown.append("".join(cells).rstrip())
        return shown


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    found = Screen()
    # Not sys.stdout itself, which pytest sets again once the fixtures are ready.
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stdout=found, stderr=STDERR))
    monkeypatch.setattr(display_util, "notify", lambda text: found.write(text + "\n"))
    monkeypatch.setenv("COLUMNS", "80")
    return found


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (-3, "0 s"),
        (9.9, "9 s"),
        (60, "1 min"),
        (899.99, "14 min 59 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h"),
        (3659, "1 h"),
        (43203.2, "12 h"),
        (12 * 3600 + 180, "12 h 3 min"),
        (86399, "23 h 59 min"),
        (86400 + 59, "1 d"),
        (3 * 86400 + 3 * 3600, "3 d 3 h"),
    ],
)
def test_durations_are_worded_as_people_do(seconds: float, text: str) -> None:
    assert progress.duration(seconds) == text


def test_durations_in_japanese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language._State, "option", "ja")
    spans = (0, 7, 580, 12 * 3600 + 180, 3 * 86400)
    assert [progress.duration(span) for span in spans] == [
        "0秒",
        "7秒",
        "9分40秒",
        "12時間3分",
        "3日",
    ]


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["a"], "a"),
        (["a", "b", "c"], "a, b, c"),
        (["a", "b", "c", "d"], "a and 3 others"),
    ],
)
def test_summary(names: Sequence[str], text: str) -> None:
    assert progress.summary(names) == text


def test_lines_at_the_start_and_each_minute(screen: Screen) -> None:
    lines = Lines()
    lines.start([NAME], 2, 200)
    for age in range(3, 202):
        lines.tick([NAME], age, 200)
    lines.hide()
    lines.close()
    assert screen.lines == [
        "Waiting for the OCSP server to know www.example.jp before use:",
        "2 s so far, at most 3 min 20 s.",
        "Still waiting for www.example.jp: 1 min 2 s so far, at most 3 min 20 s.",
        "Still waiting for www.example.jp: 2 min 2 s so far, at most 3 min 20 s.",
        "Still waiting for www.example.jp: 3 min 2 s so far, at most 3 min 20 s.",
        "",
    ]


def test_the_last_line_is_not_said_when_the_end_is_about_to_be(screen: Screen) -> None:
    lines = Lines()
    lines.start([NAME], 0, 60)
    lines.tick([NAME], 60, 60)
    assert len(screen.lines) == 3


def test_a_long_query_leaves_no_minute_to_be_made_up_for(screen: Screen) -> None:
    lines = Lines()
    lines.start([NAME], 0, 900)
    for age in (125, 126, 184):
        lines.tick([NAME], age, 900)
    assert [line for line in screen.lines if "Still" in line] == [
        "Still waiting for www.example.jp: 2 min 5 s so far, at most 15 min."
    ]


@pytest.mark.parametrize("shown", [Lines(), Bar(tqdm)])
def test_time_that_is_up_is_said_and_nothing_is_drawn(screen: Screen, shown: Any) -> None:
    shown.start([NAME], 901, 900)
    shown.tick([NAME], 911, 900)
    shown.hide()
    shown.close()
    assert screen.lines == [
        "The wait for the OCSP server (15 min) is over;",
        "it is asked once about www.example.jp.",
        "",
    ]


def test_everything_fits_into_80_columns(screen: Screen) -> None:
    for shown in (Lines(), Bar(tqdm)):
        shown.start([NAME], 0, 900)
        shown.tick([NAME], 61, 900)
        shown.close()
        shown.start([NAME], 900, 900)
    assert max(map(len, screen.getvalue().replace("\r", "\n").split("\n"))) < 80


def test_the_bar_moves_and_leaves_nothing_behind(screen: Screen) -> None:
    bar = Bar(tqdm)
    bar.start([NAME], 0, 900)
    start = screen.lines[-1]
    bar.tick([NAME], 450, 900)
    middle = screen.lines[-1]
    bar.tick([NAME], 2000, 900)
    end = screen.lines[-1]
    for line, age in ((start, "0 s"), (middle, "7 min 30 s"), (end, "33 min 20 s")):
        assert line.startswith(f"{age} |")
        assert line.endswith("| at most 15 min")
        assert len(line) == 79
    filled = [sum(char not in " |" for char in line.split("|")[1]) for line in (start, middle, end)]
    assert filled[0] == 0
    assert abs(2 * filled[1] - filled[2]) <= 2
    bar.close()
    bar.close()
    bar.tick([NAME], 2001, 900)
    screen.write("next line\n")
    assert screen.lines == [
        "Waiting for the OCSP server to know www.example.jp before use:",
        "next line",
        "",
    ]


def test_the_bar_makes_room_for_others_and_comes_back(screen: Screen) -> None:
    bar = Bar(tqdm)
    bar.start([NAME], 0, 900)
    bar.hide()
    screen.write("released\n")
    assert screen.lines[1:] == ["released", ""]
    bar.tick([NAME], 10, 900)
    assert screen.lines[2].startswith("10 s |")
    bar.close()
    assert screen.lines[1:] == ["released", ""]


def test_a_terminal_that_does_not_tell_its_size_gets_a_bar_too(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS")
    bar = Bar(tqdm)
    bar.start([NAME], 0, 900)
    assert screen.lines[1].startswith("0 s |")
    bar.close()


def test_a_narrow_terminal_gets_no_line_that_wraps(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    bar = Bar(tqdm)
    bar.start([NAME], 0, 900)
    bar.tick([NAME], 1, 900)
    assert len(screen.getvalue().rsplit("\r", 1)[-1]) < 20
    bar.close()


@pytest.fixture
def no_other_handlers() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    before = root.handlers[:]
    root.handlers[:] = []
    yield root
    root.handlers[:] = before


def test_a_terminal_gets_a_bar(screen: Screen, no_other_handlers: logging.Logger) -> None:
    assert isinstance(progress.choose(quiet=False), Bar)
    # As with `-v`: nothing is said during the wait at that level.
    handler = logging.StreamHandler(STDERR)
    handler.setLevel(logging.INFO)
    no_other_handlers.addHandler(handler)
    assert isinstance(progress.choose(quiet=False), Bar)


def test_debug_messages_on_the_terminal_are_not_written_across_a_bar(
    screen: Screen, no_other_handlers: logging.Logger
) -> None:
    handler = logging.StreamHandler(STDERR)
    handler.setLevel(logging.DEBUG)
    no_other_handlers.addHandler(handler)
    assert isinstance(progress.choose(quiet=False), Lines)


def test_a_handler_that_writes_nowhere_is_no_reason_against_a_bar(
    screen: Screen, no_other_handlers: logging.Logger
) -> None:
    no_other_handlers.addHandler(logging.NullHandler(logging.DEBUG))
    assert isinstance(progress.choose(quiet=False), Bar)


def test_lines_elsewhere(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(progress.choose(quiet=True), Lines)
    elsewhere = SimpleNamespace(stdout=io.StringIO(), stderr=STDERR)
    monkeypatch.setattr(progress, "sys", elsewhere)
    assert isinstance(progress.choose(quiet=False), Lines)


def test_lines_without_tqdm(
    screen: Screen, no_other_handlers: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "tqdm", None)
    assert isinstance(progress.choose(quiet=False), Lines)


def test_where_tqdm_is_not_installed(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    module = runpy.run_path(progress.__file__, run_name=progress.__name__)
    assert module["tqdm"] is None
    assert type(module["choose"](quiet=False)).__name__ == "Lines"
