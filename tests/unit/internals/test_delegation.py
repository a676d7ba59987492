"""Who does the work for a configuration, and what differs between delegates."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from certbot import errors

from certbot_jprs.ground.names import NAME
from certbot_jprs.ground.options import AUTHENTICATOR, INSTALLER
from certbot_jprs.internals import delegate as delegate_module
from certbot_jprs.internals.delegate import WebServer
from certbot_jprs.internals.delegates import APACHE, NGINX, STANDALONE, WEBROOT
from certbot_jprs.internals.delegation import Roles, Workers, of_config, of_lineage, ours
from tests.unit.command_line import CONTACT, FLAG, Parse
from tests.unit.config_dir import ConfigDir

SITE = "www.example.jp"

CONFIGURED = [
    ({}, Roles()),
    ({"authenticator": NAME}, Roles(APACHE, None)),
    ({"authenticator": NAME, "installer": "None"}, Roles(APACHE, None)),
    ({"authenticator": NAME, "installer": NAME}, Roles(APACHE, APACHE)),
    ({"configurator": NAME}, Roles(APACHE, APACHE)),
    ({"authenticator": NAME, "installer": NAME, INSTALLER: "nginx"}, Roles(NGINX, NGINX)),
    ({"authenticator": NAME, "installer": "nginx"}, Roles(NGINX, NGINX)),
    ({"authenticator": "nginx", "installer": "nginx"}, Roles(NGINX, NGINX)),
    ({"authenticator": "apache", "installer": "apache"}, Roles(APACHE, APACHE)),
    ({"authenticator": NAME, AUTHENTICATOR: "webroot"}, Roles(WEBROOT, None)),
    (
        {"authenticator": NAME, AUTHENTICATOR: "webroot", "installer": NAME, INSTALLER: "nginx"},
        Roles(WEBROOT, NGINX),
    ),
    ({"authenticator": "standalone", "installer": None}, Roles(STANDALONE, None)),
    ({"authenticator": "dns-x", "installer": NAME, INSTALLER: "nginx"}, Roles(None, NGINX)),
    ({"authenticator": "manual", "installer": "dummy"}, Roles()),
    # Who installs nothing is no installer, whatever a file says.
    ({"authenticator": NAME, "installer": NAME, INSTALLER: "webroot"}, Roles(APACHE, None)),
]


@pytest.mark.parametrize(("values", "roles"), CONFIGURED)
def test_a_configuration_and_a_renewal_file_are_read_alike(
    values: dict[str, Any], roles: Roles
) -> None:
    config = SimpleNamespace()
    vars(config).update(values)
    assert of_config(config) == of_lineage(values) == roles


@pytest.mark.parametrize(("_values", "roles"), CONFIGURED)
def test_what_a_file_says_of_roles_means_them(_values: object, roles: Roles) -> None:
    assert of_lineage(roles.params()) == roles


def test_apache_is_not_mentioned() -> None:
    assert set(Roles(APACHE, APACHE).dests().values()) == {None}
    # Unless it has to be told from who would be meant.
    assert Roles(APACHE, NGINX).dests() == {AUTHENTICATOR: "apache", INSTALLER: "nginx"}


def test_through_whom_we_work() -> None:
    config = SimpleNamespace(authenticator=NAME, installer="nginx", configurator=None)
    assert ours(config) == [NGINX]
    config.authenticator = "nginx"
    assert ours(config) == []
    config.configurator = NAME
    assert ours(config) == [APACHE]


class Plugin:
    """Counts what is asked of it."""

    made = 0
    prepared = 0

    def __init__(self, _config: object, name: str) -> None:
        Plugin.made += 1
        self.name = name

    def prepare(self) -> None:
        Plugin.prepared += 1

    @classmethod
    def add_parser_arguments(cls, add: Any) -> None:
        add("server-root", default="/etc/nginx", help="...")
        add("sleep-seconds", type=int)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> type[Plugin]:
    """Has only nginx's plugin installed."""
    Plugin.made = Plugin.prepared = 0
    found = {"nginx": SimpleNamespace(load=lambda: Plugin)}
    monkeypatch.setattr(delegate_module, "entry_point", found.get)
    return Plugin


def test_each_is_made_and_prepared_once(installed: type[Plugin]) -> None:
    config = SimpleNamespace(authenticator=NAME, installer=NAME, configurator=None)
    setattr(config, INSTALLER, "nginx")
    workers = Workers(config)
    assert workers.authenticator is workers.installer
    workers.prepare()
    assert workers.prepared(NGINX) is workers.installer
    assert (installed.made, installed.prepared) == (1, 1)
    assert workers.installer.name == "nginx"
    assert not workers.has_autohsts
    workers.follow(Roles(APACHE, APACHE))
    assert workers.has_autohsts


class LikeFedora:
    """Does where the configuration test fails what Certbot's class for Fedora does."""

    def __init__(self, _config: object, _name: str) -> None:
        self.restarts = 0

    def config_test(self) -> None:
        try:
            raise errors.MisconfigurationError("AH00526: Syntax error")  # noqa: TRY301 - as it is there
        except errors.MisconfigurationError:
            self._try_restart_fedora()

    def _try_restart_fedora(self) -> None:
        self.restarts += 1


def systemctl(path: Path, monkeypatch: pytest.MonkeyPatch, status: int | None) -> None:
    """Has systemctl end with a status; None: there is none."""
    monkeypatch.setenv("PATH", str(path))
    if status is not None:
        program = path / "systemctl"
        program.write_text(f'#!/bin/sh\n[ "$*" = "is-active --quiet httpd" ] && exit {status}\n')
        program.chmod(0o755)


@pytest.mark.parametrize("status", [3, None], ids=["inactive", "no systemd"])
def test_an_httpd_that_does_not_run_may_be_restarted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int | None
) -> None:
    systemctl(tmp_path, monkeypatch, status)
    plugin = APACHE.make(LikeFedora, SimpleNamespace())
    plugin.config_test()
    assert plugin.restarts == 1


def test_an_httpd_that_runs_is_not_restarted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    systemctl(tmp_path, monkeypatch, 0)
    plugin = APACHE.make(LikeFedora, SimpleNamespace())
    with pytest.raises(errors.MisconfigurationError, match="AH00526"):
        plugin.config_test()
    assert plugin.restarts == 0


@pytest.mark.parametrize("name", ["apache", "nginx", "webroot", "manual"])
def test_entry_points_are_those_of_the_group(name: str) -> None:
    (expected,) = (each for each in disco_entry_points() if each.name == name)
    assert delegate_module.entry_point(name) == expected
    assert delegate_module.entry_point(f"no-{name}") is None


def disco_entry_points() -> list[metadata.EntryPoint]:
    """Returns the entry points of all distributions, as Certbot looks for them."""
    return [
        each
        for distribution in metadata.distributions()
        for each in distribution.entry_points
        if each.group == "certbot.plugins"
    ]


def test_what_is_installed_is_looked_through_once(
    installed: type[Plugin], monkeypatch: pytest.MonkeyPatch
) -> None:
    look, looked = delegate_module.entry_point, []

    def entry_point(name: str) -> Any:
        looked.append(name)
        return look(name)

    monkeypatch.setattr(delegate_module, "entry_point", entry_point)
    workers = Workers(SimpleNamespace())
    assert workers.load(NGINX) is installed
    assert workers.make(NGINX) is workers.prepared(NGINX)
    assert looked == ["nginx"]


def test_options_with_what_converts_them(installed: type[Plugin]) -> None:
    assert NGINX.option_types() == {"nginx_server_root": str, "nginx_sleep_seconds": int}


@pytest.mark.parametrize(
    ("delegate", "package"), [(APACHE, "certbot-apache"), (NGINX, r"certbot-jprs\[nginx\]")]
)
def test_one_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, delegate: Any, package: str
) -> None:
    monkeypatch.setattr(delegate_module, "entry_point", lambda _name: None)
    with pytest.raises(errors.PluginError, match=package):
        delegate.plugin_class()
    assert not delegate.is_here(SimpleNamespace(apache_ctl="/bin/sh", nginx_ctl="/bin/sh"))


@pytest.mark.parametrize("program", ["/bin/sh", "/no/such/program"])
def test_one_that_is_here(installed: type[Plugin], program: str) -> None:
    assert NGINX.is_here(SimpleNamespace(nginx_ctl=program)) == (program == "/bin/sh")


@pytest.mark.parametrize(
    ("params", "stored"),
    [
        ({}, {}),
        ({"webroot_path": "/srv", "webroot_map": ""}, {"webroot_path": ["/srv"]}),
        (
            {"webroot_path": ["/srv", "/b"], "webroot_map": {"a.jp": "/b"}},
            {"webroot_path": ["/srv", "/b"], "webroot_map": {"a.jp": "/b"}},
        ),
    ],
)
def test_the_directories_of_webroot(params: Any, stored: Any) -> None:
    assert WEBROOT.stored(params) == stored
    assert NGINX.stored(params) == STANDALONE.stored(params) == {}


@pytest.mark.parametrize(
    ("command", "server"),
    [
        ("systemctl reload nginx", NGINX),
        ("nginx -s reload", NGINX),
        ("/usr/sbin/nginx -s reload;", NGINX),
        ("service nginx reload", NGINX),
        ("systemctl restart nginx.service", NGINX),
        ("systemctl reload apache2", APACHE),
        ("systemctl reload postfix", None),
        ("nginx -s quit", None),
        ("systemctl reload nginx && x", None),
    ],
)
def test_a_command_that_only_reloads_it(command: str, server: Any) -> None:
    assert [each for each in (APACHE, NGINX) if each.reloads(command)] == [server] * bool(server)


# Real nginx's plugin, with a program that says what it asks for

NGINX_PROGRAM = """\
#!/bin/sh
case "$*" in *-V*)
    printf '%s\\n' 'nginx version: nginx/1.26.3' 'built with OpenSSL 3.5.1 1 Jul 2025' \\
        'TLS SNI support enabled' 'configure arguments: --with-http_ssl_module' >&2
esac
"""
OWN_BLOCK = "server { listen 80; server_name www.example.jp; }"
DEFAULT = "server { listen 80 default_server; }"


@pytest.fixture
def nginx(tmp_path: Path, config_dir: ConfigDir, parse: Parse) -> Callable[[str], Any]:
    """Makes Certbot's nginx plugin, which has read such server blocks."""
    program, root = tmp_path / "nginx", tmp_path / "conf"
    program.write_text(NGINX_PROGRAM)
    program.chmod(0o755)
    root.mkdir()

    def make(blocks: str) -> Any:
        (root / "nginx.conf").write_text(f"events {{ }}\nhttp {{ {blocks} }}\n")
        given = f"--nginx-ctl={program}", f"--nginx-server-root={root}"
        config = parse("certonly", "-n", *FLAG, *CONTACT, "-d", SITE, *given).config
        setattr(config.namespace, AUTHENTICATOR, "nginx")
        return Workers(config).prepared(NGINX)

    return make


@pytest.mark.parametrize(
    ("blocks", "name", "found"),
    [
        (OWN_BLOCK, SITE, True),
        (OWN_BLOCK, "other.example.jp", False),
        (OWN_BLOCK + DEFAULT, "other.example.jp", True),  # the one that it would copy
        ("", SITE, False),
    ],
)
def test_whether_nginx_has_a_server_block(
    nginx: Callable[[str], Any], blocks: str, name: str, found: bool
) -> None:
    plugin = nginx(blocks)
    assert NGINX.names_virtual_host(plugin, name) is found
    assert WebServer.names_virtual_host(NGINX, plugin, name) is None  # who cannot look


@pytest.mark.parametrize("method", ["_get_ranked_matches", "_get_default_vhost"])
def test_a_version_of_nginxs_plugin_that_does_not_tell(
    nginx: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    plugin = nginx("")
    monkeypatch.setattr(plugin, method, None)
    assert NGINX.names_virtual_host(plugin, SITE) is None
    monkeypatch.setattr(plugin, method, lambda: None)  # other arguments
    if method == "_get_default_vhost":
        assert NGINX.names_virtual_host(plugin, SITE) is None


def test_an_apache_plugin_that_restarts_nothing_is_left_alone(installed: type[Plugin]) -> None:
    assert not hasattr(APACHE.make(installed, SimpleNamespace()), "_try_restart_fedora")


def test_a_server_that_is_not_there(parse: Parse) -> None:
    line = ("certonly", "-n", *FLAG, *CONTACT, "-d", SITE, "--nginx-ctl=/no/such/nginx")
    for apache in ("/no/such/apachectl", "/bin/sh"):
        config = parse(*line, f"--apache-ctl={apache}").config
        setattr(config.namespace, AUTHENTICATOR, "nginx")
        with pytest.raises(errors.Error, match=r"nginx was not found .* --nginx-ctl") as caught:
            Workers(config).prepare()
        assert type(caught.value) is errors.Error  # another one Certbot would say in its own words
        instead = "\nThere is Apache here: for that, add --apache to the command."
        assert (instead in str(caught.value)) == (apache == "/bin/sh")
