"""A face like Red Hat Enterprise Linux's: Debian's Apache in the layout of ``httpd``.

Certbot's Apache plugin then chooses another class: ``/etc/httpd``, no ``a2enmod``. By ``ID`` that
is the one of RHEL; AlmaLinux, whose ``ID`` it does not know, gets Fedora's, by the last word of
``ID_LIKE``.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.lab.apache import Apache
from tests.lab.place import at

if TYPE_CHECKING:
    from tests.lab.machine import Machine

BIN = "/run/lab/rhel"
OS_RELEASES = {
    "rhel": """\
NAME="Red Hat Enterprise Linux"
VERSION="9.6 (Plow)"
ID="rhel"
ID_LIKE="fedora"
VERSION_ID="9.6"
PRETTY_NAME="Red Hat Enterprise Linux 9.6 (Plow)"
""",
    "almalinux": """\
NAME="AlmaLinux"
VERSION="9.6 (Sage Margay)"
ID="almalinux"
ID_LIKE="rhel centos fedora"
VERSION_ID="9.6"
PRETTY_NAME="AlmaLinux 9.6 (Sage Margay)"
""",
}
"""What the distributions say of themselves, by their ``ID``."""
HTTPD = """\
#!/bin/sh
exec /usr/sbin/apache2 -d /etc/httpd -f conf/httpd.conf -c "PidFile /run/httpd/httpd.pid" "$@"
"""
# Since RHEL 9: systemd does it, no options are passed on, and a reload tests nothing beforehand.
APACHECTL = """\
#!/bin/sh
[ $# -le 1 ] || { echo "Passing arguments to httpd using apachectl is not supported."; exit 1; }
case "$1" in
    start|stop|restart) exec systemctl "$1" httpd ;;
    graceful)
        systemctl is-active --quiet httpd || exec systemctl start httpd
        exec systemctl kill --signal=SIGUSR1 httpd ;;
    configtest|-t) exec httpd -t ;;
    -v|-V) exec httpd "$1" ;;
    *) echo "apachectl: $1 is not supported." >&2; exit 2 ;;
esac
"""
# What systemd does for httpd.service: its restart is a stop, and then a start that may fail.
SYSTEMCTL = """\
#!/bin/sh
pid=/run/httpd/httpd.pid
running() { [ -s $pid ] && kill -0 "$(cat $pid)" 2>/dev/null; }
stop() {
    running || return 0
    httpd -k stop 2>/dev/null || kill -TERM "$(cat $pid)"
    while running; do sleep 0.02; done
}
case "$*" in
    "start httpd") running || httpd -k start ;;
    "stop httpd") stop ;;
    "restart httpd") stop; httpd -k start ;;
    "reload httpd") running && httpd -k graceful ;;
    "is-active --quiet httpd") running ;;
    "kill --signal=SIGUSR1 httpd") kill -USR1 "$(cat $pid)" ;;
    *) echo "systemctl $*: not in the lab" >&2; exit 1 ;;
esac
"""
HTTPD_CONF = """\
ServerRoot "/etc/httpd"
Listen 80
Include conf.modules.d/*.conf
User www-data
Group www-data
ServerAdmin root@localhost
<Directory />
    AllowOverride none
    Require all denied
</Directory>
DocumentRoot "/var/www/html"
<Directory "/var/www">
    AllowOverride None
    Require all granted
</Directory>
<IfModule dir_module>
    DirectoryIndex index.html
</IfModule>
ErrorLog "logs/error_log"
LogLevel notice
LogFormat "%h %l %u %t \\"%r\\" %>s %b" common
CustomLog "logs/access_log" common
TypesConfig /etc/mime.types
IncludeOptional conf.d/*.conf
"""
MODULES = (
    *("access_compat", "alias", "auth_basic", "authn_core", "authn_file", "authz_core"),
    *("authz_host", "authz_user", "autoindex", "dir", "env", "headers", "mime", "mpm_event"),
    *("rewrite", "setenvif", "socache_shmcb", "status"),
)
SSL_CONF = """\
Listen 443 https
SSLSessionCache shmcb:/run/httpd/sslcache(512000)
SSLSessionCacheTimeout 300
"""


def _modules(*names: str) -> str:
    return "".join(f"LoadModule {name}_module modules/mod_{name}.so\n" for name in names)


class Httpd(Apache):
    """Apache as RHEL and its kin lay it out; at first it does not run."""

    root = "/etc/httpd"
    errors = "/var/log/httpd/error_log"
    run_directory = "/run/httpd"
    pid_file = "/run/httpd/httpd.pid"

    def lay_out(self, machine: Machine, distribution: str) -> None:
        """Gives the machine its face, for the rest of the test.

        Args:
            machine: the web server's host.
            distribution: one of ``OS_RELEASES``.
        """
        release = machine.path("/etc/os-release")
        release.unlink()
        machine.write("/etc/os-release", OS_RELEASES[distribution])
        programs = {"httpd": HTTPD, "apachectl": APACHECTL, "systemctl": SYSTEMCTL}
        for name, text in programs.items():
            machine.write(f"{BIN}/{name}", text, mode=0o755)
        machine.write(
            self.root + "/conf/httpd.conf", HTTPD_CONF.replace("Listen 80", f"Listen {at(80)}")
        )
        machine.write(self.root + "/conf.modules.d/00-base.conf", _modules(*MODULES))
        machine.write(self.root + "/conf.modules.d/00-ssl.conf", _modules("ssl"))
        machine.write(
            self.root + "/conf.d/ssl.conf", SSL_CONF.replace("Listen 443", f"Listen {at(443)}")
        )
        machine.write("/etc/sysconfig/httpd", "LANG=C\n")
        for name, target in (
            ("logs", "/var/log/httpd"),
            ("run", "/run/httpd"),
            ("modules", "/usr/lib/apache2/modules"),
        ):
            machine.path(f"{self.root}/{name}").symlink_to(target)
        for directory in ("/var/log/httpd", "/run/httpd"):
            machine.path(directory).mkdir()
        shutil.rmtree(machine.path("/etc/apache2"))
        machine.path("/etc/debian_version").unlink(missing_ok=True)

    def install(self, name: str, text: str) -> None:
        """Puts a virtual host's file where RHEL has them."""
        self.conf(name, text)

    def conf(self, name: str, text: str) -> None:
        """Adds a piece of global configuration; it counts from the next reload."""
        self._world.write(f"{self.root}/conf.d/{name}.conf", text)

    def enable(self, *modules: str) -> None:
        """Does nothing: every module that the lab needs is loaded."""
