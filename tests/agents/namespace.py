"""The first process of a world: lays out its files and network, and hands out sockets.

Rules of this file:

- Process 1 of the world. When the other end of its socket closes, it ends, and the kernel ends
  every process of the world with it; the world's file systems and networks follow.
- Nothing outside the world's own mounts is written.
"""

from __future__ import annotations

import array
import ctypes
import json
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Mapping

from tests.agents.etc import pristine, run
from tests.agents.processes import kill_all, numbers, reap, stat

LAB = "/run/lab"
HOST = LAB + "/host"
KEEP = b"CERTBOT_JPRS_LAB_KEEP=1"

NETWORK = """\
link set lo up
link add web0 type veth peer name ca0 netns ca
addr add 192.0.2.1/24 dev web0
addr add 192.0.2.4/24 dev web0
link set web0 up
neigh add 192.0.2.99 lladdr 02:00:00:00:00:99 dev web0 nud permanent
"""
CA_NETWORK = """\
link set lo up
addr add 192.0.2.2/24 dev ca0
addr add 192.0.2.3/24 dev ca0
link set ca0 up
"""


def farm(directory: str, private: tuple[str, ...]) -> None:
    """Covers a directory by one of the world's own that shows the machine's entries."""
    original = HOST + directory
    os.makedirs(original)
    run("mount", "--rbind", directory, original)
    run("mount", "-t", "tmpfs", "-o", "mode=755", "lab", directory)
    for name in os.listdir(original):
        if name not in private:
            os.symlink(f"{original}/{name}", f"{directory}/{name}")


def move(layers: str, shared: str) -> None:
    """Gives the world the files of another machine; what is written there goes to memory.

    Args:
        layers: the directories with its files, as ``lowerdir`` of an overlay.
        shared: a directory of this machine that is its ``/tmp``.
    """
    run("mount", "-t", "tmpfs", "-o", "mode=755", "lab", "/run")
    for name in ("upper", "work", "root"):
        os.makedirs(f"/run/{name}")
    upper = f"lowerdir={layers},upperdir=/run/upper,workdir=/run/work"
    run("mount", "-t", "overlay", "-o", upper, "overlay", "/run/root")
    run("mount", "-t", "proc", "proc", "/run/root/proc")
    for source, target in (("/sys", "sys"), ("/dev", "dev"), (shared, "tmp")):
        run("mount", "--rbind", source, f"/run/root/{target}")
    os.makedirs("/run/root/mnt", exist_ok=True)
    run("pivot_root", "/run/root", "/run/root/mnt")
    os.chdir("/")
    run("umount", "-l", "/mnt")


def lay_out() -> None:
    """Mounts the world's own file systems and makes its two networks."""
    run("mount", "-t", "tmpfs", "-o", "mode=755", "lab", "/run")
    os.makedirs(LAB + "/bin")
    pristine(LAB + "/pristine", "192.0.2.2")
    farm("/var/lib", ("apache2", "letsencrypt", "nginx", "prometheus"))
    farm("/var/spool", ("cron",))
    for directory in ("/var/log", "/var/www"):
        if os.path.isdir(directory):
            run("mount", "-t", "tmpfs", "-o", "mode=755", "lab", directory)
    for directory in ("/var/log", "/var/www"):
        os.makedirs(directory, exist_ok=True)
    if os.path.exists("/dev/log"):  # the machine's own syslog is not for what happens here
        run("mount", "--bind", "/dev/null", "/dev/log")
    socket.sethostname("web")
    run("ip", "netns", "add", "ca")
    run("ip", "-batch", "-", text=NETWORK)
    run("ip", "-netns", "ca", "-batch", "-", text=CA_NETWORK)
    refresh()


def empty(directory: str) -> None:
    """Removes what is in a directory, not the directory."""
    for entry in os.scandir(directory):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def refresh() -> None:
    """Brings the world's files back to how every test finds them."""
    fresh = f"{LAB}/etc-{time.monotonic_ns()}"
    run("cp", "-a", LAB + "/pristine", fresh)
    with open("/proc/self/mountinfo", encoding="utf-8") as stream:
        mounts = [line.split() for line in stream]
    old = [fields[3] for fields in mounts if fields[4] == "/etc" and "/lab/etc-" in fields[3]]
    for _ in old:
        run("umount", "-l", "/etc")
    run("mount", "--bind", fresh, "/etc")
    for path in old:
        shutil.rmtree("/run" + path, ignore_errors=True)
    for directory in ("/var/log", "/var/www"):
        empty(directory)
    shutil.rmtree("/var/spool/cron", ignore_errors=True)
    for name in ("apache2", "letsencrypt", "nginx", "prometheus"):
        shutil.rmtree("/var/lib/" + name, ignore_errors=True)
    os.makedirs("/var/lib/nginx")
    os.makedirs("/var/lib/prometheus/node-exporter")
    for kind in ("conf", "module", "site"):
        os.makedirs(f"/var/lib/apache2/{kind}/enabled_by_admin")
    os.makedirs("/var/www/html")
    for name in ("apache2", "nginx"):
        os.makedirs("/var/log/" + name)
    for name in os.listdir("/run"):
        if name not in {"lab", "netns"}:
            path = "/run/" + name
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    for name in ("home", "tmp", "lock"):
        os.makedirs("/run/" + name)
        os.chmod("/run/" + name, 0o755 if name == "home" else 0o1777)


def others() -> list[int]:
    """Returns the world's processes that a reset ends."""
    found = []
    for pid in numbers():
        try:
            with open(f"/proc/{pid}/environ", "rb") as stream:
                kept = KEEP in stream.read().split(b"\0")
        except OSError:
            continue
        if not kept and pid != os.getpid() and stat(pid)[:1] not in ([], ["Z"]):
            found.append(pid)
    return found


def make_socket(network: str, kind: int) -> socket.socket:
    """Creates a socket in one of the world's networks.

    A socket stays in the network it was created in, whoever uses it.
    """
    if network != "ca":
        return socket.socket(socket.AF_INET, kind)
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/run/netns/ca", "rb") as there, open("/proc/self/ns/net", "rb") as here:
        if libc.setns(there.fileno(), 0x40000000):
            raise OSError(ctypes.get_errno(), "setns")
        try:
            return socket.socket(socket.AF_INET, kind)
        finally:
            libc.setns(here.fileno(), 0x40000000)


def answer(channel: socket.socket, request: Mapping[str, object]) -> None:
    """Carries out one request and replies."""
    if request["op"] == "socket":
        with make_socket(str(request["network"]), int(str(request["kind"]))) as made:
            fds = array.array("i", [made.fileno()])
            channel.sendmsg([b"{}"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        return
    if request["op"] == "reset":
        kill_all(others)
        refresh()
    elif request["op"] == "kill":
        kill_all(others)
    else:
        raise ValueError(f"unknown request {request}")
    channel.send(b"{}")


def main() -> None:
    """Sets the world up, says so, and serves until the other end closes."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    os.umask(0o022)
    os.chdir("/")
    try:
        if sys.argv[2:]:
            move(*sys.argv[2:])
        lay_out()
    except OSError as error:
        channel.send(json.dumps({"error": str(error)}).encode())
        return
    channel.send(b"{}")
    while True:
        # An orphan that ends is reaped at once, except while commands of our own run.
        signal.signal(signal.SIGCHLD, reap)
        reap()
        request = channel.recv(65536)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if not request:
            return
        try:
            answer(channel, json.loads(request))
        except (OSError, ValueError) as error:
            channel.send(json.dumps({"error": str(error)}).encode())


if __name__ == "__main__":
    main()
