"""What is under test: which Certbot, with which Python, on a machine with which files.

The lab itself always runs with the project's own Python; so does what a test computes. Two
variables of the environment name another Certbot, with the plugin installed beside it:

``LAB_BIN``: the directory with its ``certbot``, ``certbot-jprs`` and ``python3``, of a virtual
environment for example. By default that of the Python that runs.

``LAB_USERLAND``: the files of a Debian release, which the world then has instead of this machine's:
one directory, or several with a colon between them, the uppermost first. The Certbot is that
release's own package; the plugin is where pip puts it. Needs root.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

USERLAND = os.environ.get("LAB_USERLAND", "")
BIN = os.environ.get("LAB_BIN", "")

if USERLAND:
    CERTBOT, COMMAND, PYTHON = "/usr/bin/certbot", "/usr/local/bin/certbot-jprs", "/usr/bin/python3"
else:
    PYTHON = f"{BIN}/python3" if BIN else sys.executable
    CERTBOT, COMMAND = (str(Path(PYTHON).with_name(name)) for name in ("certbot", "certbot-jprs"))


def layers() -> list[Path]:
    """Returns where the files of the userland are; of this machine: its root."""
    return [Path(layer) for layer in USERLAND.split(":")] if USERLAND else [Path("/")]


def sites() -> list[tuple[Path, Path]]:
    """Returns the subject's directories of modules, the first one first.

    Each is a pair: as the subject itself sees it, and where it is on this machine.
    """
    if not USERLAND:
        ours = [Path(path) for path in sys.path if path.endswith("-packages")]
        paths = sorted(Path(BIN).parent.glob("lib/python3*/site-packages")) if BIN else ours
        return [(path, path) for path in paths]
    found = []
    for pattern in ("usr/local/lib/python3*/dist-packages", "usr/lib/python3/dist-packages"):
        for layer in layers():
            paths = sorted(layer.glob(pattern))
            found += [(Path("/") / path.relative_to(layer), path) for path in paths]
    return found


@functools.cache
def version() -> tuple[int, ...]:
    """Returns Certbot's version, as numbers."""
    path = [str(outside) for _inside, outside in sites()]
    (found, *_rest) = importlib.metadata.distributions(name="certbot", path=path)
    return numbers(found.version)


def numbers(text: str) -> tuple[int, ...]:
    """Returns a version that is written with dots, as numbers."""
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def certbot_version() -> str:
    """Returns Certbot's version in words, as the renewal files have it."""
    return ".".join(map(str, version()))


@functools.cache
def python_version() -> str:
    """Returns the version of the Python that Certbot runs with."""
    argv = [PYTHON, "-c", "import platform; print(platform.python_version())"]
    if USERLAND:
        argv = ["chroot", str(layers()[-1]), *argv]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
