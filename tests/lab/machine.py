"""The web server's host: its files, and the commands that run on it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from pathlib import Path

from tests.lab import subject
from tests.lab.files import Lineage
from tests.lab.place import PATH, Place
from tests.lab.process import Result, Running, Terminal

CA_BUNDLE = "/run/lab/ca.pem"
APACHE = ("/etc/apache2", "/etc/httpd")
RECENT = 3  # seconds; Augeas counts whole ones


class Machine:
    """A host whose administrator uses Certbot.

    Attributes:
        history: what commands were run since the last reset, running ones included.
        search_path: where commands are looked for.
    """

    def __init__(self, namespace: Place) -> None:
        """Describes it.

        Args:
            namespace: the place it is in.
        """
        self.namespace = namespace
        self.history: list[Result | Running | Terminal] = []
        self.search_path = PATH

    def forget(self) -> None:
        """Collects what still runs, and clears the history."""
        for each in self.history:
            if isinstance(each, Terminal):
                each.close()
            elif isinstance(each, Running):
                each.kill()
        self.history.clear()

    # -- files ---------------------------------------------------------------------------------

    def path(self, path: str | os.PathLike[str]) -> Path:
        """Returns where a file of the world can be reached from outside."""
        return self.namespace.path(path)

    def read(self, path: str) -> str:
        """Returns a file's text, empty if there is none."""
        try:
            return self.path(path).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def write(self, path: str, text: str, mode: int = 0o644) -> Path:
        """Writes a file, with its directories, and returns where it is from outside."""
        target = self.path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        target.chmod(mode)
        return target

    def cli_ini(self, text: str) -> None:
        """Writes Certbot's /etc/letsencrypt/cli.ini."""
        self.write("/etc/letsencrypt/cli.ini", text)

    def hook(self, path: str, text: str) -> str:
        """Writes an executable shell script and returns its path in the world."""
        self.write(path, "#!/bin/sh\n" + text + "\n", mode=0o755)
        return path

    def lineage(self, name: str) -> Lineage:
        """Returns what Certbot keeps under a certificate name."""
        return Lineage(self.path("/etc/letsencrypt"), name)

    def lineages(self) -> list[str]:
        """Returns the names of all certificates that Certbot keeps."""
        return sorted(path.stem for path in self.path("/etc/letsencrypt/renewal").glob("*.conf"))

    @property
    def certbot_log(self) -> str:
        """The text of letsencrypt.log."""
        return self.read("/var/log/letsencrypt/letsencrypt.log")

    # -- commands ------------------------------------------------------------------------------

    def environment(self, env: Mapping[str, str] | None = None) -> dict[str, str]:
        """Returns the environment that commands get."""
        base = {
            # With which coverage.py measures what the tests start.
            **{name: os.environ[name] for name in os.environ if name.startswith("COVERAGE_")},
            "PATH": self.search_path,
            "HOME": "/run/home",
            "TMPDIR": "/run/tmp",
            "LANG": "C.UTF-8",
            "REQUESTS_CA_BUNDLE": CA_BUNDLE,
        }
        return {**base, **(env or {})}

    def _rest(self) -> None:
        """Lets Apache's configuration be some seconds old, as an administrator's is.

        Augeas tells changed files by whole seconds: where the configuration was written in the
        second of a challenge, Certbot's own Apache plugin does not see the challenge taken out
        again and writes it anew with its next change, which then breaks the configuration.
        """
        now = time.time()
        for root in APACHE:
            for path in self.path(root).rglob("*.conf"):
                with contextlib.suppress(FileNotFoundError):  # another process took it away
                    if now - path.lstat().st_mtime < RECENT:
                        os.utime(path, (now - RECENT, now - RECENT), follow_symlinks=False)

    def spawn(
        self,
        *args: str,
        env: Mapping[str, str] | None = None,
        input: str | None = None,  # noqa: A002
    ) -> Running:
        """Starts a command on the web server's host."""
        self._rest()
        running = Running(self.namespace, args, self.environment(env), input)
        self.history.append(running)
        return running

    def run(
        self,
        *args: str,
        timeout: float = 300,
        env: Mapping[str, str] | None = None,
        input: str | None = None,  # noqa: A002
    ) -> Result:
        """Runs a command on the web server's host to its end."""
        running = self.spawn(*args, env=env, input=input)
        result = running.wait(timeout)
        with contextlib.suppress(ValueError):
            self.history[self.history.index(running)] = result
        return result

    def certbot_command(self, venv: str | os.PathLike[str] | None = None) -> str:
        """Returns the path of Certbot.

        Args:
            venv: a virtual environment, or a certbot executable; None: the one under test.
        """
        if venv is None:
            return subject.CERTBOT
        path = Path(venv)
        return str(path / "bin" / "certbot" if path.is_dir() else path)

    def certbot(
        self,
        *args: str,
        timeout: float = 300,
        env: Mapping[str, str] | None = None,
        input: str | None = None,  # noqa: A002
        venv: str | os.PathLike[str] | None = None,
    ) -> Result:
        """Runs Certbot to its end; see ``certbot_command`` for ``venv``."""
        command = self.certbot_command(venv)
        return self.run(command, *args, timeout=timeout, env=env, input=input)

    def spawn_certbot(
        self,
        *args: str,
        env: Mapping[str, str] | None = None,
        venv: str | os.PathLike[str] | None = None,
    ) -> Running:
        """Starts Certbot; signals reach the process itself."""
        return self.spawn(self.certbot_command(venv), *args, env=env)

    def certbot_pty(
        self,
        *args: str,
        env: Mapping[str, str] | None = None,
        venv: str | os.PathLike[str] | None = None,
    ) -> Terminal:
        """Starts Certbot on a terminal of its own."""
        self._rest()
        argv = [self.certbot_command(venv), *args]
        terminal = Terminal(
            self.namespace, argv, self.environment({"TERM": "xterm", **(env or {})})
        )
        self.history.append(terminal)
        return terminal
