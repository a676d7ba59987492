"""What the tests of packages share with the end-to-end tests."""

from tests.e2e.conftest import pytest_configure, pytest_runtest_makereport
from tests.e2e.test_certbot_1_21 import old_certbot

__all__ = ["old_certbot", "pytest_configure", "pytest_runtest_makereport"]
