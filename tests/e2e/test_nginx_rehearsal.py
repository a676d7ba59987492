"""``--jprs-check`` with nginx: what it finds is true, and it changes nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.helpers import CONTACT, NAME, QUICK, certbot, forget
from tests.e2e.needs import needs_namespace
from tests.e2e.test_rehearsal import CRON, lines
from tests.lab import WEB, Result, World
from tests.lab.place import CONFINED, at

WWW = "www.example.jp"
RUN = f"run -n --nginx -a {NAME} -d {WWW} {CONTACT} {QUICK}"


def rehearse(world: World, line: str) -> Result:
    """Rehearses a command; asserts that the CA and nginx's configuration were left alone."""
    forget(world)
    before = world.nginx.hashes()
    result = certbot(world, f"{line} --jprs-check", *world.eab())
    assert world.jprs.beyond_directory() == []
    assert world.nginx.hashes() == before
    assert "Traceback" not in result.output
    assert "Apache" not in result.output, f"{result}"
    assert CONFINED or (result.returncode == 1) is bool(lines(result, "FAIL")), f"{result}"
    return result


def test_all_is_well_and_then_it_is(world: World) -> None:
    world.nginx.vhost(WWW)
    world.write("/etc/cron.d/certbot", CRON)
    result = rehearse(world, RUN)
    assert lines(result, "FAIL") == lines(result, "warn") == [], f"{result}"
    for words in (
        "nginx's configuration",
        f"nginx has a virtual host for {WWW}",
        f"challenge of {WWW} is served and can be fetched",
    ):
        assert any(words in line for line in lines(result, "ok")), f"{words}: {result}"
    # It was nginx that served the challenge, and it took it in and out by two reloads.
    assert world.nginx.reloads() == 2
    certbot(world, RUN, *world.eab()).check()


def broken(world: World) -> None:
    world.nginx.conf("broken", "nonsense on;\n")


def no_server_block(world: World) -> None:
    world.path("/etc/nginx/sites-enabled/default").unlink()
    world.nginx.graceful()
    world.dns.set_a("c.example.jp", WEB)


def the_default(world: World) -> None:
    world.dns.set_a("c.example.jp", WEB)


def closed(world: World) -> None:
    site = world.path(f"/etc/nginx/sites-available/{WWW}")
    site.write_text(site.read_text().replace(f"listen {at(80)}", "listen 127.0.0.1:80"))
    world.path("/etc/nginx/sites-enabled/default").unlink()
    world.nginx.stop()
    world.run("nginx").check()


FAULTS: dict[str, tuple[Callable[[World], object], str, tuple[str, ...], str, bool]] = {
    "its configuration": (
        broken,
        "FAIL",
        ("configuration test fails", "nonsense", "nginx -t"),
        WWW,
        False,
    ),
    "no server block": (
        no_server_block,
        "FAIL",
        ("c.example.jp", "not installed", "server_name"),
        "c.example.jp",
        False,
    ),
    "the default one": (
        the_default,
        "warn",
        ("c.example.jp", "server_name"),
        "c.example.jp",
        True,
    ),
    "port 80 closed": (
        closed,
        "FAIL",
        ("connection refused", "listen 80", "firewall"),
        WWW,
        False,
    ),
    "stopped": (
        lambda world: world.nginx.stop(),
        "warn",
        ("nginx is not running", "starts it"),
        WWW,
        True,
    ),
}


@pytest.mark.parametrize(
    "fault",
    [
        *(each for each in FAULTS if each != "stopped"),
        pytest.param("stopped", marks=needs_namespace("the CA listens on port 80 as well")),
    ],
)
def test_what_is_wrong_is_found_and_real(world: World, fault: str) -> None:
    prepare, level, words, name, succeeds = FAULTS[fault]
    world.nginx.vhost(WWW)
    prepare(world)
    line = RUN.replace(WWW, name)
    result = rehearse(world, line)
    said = " ".join(result.output.split())
    assert lines(result, level), f"{result}"
    for word in words:
        assert word in said, f"{word}: {result}"
    assert (level == "FAIL") is not succeeds
    real = certbot(world, line, *world.eab())
    assert (real.returncode == 0) is succeeds, f"{real}"
