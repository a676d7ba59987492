"""What the unit tests about Certbot's configuration share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest
from certbot._internal import hooks, storage
from hypothesis import HealthCheck, settings

from certbot_jprs.ground import language
from certbot_jprs.holding import postmortem
from certbot_jprs.internals import interception
from tests.unit.command_line import parse
from tests.unit.config_dir import ConfigDir

# How long an example takes is a matter of what else the machine does.
settings.register_profile("calm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("calm")

__all__ = ["config_dir", "parse"]


SECONDS = 300
"""How long a unit test may take, on a machine that is busy with others."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ends unit tests that hang."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(SECONDS), append=False)


def pytest_sessionfinish() -> None:
    """Has what was measured written down here: xdist kills who takes ten seconds to end."""
    measuring = coverage.Coverage.current()
    if measuring is not None:
        measuring.save()


WRAPPED = [
    *((hooks, name) for name in ("pre_hook", "deploy_hook", "renew_hook", "run_saved_post_hooks")),
    *(
        (storage.RenewableCert, name)
        for name in ("save_successor", "update_all_links_to", "has_pending_deployment", "truncate")
    ),
]
"""What the plugin wraps of Certbot's."""


@pytest.fixture(autouse=True)
def certbots_own_steps() -> Iterator[None]:
    """Puts Certbot's steps back as they were before a test."""
    before = [
        (holder, name, getattr(holder, name)) for holder, name in WRAPPED if hasattr(holder, name)
    ]
    yield
    for holder, name, value in before:
        setattr(holder, name, value)
    vars(hooks).pop(interception._HOOKED, None)


@pytest.fixture(autouse=True)
def no_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps what tests release out of this machine's journal."""
    monkeypatch.setattr(postmortem, "SOCKET", "/nonexistent/log")


@pytest.fixture
def config_dir(tmp_path: Path) -> ConfigDir:
    """An empty Certbot configuration directory."""
    return ConfigDir(tmp_path / "etc")


@pytest.fixture
def no_locale(english: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """No language is chosen but by options and lineages, as under a timer."""
    del english
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def english() -> Iterator[None]:
    """Whoever runs the tests, messages are in English."""
    language.start("en")
    yield
    language.start(None)
