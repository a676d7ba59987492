"""The rehearsal's look at web servers: their configuration, their virtual hosts, their ports."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from certbot import errors

from certbot_jprs.check import http01, ports, web
from certbot_jprs.check.case import Case
from certbot_jprs.check.dns import Dns
from certbot_jprs.check.report import Level, Report
from certbot_jprs.ground import language
from certbot_jprs.ground.exceptions import WaitInterrupted
from certbot_jprs.ground.names import NAME
from certbot_jprs.ground.options import AUTHENTICATOR, INSTALLER
from certbot_jprs.internals.delegate import Delegate
from certbot_jprs.internals.delegates import APACHE, NGINX, WEBROOT
from certbot_jprs.internals.delegation import Workers
from tests.unit.peers import HERE, unused_port

SITE = "www.example.jp"
FOUND = {SITE: ["192.0.2.1"]}
OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL
RIGHT = (OK, ("syntax of Apache's configuration is right",))


class Plugin:
    """A web server's plugin.

    Attributes:
        names: what its server serves.
        finds: whether it would choose a virtual host for a name that its server does not serve.
        unprepared: why it cannot be used.
        prepared: how often it was asked to prepare.
    """

    def __init__(self) -> None:
        self.names = [SITE]
        self.finds = False
        self.unprepared: Exception | None = None
        self.prepared = 0
        self.options = SimpleNamespace(handle_modules=True)
        self.parser = SimpleNamespace(modules={"ssl_module": None})

    def prepare(self) -> None:
        self.prepared += 1
        if self.unprepared is not None:
            raise self.unprepared

    def get_all_names(self) -> set[str]:
        return set(self.names)

    def _find_best_vhost(self, _name: str) -> object:
        return "its virtual host" if self.finds else None


class Host(Workers):
    """A machine whose web servers the test plays.

    Attributes:
        plugins: one for each delegate.
        rehearsed: for whom http-01 was rehearsed, and for which names.
        runs: whether web servers run.
        findings: what the report says.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(SimpleNamespace())
        self.plugins: dict[Delegate, Plugin] = {}
        self.rehearsed: list[tuple[Delegate, list[str]]] = []
        self.runs = True
        self.findings: list[tuple[Level, str]] = []
        monkeypatch.setattr(ports, "runs", lambda _own: self.runs)
        monkeypatch.setattr(http01, "check", self._rehearse)

    def make(self, delegate: Delegate) -> Plugin:
        return self.plugins.setdefault(delegate, Plugin())

    def _rehearse(
        self, _report: Report, delegate: Delegate, plugin: Any, names: Mapping[str, Any], _dns: Dns
    ) -> None:
        assert plugin is self.plugins[delegate]
        self.rehearsed.append((delegate, list(names)))

    def check(
        self, *names: str, found: Mapping[str, list[str]] = FOUND, **more: Any
    ) -> list[tuple[Level, str]]:
        """Checks a command; returns the report's findings."""
        values = {
            "verb": "run",
            "authenticator": NAME,
            "installer": NAME,
            "configurator": None,
            "noninteractive_mode": True,
            "force_interactive": False,
            AUTHENTICATOR: None,
            INSTALLER: None,
            **more,
        }
        report = Report(lambda _line: None)
        case = Case(SimpleNamespace(**values), names or (SITE,), None)
        web.check(report, case, self, dict(found), Dns("x"))
        return report.findings


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """English, and ports at which nobody listens."""
    language.start("en")
    with unused_port() as port:
        for name in ("HTTP_PORT", "HTTPS_PORT"):
            monkeypatch.setattr(web, name, port)
        yield
    language.start(None)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(monkeypatch)


def said(findings: list[tuple[Level, str]], *expected: tuple[Level, tuple[str, ...]]) -> None:
    """Asserts that there are these findings in this order, each with these words."""
    assert [level for level, _text in findings] == [level for level, _words in expected]
    for (_level, text), (_same, words) in zip(findings, expected):
        for word in words:
            assert word in text


def test_all_is_well(host: Host) -> None:
    said(host.check(), RIGHT, (OK, (f"Apache has a virtual host for {SITE}",)))
    assert host.rehearsed == [(APACHE, [SITE])]
    assert host.plugins[APACHE].prepared == 1


def test_names_are_compared_without_case(host: Host) -> None:
    host.make(APACHE).names = ["WWW.Example.JP"]
    said(host.check(), RIGHT, (OK, (SITE,)))


def test_certonly_installs_nothing(host: Host) -> None:
    host.make(APACHE).names = []
    said(host.check(verb="certonly"), RIGHT)
    assert host.rehearsed == [(APACHE, [SITE])]


def test_without_an_address_nothing_can_be_fetched(host: Host) -> None:
    host.check(found={})
    assert host.rehearsed == []


def test_another_plugins_part_is_not_looked_at(host: Host) -> None:
    assert host.check(authenticator="dns-x", installer="apache") == []
    assert host.plugins == {}
    said(host.check(authenticator="dns-x"), RIGHT, (OK, (SITE,)))
    assert host.rehearsed == []


def test_one_validates_and_another_installs(host: Host) -> None:
    both: dict[str, Any] = {AUTHENTICATOR: "webroot", INSTALLER: "nginx"}
    said(
        host.check(**both),
        (OK, ("syntax of nginx's configuration",)),  # webroot has none
        (OK, (f"nginx has a virtual host for {SITE}",)),
    )
    assert host.rehearsed == [(WEBROOT, [SITE])]
    host.runs = False  # whether a web server runs is not webroot's matter
    host.check(**both)
    assert host.rehearsed == [(WEBROOT, [SITE])] * 2


# What cannot work


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errors.NoInstallationError("no apache2ctl."), ("Apache was not found (no apache2ctl)",)),
        (
            errors.MisconfigurationError("line 3"),
            ("Apache's configuration test fails", "`apachectl configtest`", "The error:\nline 3"),
        ),
        (errors.PluginError("in use"), ("plugin apache cannot work here: in use",)),
    ],
)
def test_a_web_server_that_cannot_be_used(
    host: Host, monkeypatch: pytest.MonkeyPatch, error: Exception, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr("certbot_jprs.internals.delegate.util.exe_exists", lambda _path: False)
    host.make(APACHE).unprepared = error
    said(host.check(), (FAIL, words))
    assert host.rehearsed == []


def test_who_validates_goes_on_where_who_installs_cannot(host: Host) -> None:
    host.make(NGINX).unprepared = errors.MisconfigurationError("line 3")
    both: dict[str, Any] = {AUTHENTICATOR: "webroot", INSTALLER: "nginx"}
    said(host.check(**both), (FAIL, ("nginx -t",)))
    assert host.rehearsed == [(WEBROOT, [SITE])]


def test_a_signal_is_no_finding(host: Host) -> None:
    host.make(APACHE).unprepared = WaitInterrupted("SIGTERM")
    with pytest.raises(WaitInterrupted):
        host.check()


# Virtual hosts


def test_a_name_without_a_virtual_host(host: Host) -> None:
    plugin = host.make(APACHE)
    plugin.names = ["other.example.jp"]
    lacking = f"No virtual host of Apache's names {SITE}"
    said(host.check(), RIGHT, (FAIL, (lacking, "issued and not installed", "ServerName")))
    plugin.finds = True
    said(host.check(), RIGHT, (WARN, (lacking, "the only one that it could mean")))
    plugin.finds = False
    asks = (WARN, (lacking, "ask which one"))
    said(host.check(noninteractive_mode=False, force_interactive=True), RIGHT, asks)


def test_a_plugin_that_does_not_tell(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.make(APACHE).names = []
    monkeypatch.delattr(Plugin, "_find_best_vhost")
    said(host.check(), RIGHT, (WARN, ("will ask which one",)))


def test_wildcards(host: Host) -> None:
    by_dns: dict[str, Any] = {"authenticator": "dns-x"}
    wild = "*.example.jp"
    plugin = host.make(APACHE)
    plugin.names = ["b.example.jp", "a.example.jp", "a.b.example.jp", "example.jp"]
    covered = (OK, (f"virtual hosts of a.example.jp, b.example.jp would use {wild}",))
    said(host.check(wild, **by_dns), RIGHT, covered)
    plugin.names = ["a.example.com"]
    none = (FAIL, (f"Apache serves no name that {wild} covers", f"certbot install -i {NAME}"))
    said(host.check(wild, **by_dns), RIGHT, none)
    asks: dict[str, Any] = {"noninteractive_mode": False, "force_interactive": True}
    said(host.check(wild, **by_dns, **asks), RIGHT, (WARN, ("will ask", "With -n")))
    said(host.check(wild, found={}), RIGHT)  # refused, and said already


# Ports


def test_a_stopped_web_server(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.runs = False
    *_right, (level, text) = host.check()
    assert level is WARN
    assert "Apache is not running" in text
    assert "start it first: apachectl start" in text
    with socket.create_server((HERE, 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(web, "HTTP_PORT", port)
        *_right, (level, text) = host.check()
    assert level is FAIL
    assert f"another program listens on TCP port {port}" in text
    assert host.rehearsed == []


def test_another_program_at_the_port_of_https(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((HERE, 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(web, "HTTPS_PORT", port)
        *_right, (level, text) = host.check()
        own = Path("/proc/self/comm").read_text(encoding="utf-8").strip()
        assert level is FAIL
        assert f"Another program ({own}) listens on TCP port {port}" in text
        said(host.check(verb="certonly"), RIGHT)


def test_an_apache_without_mod_ssl(host: Host) -> None:
    plugin = host.make(APACHE)
    plugin.parser.modules.clear()
    said(host.check(), RIGHT, (OK, (SITE,)))  # Certbot enables it
    plugin.options.handle_modules = False
    said(host.check(), RIGHT, (OK, (SITE,)), (FAIL, ("no mod_ssl", "dnf install mod_ssl")))
