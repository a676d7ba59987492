"""The web server under test: Debian's Apache with its default configuration."""

from __future__ import annotations

from tests.lab.place import CONFINED, WEB
from tests.lab.process import Result
from tests.lab.server import WebServer

ADDRESS = WEB if CONFINED else "*"
"""Of virtual hosts: what else listens on port 80 in a container is the CA's."""

VHOST = """\
<VirtualHost {address}:80>
    ServerName {name}
{aliases}    DocumentRoot {root}
    <Directory {root}>
        Require all granted
    </Directory>
{extra}</VirtualHost>
"""


HTTPS = """\
<VirtualHost {address}:443>
    ServerName {name}
    DocumentRoot /var/www/html
    SSLEngine on
    SSLCertificateFile /etc/letsencrypt/live/{name}/fullchain.pem
    SSLCertificateKeyFile /etc/letsencrypt/live/{name}/privkey.pem
</VirtualHost>
"""


class Apache(WebServer):
    """One Apache; at first it does not run."""

    root = "/etc/apache2"
    errors = "/var/log/apache2/error.log"
    run_directory = "/run/apache2"
    pid_file = "/run/apache2/apache2.pid"
    reload_mark = "AH00493"
    ready_mark = "resuming normal operations"
    stops = "stop"

    def site(self, name: str, *aliases: str, root: str, extra: str = "") -> str:
        """Returns a virtual host's configuration for port 80."""
        return VHOST.format(
            address=ADDRESS,
            name=name,
            root=root,
            aliases="".join(f"    ServerAlias {alias}\n" for alias in aliases),
            extra=extra + "\n" if extra else "",
        )

    def https_site(self, name: str) -> str:
        """Returns the configuration that serves a lineage of that name."""
        return HTTPS.format(address=ADDRESS, name=name)

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

    def reload(self) -> None:
        """Runs ``apachectl graceful``."""
        self.control("graceful").check()

    def configtest(self) -> Result:
        """Runs the configuration test."""
        return self.control("configtest")
