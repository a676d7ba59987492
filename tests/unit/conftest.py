"""What the unit tests about Certbot's configuration share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.command_line import parse
from tests.unit.lineage import ConfigDir

__all__ = ["config_dir", "parse"]


@pytest.fixture
def config_dir(tmp_path: Path) -> ConfigDir:
    """An empty Certbot configuration directory."""
    return ConfigDir(tmp_path / "etc")
