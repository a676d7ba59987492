"""What is shown where nobody can read it."""

from __future__ import annotations

import io
import logging

import pytest
from certbot.display import util

from certbot_jprs.ground import display_util


def test_it_is_certbots_display(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(util, "notify", shown.append)
    display_util.notify("words")
    assert shown == ["words"]


def closed(text: str) -> None:
    stream = io.StringIO()
    stream.close()
    stream.write(text)


def gone(_text: str) -> None:
    raise BrokenPipeError


def narrow(text: str) -> None:
    text.encode("ascii")


@pytest.mark.parametrize("notify", [closed, gone, narrow])
def test_a_standard_output_that_is_gone_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, notify: object
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(util, "notify", notify)
    display_util.notify("日本語")
    assert "日本語" in caplog.text
