"""The web server under test: Debian's Apache with its default configuration."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.lab.files import hashes
from tests.lab.namespace import WEB
from tests.lab.process import Result

if TYPE_CHECKING:
    from tests.lab.world import World

VHOST = """\
<VirtualHost *:80>
    ServerName {name}
{aliases}    DocumentRoot {root}
    <Directory {root}>
        Require all granted
    </Directory>
{extra}</VirtualHost>
"""


class Apache:
    """One Apache; at first it does not run."""

    root = "/etc/apache2"
    errors = "/var/log/apache2/error.log"
    run_directory = "/run/apache2"

    def __init__(self, world: World) -> None:
        """Describes it."""
        self._world = world

    def vhost(self, name: str, *aliases: str, extra: str = "", dns: bool = True) -> None:
        """Adds a virtual host on port 80 and puts it into service.

        Args:
            name: its ``ServerName``; its one page is this name.
            aliases: its ``ServerAlias``es.
            extra: further lines of configuration.
            dns: whether the names get their addresses.
        """
        root = f"/var/www/{name}"
        docroot = self._world.path(root)
        docroot.mkdir(parents=True, exist_ok=True)
        (docroot / "index.html").write_text(name + "\n", encoding="utf-8")
        text = VHOST.format(
            name=name,
            root=root,
            aliases="".join(f"    ServerAlias {alias}\n" for alias in aliases),
            extra=extra + "\n" if extra else "",
        )
        self.install(name, text)
        if dns:
            for each in (name, *aliases):
                self._world.dns.set_a(each, WEB)
        self.graceful()

    def install(self, name: str, text: str) -> None:
        """Puts a virtual host's file where the distribution has them."""
        self._world.write(f"{self.root}/sites-available/{name}.conf", text)
        enabled = self._world.path(f"{self.root}/sites-enabled/{name}.conf")
        if not enabled.is_symlink():
            enabled.symlink_to(f"../sites-available/{name}.conf")

    def conf(self, name: str, text: str) -> None:
        """Adds a piece of global configuration; it counts from the next reload."""
        self._world.write(f"{self.root}/conf-enabled/{name}.conf", text)

    def staple(self) -> None:
        """Turns OCSP stapling on, as ``SSLUseStapling on`` in the global configuration."""
        cache = f"shmcb:{self.run_directory}/stapling(128000)"
        text = f'SSLUseStapling on\nSSLStaplingCache "{cache}"\n'
        self.enable("socache_shmcb", "ssl")
        self.conf("stapling", text)

    def enable(self, *modules: str) -> None:
        """Enables modules, as a2enmod does."""
        self._world.run("a2enmod", "-q", *modules).check()

    def control(self, action: str) -> Result:
        """Runs ``apachectl``: start, stop, graceful, configtest, …."""
        return self._world.run("apachectl", action)

    def graceful(self) -> None:
        """Reloads it, or starts it if it does not run."""
        self.control("graceful").check()
        self.wait()

    def start(self) -> None:
        """Starts it."""
        self.graceful()

    def stop(self) -> None:
        """Stops it."""
        self.control("stop").check()
        deadline = time.monotonic() + 10
        while self.running() and time.monotonic() < deadline:
            time.sleep(0.02)

    def configtest(self) -> Result:
        """Runs the configuration test."""
        return self.control("configtest")

    def running(self) -> bool:
        """Tells whether something listens on port 80."""
        return self._world.listening(80)

    def wait(self, timeout: float = 10) -> None:
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
        return self.log().count("AH00493")

    def hashes(self) -> dict[str, str]:
        """Returns a fingerprint of every file of its configuration."""
        return hashes(self._world.path(self.root))
