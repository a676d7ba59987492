"""This machine's own addresses, and on which of them something takes connections.

Rules of this file: the kernel's tables below ``/proc/self/net`` alone (proc(5)), so that what
counts is this process's own network; what cannot be read is passed over.
"""

from __future__ import annotations

import ipaddress
import re
import sys
from collections.abc import Iterator
from typing import Union

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

_TABLES = "/proc/self/net"
_LISTENS = "0A"
_OWN = re.compile(r"\|-- ([0-9.]+)\n\s+/32 host LOCAL")


def listening(port: int) -> list[str]:
    """Returns this machine's own addresses on which something takes connections.

    Args:
        port: the TCP port.

    Returns:
        The addresses, IPv4 and IPv6, each once; without link-local ones, to which no name leads.
        Where the tables cannot be read there are none.
    """
    found = {address for table in ("tcp", "tcp6") for address in _bound(table, port)}
    everywhere = {address.version for address in found if address.is_unspecified}
    if everywhere:
        # A socket bound to :: mostly takes connections of IPv4 too; which, the tables do not tell.
        found |= {each for each in _own() if each.version in everywhere or 6 in everywhere}
    usable = {each for each in found if not each.is_unspecified and not each.is_link_local}
    return [str(each) for each in sorted(usable, key=lambda each: (each.version, int(each)))]


def _bound(table: str, port: int) -> Iterator[Address]:
    """Yields the addresses of a table of sockets to which those that listen on a port are bound."""
    for line in _text(table).splitlines()[1:]:
        _number, local, _remote, state, *_rest = line.split()
        address, _colon, at = local.rpartition(":")
        if state == _LISTENS and int(at, 16) == port:
            yield _decoded(address)


def _decoded(text: str) -> Address:
    """Decodes an address: words of 32 bits in the machine's byte order, each in hexadecimal."""
    words = (int(text[start : start + 8], 16) for start in range(0, len(text), 8))
    address = ipaddress.ip_address(b"".join(word.to_bytes(4, sys.byteorder) for word in words))
    return getattr(address, "ipv4_mapped", None) or address


def _own() -> Iterator[Address]:
    """Yields the addresses of this machine's interfaces."""
    yield from map(ipaddress.ip_address, _OWN.findall(_text("fib_trie")))
    for line in _text("if_inet6").splitlines():
        yield ipaddress.IPv6Address(int(line.split()[0], 16))


def _text(table: str) -> str:
    try:
        with open(f"{_TABLES}/{table}", encoding="ascii") as file:
            return file.read()
    except OSError:
        return ""
