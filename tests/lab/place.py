"""Where a world can be: what its places have in common.

A place is private networks, mounts and processes on this machine (``namespace``), or, where the
kernel grants root none of these, the container itself (``container``).
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ROOT = Path(__file__).parents[2]
PATIENCE = 60  # seconds for an agent to tidy up

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


@dataclass(frozen=True)
class Addresses:
    """A world's IPv4 addresses.

    Attributes:
        web: of the web server's host.
        web_too: a second one of that host.
        ca: of the CA's host.
        refusing: nothing listens there: connections are refused at once.
        silent: nobody there: packets vanish.
    """

    web: str
    web_too: str
    ca: str
    refusing: str
    silent: str


OWN_NETWORK = Addresses("192.0.2.1", "192.0.2.4", "192.0.2.2", "192.0.2.3", "192.0.2.99")
LOOPBACK = Addresses("127.0.0.3", "127.0.0.5", "127.0.0.2", "127.0.0.4", "127.0.0.99")
"""Where there is no other network; all of 127.0.0.0/8 is this machine's."""


def is_confined() -> bool:
    """Tells whether we are root to whom the kernel grants no namespaces, as in a container."""
    if os.geteuid() != 0 or not shutil.which("unshare", path=PATH):
        return False
    command = ["unshare", "--net", "--mount", "--pid", "--fork", "true"]
    tried = subprocess.run(command, capture_output=True, env={"PATH": PATH}, check=False)
    return tried.returncode != 0


CONFINED = is_confined()
ADDRESSES = LOOPBACK if CONFINED else OWN_NETWORK
WEB = ADDRESSES.web
WEB_TOO = ADDRESSES.web_too
CA = ADDRESSES.ca
REFUSING = ADDRESSES.refusing
SILENT = ADDRESSES.silent


def at(port: int) -> str:
    """Returns on what a web server of the world is told to listen for all that comes to a port.

    Args:
        port: the TCP port.
    """
    return f"{WEB}:{port}" if CONFINED else str(port)


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


class Place(ABC):
    """A place without inhabitants; its agent (``tests.agents``) keeps it and ends with it.

    Attributes:
        pid: the agent, as the machine numbers it.
        homes: where the web server of a name listens, if not at ``WEB``.
    """

    pid: int

    def __init__(self, prefix: Sequence[str], agent: str, *words: str) -> None:
        """Starts the agent and waits until the place is laid out.

        Args:
            prefix: the command that runs the agent, if any.
            agent: its module.
            words: what it is told.

        Raises:
            Missing: tools are missing, or this machine has no such place.
        """
        check()
        self.homes: dict[str, str] = {}
        self._lock = threading.Lock()
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            fd = theirs.fileno()
            self._agent = subprocess.Popen(
                [*prefix, sys.executable, "-s", "-B", "-m", agent, str(fd), *words],
                cwd=ROOT,
                pass_fds=[fd],
                env={"PATH": PATH},
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        try:
            self._receive()
            self.pid = self._agents_pid()
        except OSError as error:
            raise Missing(self._why(error)) from error

    def _agents_pid(self) -> int:
        return self._agent.pid

    @abstractmethod
    def _hint(self, why: str) -> str:
        """Puts into words that there is no place, and what to do."""

    def _why(self, error: OSError) -> str:
        """Ends what was begun and puts into words why there is no place."""
        self._end()
        assert self._agent.stderr is not None
        with self._agent.stderr as stream:
            said = stream.read().decode(errors="replace").strip()
        return self._hint(said or str(error))

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

    @abstractmethod
    def new_socket(self, network: str, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """Returns a new socket that lives in the network ``web`` or ``ca``."""

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

    @abstractmethod
    def path(self, path: str | os.PathLike[str]) -> Path:
        """Returns where a file of the world can be reached from outside."""

    @abstractmethod
    def command(self, argv: Sequence[str], network: str = "web") -> list[str]:
        """Returns the command line that runs a command inside."""

    @abstractmethod
    def inner(self, pid: int) -> int:
        """Returns the command that a process runs inside, as the machine numbers it.

        Args:
            pid: the process that ``command`` became.

        Raises:
            ProcessLookupError: it does not run yet, or no longer.
        """

    def close(self) -> None:
        """Ends the world and everything in it."""
        self._end()
        if self._agent.stderr is not None:
            self._agent.stderr.close()

    def _end(self) -> None:
        self._channel.close()
        try:
            self._agent.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._agent.kill()
            self._agent.wait()


def inside(place: Place, process: subprocess.Popen[bytes], timeout: float = 60) -> int:
    """Returns the command that a process runs inside, once it runs.

    Args:
        place: where.
        process: what ``command`` became.
        timeout: seconds to wait for it.

    Raises:
        ProcessLookupError: it has ended, or does not begin in time.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            return place.inner(process.pid)
        except ProcessLookupError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.005)
