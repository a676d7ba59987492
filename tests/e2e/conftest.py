"""The world that end-to-end tests run in, and what it tells when one fails."""

from __future__ import annotations

import signal
from collections.abc import Generator, Iterator

import pytest

from tests.lab import World, subject
from tests.lab.place import CONFINED


def pytest_configure() -> None:
    """Takes the signals that whoever started the tests ignores: a background job, ``nohup``.

    What the tests start inherits that, and could not be ended by a signal.
    """
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def pytest_report_header() -> str:
    """Says what is under test."""
    return f"under test: {subject.CERTBOT} {subject.certbot_version()}"


LONG = ("test_asking.py", "test_fleet.py", "test_not_selected.py")
"""Files with tests of half a minute and more."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begins with what takes longest, lest it ends beside an idle core; skips with a reason.

    What is skipped is what the Certbot under test has not got. A container's world takes its
    network: tests that use the real one run first there.
    """
    items.sort(key=lambda item: item.path.name not in LONG)
    for item in items:
        for marker in item.iter_markers("needs_certbot"):
            least, reason = marker.args
            if subject.version() < subject.numbers(least):
                item.add_marker(pytest.mark.skip(reason=f"before Certbot {least}: {reason}"))
    if CONFINED:
        items.sort(key=lambda item: "world" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def shared_world() -> Iterator[World]:
    """One world for each of pytest's worker processes."""
    with World() as world:
        yield world


@pytest.fixture
def world(shared_world: World) -> Iterator[World]:
    """A world as if new: only the CA's memory has a past."""
    shared_world.reset()
    yield shared_world
    assert not shared_world.errors(), "the lab itself failed"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds the world's records to the report of a failed test."""
    report = yield
    world = getattr(item, "funcargs", {}).get("world")
    if report.when == "call" and report.failed and isinstance(world, World):
        for title, text in world.report().items():
            if text:
                report.sections.append((title, text))
    return report
