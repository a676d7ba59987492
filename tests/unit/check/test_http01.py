"""The rehearsal's http-01: Certbot's own standalone plugin, and plugins that fail as told."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from certbot import errors

from certbot_jprs.check import challenge, http01
from certbot_jprs.check.dns import Dns
from certbot_jprs.check.report import Level, Report
from certbot_jprs.ground.exceptions import WaitInterrupted
from certbot_jprs.internals.delegate import Delegate
from certbot_jprs.internals.delegates import APACHE, NGINX, STANDALONE, WEBROOT
from certbot_jprs.internals.delegation import Workers
from tests.unit.command_line import CONTACT, FLAG, Parse
from tests.unit.peers import HERE, WebServer, unused_port

SITE = "www.example.jp"
ELSEWHERE = "127.0.0.2"
"""Another address of this machine's, at which nobody listens."""
OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL


pytestmark = pytest.mark.usefixtures("english")


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A web server that has no challenge."""
    server = WebServer()
    yield server
    server.close()


def checked(delegate: Delegate, plugin: Any, port: int, *addresses: str) -> list[tuple[Level, str]]:
    """Has a challenge served for a name with a port (in earnest it is 80), and fetched."""
    report = Report(lambda _line: None)
    names = {f"{SITE}:{port}": list(addresses or [HERE])}
    http01.check(report, delegate, plugin, names, Dns("known.example"))
    return report.findings


# By Certbot's own plugin


@pytest.fixture
def free() -> int:
    with unused_port() as port:
        return port


def standalone(parse: Parse, port: int) -> Any:
    where = ("--http-01-port", str(port), "--http-01-address", HERE)
    parsed = parse("certonly", *FLAG, "--standalone", "-d", SITE, *CONTACT, *where)
    return Workers(parsed.config).prepared(STANDALONE)


def test_it_is_served_fetched_and_taken_away(parse: Parse, free: int) -> None:
    plugin = standalone(parse, free)
    ((level, text),) = checked(STANDALONE, plugin, free)
    assert level is OK
    assert text == f"The http-01 challenge of {SITE}:{free} is served and can be fetched"
    # The twin: nobody serves it any more.
    silent = Plugin()
    ((level, text),) = checked(STANDALONE, silent, free)
    assert level is FAIL
    assert "connection refused" in text


def test_an_address_at_which_nobody_listens(parse: Parse, free: int) -> None:
    plugin = standalone(parse, free)
    ((level, text),) = checked(STANDALONE, plugin, free, ELSEWHERE)
    assert level is FAIL
    assert f"cannot be fetched from {ELSEWHERE} (connection refused)" in text
    # JPRS may come to the other one: that is no certain failure.
    ((level, text),) = checked(STANDALONE, plugin, free, HERE, ELSEWHERE)
    assert level is WARN
    assert ELSEWHERE in text


def test_what_another_machine_answers_cannot_be_judged_from_here(
    parse: Parse, free: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(challenge, "is_here", lambda _address: False)
    ((level, text),) = checked(STANDALONE, standalone(parse, free), free, ELSEWHERE)
    assert level is WARN
    assert "is not this machine's" in text


# By a plugin that does what the test says


class Plugin:
    """Serves nothing; notes what it is asked for.

    Attributes:
        asked: its methods, in order.
        raises: what a method raises.
        signals: a signal that reaches this process while it performs.
    """

    def __init__(
        self, raises: Mapping[str, Exception] | None = None, signals: int | None = None
    ) -> None:
        self.asked: list[str] = []
        self._raises = raises or {}
        self._signals = signals

    def _note(self, what: str) -> None:
        self.asked.append(what)
        if what in self._raises:
            raise self._raises[what]

    def perform(self, achalls: list[Any]) -> None:
        assert len(achalls) == 1
        if self._signals is not None:
            signal.raise_signal(self._signals)
        self._note("perform")

    def recovery_routine(self) -> None:
        self._note("recovery_routine")

    def cleanup(self, achalls: list[Any]) -> None:
        assert len(achalls) == 1
        self._note("cleanup")

    def revert_temporary_config(self) -> None:
        self._note("revert_temporary_config")

    def restart(self) -> None:
        self._note("restart")


BROKEN = errors.PluginError("no such line")


@pytest.mark.parametrize(
    ("delegate", "undone"),
    [
        (APACHE, ["recovery_routine", "cleanup"]),
        (NGINX, ["recovery_routine", "cleanup"]),
        (WEBROOT, ["cleanup"]),
        (STANDALONE, ["cleanup"]),
    ],
)
def test_another_answer_is_explained(web: WebServer, delegate: Delegate, undone: list[str]) -> None:
    plugin = Plugin()
    ((level, text),) = checked(delegate, plugin, web.port)
    assert level is FAIL
    assert f"another answer than the challenge (HTTP status 404, from {HERE})" in text
    assert f"({delegate.handlers}a virtual host before it)" in text
    assert plugin.asked == ["perform", *undone]


def test_where_it_has_to_listen_is_named() -> None:
    with unused_port() as port:
        for delegate in (APACHE, NGINX, WEBROOT):
            ((_level, text),) = checked(delegate, Plugin(), port)
            where = f" ({delegate.listen})" if delegate.listen else ""
            assert f"listen there{where}, and open the port" in text


def test_a_redirect_is_named(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    made = challenge.make

    def make(names: list[str]) -> list[challenge.Challenge]:
        (one,) = made(names)
        web.answers[one.path] = (302, "/elsewhere")
        return [one]

    monkeypatch.setattr(challenge, "make", make)
    ((level, text),) = checked(APACHE, Plugin(), web.port)
    assert level is FAIL
    assert f"/.well-known/acme-challenge/ is redirected to http://{SITE}:{web.port}/else" in text
    assert f"from that redirect of {SITE}" in text


@pytest.mark.parametrize("delegate", [APACHE, STANDALONE])
def test_one_that_cannot_perform(web: WebServer, delegate: Delegate) -> None:
    plugin = Plugin({"perform": BROKEN})
    ((level, text),) = checked(delegate, plugin, web.port)
    assert level is FAIL
    assert text.startswith(f"Certbot's plugin {delegate.name} cannot serve a challenge")
    assert text.endswith("The error:\nno such line")
    assert plugin.asked[-1] == "cleanup"
    assert web.hosts == []


@pytest.mark.parametrize("step", ["recovery_routine", "cleanup"])
def test_a_web_server_is_brought_back_another_way(web: WebServer, step: str) -> None:
    plugin = Plugin({step: BROKEN})
    findings = checked(APACHE, plugin, web.port)
    assert [level for level, _text in findings] == [FAIL]  # of the answer alone
    assert plugin.asked[-2:] == ["revert_temporary_config", "restart"]


@pytest.mark.parametrize("step", ["revert_temporary_config", "restart"])
def test_a_web_server_that_cannot_be_brought_back(web: WebServer, step: str) -> None:
    plugin = Plugin({"cleanup": BROKEN, step: errors.MisconfigurationError("torn")})
    (_level, text), *_answer = checked(NGINX, plugin, web.port)
    assert "nginx could not be brought back" in text
    assert "`certbot rollback --nginx`, then `nginx -t` and `nginx -s reload`" in text
    assert text.endswith("The error:\nno such line")


def test_what_webroot_or_standalone_leave_is_said(web: WebServer) -> None:
    plugin = Plugin({"cleanup": BROKEN})
    (level, text), *_answer = checked(WEBROOT, plugin, web.port)
    assert (level, text) == (FAIL, "no such line")
    assert plugin.asked == ["perform", "cleanup"]


# Signals


@pytest.fixture(autouse=True)
def unheard(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Takes what would end the tests."""
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: heard.append(number))
    yield heard
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("raises", [{}, {"perform": errors.MisconfigurationError("ended")}])
def test_a_signal_ends_it_once_all_is_as_it_was(
    web: WebServer, unheard: list[int], raises: dict[str, Exception]
) -> None:
    plugin = Plugin(raises, signal.SIGTERM)
    report = Report(lambda _line: None)
    with pytest.raises(WaitInterrupted):
        http01.check(report, APACHE, plugin, {f"{SITE}:{web.port}": [HERE]}, Dns("x"))
    assert plugin.asked == ["perform", "recovery_routine", "cleanup"]
    assert report.findings == []
    assert unheard == []  # it has been told already
    assert web.hosts == []
