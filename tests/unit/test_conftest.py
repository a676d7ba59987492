"""What holds for every unit test."""

from __future__ import annotations

import pytest

from tests.unit.conftest import SECONDS


def test_it_is_ended_when_it_hangs(request: pytest.FixtureRequest) -> None:
    marker = request.node.get_closest_marker("timeout")
    assert marker is not None
    assert marker.args == (SECONDS,)
