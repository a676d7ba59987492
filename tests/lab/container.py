"""Where root gets no namespaces, as in a container: the container itself is the world.

Rules of this file:

- One world at a time, on addresses of 127.0.0.0/8; the container's own ``/etc/apache2``,
  ``/etc/letsencrypt``, ``/etc/hosts``, … are the world's meanwhile, and are brought back.
- Where there is a Certbot configuration or a web server, or one of the addresses is taken, there
  is no world: the agent refuses.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.lab.place import ADDRESSES, ROOT, Place

DOOR = "/run/lab/door"
COMMANDS = "/run/lab/commands"
ENTER = str(ROOT / "tests" / "agents" / "enter.py")


class Container(Place):
    """A container without inhabitants."""

    def __init__(self) -> None:
        """Makes the container the world.

        Raises:
            Missing: tools are missing, or the container is in use.
        """
        super().__init__([], "tests.agents.container", json.dumps(asdict(ADDRESSES)))

    def _hint(self, why: str) -> str:
        return (
            f"this container cannot be the lab's world: {why}. Root gets no namespaces here "
            "(CAP_SYS_ADMIN lacks), so the lab would use the container's own files and addresses"
        )

    def new_socket(self, network: str, kind: int = socket.SOCK_STREAM) -> socket.socket:
        return socket.socket(socket.AF_INET, kind)  # there is one network

    def path(self, path: str | os.PathLike[str]) -> Path:
        """Returns where a file of the world is: there."""
        return Path(path)

    def command(self, argv: Sequence[str], network: str = "web") -> list[str]:
        return [sys.executable, "-I", "-S", ENTER, DOOR, COMMANDS, *argv]

    def inner(self, pid: int) -> int:
        try:
            return int(Path(COMMANDS, str(pid)).read_text(encoding="ascii"))
        except FileNotFoundError as error:
            raise ProcessLookupError(f"process {pid} runs no command yet") from error
