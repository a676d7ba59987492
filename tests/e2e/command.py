"""What the tests of the ``certbot-jprs`` command share."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from tests.lab import Result, World

COMMAND = str(Path(sys.executable).with_name("certbot-jprs"))
"""The console script that ``pip install`` made, as hooks call it."""

QUICK = ("--interval", "1")

MANUAL_HOOK = "sleep 10m;systemctl reload httpd"
"""The deploy hook of JPRS's manual."""


def jprs(
    world: World, *args: str, env: Mapping[str, str] | None = None, stdin: str | None = None
) -> Result:
    """Runs ``certbot-jprs``; whatever it did, it did not crash.

    Args:
        world: where.
        args: the words after the command's name.
        env: added to the environment.
        stdin: what it can read there.
    """
    result = world.run(COMMAND, *args, env=env, input=stdin)
    assert "Traceback" not in result.output, f"{result}"
    return result
