"""What the tests of packages share with the end-to-end tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import pytest_configure, pytest_runtest_makereport

__all__ = ["pytest_configure", "pytest_runtest_makereport"]


@pytest.fixture(scope="session")
def plain_certbot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The executable of a Certbot that pip has installed, without the plugin."""
    venv = tmp_path_factory.mktemp("plain") / "certbot"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    pip = (venv / "bin" / "python", "-m", "pip", "install", "--quiet")
    subprocess.run([*pip, "certbot", "certbot-apache"], check=True)
    return venv / "bin" / "certbot"
