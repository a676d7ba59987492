"""Commands that run in a world: finished, running, and in conversation on a terminal."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from tests.lab.place import Place, inside


@dataclass(frozen=True)
class Result:
    """What a command did.

    Attributes:
        args: the command line.
        returncode: its exit status; negative for a signal.
        stdout: what it wrote there (on a terminal: everything).
        stderr: what it wrote there.
        started: when, in seconds since the epoch.
        ended: when, in seconds since the epoch.
    """

    args: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    started: float
    ended: float

    @property
    def output(self) -> str:
        """Everything that the command wrote."""
        return self.stdout + self.stderr

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.started

    def check(self) -> Result:
        """Returns itself, or raises AssertionError with the output if the command failed."""
        assert self.returncode == 0, f"{self}"
        return self

    def __str__(self) -> str:
        said = "".join(f"  | {line}\n" for line in self.output.splitlines())
        return f"{' '.join(self.args)}: exit status {self.returncode}, {self.seconds:.1f} s\n{said}"


class Running:
    """A command that is running in a world."""

    def __init__(
        self,
        place: Place,
        args: Sequence[str],
        env: Mapping[str, str],
        stdin: str | None = None,
        network: str = "web",
    ) -> None:
        """Starts it.

        Args:
            place: where.
            args: the command line as the user would type it.
            env: its whole environment.
            stdin: what it can read from standard input.
            network: from which of the world's.
        """
        self._place = place
        self.args = tuple(args)
        self.started = time.time()
        self.process = subprocess.Popen(
            place.command(args, network),
            env=env,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._written: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
        self._threads = [
            threading.Thread(target=self._read, args=(name,), daemon=True) for name in self._written
        ]
        for thread in self._threads:
            thread.start()
        if stdin is not None and self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError), self.process.stdin as stream:
                stream.write(stdin.encode())

    def _read(self, name: str) -> None:
        stream: IO[bytes] = getattr(self.process, name)
        with stream:
            while chunk := os.read(stream.fileno(), 65536):
                self._written[name].append(chunk)

    @property
    def output(self) -> str:
        """What it has written until now."""
        return self._text("stdout") + self._text("stderr")

    def _text(self, name: str) -> str:
        return b"".join(self._written[name]).decode(errors="replace")

    @property
    def pid(self) -> int:
        """The command's own process, as the machine numbers it."""
        return inside(self._place, self.process)

    def signal(self, number: signal.Signals) -> float:
        """Sends a signal to the command itself and returns when."""
        os.kill(self.pid, number)
        return time.time()

    def wait_for(self, pattern: str, timeout: float = 120) -> re.Match[str]:
        """Waits until the output matches a regular expression.

        Raises:
            AssertionError: the command ended, or time is up, without it.
        """
        deadline = time.monotonic() + timeout
        while True:
            ended = self.process.poll() is not None
            if ended:
                self._join()
            if match := re.search(pattern, self.output):
                return match
            if ended or time.monotonic() > deadline:
                why = "ended" if ended else f"ran {timeout} s"
                raise AssertionError(f"{self.args} {why} without {pattern!r}:\n{self.output}")
            time.sleep(0.02)

    def _join(self) -> None:
        for thread in self._threads:
            thread.join(2)

    def wait(self, timeout: float = 300) -> Result:
        """Waits for the end.

        Raises:
            AssertionError: it did not end in time; it is killed then.
        """
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(
                f"{self.args} did not end within {timeout} s:\n{self.output}"
            ) from None
        ended = time.time()
        self._join()
        return Result(
            self.args,
            self.process.returncode,
            self._text("stdout"),
            self._text("stderr"),
            self.started,
            ended,
        )

    def kill(self) -> None:
        """Ends it at once."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        self.process.wait()
        self._join()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_error: object) -> None:
        if self.process.poll() is None:
            self.kill()


class Terminal:
    """A command in conversation on a terminal of its own."""

    def __init__(self, place: Place, args: Sequence[str], env: Mapping[str, str]) -> None:
        """Starts it; the arguments are as those of ``Running``."""
        self._place = place
        self.args = tuple(args)
        self.started = time.time()
        self._master, slave = pty.openpty()
        try:
            self.process = subprocess.Popen(
                place.command(["setsid", "--ctty", *args]),
                env=env,
                stdin=slave,
                stdout=slave,
                stderr=slave,
                start_new_session=True,
            )
        finally:
            os.close(slave)
        self.output = ""
        self._seen = 0

    def _pump(self, timeout: float) -> bool:
        """Reads what is there; False at the end."""
        if self._master < 0 or not select.select([self._master], [], [], timeout)[0]:
            return self._master >= 0
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux says EIO when the last process has closed its side
            data = b""
        self.output += data.decode(errors="replace")
        return bool(data)

    def expect(self, pattern: str, timeout: float = 120) -> re.Match[str]:
        """Waits until what came after the last match, matches.

        Raises:
            AssertionError: the command ended, or time is up, without it.
        """
        deadline = time.monotonic() + timeout
        more = True
        while True:
            if match := re.compile(pattern).search(self.output, self._seen):
                self._seen = match.end()
                return match
            if not more or time.monotonic() > deadline:
                raise AssertionError(f"{self.args} did not say {pattern!r}:\n{self.output}")
            more = self._pump(0.1)

    def send(self, line: str) -> None:
        """Types a line."""
        os.write(self._master, line.encode() + b"\n")

    def control_c(self) -> float:
        """Types Ctrl-C and returns when."""
        os.write(self._master, b"\x03")
        return time.time()

    def wait(self, timeout: float = 300) -> Result:
        """Reads to the end.

        Raises:
            AssertionError: it did not end in time; it is killed then.
        """
        deadline = time.monotonic() + timeout
        while self._pump(0.1):
            if time.monotonic() > deadline:
                self.close()
                raise AssertionError(f"{self.args} did not end:\n{self.output}")
        self.process.wait(60)
        ended = time.time()
        self.close()
        return Result(self.args, self.process.returncode, self.output, "", self.started, ended)

    def close(self) -> None:
        """Ends the command, if it still runs, and the terminal."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._place.inner(self.process.pid), signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
            self.process.kill()
            self.process.wait()
        if self._master >= 0:
            os.close(self._master)
            self._master = -1
