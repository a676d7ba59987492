"""The delegates: Apache, nginx, webroot and standalone, and all that differs between them.

Rules of this file: as of the room; no other file knows one delegate from another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from certbot import errors

from certbot_jprs.ground.language import marked
from certbot_jprs.internals.delegate import Delegate, WebServer


class _Apache(WebServer):
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
            default(name, True, str(plugin.config.https_port))
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
