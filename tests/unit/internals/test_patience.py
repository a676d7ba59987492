"""The sleep of Certbot's plugins for web servers, and on which addresses they have a name."""

from __future__ import annotations

import importlib
import time
import types
from types import SimpleNamespace
from typing import Any

import pytest

from certbot_jprs.internals import patience
from certbot_jprs.internals.delegates import APACHE

WWW = "www.example.jp"
SLEEPING = """\
import time

class Plugin:
    def perform(self):
        began = time.monotonic()
        time.sleep(3)
        return time.monotonic() - began

    def fail(self):
        time.sleep(1)
        1 / 0
"""


def module_of(text: str) -> Any:
    module = types.ModuleType("plugin")
    exec(text, module.__dict__)  # noqa: S102 - our own text
    return module


def test_another_sleep_while_it_lasts() -> None:
    module = module_of(SLEEPING)
    slept: list[float] = []
    plugin = module.Plugin()
    with patience.sleeping(plugin, slept.append):
        assert plugin.perform() < 3
    assert slept == [3]
    assert module.time is time


def test_its_own_sleep_is_put_back_after_an_error() -> None:
    module = module_of(SLEEPING)
    plugin = module.Plugin()
    with pytest.raises(ZeroDivisionError), patience.sleeping(plugin, lambda _seconds: None):
        plugin.fail()
    assert module.time is time


def test_one_that_sleeps_in_another_way_sleeps() -> None:
    text = SLEEPING.replace("import time", "import time as clock").replace("time.sl", "clock.sl")
    module = module_of(text.replace("time.monotonic", "clock.monotonic"))
    slept: list[float] = []
    module.clock = SimpleNamespace(sleep=slept.append, monotonic=lambda: 0.0)
    with patience.sleeping(module.Plugin(), lambda _seconds: pytest.fail("not to be called")):
        module.Plugin().perform()
    assert slept == [3]


def test_this_certbots_apache_plugin_sleeps_so() -> None:
    plugin_class = APACHE.plugin_class()
    names = plugin_class.perform.__globals__
    assert names["time"] is time
    with patience.sleeping(object.__new__(plugin_class), lambda _seconds: None):
        assert names["time"] is not time
    assert names["time"] is time


def apache(*vhosts: tuple[str, set[str], list[str]]) -> Any:
    """Returns what stands for Apache's plugin, with virtual hosts of its real class.

    Args:
        vhosts: ``ServerName``, ``ServerAlias``es and addresses of each.
    """
    (base,) = (
        each for each in APACHE.plugin_class().__mro__ if each.__name__.startswith("ApacheC")
    )
    obj = importlib.import_module(base.__module__.replace("configurator", "obj"))
    found = [
        obj.VirtualHost(
            "file",
            "path",
            {obj.Addr.fromstring(each) for each in addrs},
            False,
            True,
            name,
            aliases,
        )
        for name, aliases, addrs in vhosts
    ]
    return SimpleNamespace(vhosts=found)


def nginx(names: set[str], *addresses: tuple[str, str]) -> Any:
    """Returns what stands for nginx's plugin, whose parser knows its virtual hosts."""
    addrs = [
        SimpleNamespace(get_addr=lambda a=address: a, get_port=lambda p=port: p)
        for address, port in addresses
    ]
    vhost = SimpleNamespace(names=names, addrs=addrs)
    return SimpleNamespace(parser=SimpleNamespace(get_vhosts=lambda: [vhost]))


@pytest.mark.parametrize(
    ("plugin", "expected"),
    [
        (apache((WWW, set(), ["*:80"])), set()),
        (apache((WWW, set(), ["_default_:80"])), set()),
        (apache((WWW, set(), ["0.0.0.0:80"])), set()),
        (apache((WWW, set(), ["192.0.2.1:80"])), {"192.0.2.1"}),
        (apache((WWW, set(), ["192.0.2.1"])), {"192.0.2.1"}),
        (apache((WWW, set(), ["192.0.2.1:*"])), {"192.0.2.1"}),
        (apache((WWW, set(), ["[2001:db8::1]:80"])), {"2001:db8::1"}),
        (apache((WWW, set(), ["[2001:DB8:0::1]:80"])), {"2001:db8::1"}),
        (apache((WWW, set(), ["192.0.2.1:443"])), set()),
        (apache((WWW, set(), ["192.0.2.1:80", "192.0.2.2:443"])), {"192.0.2.1"}),
        (apache((WWW, set(), ["host.example.jp:80"])), set()),
        (apache(("example.jp", {"WWW.example.jp"}, ["192.0.2.1:80"])), {"192.0.2.1"}),
        (apache(("example.jp", {"*.example.jp"}, ["192.0.2.1:80"])), {"192.0.2.1"}),
        (apache(("example.jp", {"w?w.example.jp"}, ["192.0.2.1:80"])), {"192.0.2.1"}),
        (apache(("other.jp", {"ww.example.jp"}, ["192.0.2.1:80"])), set()),
        (
            apache((WWW, set(), ["192.0.2.1:80"]), (WWW, set(), ["192.0.2.2:80"])),
            {"192.0.2.1", "192.0.2.2"},
        ),
        (apache((WWW, set(), ["192.0.2.1:80"]), (WWW, set(), ["*:80"])), set()),
        (apache(), set()),
        (nginx({WWW}, ("192.0.2.1", "80")), {"192.0.2.1"}),
        (nginx({WWW}, ("192.0.2.1", "")), {"192.0.2.1"}),
        (nginx({WWW}, ("", "80")), set()),
        (nginx({WWW}, ("[::]", "80")), set()),
        (nginx({WWW}, ("[2001:db8::1]", "80")), {"2001:db8::1"}),
        (nginx({WWW}, ("unix:/run/nginx.sock", "")), set()),
        (nginx({".example.jp"}, ("192.0.2.1", "80")), {"192.0.2.1"}),
        (nginx({"~^w+\\.example\\.jp$"}, ("192.0.2.1", "80")), set()),
        (nginx({".ample.jp"}, ("192.0.2.1", "80")), set()),
    ],
)
def test_the_addresses_on_which_alone_a_name_is_answered(plugin: Any, expected: set[str]) -> None:
    assert patience.addresses_of(plugin, WWW, 80) == expected


@pytest.mark.parametrize(
    "plugin",
    [SimpleNamespace(), SimpleNamespace(vhosts=None), SimpleNamespace(vhosts=[SimpleNamespace()])],
)
def test_a_version_that_does_not_tell(plugin: Any) -> None:
    assert patience.addresses_of(plugin, WWW, 80) == set()
