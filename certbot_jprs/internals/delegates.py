"""The delegates: Apache, nginx, webroot and standalone, and all that differs between them.

Rules of this file: as of the room; no other file knows one delegate from another.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Callable

from certbot import errors, util

from certbot_jprs.ground.language import marked
from certbot_jprs.internals.delegate import Delegate, WebServer


class _Apache(WebServer):
    def make(self, plugin_class: Any, config: Any) -> Any:
        """Returns its plugin object, which does not restart an httpd that runs.

        Why: where the configuration test fails, Certbot's class for Fedora has systemd restart
        httpd, so that the certificates which mod_ssl lacks after its installation are made. It is
        also AlmaLinux's, Rocky Linux's and MIRACLE LINUX's (by the last word of ``ID_LIKE``), and
        an httpd that serves with a configuration broken since would end. How: by the name of the
        method that restarts it. Tested with Certbot 1.21, 2.1 and 5.8.
        """
        plugin = super().make(plugin_class, config)
        restart = getattr(plugin, "_try_restart_fedora", None)
        if callable(restart):
            plugin._try_restart_fedora = lambda: _unless_it_runs(restart)
        return plugin

    def names_virtual_host(self, plugin: Any, name: str) -> bool | None:
        """Tells whether the Apache plugin would find a virtual host for a name by itself.

        Why: its public ``choose_vhosts`` asks the user, or changes the configuration. How: by
        ``_find_best_vhost``, which only looks. Tested with Certbot 1.21, 2.1 and 5.8.
        """
        find = getattr(plugin, "_find_best_vhost", None)
        return find(name) is not None if callable(find) else None

    def lacks_ssl_module(self, plugin: Any) -> bool:
        """Tells whether Apache lacks mod_ssl and the Apache plugin will not enable it.

        Why: on RHEL, where mod_ssl is a package of its own, a certificate is issued and then not
        installed ("Could not find ssl_module"). How: by the plugin's options and its list of
        modules, which have no public names. Tested with Certbot 1.21, 2.1 and 5.8.
        """
        handles = getattr(getattr(plugin, "options", None), "handle_modules", None)
        modules = getattr(getattr(plugin, "parser", None), "modules", None)
        return handles is False and modules is not None and "ssl_module" not in modules


def _unless_it_runs(restart: Callable[[], None]) -> None:
    """Restarts httpd, called where its configuration test failed.

    Raises:
        errors.MisconfigurationError: that of the test, if httpd runs.
    """
    failed = sys.exc_info()[1]
    if failed is not None and _is_active("httpd"):
        raise failed
    restart()


def _is_active(unit: str) -> bool:
    """Tells whether a unit of systemd's runs; where there is no systemd, none does."""
    command = ("systemctl", "is-active", "--quiet", unit)  # found as Certbot finds it
    env = util.env_no_snap_for_external_calls()
    try:
        done = subprocess.run(command, env=env, check=False)  # noqa: S603 - fixed words
    except OSError:
        return False
    return done.returncode == 0


class _Nginx(WebServer):
    def names_virtual_host(self, plugin: Any, name: str) -> bool | None:
        """Tells whether the nginx plugin would find a server block for a name by itself.

        Why: its public ``choose_or_make_vhosts`` changes the configuration. How: by
        ``_get_ranked_matches``, and ``_get_default_vhost`` for the one that it would copy, which
        only look. Tested with Certbot 1.21, 2.1 and 5.8.
        """
        matches = getattr(plugin, "_get_ranked_matches", None)
        default = getattr(plugin, "_get_default_vhost", None)
        if not callable(matches) or not callable(default):
            return None
        if matches(name):
            return True
        try:
            default(name, True, str(plugin.config.https_port))  # noqa: FBT003 - its name changes
        except errors.MisconfigurationError:
            return False
        except TypeError:  # other arguments
            return None
        return True


APACHE = _Apache(
    name="apache",
    title="Apache",
    package="python3-certbot-apache (or, with pip, certbot-apache)",
    listen="Listen 80",
    handlers="Location, ProxyPass, Alias, ",
    check=marked("Apache answers for the name on port 80: apachectl -S"),
    processes=frozenset({"apache2", "httpd", "httpd.worker", "httpd.event"}),
    test="apachectl configtest",
    reload="apachectl graceful",
    start="apachectl start",
    server_name="ServerName/ServerAlias",
    has_autohsts=True,
    reload_command=r"(?:apachectl|apache2ctl|httpd)\s+(?:-k\s+)?(?:graceful|restart)",
    units="httpd|apache2",
)

NGINX = _Nginx(
    name="nginx",
    title="nginx",
    package="python3-certbot-nginx (or, with pip, certbot-jprs[nginx])",
    listen="listen 80;",
    handlers="location, return, rewrite, ",
    check=marked("nginx answers for the name on port 80: nginx -T"),
    processes=frozenset({"nginx"}),
    test="nginx -t",
    reload="nginx -s reload",
    start="systemctl start nginx",
    server_name="server_name",
    has_autohsts=False,
    reload_command=r"nginx\s+-s\s+reload",
    units="nginx",
)


class _Webroot(Delegate):
    def stored(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the directories: in general, and by name.

        Why: Certbot restores them only where the authenticator is called webroot
        (``renewal._restore_webroot_config``), because one of them is a section.
        """
        found: dict[str, Any] = {}
        path, by_name = params.get("webroot_path"), params.get("webroot_map")
        if path:  # a list of one needs its comma, which people forget
            found["webroot_path"] = [path] if isinstance(path, str) else list(path)
        if isinstance(by_name, Mapping):
            found["webroot_map"] = dict(by_name)
        return found


WEBROOT = _Webroot(
    name="webroot",
    title=marked("the web server"),
    package="certbot",
    listen="",
    handlers="",
    check=marked("The web server serves the directory given with -w for the name on port 80."),
)

STANDALONE = Delegate(
    name="standalone",
    title="Certbot",
    package="certbot",
    listen="",
    handlers="",
    check=marked("Nothing else listens on port 80, or passes it on, while Certbot validates."),
)

WEB_SERVERS = (APACHE, NGINX)
PREFIXES = tuple(server.prefix for server in WEB_SERVERS)
"""How the destinations of their options start."""

ALL: Mapping[str, Delegate] = {each.name: each for each in (*WEB_SERVERS, WEBROOT, STANDALONE)}
