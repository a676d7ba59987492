"""The world is that of the end-to-end tests."""

from tests.e2e.conftest import (
    pytest_configure,
    pytest_runtest_makereport,
    shared_world,
    world,
)

__all__ = ["pytest_configure", "pytest_runtest_makereport", "shared_world", "world"]
