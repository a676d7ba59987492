"""The one boundary within which each step of a release is taken."""

from __future__ import annotations

from typing import Callable

import pytest

from certbot_jprs.ground.said import Said, words
from certbot_jprs.holding import steps
from certbot_jprs.holding.records import Store
from certbot_jprs.holding.steps import Steps
from certbot_jprs.internals.delegates import NGINX
from certbot_jprs.validation.reloads import Reloads
from tests.unit.config_dir import ConfigDir


def raising(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (ValueError("its own words"), "its own words"),
        (ValueError(), "ValueError"),
        (ValueError("raw", Said("{what} is worded", what="this")), "this is worded"),
    ],
)
def test_a_failure_is_worded_as_well_as_it_can_be(
    config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch, error: Exception, why: str
) -> None:
    told: list[str] = []
    monkeypatch.setattr(steps.logger, "error", told.append)
    taken = Steps(Store(str(config_dir)), Reloads())
    assert not taken.attempt(["a.jp", "b.jp"], raising(error), "{names} ({server}): {error}", NGINX)
    assert told == [f"a.jp, b.jp (nginx): {why}"]
    assert {name: words(text) for name, text in taken.failures.items()} == dict.fromkeys(
        ("a.jp", "b.jp"), told[0]
    )


def test_what_went_well_is_no_failure(config_dir: ConfigDir) -> None:
    taken = Steps(Store(str(config_dir)), Reloads())
    assert taken.attempt(["a.jp"], lambda: None, "{name}: {error}")
    assert taken.failures == {}


def test_a_signal_is_no_failure_of_a_lineage(config_dir: ConfigDir) -> None:
    taken = Steps(Store(str(config_dir)), Reloads())
    with pytest.raises(KeyboardInterrupt):
        taken.attempt(["a.jp"], raising(KeyboardInterrupt()), "{name}: {error}")
    assert taken.failures == {}
