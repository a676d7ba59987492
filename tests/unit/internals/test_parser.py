"""What Certbot's real parser tells about a command line; and a parser that tells nothing."""

from __future__ import annotations

import argparse
from types import SimpleNamespace
from typing import Any

import pytest

from certbot_jprs import door
from certbot_jprs.ground.names import NAME
from certbot_jprs.ground.options import OCSP_TIMEOUT
from certbot_jprs.internals import parser as certbots_parser
from certbot_jprs.internals.parser import ParsedCommand
from certbot_jprs.rules import policy
from tests.unit.command_line import CONTACT, FLAG, Parse, registry
from tests.unit.config_dir import LETS_ENCRYPT

RUN = ("run", "-n", *FLAG, *CONTACT, "-d", "www.example.jp")


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[ParsedCommand]:
    """The parsed command lines, as the plugin is given them."""
    commands: list[ParsedCommand] = []
    parsed = door.Door.parsed

    def watch(self: door.Door, command: ParsedCommand) -> None:
        commands.append(command)
        parsed(self, command)

    monkeypatch.setattr(door.Door, "parsed", watch)
    return commands


@pytest.mark.parametrize(
    ("words", "dests"),
    [
        (["--server", LETS_ENCRYPT], {"server"}),
        ([f"--server={LETS_ENCRYPT}"], {"server"}),
        (["--serv", LETS_ENCRYPT], {"server"}),
        ([f"--serv={LETS_ENCRYPT}"], {"server"}),
        (["--key-t", "rsa"], {"key_type"}),
        (["--key-type=rsa"], {"key_type"}),
        (["--rsa-key-size=4096"], {"rsa_key_size"}),
        (["--jprs-ocsp-t", "5"], {OCSP_TIMEOUT}),
        ([f"--{NAME}-ocsp-timeout=5"], {OCSP_TIMEOUT}),
        (["--reuse-key"], {"reuse_key"}),
    ],
)
def test_options_on_the_command_line_count_as_typed(
    parse: Parse, words: list[str], dests: set[str]
) -> None:
    plain = parse(*RUN).decision.typed
    typed = parse(*RUN, *words).decision.typed
    assert typed - plain == dests
    assert not dests & plain


@pytest.mark.parametrize(
    "words",
    [
        ["-a", NAME],
        ["-na", NAME],
        ["-nqa", NAME],
        ["--authenticator", NAME],
        [f"--authenticator={NAME}"],
    ],
)
def test_every_way_to_name_the_plugin(
    parse: Parse, seen: list[ParsedCommand], words: list[str]
) -> None:
    parsed = parse("register", *CONTACT, "-n", *words)
    assert parsed.decision.on_command_line
    assert "authenticator" in seen[-1].typed
    assert parsed.server == policy.SERVER
    assert "installer" not in seen[-1].typed


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        (["--apache"], "apache_server_root"),
        (["--apache"], "apache_challenge_location"),
        (["--deploy-hook", "echo --server x"], "server"),
        (["--disable-hook-validation", "--deploy-hook=--server"], "server"),
        (["--disable-hook-validation", "--deploy-hook", "--server x"], "server"),
        (["--user-agent", "key-type"], "key_type"),
        (["--server", "https://x.example/--key-type"], "key_type"),
        (["-d", "key-type.example.jp"], "key_type"),
        (["--manual"], "manual_auth_hook"),
    ],
)
def test_what_only_looks_typed(parse: Parse, words: list[str], absent: str) -> None:
    words = ["certonly", "-n", *FLAG, *CONTACT, "-d", "www.example.jp", *words]
    assert absent not in parse(*words).decision.typed


def test_an_ambiguous_abbreviation_ends_the_command(
    parse: Parse, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(*RUN, "--jprs-ocsp", "5")
    assert caught.value.code == 2
    assert "ambiguous option: --jprs-ocsp" in capsys.readouterr().err


def test_a_value_that_looks_like_an_option_ends_the_command(parse: Parse) -> None:
    with pytest.raises(SystemExit):
        parse(*RUN, "--deploy-hook", "--server")


def test_cli_ini_counts_as_typed_but_not_on_the_command_line(
    parse: Parse, seen: list[ParsedCommand]
) -> None:
    ini = f"authenticator = {NAME}\nkey-type = ecdsa\n"
    parsed = parse("run", "-n", *CONTACT, "-d", "www.example.jp", ini=ini)
    assert {"authenticator", "key_type"} <= seen[-1].from_file
    assert {"authenticator", "key_type", "email"} <= seen[-1].typed
    assert "email" not in seen[-1].from_file
    assert not parsed.decision.on_command_line


@pytest.mark.parametrize("words", [["-a", NAME], ["-na", NAME], [f"--authenticator={NAME}"]])
@pytest.mark.parametrize("stored", ["apache", NAME])
def test_the_command_line_overrides_cli_ini(
    parse: Parse, seen: list[ParsedCommand], words: list[str], stored: str
) -> None:
    parsed = parse("register", "-n", *CONTACT, *words, ini=f"authenticator = {stored}\n")
    assert parsed.authenticator == NAME
    assert "authenticator" not in seen[-1].from_file
    assert parsed.decision.on_command_line
    assert parsed.server == policy.SERVER


def test_only_cli_ini_names_it(parse: Parse) -> None:
    parsed = parse("register", "-n", *CONTACT, ini=f"authenticator = {NAME}\n")
    assert not parsed.decision.on_command_line
    assert policy.is_lets_encrypt(parsed.server)


def test_a_configuration_file_given_by_name(parse: Parse, seen: list[ParsedCommand]) -> None:
    other = parse.config_dir.path / "other.ini"
    other.write_text(f"authenticator = {NAME}\n", encoding="utf-8")
    parse("run", "-n", *CONTACT, "-d", "www.example.jp", "-c", str(other))
    assert "authenticator" in seen[-1].from_file


@pytest.mark.parametrize(
    ("words", "verb"),
    [
        (["-n", "-d", "x.example.jp"], "run"),
        (["auth", "-d", "x.example.jp"], "certonly"),
        (["everything", "-d", "x.example.jp"], "run"),
        (["renew"], "renew"),
    ],
)
def test_the_verb(parse: Parse, seen: list[ParsedCommand], words: list[str], verb: str) -> None:
    parse(*words)
    assert seen[-1].verb == verb
    assert not seen[-1].detecting


def test_certbot_learns_what_was_implied_also_where_it_parses_twice(parse: Parse) -> None:
    parsed = parse(*RUN)
    assert parsed.counts_as_given("key_type")
    assert parsed.counts_as_given("server")
    assert not parsed.counts_as_given("user_agent")


def test_each_parsing_is_seen_once_also_where_the_plugin_is_registered_twice(
    parse: Parse, seen: list[ParsedCommand]
) -> None:
    parse(*RUN)
    assert len(seen) == 1


# Parsers of other kinds


def test_short_options_that_share_a_word() -> None:
    """As argparse has them; Certbot since 2.7 stops at a value glued to its option."""
    plain = parser()
    plain.add_argument("-n", "--non-interactive", action="store_true")
    plain.add_argument("-q", "--quiet", action="store_true")
    plain.add_argument("-a", "--authenticator")
    plain.add_argument("-i", "--installer")
    for words, typed in {
        ("-aniq",): {"authenticator"},
        ("-nai",): {"non_interactive", "authenticator"},
        ("-nq", "-ani"): {"non_interactive", "quiet", "authenticator"},
        ("-a=i", "-q"): {"authenticator", "quiet"},
        ("-a", "-1"): {"authenticator"},
        ("-i", "-"): {"installer"},
    }.items():
        commands: list[ParsedCommand] = []
        fresh = argparse.ArgumentParser(parents=[plain], add_help=False)
        certbots_parser.after_parsing(helpful(fresh, args=words), commands.append)
        given = vars(fresh.parse_args(words))
        assert commands[0].typed == typed
        assert {dest for dest, value in given.items() if value} == typed


def helpful(parser: Any, **changes: Any) -> Any:
    """What Certbot hands to ``inject_parser_options``, around some parser."""
    values = {"parser": parser, "verb": "run", "args": ["--server", "x"], **changes}
    return SimpleNamespace(_parser=SimpleNamespace(**values))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(add_help=False)
    made.add_argument("--server")
    return made


@pytest.mark.parametrize(
    "group",
    [
        SimpleNamespace(),
        SimpleNamespace(_parser=None),
        helpful(None),
        helpful(object()),
        helpful(parser(), verb=None),
        SimpleNamespace(_parser=SimpleNamespace(parser=parser())),
    ],
)
def test_an_unknown_parser_is_left_alone(group: Any) -> None:
    assert certbots_parser.after_parsing(group, lambda _command: None) is False


def test_a_parser_without_configuration_files() -> None:
    commands: list[ParsedCommand] = []
    plain = parser()
    assert certbots_parser.after_parsing(helpful(plain), commands.append)
    assert plain.parse_args(["--server", "x"]).server == "x"
    (command,) = commands
    assert command.from_file == frozenset()
    assert command.typed == {"server"}


@pytest.mark.parametrize("sources", [None, {"config_file|x": {"k": None}}, {"config_file|x": 7}])
def test_a_parser_with_other_ideas_of_its_sources(sources: Any) -> None:
    commands: list[ParsedCommand] = []
    plain: Any = parser()
    plain.get_source_to_settings_dict = lambda: sources
    certbots_parser.after_parsing(helpful(plain), commands.append)
    plain.parse_args(["--server", "x"])
    assert commands[0].from_file == frozenset()


def test_a_parser_is_hooked_once() -> None:
    commands: list[ParsedCommand] = []
    plain = parser()
    for _time in range(3):
        assert certbots_parser.after_parsing(helpful(plain), commands.append)
    plain.parse_args([])
    assert len(commands) == 1


def test_what_follows_two_dashes_is_no_option() -> None:
    plain = parser()
    plain.add_argument("rest", nargs="*")
    commands: list[ParsedCommand] = []
    certbots_parser.after_parsing(helpful(plain, args=["--", "--server"]), commands.append)
    plain.parse_args(["--", "--server"])
    assert commands[0].typed == frozenset()


def test_a_parser_that_detects_defaults_says_so() -> None:
    commands: list[ParsedCommand] = []
    plain = parser()
    certbots_parser.after_parsing(helpful(plain, detect_defaults=True), commands.append)
    plain.parse_args([])
    assert commands[0].detecting


def test_certbot_lists_the_plugin(parse: Parse) -> None:
    parse("plugins")
    assert NAME in registry()


@pytest.mark.parametrize("args", [None, ("--eab-kid", "-2VjcmV0LXNlY3JldC1z"), "--eab-kid"])
def test_the_words_of_an_unknown_parser_are_left_alone(args: Any) -> None:
    group = SimpleNamespace(_parser=SimpleNamespace(args=args))
    certbots_parser.keep_dashed_values(group, ("--eab-kid",))
    assert group._parser.args == args
    known = SimpleNamespace(_parser=SimpleNamespace(args=list(args or ())))  # the twin
    certbots_parser.keep_dashed_values(known, ("--eab-kid",))
    assert (len(known._parser.args) == 1) == isinstance(args, tuple)
