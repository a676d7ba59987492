"""Makes a container the world, while its socket is open, and then what it was before.

Rules of this file:

- No namespace, no mount, no capability that ``docker run`` does not give.
- What the world changes is kept aside first, below ``KEPT``, and brought back at the end. Where
  an end was not reached (the machine was switched off) the next beginning does it.
- Every process of the world is a descendant: orphans come to the agent, a subreaper (prctl(2)).
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator, Mapping

from tests.agents import etc
from tests.agents.mirror import bring_back, keep, remove
from tests.agents.processes import kill_all, numbers, reap, stat
from tests.agents.supervisor import supervise

LAB = "/run/lab"
DOOR = LAB + "/door"
COMMANDS = LAB + "/commands"
KEPT = "/var/lib/certbot-jprs-lab"
BEFORE = KEPT + "/before"
PRISTINE = KEPT + "/pristine"
CHANGED = (
    *("/var/lib/apache2", "/var/lib/letsencrypt", "/var/lib/nginx", "/var/lib/prometheus"),
    *("/var/log/apache2", "/var/log/letsencrypt", "/var/log/nginx", "/var/spool/cron"),
    *("/var/www", "/run/apache2", "/run/nginx.pid"),
)
GROWING = ("/run", "/var/lib", "/var/log")
"""Where the world may add something; what else is there is left alone."""
SERVERS = {"apache2", "httpd", "nginx"}
SUBREAPER = 36


class Refusal(Exception):
    """This container is in use; the message says by what."""


def lock() -> int:
    """Takes this container for this one world.

    Raises:
        Refusal: another world has it.
    """
    descriptor = os.open("/etc", os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Refusal("another world of the lab has it; there is one at a time") from error
    return descriptor


def refuse(addresses: Mapping[str, str]) -> None:
    """Makes sure that nothing is here which is somebody's.

    Args:
        addresses: the world's, by what they are for.

    Raises:
        Refusal: a Certbot configuration, a web server, or a program at one of the addresses.
    """
    for directory, _directories, names in os.walk("/etc/letsencrypt"):
        for name in names:
            path = f"{directory}/{name}"
            if path != "/etc/letsencrypt/cli.ini":  # Debian's package brings one
                raise Refusal(f"it has a Certbot configuration ({path})")
    for pid in numbers():
        with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="utf-8") as stream:
            name = stream.read().strip()
            if name in SERVERS and stat(pid)[:1] != ["Z"] and lives_here(pid):
                raise Refusal(f"a web server runs in it ({name}, process {pid})")
    for what, port in (("web", 80), ("web", 443), ("ca", 80), ("ca", 443), ("ca", 53)):
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind((addresses[what], port))
            except OSError as error:
                where = f"{addresses[what]}:{port} is not free"
                raise Refusal(f"{where} ({error.strerror}): stop what is there") from error


def lives_here(pid: int) -> bool:
    """Tells whether a process has our files: a chroot sees those of the machine around it."""
    try:
        theirs, ours = os.stat(f"/proc/{pid}/root/"), os.stat("/")
    except PermissionError:
        return True
    except OSError:
        return False
    return (theirs.st_dev, theirs.st_ino) == (ours.st_dev, ours.st_ino)


def put_aside(addresses: Mapping[str, str]) -> None:
    """Keeps what the world will change, and makes what every test starts with."""
    os.makedirs(BEFORE, mode=0o700)
    keep("/etc", BEFORE + "/etc", etc.PASSWORDS)
    for path in CHANGED:
        os.makedirs(os.path.dirname(BEFORE + path), exist_ok=True)
        keep(path, BEFORE + path)
    grown = {directory: os.listdir(directory) for directory in GROWING}
    keep(BEFORE + "/etc", PRISTINE)
    etc.as_installed(PRISTINE)
    etc.listen_at(PRISTINE, addresses["web"])
    remove(PRISTINE + "/letsencrypt")
    os.mkdir(PRISTINE + "/letsencrypt")
    for name, text in (
        ("hosts", etc.HOSTS),
        ("nsswitch.conf", etc.NSSWITCH),
        ("resolv.conf", f"nameserver {addresses['ca']}\n"),
    ):
        remove(f"{PRISTINE}/{name}")
        etc.write(f"{PRISTINE}/{name}", text)
    etc.write(KEPT + "/grown.part", json.dumps(grown))
    os.rename(KEPT + "/grown.part", KEPT + "/grown")


def shrink(spare: set[str]) -> None:
    """Removes what the world added beside other programs' files."""
    for directory, names in json.loads(etc.read(KEPT + "/grown")).items():
        for name in set(os.listdir(directory)) - set(names):
            if f"{directory}/{name}" not in spare:
                remove(f"{directory}/{name}")


def refresh() -> None:
    """Brings the world's files back to how every test finds them."""
    bring_back(PRISTINE, "/etc", etc.PASSWORDS)
    shrink({LAB, KEPT})
    for path in CHANGED:
        remove(path) if path.startswith("/run") else empty(path)
    os.makedirs("/var/www/html")
    exporter = "/var/lib/prometheus/node-exporter"
    for name in ("/var/log/apache2", "/var/log/nginx", "/var/lib/nginx", exporter):
        os.makedirs(name, exist_ok=True)
    for kind in ("conf", "module", "site"):
        os.makedirs(f"/var/lib/apache2/{kind}/enabled_by_admin")
    for name, mode in (("home", 0o755), ("tmp", 0o1777), ("lock", 0o1777)):
        os.makedirs("/run/" + name, exist_ok=True)
        os.chmod("/run/" + name, mode)


def empty(directory: str) -> None:
    """Removes what is in a directory, and the directory unless it is a mount."""
    if os.path.isdir(directory):
        for name in os.listdir(directory):
            remove(f"{directory}/{name}")


def restore() -> None:
    """Makes the container what it was before the world."""
    if os.path.exists(KEPT + "/grown"):  # else nothing was changed yet
        bring_back(BEFORE + "/etc", "/etc", etc.PASSWORDS)
        for path in CHANGED:
            bring_back(BEFORE + path, path)
        shrink({KEPT})
    remove(LAB)
    remove(KEPT)


def fall_silent(address: str) -> Iterator[socket.socket]:
    """Yields sockets by which an address is one where packets vanish.

    Connections are not taken once the queue of those that wait to be accepted is full.
    """
    for port in (53, 80):
        full = socket.socket()
        full.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        full.bind((address, port))
        full.listen(0)
        waiting = socket.create_connection((address, port))
        yield from (full, waiting)
    deaf = socket.socket(type=socket.SOCK_DGRAM)
    deaf.bind((address, 53))
    yield deaf


def descendants(kept: set[int]) -> list[int]:
    """Returns the processes that come from this one, ended ones that wait to be collected too.

    Args:
        kept: those that are left out, with what comes from them.
    """
    children: dict[int, list[int]] = {}
    for pid in numbers():
        fields = stat(pid)
        if fields:
            children.setdefault(int(fields[1]), []).append(pid)
    found: list[int] = []
    wanted = [os.getpid()]
    while wanted:
        for pid in children.get(wanted.pop(), ()):
            if pid not in kept:
                found.append(pid)
                wanted.append(pid)
    return found


class Agent:
    """Answers who made the world, and starts what it wants to run."""

    def __init__(self, channel: socket.socket) -> None:
        """Opens the door.

        Args:
            channel: the socket to who made the world.
        """
        self._channel = channel
        self._furniture: set[int] = set()
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._door.bind(DOOR)
        self._door.listen(128)

    def serve(self) -> None:
        """Serves until the other end of the channel closes."""
        self._channel.send(b"{}")
        while True:
            # An orphan that ends is collected at once, except while we end some ourselves.
            signal.signal(signal.SIGCHLD, reap)
            reap()
            ready = select.select([self._channel, self._door], [], [])[0]
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            if self._door in ready:
                self._open()
            if self._channel in ready:
                request = self._channel.recv(65536)
                if not request:
                    return
                self._answer(json.loads(request)["op"])

    def _open(self) -> None:
        visitor = self._door.accept()[0]
        pid, stays = supervise(visitor, (self._channel, self._door))
        if stays:
            self._furniture.add(pid)

    def _answer(self, op: str) -> None:
        try:
            kill_all(lambda: descendants(self._furniture))
            if op == "reset":
                refresh()
                remove(COMMANDS)
                os.mkdir(COMMANDS)
            self._channel.send(b"{}")
        except OSError as error:
            self._channel.send(json.dumps({"error": str(error)}).encode())


def main() -> None:
    """Takes the container, and gives it back."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    addresses = json.loads(sys.argv[2])
    os.umask(0o022)
    os.chdir("/")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    try:
        _held = lock()
        restore()
        refuse(addresses)
    except (Refusal, OSError) as error:
        channel.send(json.dumps({"error": str(error)}).encode())
        return
    try:
        put_aside(addresses)
        refresh()
        for directory in (LAB + "/bin", COMMANDS):
            os.makedirs(directory)
        _silent = list(fall_silent(addresses["silent"]))
        Agent(channel).serve()
    except OSError as error:
        channel.send(json.dumps({"error": str(error)}).encode())
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        kill_all(lambda: descendants(set()))
        restore()


if __name__ == "__main__":
    main()
