"""A machine with the files of a Debian release, for as long as a test needs it.

Its files, processes and mounts are its own; its network is this machine's, for apt. Whatever is
written there is gone with it.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from tests.lab.namespace import child_of
from tests.lab.place import PATH

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


SERVER = (
    *("ca-certificates", "certbot", "python3-certbot-apache", "apache2", "nginx"),
    *("pebble", "iproute2", "util-linux", "mount", "openssl"),
)
"""What an administrator has installed, and what the lab needs."""
FRESH = ("ca-certificates", "git", "make", "python3")
"""What has to be there before ``make demo``."""


def laid_out(suite: str, packages: Sequence[str] = SERVER) -> Path:
    """Returns the directory with a Debian release's files; made the first time, some minutes.

    Args:
        suite: the release's name: ``bookworm``.
        packages: what is installed.

    Raises:
        CalledProcessError: it cannot be made; why is in ``.venv-userland-SUITE….log``.
    """
    kind = suite if packages is SERVER else f"{suite}-fresh"
    directory = ROOT / f".venv-userland-{kind}"
    with open(f"{directory}.lock", "w") as lock, open(f"{directory}.log", "ab") as log:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.exists():
            command = [str(HERE / "userland"), suite, str(directory), *packages]
            subprocess.run(command, check=True, stdout=log, stderr=log)
    return directory


AnyMachine = TypeVar("AnyMachine", bound="Machine")


class Machine:
    """A machine that an administrator has installed with apt, Certbot and Apache included."""

    packages: Sequence[str] = SERVER
    kind: Sequence[str] = ()

    def __init__(self, suite: str, shared: Path, scratch: Path) -> None:
        """Starts it.

        Args:
            suite: the Debian release's name.
            shared: a directory that is its ``/mnt``.
            scratch: an empty directory, for its mounts.
        """
        flags = ["--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child"]
        words = (HERE / "enter", laid_out(suite, self.packages), shared, scratch, *self.kind)
        command = ["unshare", *flags, *map(str, words)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PATH": PATH}
        )
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            assert stream.readline() == b"ready\n", "the machine did not start"
        self._pid = child_of(self._process.pid)

    def __call__(self, *argv: str, check: bool = True, **env: str) -> str:
        """Runs a command as root, and returns what it writes.

        Args:
            argv: the command line.
            check: whether it must succeed.
            env: what to add to the environment.
        """
        names = ["--mount", "--pid", "--ipc", "--uts", "--root", "--wd"]
        base = {
            "PATH": PATH,
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "DEBIAN_FRONTEND": "noninteractive",
        }
        proxies = {key: value for key, value in os.environ.items() if key.endswith("_proxy")}
        done = subprocess.run(
            ["nsenter", "--target", str(self._pid), *names, "--", *argv],
            env={**base, **proxies, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        failed = done.returncode != 0
        assert failed is not check, f"{' '.join(argv)}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def write(self, path: str, text: str) -> None:
        """Writes a file, with its directories."""
        target = Path(f"/proc/{self._pid}/root{path}")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def __enter__(self: AnyMachine) -> AnyMachine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)  # its files were memory
