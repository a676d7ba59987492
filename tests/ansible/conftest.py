"""What the tests share."""

from tests.e2e.conftest import pytest_configure

__all__ = ["pytest_configure"]
