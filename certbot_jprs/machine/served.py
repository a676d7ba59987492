"""What port 443 of a name really serves: one TLS handshake, bounded in time.

Rules of this file: nothing is verified, since an expired or wrong certificate is what is looked
for; and no name server or web server, however slow, delays the whole by more than ``SECONDS``.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterable

from cryptography import x509

SECONDS = 5.0
"""How long all looks together may take for each ``SIDE_BY_SIDE`` names."""

SIDE_BY_SIDE = 16


def look_at(names: Iterable[str], port: int = 443) -> dict[str, x509.Certificate]:
    """Looks at what several names serve, side by side.

    Args:
        names: DNS names.
        port: the port.

    Returns:
        The certificate of each name that serves one; no others.
    """
    wanted = list(dict.fromkeys(names))
    found: dict[str, x509.Certificate] = {}
    for start in range(0, len(wanted), SIDE_BY_SIDE):
        found.update(_look_at(wanted[start : start + SIDE_BY_SIDE], port))
    return found


def _look_at(names: list[str], port: int) -> dict[str, x509.Certificate]:
    seen: queue.SimpleQueue[tuple[str, bytes | None]] = queue.SimpleQueue()

    def look(name: str) -> None:
        der = None
        with contextlib.suppress(OSError, ValueError):
            der = _fetch(name, port)
        seen.put((name, der))

    for name in names:
        # A daemon: a look-up that a silent name server holds is left behind.
        threading.Thread(target=look, args=(name,), daemon=True).start()
    found = {}
    deadline = time.monotonic() + SECONDS
    for _name in names:
        try:
            name, der = seen.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        if der is not None:
            with contextlib.suppress(ValueError):
                found[name] = x509.load_der_x509_certificate(der)
    return found


def _fetch(name: str, port: int) -> bytes | None:
    """Returns the certificate that a name serves, in DER.

    Raises:
        OSError, ValueError: it serves none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    plain = socket.create_connection((name, port), timeout=SECONDS)
    with plain, context.wrap_socket(plain, server_hostname=name) as secured:
        return secured.getpeercert(binary_form=True)
