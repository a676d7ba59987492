"""What visitors of this machine are really served: TLS handshakes with its own addresses.

Rules of this file:

- No name server and no other machine is asked: where a name leads elsewhere, to a load balancer
  say, what is served there tells nothing about this machine.
- Nothing is verified, since an expired or wrong certificate is what is looked for.
- All looks are side by side, and bounded together, however slow the one who answers.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from typing import NamedTuple

from cryptography import x509

from certbot_jprs.lineage import archive
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.machine.addresses import listening
from certbot_jprs.ocsp import certificates

logger = logging.getLogger(__name__)

PORT = 443

SECONDS = 5.0
"""How long all looks together may take."""

ONE_LOOK = 2.5
"""Seconds for one of them, so that those who never answer do not keep the others waiting."""

SIDE_BY_SIDE = 32


class Place(NamedTuple):
    """Where one looks.

    Attributes:
        address: one of this machine's own addresses.
        name: the DNS name that is asked for there, by SNI (RFC 6066 section 3).
    """

    address: str
    name: str


def places(names: Iterable[str]) -> list[Place]:
    """Returns where to look for some names: on each own address that listens on port 443.

    Args:
        names: DNS names; wildcards, which nobody can ask for, are left out.
    """
    hosts, addresses = [name for name in names if not name.startswith("*.")], listening(PORT)
    return [Place(address, name) for name in hosts for address in addresses]


def look_at(
    wanted: Iterable[Place], seconds: float = SECONDS, port: int = PORT
) -> dict[Place, x509.Certificate | None]:
    """Looks at what several places serve, side by side.

    Args:
        wanted: the places.
        seconds: how long that may take.
        port: the TCP port.

    Returns:
        What each place serves, None where it serves no certificate; without those that could not
        be looked at in time.
    """
    todo: queue.SimpleQueue[Place] = queue.SimpleQueue()
    seen: queue.SimpleQueue[tuple[Place, bytes | None]] = queue.SimpleQueue()
    every = list(dict.fromkeys(wanted))
    for place in every:
        todo.put(place)
    deadline = time.monotonic() + seconds

    def look() -> None:
        with contextlib.suppress(queue.Empty):
            while time.monotonic() < deadline:
                place, der = todo.get_nowait(), None
                with contextlib.suppress(OSError, ValueError):  # it serves none
                    der = _fetch(place, port, min(ONE_LOOK, deadline - time.monotonic()))
                seen.put((place, der))

    for _worker in range(min(SIDE_BY_SIDE, len(every))):
        # A daemon: whoever does not answer, or a byte at a time, is left behind.
        with contextlib.suppress(RuntimeError):  # no more threads: those that run do it all
            threading.Thread(target=look, daemon=True).start()
    found: dict[Place, x509.Certificate | None] = {}
    for _place in every:
        try:
            place, der = seen.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        found[place] = None
        if der is not None:
            with contextlib.suppress(ValueError, x509.InvalidVersion):
                found[place] = x509.load_der_x509_certificate(der)
    return found


def _fetch(place: Place, port: int, seconds: float) -> bytes | None:
    """Returns the certificate that a place serves, in DER.

    Raises:
        OSError, ValueError: it serves none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    plain = socket.create_connection((place.address, port), timeout=seconds)
    with plain, context.wrap_socket(plain, server_hostname=place.name) as secured:
        return secured.getpeercert(binary_form=True)


def versions(lineage: Lineage) -> dict[int, x509.Certificate]:
    """Returns the certificates of a lineage, by version; without those that cannot be read.

    Args:
        lineage: the lineage.
    """
    found = {}
    try:
        for version in archive.versions(lineage):
            with contextlib.suppress(OSError, ValueError, x509.InvalidVersion):
                path = archive.files(lineage, version)["cert"]
                found[version] = certificates.load_first(path)
    except OSError:
        logger.debug("The versions of %s cannot be read", lineage.name, exc_info=True)
    return found
