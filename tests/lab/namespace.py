"""The world's walls: private networks, mounts and processes, made without touching the machine.

Rules of this file:

- Everything in the namespace dies with it: its first process ends when our end of the socket
  closes, however we end.
- What the machine lacks is named, with the command that installs it.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from tests.lab import subject

WEB = "192.0.2.1"
WEB_TOO = "192.0.2.4"  # a second address of the web server's host
CA = "192.0.2.2"
REFUSING = "192.0.2.3"  # nothing listens: connections are refused at once
SILENT = "192.0.2.99"  # nobody there: packets vanish

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

TOOLS = {
    "apache2": "apache2",
    "nginx": "nginx",
    "pebble": "pebble",
    "pebble-challtestsrv": "pebble",
    "ip": "iproute2",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "mount": "mount",
    "openssl": "openssl",
}


class Missing(Exception):
    """The machine lacks something that the lab needs; the message says how to install it."""


def check(path: str = PATH, *, root: bool | None = None) -> None:
    """Makes sure that the machine has what the lab needs.

    Args:
        path: where to look for commands.
        root: whether we are root, None to find out. Others need newuidmap besides.

    Raises:
        Missing: naming every missing command or library, and the apt packages that bring them.
    """
    root = os.geteuid() == 0 if root is None else root
    tools = dict(TOOLS) if root else {**TOOLS, "newuidmap": "uidmap", "newgidmap": "uidmap"}
    lacking = {tool: tools[tool] for tool in tools if not shutil.which(tool, path=path)}
    try:
        ctypes.CDLL("libaugeas.so.0")
    except OSError:
        lacking["libaugeas.so.0"] = "libaugeas0"
    if lacking:
        packages = " ".join(sorted(set(lacking.values())))
        raise Missing(
            f"the lab needs {', '.join(sorted(lacking))}: "
            f"apt-get install --no-install-recommends {packages}"
        )


class Namespace:
    """A private world without inhabitants.

    Attributes:
        pid: the first process of the world, as the machine numbers it.
        homes: where the web server of a name listens, if not at ``WEB``.
    """

    def __init__(self) -> None:
        """Makes the namespaces.

        Raises:
            Missing: tools are missing, or this machine does not let us make namespaces.
        """
        check()
        self.homes: dict[str, str] = {}
        self._lock = threading.Lock()
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._user = [] if os.geteuid() == 0 else ["--user", "--map-root-user", "--map-auto"]
        flags = ["--net", "--mount", "--pid", "--ipc", "--uts"]
        flags += ["--fork", "--mount-proc", "--kill-child"]
        agent = str(Path(__file__).with_name("agent.py"))
        move = [subject.USERLAND, tempfile.gettempdir()] if subject.USERLAND else []
        with theirs:
            fd = theirs.fileno()
            self._unshare = subprocess.Popen(
                ["unshare", *self._user, *flags, sys.executable, "-I", agent, str(fd), *move],
                pass_fds=[fd],
                env={"PATH": PATH},
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        try:
            self._receive()
            self.pid = child_of(self._unshare.pid)
        except OSError as error:
            raise Missing(self._why(error)) from error

    def _why(self, error: OSError) -> str:
        """Ends what was begun and puts into words why there is no world."""
        self._end()
        assert self._unshare.stderr is not None
        with self._unshare.stderr as stream:
            said = stream.read().decode(errors="replace").strip()
        hint = (
            "as root in a container that lacks CAP_SYS_ADMIN it cannot be done"
            if not self._user
            else "run as root, or allow unprivileged user namespaces and give this user "
            "a range in /etc/subuid and /etc/subgid"
        )
        return f"no namespaces here ({said or error}): {hint}"

    def _receive(self) -> list[int]:
        data, fds, _, _ = socket.recv_fds(self._channel, 65536, 1)
        if not data:
            raise OSError("the world's first process ended")
        reply = json.loads(data)
        if "error" in reply:
            raise OSError(reply["error"])
        return list(fds)

    def _ask(self, **request: object) -> list[int]:
        with self._lock:
            self._channel.send(json.dumps(request).encode())
            return self._receive()

    def new_socket(self, network: str, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """Returns a new socket that lives in the network ``web`` or ``ca``."""
        return socket.socket(fileno=self._ask(op="socket", network=network, kind=kind)[0])

    def connect(self, network: str, address: tuple[str, int], timeout: float = 5) -> socket.socket:
        """Connects from one of the world's networks; the time-out is the socket's from then on."""
        made = self.new_socket(network)
        made.settimeout(timeout)
        try:
            made.connect(address)
        except OSError:
            made.close()
            raise
        return made

    def listen(self, network: str, address: tuple[str, int]) -> socket.socket:
        """Returns a socket that listens in one of the world's networks."""
        made = self.new_socket(network)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(128)
        return made

    def reset(self) -> None:
        """Ends all processes but the furniture, and brings the files back to the beginning."""
        self._ask(op="reset")
        self.homes.clear()

    def kill(self) -> None:
        """Ends all processes but the furniture."""
        self._ask(op="kill")

    def path(self, path: str | os.PathLike[str]) -> Path:
        """Returns where a file of the world can be reached from outside.

        Relative links below it work; absolute ones point to the machine's files.
        """
        return Path(f"/proc/{self.pid}/root{os.fspath(path)}")

    def command(self, argv: Sequence[str], network: str = "web") -> list[str]:
        """Returns the command line that runs a command inside."""
        enter = ["nsenter", "--target", str(self.pid)]
        if self._user:
            enter.append("--user")
        enter += ["--mount", "--pid", "--ipc", "--uts"]
        enter.append("--net" if network == "web" else f"--net={self.path('/run/netns/ca')}")
        return [*enter, "--", *argv]

    def close(self) -> None:
        """Ends the world and everything in it."""
        self._end()
        if self._unshare.stderr is not None:
            self._unshare.stderr.close()

    def _end(self) -> None:
        self._channel.close()
        try:
            self._unshare.wait(10)
        except subprocess.TimeoutExpired:
            self._unshare.kill()
            self._unshare.wait()


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
