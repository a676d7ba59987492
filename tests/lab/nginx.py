"""The other web server: Debian's nginx with its default configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.lab.place import WEB, at
from tests.lab.process import Result
from tests.lab.server import WebServer

if TYPE_CHECKING:
    from tests.lab.world import World

SITE = """\
server {{
    listen {listen};
    server_name {names};
    root {root};
{extra}}}
"""
HTTPS = """\
    ssl_certificate /etc/letsencrypt/live/{name}/fullchain.pem;
    ssl_certificate_key /etc/letsencrypt/live/{name}/privkey.pem;
"""


class Nginx(WebServer):
    """One nginx; at first it does not run.

    Attributes:
        address: where its virtual hosts listen, and their names lead.
    """

    root = "/etc/nginx"
    errors = "/var/log/nginx/error.log"
    pid_file = "/run/nginx.pid"
    reload_mark = "(SIGHUP) received"
    ready_mark = "start worker processes"
    stops = "quit"

    def __init__(self, world: World, address: str = WEB) -> None:
        """Describes it."""
        super().__init__(world)
        self.address = address

    def listens_on(self, address: str) -> None:
        """Has it listen on an address of its own, beside another web server."""
        self.address = address
        self._world.path(f"{self.root}/sites-enabled/default").unlink()

    def site(self, name: str, *aliases: str, root: str, extra: str = "") -> str:
        """Returns a virtual host's configuration for port 80."""
        return self._site(80, "", name, *aliases, root=root, extra=extra)

    def https_site(self, name: str) -> str:
        """Returns the configuration that serves a lineage of that name."""
        extra = HTTPS.format(name=name)
        return self._site(443, " ssl", name, root="/var/www/html", extra=extra)

    def _site(self, port: int, options: str, *names: str, root: str, extra: str) -> str:
        listen = at(port) if self.address == WEB else f"{self.address}:{port}"
        return SITE.format(listen=listen + options, names=" ".join(names), root=root, extra=extra)

    def install(self, name: str, text: str) -> None:
        """Puts a virtual host's file where the distribution has them."""
        self._world.write(f"{self.root}/sites-available/{name}", text)
        enabled = self._world.path(f"{self.root}/sites-enabled/{name}")
        if not enabled.is_symlink():
            enabled.symlink_to(f"../sites-available/{name}")

    def conf(self, name: str, text: str) -> None:
        """Adds a piece of global configuration; it counts from the next reload."""
        self._world.write(f"{self.root}/conf.d/{name}.conf", text)

    def control(self, action: str) -> Result:
        """Runs ``nginx -s``: reload, quit, …."""
        return self._world.run("nginx", "-s", action)

    def reload(self) -> None:
        """Runs ``nginx -s reload``, or ``nginx`` if it does not run."""
        if self._world.read(self.pid_file):
            self.control("reload").check()
        else:
            self._world.run("nginx").check()

    def configtest(self) -> Result:
        """Runs the configuration test."""
        return self._world.run("nginx", "-t")
