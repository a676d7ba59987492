"""Who listens on this machine's ports, seen from a process that does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from certbot_jprs.check import ports
from certbot_jprs.internals.delegates import APACHE
from tests.unit.peers import unused_port

LISTEN = """
import socket, sys
open("/proc/self/comm", "w").write(sys.argv[1])
made = socket.create_server((sys.argv[2], 0), family=int(sys.argv[3]))
print(made.getsockname()[1], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def free() -> Iterator[int]:
    """A port on which nobody listens, and nobody can."""
    with unused_port() as port:
        yield port


def listen(name: str, address: str) -> Iterator[int]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with subprocess.Popen(
        [sys.executable, "-c", LISTEN, name, address, str(int(family))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.communicate("")


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize(
    ("name", "taken"), [("nginx", "nginx"), ("httpd", None), ("apache2", None), ("a b)", "a b)")]
)
def test_who_listens(address: str, name: str, taken: str | None) -> None:
    for port in listen(name, address):
        assert ports.taken(port, APACHE.processes) == taken
        if taken is None:
            assert ports.runs(APACHE.processes)


def test_nobody_listens(free: int) -> None:
    assert ports.taken(free, APACHE.processes) is None


def test_who_is_connected_does_not_listen(free: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            assert ports.taken(client.getsockname()[1], ()) is None
            assert ports.taken(port, ()) == Path("/proc/self/comm").read_text().strip()


def test_an_apache_that_has_ended_does_not_run() -> None:
    """A zombie: its parent has not asked yet how it ended."""
    name = f"apache{os.getpid()}"  # others may have an Apache, and end it
    process = subprocess.Popen(
        [sys.executable, "-c", LISTEN, name, "127.0.0.1", str(int(socket.AF_INET))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdout.readline()
    number = str(process.pid)
    assert (number, name) in list(ports._processes())
    assert ports.runs({name})
    process.stdin.close()
    while f"{process.pid} ({name}) Z" not in Path(f"/proc/{number}/stat").read_text():
        time.sleep(0.01)
    try:
        assert number not in dict(ports._processes())
        assert not ports.runs({name})
    finally:
        process.stdout.close()
        process.wait()


def test_where_processes_cannot_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then a web server may run, and somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as made:

        def refuse(path: str) -> str:
            raise PermissionError(13, "Permission denied", path)

        monkeypatch.setattr("os.readlink", refuse)
        assert ports.runs(APACHE.processes)
        assert ports.taken(made.getsockname()[1], APACHE.processes) == "?"
