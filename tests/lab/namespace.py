"""The world's walls: private networks, mounts and processes, made without touching the machine.

Everything in the namespace dies with it: its first process ends when our end of the socket
closes, however we end.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.lab import subject
from tests.lab.place import Place

FLAGS = (
    *("--net", "--mount", "--pid", "--ipc", "--uts"),
    *("--fork", "--mount-proc", "--kill-child"),
)


class Namespace(Place):
    """A private world without inhabitants.

    Attributes:
        pid: the first process of the world, as the machine numbers it.
    """

    def __init__(self) -> None:
        """Makes the namespaces.

        Raises:
            Missing: tools are missing, or this machine does not let us make namespaces.
        """
        self._user = [] if os.geteuid() == 0 else ["--user", "--map-root-user", "--map-auto"]
        move = [subject.USERLAND, tempfile.gettempdir()] if subject.USERLAND else []
        super().__init__(["unshare", *self._user, *FLAGS], "tests.agents.namespace", *move)

    def _agents_pid(self) -> int:
        return self.inner(self._agent.pid)

    def _hint(self, why: str) -> str:
        hint = (
            "run as root, or allow unprivileged user namespaces and give this user "
            "a range in /etc/subuid and /etc/subgid"
        )
        return f"no namespaces here ({why})" + (f": {hint}" if self._user else "")

    def new_socket(self, network: str, kind: int = socket.SOCK_STREAM) -> socket.socket:
        return socket.socket(fileno=self._ask(op="socket", network=network, kind=kind)[0])

    def path(self, path: str | os.PathLike[str]) -> Path:
        """Returns where a file of the world can be reached from outside.

        Relative links below it work; absolute ones point to the machine's files.
        """
        return Path(f"/proc/{self.pid}/root{os.fspath(path)}")

    def command(self, argv: Sequence[str], network: str = "web") -> list[str]:
        enter = ["nsenter", "--target", str(self.pid)]
        if self._user:
            enter.append("--user")
        # The root has to be named: where ours is a chroot, the mount namespace's is another.
        enter += ["--mount", "--pid", "--ipc", "--uts", "--root", "--wd"]
        enter.append("--net" if network == "web" else f"--net={self.path('/run/netns/ca')}")
        return [*enter, "--", *argv]

    def inner(self, pid: int) -> int:
        return child_of(pid)


def child_of(pid: int) -> int:
    """Returns the one child of a process.

    Raises:
        ProcessLookupError: it has none, or is gone.
    """
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except FileNotFoundError:
        children = []
    if not children:
        raise ProcessLookupError(f"process {pid} has no child")
    return int(children[0])
