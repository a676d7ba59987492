"""Several hosts of one name: what the web server's plugin is asked for, and in which order."""

from __future__ import annotations

from typing import Any

import pytest
from certbot import errors

from certbot_jprs.internals import web

A, B, C = (f"{letter}.example.jp" for letter in "abc")
PATHS = ("cert", "key", "chain", "fullchain")


class Plugin:
    """Notes what it is told; fails for some hosts."""

    def __init__(self, **fails: Exception) -> None:
        self.told: list[str] = []
        self.fails = fails

    def deploy_cert(self, name: str, *paths: str) -> None:
        assert paths == PATHS
        self.told.append(f"deploy {name}")

    def save(self) -> None:
        self.told.append("save")

    def enhance(self, name: str, enhancement: str, options: Any) -> None:
        self.told.append(f"{enhancement} {options} {name}")
        if name[0] in self.fails:
            raise self.fails[name[0]]

    def get_all_names(self) -> set[str]:
        return {"WWW.example.jp", "b.a.example.jp", "x.example.jp", "example.jp", "www.other.jp"}


def test_each_host_is_saved_before_the_next() -> None:
    plugin = Plugin()
    web.deploy(plugin, [A, B], *PATHS)
    assert plugin.told == [f"deploy {A}", "save", f"deploy {B}", "save"]


NO_HTTPS = errors.PluginError("no HTTPS")
THERE = errors.PluginEnhancementAlreadyPresent("there")


@pytest.mark.parametrize("host", ["a", "b", "c"])
@pytest.mark.parametrize("error", [NO_HTTPS, THERE])
def test_one_host_keeps_no_other_from_an_enhancement(host: str, error: Exception) -> None:
    plugin = Plugin(**{host: error})
    web.enhance(plugin, [A, B, C], "redirect", "how")
    assert plugin.told == [f"redirect how {name}" for name in (A, B, C)]


@pytest.mark.parametrize(
    ("fails", "expected"),
    [
        ({"a": NO_HTTPS, "b": NO_HTTPS}, NO_HTTPS),
        ({"a": THERE, "b": THERE}, THERE),
        ({"a": NO_HTTPS, "b": THERE}, THERE),
        ({"a": THERE, "b": NO_HTTPS}, THERE),
    ],
)
def test_where_no_host_is_changed_that_is_said(
    fails: dict[str, Exception], expected: Exception
) -> None:
    with pytest.raises(errors.Error) as caught:
        web.enhance(Plugin(**fails), [A, B], "redirect")
    assert caught.value is expected


def test_the_hosts_of_a_wildcard() -> None:
    assert web.hosts(Plugin(), "*.Example.jp") == ["WWW.example.jp", "x.example.jp"]
    assert web.hosts(Plugin(), "*.none.jp") == ["*.none.jp"]
    assert web.hosts(Plugin(), A) == [A]
