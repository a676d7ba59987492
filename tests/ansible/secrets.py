"""The search for a secret in everything that was printed and stored, and in what runs."""

from __future__ import annotations

import base64
import os
import threading
from collections.abc import Iterable
from pathlib import Path

from tests.lab.site import Host, processes


def forms(secret: str) -> list[bytes]:
    """Returns a secret as it is, and what base64 of a text that contains it contains."""
    found = [secret.encode()]
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret.encode())
        found.append(encoded[4 if before else 0 : -4])  # the ends depend on what is around it
    return found


def in_files(secret: str, places: Iterable[Path]) -> list[str]:
    """Returns the files below some places that contain a secret."""
    every = forms(secret)
    found = []
    for place in places:
        for directory, _directories, names in os.walk(place):
            for name in names:
                path = Path(directory, name)
                if path.is_file() and not path.is_symlink():
                    data = path.read_bytes()
                    if any(form in data for form in every):
                        found.append(str(path))
    return found


def on_host(secret: str, host: Host) -> list[str]:
    """Returns where on a host a secret is kept, its system log included."""
    logged = ["syslog"] if any(form in host.syslog for form in forms(secret)) else []
    return logged + in_files(secret, host.kept())


class Watch:
    """Looks at the processes of all hosts and of the controller, again and again.

    Attributes:
        seen: the command lines and environments with the secret.
        certbots: how many command lines of Certbot were among all: what was there to be seen.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        """Starts watching."""
        self._forms = [form for secret in secrets for form in forms(secret)]
        self._stop = threading.Event()
        self.seen: set[bytes] = set()
        self.certbots = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(0.02):
            for words in processes():
                self.certbots += b"/certbot\0register\0" in words
                if any(form in words for form in self._forms):
                    self.seen.add(words)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join(60)
