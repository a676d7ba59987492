"""Who validates and who installs, as command lines and existing lineages say."""

from __future__ import annotations

from typing import Any

import pytest

from certbot_jprs.ground.exceptions import PolicyError
from certbot_jprs.ground.names import NAME
from certbot_jprs.ground.options import AUTHENTICATOR, DEST, INSTALLER
from certbot_jprs.internals.delegates import APACHE, NGINX, STANDALONE, WEBROOT
from certbot_jprs.internals.delegation import Roles, of_config
from certbot_jprs.rules import policy
from tests.unit.command_line import CONTACT, FLAG, Parse

SITE = "www.example.jp"
WHERE = ("--webroot", "-w", "/")


@pytest.mark.parametrize(
    ("words", "roles"),
    [
        (("run", *FLAG), Roles(APACHE, APACHE)),
        (("run", *FLAG, "--apache"), Roles(APACHE, APACHE)),
        (("run", *FLAG, "-i", "apache"), Roles(APACHE, APACHE)),
        (("run", *FLAG, "--nginx"), Roles(NGINX, NGINX)),
        (("run", "--nginx", *FLAG), Roles(NGINX, NGINX)),
        (("run", *FLAG, "-i", "nginx"), Roles(NGINX, NGINX)),
        (("run", "-i", NAME, "--nginx"), Roles(NGINX, NGINX)),
        (("run", "--configurator", NAME, "--nginx"), Roles(NGINX, NGINX)),
        (("run", "-i", NAME, "-a", "nginx"), Roles(NGINX, NGINX)),
        (("run", "-i", NAME, "-a", "manual", "--nginx"), Roles(None, NGINX)),
        (("certonly", *FLAG), Roles(APACHE, None)),
        (("certonly", *FLAG, "--nginx"), Roles(NGINX, NGINX)),
        (("certonly", *FLAG, *WHERE), Roles(WEBROOT, None)),
        (("certonly", *FLAG, "--standalone"), Roles(STANDALONE, None)),
        (("run", *FLAG, *WHERE), Roles(WEBROOT, APACHE)),
        (("run", *FLAG, *WHERE, "-i", "nginx"), Roles(WEBROOT, NGINX)),
        (("run", *FLAG, "--standalone", "-i", NAME), Roles(STANDALONE, APACHE)),
        (("run", *FLAG, "--apache", "-i", "apache"), Roles(APACHE, APACHE)),
    ],
)
def test_the_command_line(parse: Parse, words: tuple[str, ...], roles: Roles) -> None:
    parsed = parse(*words, "-n", *CONTACT, "-d", SITE)
    assert of_config(parsed.config) == roles
    flags = ("apache", "nginx", *(("webroot", "standalone") if NAME in words else ()))
    assert not any(getattr(parsed.config, flag) for flag in flags)
    # What means Apache stays as it was before there were others.
    stored = {getattr(parsed.config, dest) for dest in (AUTHENTICATOR, INSTALLER)}
    assert (stored == {None}) == (
        NGINX not in vars(roles).values() and roles.authenticator in (APACHE, None)
    )


@pytest.mark.parametrize(
    "words",
    [
        (*FLAG, "--apache", "--nginx"),
        (*FLAG, "--nginx", *WHERE),
        (*FLAG, "--standalone", *WHERE),
        (*FLAG, "--nginx", "-i", "apache"),
    ],
)
def test_two_for_one_role(parse: Parse, words: tuple[str, ...]) -> None:
    with pytest.raises(PolicyError, match="contradict each other"):
        parse("run", "-n", *words, *CONTACT, "-d", SITE)


BEFORE: list[tuple[dict[str, Any], tuple[str, ...], Roles]] = [
    ({"authenticator": "nginx", "installer": "nginx"}, ("run",), Roles(NGINX, NGINX)),
    ({"authenticator": "nginx", "installer": "nginx"}, ("certonly",), Roles(NGINX, None)),
    ({"authenticator": "nginx", "installer": "nginx"}, ("run", "--apache"), Roles(APACHE, APACHE)),
    ({"authenticator": "nginx", "installer": None}, ("run",), Roles(NGINX, NGINX)),
    ({"authenticator": "apache", "installer": "apache"}, ("run", "--nginx"), Roles(NGINX, NGINX)),
    ({"authenticator": "standalone", "installer": None}, ("run",), Roles(APACHE, APACHE)),
    ({"authenticator": "standalone", "installer": None}, ("certonly",), Roles(STANDALONE, None)),
    (
        {"authenticator": NAME, "installer": NAME, AUTHENTICATOR: "webroot"},
        ("run",),
        Roles(WEBROOT, APACHE),
    ),
]


@pytest.mark.parametrize(
    "server", [policy.SERVER, "https://acme-v02.api.letsencrypt.org/directory"]
)
@pytest.mark.parametrize(("params", "words", "roles"), BEFORE)
def test_an_existing_lineage(
    parse: Parse, server: str, params: dict[str, Any], words: tuple[str, ...], roles: Roles
) -> None:
    parse.config_dir.add(SITE, server=server, **params)
    parsed = parse(*words, "-n", *FLAG, *CONTACT, "-d", SITE)
    assert of_config(parsed.config) == roles


def test_the_directories_of_an_existing_lineage(parse: Parse) -> None:
    params: dict[str, Any] = {AUTHENTICATOR: "webroot", "webroot_path": "/srv,"}
    parse.config_dir.add(SITE, authenticator=NAME, installer=None, **params)
    assert parse("certonly", "-n", *FLAG, *CONTACT, "-d", SITE).webroot_path == ["/srv"]
    again = parse("certonly", "-n", *FLAG, *WHERE, *CONTACT, "-d", SITE)
    assert again.webroot_path == ["/"]


@pytest.mark.parametrize("verb", ["run", "enhance"])
def test_autohsts(parse: Parse, verb: str) -> None:
    more = (*CONTACT, "-d", SITE) if verb == "run" else ("--cert-name", SITE)
    parse(verb, "-n", *FLAG, "--auto-hsts", *more)
    with pytest.raises(PolicyError, match="nginx has no --auto-hsts"):
        parse(verb, "-n", *FLAG, "--auto-hsts", "--nginx", *more)
    params: dict[str, Any] = {INSTALLER: "nginx"}
    parse.config_dir.add(SITE, installer=NAME, **params)
    with pytest.raises(PolicyError, match="nginx has no --auto-hsts"):
        parse(verb, "-n", *FLAG, "--auto-hsts", *more)


def test_options_of_nginx_are_known_under_our_prefix(parse: Parse) -> None:
    parsed = parse("run", *FLAG, "-n", *CONTACT, "-d", SITE)
    assert getattr(parsed.config, DEST + "nginx_server_root") is None
