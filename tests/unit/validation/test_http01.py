"""http-01 through a delegate: what is fetched before it goes on, and which reloads are put off."""

from __future__ import annotations

import logging
import types
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from certbot_jprs.check import challenge
from certbot_jprs.ground.names import NAME
from certbot_jprs.validation import http01 as http01_module
from certbot_jprs.validation.fetching import File
from certbot_jprs.validation.http01 import Http01, server_of
from certbot_jprs.validation.reloads import Reloads

WWW, OTHER = "www.example.jp", "xn--wgv71a119e.jp"

MODULE = """\
import time

class Plugin:
    vhosts = ()

    def __init__(self):
        self.calls = []

    def restart(self):
        self.calls.append("restart")

    def perform(self, achalls):
        self.calls.append("perform")
        self.restart()
        time.sleep(3)
        return ["response"]

    def cleanup(self, achalls):
        self.calls.append("cleanup")
        self.restart()
"""


@pytest.fixture
def plugin() -> Any:
    """A plugin object that sleeps as Apache's does."""
    module = types.ModuleType("apache")
    exec(MODULE, module.__dict__)  # noqa: S102 - our own text
    return module.Plugin()


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[File], float]]:
    """What is fetched, and for how long at most; all of it is there."""
    found: list[tuple[list[File], float]] = []

    def until_there(files: Any, seconds: float) -> bool:
        found.append((files(), seconds))
        return True

    monkeypatch.setattr(http01_module, "until_there", until_there)
    monkeypatch.setattr(http01_module, "listening", lambda _port: ["127.0.0.1", "2001:db8::7"])
    return found


def config(**values: Any) -> Any:
    given = {"authenticator": NAME, "installer": NAME, "configurator": None, "http01_port": 80}
    both = {**given, **values}
    return SimpleNamespace(namespace=SimpleNamespace(**both), **both)


def achalls(*names: str) -> Sequence[Any]:
    return [each.annotated for each in challenge.make(names)]


def test_each_challenge_is_fetched_from_each_address(
    plugin: Any, fetched: list[tuple[list[File], float]], caplog: pytest.LogCaptureFixture
) -> None:
    given = achalls(WWW, OTHER)
    with caplog.at_level(logging.DEBUG):
        assert Http01(Reloads()).perform(config(), plugin, given) == ["response"]
    ((files, seconds),) = fetched
    assert seconds == 3
    assert [(file.address, file.host) for file in files] == [
        ("127.0.0.1", WWW),
        ("2001:db8::7", WWW),
        ("127.0.0.1", OTHER),
        ("2001:db8::7", OTHER),
    ]
    for achall, file in ((given[0], files[0]), (given[1], files[2])):
        assert (file.port, file.path) == (80, achall.chall.path)
        assert file.content == achall.validation(achall.account_key).encode()
    assert plugin.calls == ["perform", "restart"]
    assert "can be fetched" in caplog.text


def test_what_is_there_is_looked_for_once(plugin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []

    def listening(port: int) -> list[str]:
        looked.append(port)
        return ["127.0.0.1"] if len(looked) > 1 else []  # the reload has yet to open the port

    def until_there(files: Any, _seconds: float) -> bool:
        assert [len(files()) for _round in range(4)] == [0, 1, 1, 1]
        return True

    monkeypatch.setattr(http01_module, "until_there", until_there)
    monkeypatch.setattr(http01_module, "listening", listening)
    Http01(Reloads()).perform(config(), plugin, achalls(WWW))
    assert looked == [80, 80]


def test_a_virtual_host_of_one_address_and_another_port(
    plugin: Any, fetched: list[tuple[list[File], float]]
) -> None:
    addresses = [
        SimpleNamespace(get_addr=lambda: "[2001:db8::7]", get_port=lambda: "8080"),
        SimpleNamespace(get_addr=lambda: "192.0.2.99", get_port=lambda: "8080"),
    ]
    plugin.vhosts = [SimpleNamespace(get_names=lambda: {WWW}, addrs=addresses)]
    Http01(Reloads()).perform(config(http01_port=8080), plugin, achalls(WWW))
    ((files, _seconds),) = fetched
    # The other address is not this machine's.
    assert [(file.address, file.port) for file in files] == [("2001:db8::7", 8080)]


@pytest.mark.parametrize("values", [{"certbot_jprs:http_authenticator": "webroot"}, {}])
def test_who_is_no_web_server_validates_as_it_does(
    plugin: Any, fetched: list[tuple[list[File], float]], values: dict[str, str]
) -> None:
    other = config(authenticator=NAME if values else "manual", **values)
    plugin.perform.__func__.__globals__["time"] = SimpleNamespace(sleep=plugin.calls.append)
    one = Http01(Reloads())
    one.perform(other, plugin, achalls(WWW))
    one.cleanup(other, plugin, achalls(WWW), put_off=True)
    assert fetched == []
    assert plugin.calls == ["perform", "restart", 3, "cleanup", "restart"]


@pytest.mark.usefixtures("fetched")
def test_a_reload_is_put_off_until_the_next(plugin: Any) -> None:
    reloads = Reloads()
    one = Http01(reloads)
    one.perform(config(), plugin, achalls(WWW))
    one.cleanup(config(), plugin, achalls(WWW), put_off=True)
    assert plugin.calls == ["perform", "restart", "cleanup"]
    one.perform(config(), plugin, achalls(WWW))
    reloads.settle()
    assert plugin.calls == ["perform", "restart", "cleanup", "perform", "restart"]
    one.cleanup(config(), plugin, achalls(WWW), put_off=True)
    reloads.settle()
    assert plugin.calls[-2:] == ["cleanup", "restart"]


def test_it_is_not_put_off_where_no_later_one_is_certain(plugin: Any) -> None:
    Http01(Reloads()).cleanup(config(), plugin, achalls(WWW), put_off=False)
    assert plugin.calls == ["cleanup", "restart"]


def test_servers_are_told_apart_by_their_options() -> None:
    assert server_of(config()) == server_of(config())
    assert server_of(config()) is not None
    assert server_of(config(apache_server_root="/etc/two")) != server_of(config())
    assert server_of(config(authenticator="dns-example")) is None
