"""What comes along when a command line is copied from a manual."""

from __future__ import annotations

import argparse
from types import SimpleNamespace
from typing import Any

import pytest
from certbot import errors

from certbot_jprs import door
from certbot_jprs.ground import language
from certbot_jprs.ground.exceptions import OptionError, PolicyError
from certbot_jprs.ground.names import NAME
from certbot_jprs.plugin import Configurator
from certbot_jprs.rules.policy import SERVER
from tests.unit.command_line import CONTACT, EAB, FLAG, Parse
from tests.unit.config_dir import ConfigDir

SITE = "www.example.jp"
RUN = ("run", "-n", *FLAG, *CONTACT)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-d", "“www.example.jp”"), ("-d", "quotation mark")),
        (("-d", "\u2018a.jp\u2019,b.jp"), ("-d", "quotation mark")),
        (("-d", "「a.jp」"), ("-d", "quotation mark")),
        (("-d“www.example.jp”",), ("-d", "quotation mark")),
        (("--domains=“www.example.jp”",), ("--domains", "quotation mark")),
        (("--domain", "a.jp\u200b"), ("--domain", "invisible")),
        (("-d", "a.jp\u00a0"), ("-d", "space")),
        (("-d", SITE, "-m", "”a@example.jp”"), ("-m", "quotation mark")),
        (("-d", SITE, "--email=”a@example.jp”"), ("--email", "quotation mark")),
        (("-d", SITE, "--server", f"“{SERVER}”"), ("--server", "quotation mark")),
        (("-d", SITE, f"--serv=“{SERVER}”"), ("--serv", "quotation mark")),
        (("-d", "a.jp,", "b.jp"), ("space", ": -d a.jp,b.jp")),
        (("-d", "a.jp,", "b.jp,", "c.jp", "-n"), (": -d a.jp,b.jp,c.jp",)),
        (("-d", "a.jp", ",b.jp"), (": -d a.jp,b.jp",)),
        (("-d", "a.jp", ",", "b.jp"), (": -d a.jp,b.jp",)),
        (("-da.jp,", "b.jp"), (": -d a.jp,b.jp",)),
        (("--domains=a.jp,", "b.jp"), (": --domains a.jp,b.jp",)),
        (("-d", SITE, "-m", "a@a.jp,", "b@a.jp"), (": -m a@a.jp,b@a.jp",)),
        (("-d", "日本語.jp"), ("日本語.jp", ": -d xn--wgv71a119e.jp")),
        (("-d", f"{SITE}, *.日本語\uff0eJP"), (f": -d {SITE},*.xn--wgv71a119e.jp",)),
        (("-d", "日本語.jp,", "a.jp"), (": -d 日本語.jp,a.jp",)),
    ],
)
def test_it_is_recognised(parse: Parse, words: tuple[str, ...], said: tuple[str, ...]) -> None:
    for before, after in ((RUN, words), (("run", *words), (*RUN[1:],))):
        with pytest.raises(OptionError) as refused:
            parse(*before, *after)
        for each in said:
            assert each in str(refused.value)


@pytest.mark.parametrize(
    "words",
    [
        ("-d", "a.jp,b.jp", "-d", "c.jp"),
        ("-d", "a.jp, b.jp,c.jp"),
        ("-d", "a.jp", "--domains=b.jp,c.jp"),
    ],
)
def test_what_certbot_understands_stays(parse: Parse, words: tuple[str, ...]) -> None:
    domains = parse(*RUN, *words).domains
    assert [str(each) for each in domains] == ["a.jp", "b.jp", "c.jp"]


def test_a_name_that_is_none_is_certbots_matter(parse: Parse) -> None:
    with pytest.raises(errors.ConfigurationError, match="Non-ASCII"):
        parse(*RUN, "-d", "日本語_!.jp")


def test_other_commands_are_not_looked_at(parse: Parse) -> None:
    """The twin: where the plugin is not named, Certbot's own words stand."""
    with pytest.raises(errors.ConfigurationError, match="Non-ASCII"):
        parse("run", "--apache", "-d", "日本語.jp")
    with pytest.raises((SystemExit, errors.ConfigurationError)):
        parse("certonly", "--standalone", "-d", "a.jp,", "b.jp")


def test_spaces_between_quoted_addresses_are_not_sent_along(
    parse: Parse, config_dir: ConfigDir
) -> None:
    words = ("-m", " a@example.jp, b@example.jp")
    assert parse(*RUN, "-d", SITE, *words).email == "a@example.jp,b@example.jp"
    config_dir.account()
    assert parse("update_account", *FLAG, *words).email == "a@example.jp,b@example.jp"
    with pytest.raises(PolicyError, match="twice"):
        parse("update_account", *FLAG, "-m", "a@example.jp, a@example.jp")


@pytest.mark.parametrize("verb", ["run", "certonly", "register"])
def test_the_terms_of_service(parse: Parse, config_dir: ConfigDir, verb: str) -> None:
    names = () if verb == "register" else ("-d", SITE)
    line = (verb, *FLAG, *names, "-m", "a@example.jp", *EAB)
    with pytest.raises(PolicyError, match="--agree-tos"):
        parse(*line, "-n")
    assert parse(*line, "-n", "--agree-tos").tos
    assert not parse(*line, "--force-interactive").tos  # Certbot asks
    assert not parse(*line, "-n", "--server", "https://ca.example/dir").tos  # may have none
    config_dir.account()
    assert not parse(*line, "-n").tos


def test_the_plugin_is_named_in_any_way(parse: Parse) -> None:
    for flag in ((f"-a{NAME}",), (f"--authenticator={NAME}",), ("-i", NAME)):
        with pytest.raises(OptionError):
            parse("certonly", "-n", *flag, "-d", "a.jp,", "b.jp")


def test_under_certbots_other_name_for_the_plugin_it_is_too_early(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Certbot before 2.0 registers it under its package's name first: no language is known then."""
    languages: list[bool] = []
    monkeypatch.setattr(door.Door, "typed", lambda *_args: languages.append(is_japanese()))
    language.start(None)
    for name in (f"certbot-jprs:{NAME}", NAME):
        group: Any = argparse.ArgumentParser()
        group._parser = SimpleNamespace(args=["run", "-a", NAME, "--jprs-language", "ja"])
        Configurator.inject_parser_options(group, name)
    assert languages == [True]
    language.start(None)


def is_japanese() -> bool:
    return language._("nobody") != "nobody"
