"""What the lab's web servers have in common."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from tests.lab.files import hashes
from tests.lab.place import WEB
from tests.lab.process import Result

if TYPE_CHECKING:
    from tests.lab.world import World


class WebServer(ABC):
    """One web server; at first it does not run."""

    root: str
    errors: str
    reload_mark: str
    """What its log says, once, of each reload."""
    ready_mark: str
    """What its log says, once, when it serves by its configuration, at first or reloaded."""
    pid_file: str
    stops: str
    """The action that stops it."""
    address = WEB

    def __init__(self, world: World) -> None:
        """Describes it."""
        self._world = world

    @abstractmethod
    def site(self, name: str, *aliases: str, root: str, extra: str = "") -> str:
        """Returns a virtual host's configuration for port 80."""

    @abstractmethod
    def https_site(self, name: str) -> str:
        """Returns the configuration that serves a lineage of that name."""

    @abstractmethod
    def install(self, name: str, text: str) -> None:
        """Puts a virtual host's file where the distribution has them."""

    @abstractmethod
    def control(self, action: str) -> Result:
        """Runs its control program."""

    @abstractmethod
    def reload(self) -> None:
        """Has it reloaded, or started if it does not run; that goes on afterwards."""

    def graceful(self, timeout: float = 60) -> None:
        """Reloads it, or starts it if it does not run, and waits until it serves by that.

        Raises:
            AssertionError: it does not.
        """
        ready = self.log().count(self.ready_mark)
        self.reload()
        self.wait()
        deadline = time.monotonic() + timeout
        while self.log().count(self.ready_mark) == ready:
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.01)

    @abstractmethod
    def configtest(self) -> Result:
        """Runs the configuration test."""

    def vhost(self, name: str, *aliases: str, extra: str = "", dns: bool = True) -> None:
        """Adds a virtual host on port 80 and puts it into service.

        Args:
            name: its name; its one page is this name.
            aliases: further names.
            extra: further lines of configuration.
            dns: whether the names get their addresses.
        """
        root = f"/var/www/{name}"
        docroot = self._world.path(root)
        docroot.mkdir(parents=True, exist_ok=True)
        (docroot / "index.html").write_text(name + "\n", encoding="utf-8")
        self.install(name, self.site(name, *aliases, root=root, extra=extra))
        if dns:
            self.names(name, *aliases)
        self.graceful()

    def names(self, *names: str) -> None:
        """Has names lead to this web server."""
        for name in names:
            self._world.dns.set_a(name, self.address)
            self._world.namespace.homes[name] = self.address

    def start(self) -> None:
        """Starts it."""
        self.graceful()

    def stop(self) -> None:
        """Stops it."""
        self.control(self.stops).check()
        deadline = time.monotonic() + 30
        while (self.running() or self._is_ending()) and time.monotonic() < deadline:
            time.sleep(0.02)

    def _is_ending(self) -> bool:
        """Tells whether its process is still there: one that ends would not be started anew."""
        pid = self._world.read(self.pid_file).strip()
        return bool(pid) and self._world.path(f"/proc/{pid}").exists()

    def running(self) -> bool:
        """Tells whether something listens on port 80."""
        return self._world.listening(80, self.address)

    def wait(self, timeout: float = 60) -> None:
        """Waits until it serves.

        Raises:
            AssertionError: it does not.
        """
        deadline = time.monotonic() + timeout
        while not self.running():
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.01)

    def log(self) -> str:
        """Returns its error log."""
        return self._world.read(self.errors)

    def reloads(self) -> int:
        """Returns how often it was reloaded gracefully since the test began."""
        return self.log().count(self.reload_mark)

    def idle(self, times: int, timeout: float = 60) -> None:
        """Waits until it was reloaded that often, and the last reload is over.

        Raises:
            AssertionError: it is not.
        """
        deadline = time.monotonic() + timeout
        while self.reloads() < times or self.log().rfind(self.ready_mark) < self.log().rfind(
            self.reload_mark
        ):
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)

    def reloaded(self, times: int, timeout: float = 30) -> int:
        """Returns how often it was reloaded, once it was that often: it may be told just now."""
        deadline = time.monotonic() + timeout
        while self.reloads() < times and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.reloads()

    def hashes(self) -> dict[str, str]:
        """Returns a fingerprint of every file of its configuration."""
        return hashes(self._world.path(self.root))
