"""This machine's own addresses: real sockets, and tables as the kernel writes them."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from certbot_jprs.machine import addresses

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
FIB_TRIE = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     |-- 127.0.0.0
        /8 host LOCAL
     |-- 127.0.0.1
        /32 host LOCAL
     |-- 192.0.2.0
        /24 link UNICAST
     |-- 192.0.2.7
        /32 host LOCAL
     |-- 192.0.2.255
        /32 link BROADCAST
Local:
     |-- 192.0.2.7
        /32 host LOCAL
"""
IF_INET6 = """\
fe8000000000000000fc00fffe000001 04 40 20 80     eth0
20010db8000000000000000000000007 04 40 00 80     eth0
00000000000000000000000000000001 01 80 10 80       lo
"""
V4 = ["127.0.0.1", "192.0.2.7"]
V6 = ["::1", "2001:db8::7"]


@contextlib.contextmanager
def listener(address: str, family: int = socket.AF_INET) -> Iterator[int]:
    with socket.socket(family) as one:
        one.bind((address, 0))
        one.listen()
        yield one.getsockname()[1]


def word(data: bytes) -> str:
    return f"{int.from_bytes(data, sys.byteorder):08X}"


def line(address: str, port: int, state: str = "0A") -> str:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    packed = socket.inet_pton(family, address)
    words = "".join(word(packed[start : start + 4]) for start in range(0, len(packed), 4))
    return f"   0: {words}:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 0 0\n"


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(addresses, "_TABLES", str(tmp_path))
    (tmp_path / "fib_trie").write_text(FIB_TRIE)
    (tmp_path / "if_inet6").write_text(IF_INET6)
    return tmp_path


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.9"])
def test_what_really_listens_at_one_address(address: str) -> None:
    with listener(address) as port:
        assert addresses.listening(port) == [address]
    assert addresses.listening(port) == []


def test_what_really_listens_everywhere() -> None:
    with listener("0.0.0.0") as port:
        found = addresses.listening(port)
        assert "127.0.0.1" in found
        for address in found:
            socket.create_connection((address, port), 5).close()


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_what_really_listens_at_an_address_of_ipv6() -> None:
    try:
        with listener("::1", socket.AF_INET6) as port:
            assert addresses.listening(port) == ["::1"]
    except OSError:
        pytest.skip("no IPv6 here")


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        ([], []),
        (["0.0.0.0"], V4),
        (["::"], V4 + V6),
        (["0.0.0.0", "::"], V4 + V6),
        (["192.0.2.7"], ["192.0.2.7"]),
        (["127.0.0.3", "127.0.0.3", "2001:db8::7"], ["127.0.0.3", "2001:db8::7"]),
        (["::ffff:192.0.2.7"], ["192.0.2.7"]),
        (["fe80::1"], []),
    ],
)
def test_each_address_once(tables: Path, bound: list[str], expected: list[str]) -> None:
    for table, six in (("tcp", False), ("tcp6", True)):
        text = "".join(line(each, 443) for each in bound if (":" in each) == six)
        (tables / table).write_text(HEAD + text)
    assert addresses.listening(443) == expected


def test_other_ports_and_other_states_do_not_count(tables: Path) -> None:
    others = line("192.0.2.7", 8443) + line("127.0.0.1", 443, "01") + line("0.0.0.0", 443, "06")
    (tables / "tcp").write_text(HEAD + others)
    assert addresses.listening(443) == []
    (tables / "tcp").write_text(HEAD + others + line("192.0.2.7", 443))
    assert addresses.listening(443) == ["192.0.2.7"]


def test_a_system_without_these_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_TABLES", str(tmp_path / "none"))
    assert addresses.listening(443) == []
