"""The plugin's options, parsed by Certbot."""

from __future__ import annotations

import argparse
from typing import Any

import pytest
from certbot._internal import renewal

from certbot_jprs import injection
from certbot_jprs.ground import options
from certbot_jprs.ground.names import NAME
from certbot_jprs.ground.options import DEST, LONGEST, OCSP_INTERVAL, OCSP_TIMEOUT
from tests.unit.command_line import CONTACT, FLAG, Parse, Parsed
from tests.unit.config_dir import MANUAL

RUN = ("run", "-n", *FLAG, *CONTACT, "-d", "www.example.jp")
OWN_ROOT = DEST + "apache_server_root"


def value(parsed: Parsed, dest: str) -> Any:
    return getattr(parsed.config, dest)


def test_defaults(parse: Parse) -> None:
    for words in (RUN, ("certificates",), ("renew",)):
        parsed = parse(*words)
        assert value(parsed, OCSP_TIMEOUT) == 900
        assert value(parsed, OCSP_INTERVAL) == 10
        assert not value(parsed, options.CHECK)


@pytest.mark.parametrize("prefix", [f"--{NAME}-", "--jprs-"])
def test_both_spellings(parse: Parse, prefix: str) -> None:
    parsed = parse(*RUN, f"{prefix}ocsp-timeout", "0", f"{prefix}ocsp-interval=1")
    assert value(parsed, OCSP_TIMEOUT) == 0
    assert value(parsed, OCSP_INTERVAL) == 1


def test_in_cli_ini(parse: Parse) -> None:
    parsed = parse("renew", ini="jprs-ocsp-timeout = 30\njprs-ocsp-interval = 3\n")
    assert value(parsed, OCSP_TIMEOUT) == 30
    assert value(parsed, OCSP_INTERVAL) == 3


def test_the_command_line_before_cli_ini(parse: Parse) -> None:
    parsed = parse(*RUN, f"--{NAME}-ocsp-timeout", "7", ini="jprs-ocsp-timeout = 30\n")
    assert value(parsed, OCSP_TIMEOUT) == 7


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("ocsp-timeout", "-1"),
        ("ocsp-timeout", "x"),
        ("ocsp-timeout", ""),
        ("ocsp-timeout", "1.5"),
        ("ocsp-timeout", "10m"),
        ("ocsp-timeout", "inf"),
        ("ocsp-timeout", str(LONGEST + 1)),
        ("ocsp-interval", "0"),
        ("ocsp-interval", "-3"),
        ("ocsp-interval", "9" * 5000),
    ],
)
def test_a_bad_value_gets_one_line(
    parse: Parse, capsys: pytest.CaptureFixture[str], option: str, text: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(*RUN, f"--jprs-{option}={text}")
    assert caught.value.code == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    least = 0 if option == "ocsp-timeout" else 1
    assert f"is not a whole number of seconds from {least} to {LONGEST}" in line
    assert option in line


@pytest.mark.parametrize(
    ("least", "text", "expected"), [(0, "0", 0), (1, "1", 1), (0, str(LONGEST), LONGEST)]
)
def test_good_values(least: int, text: str, expected: int) -> None:
    assert options.seconds(least)(text) == expected


def test_a_bad_value_in_cli_ini_ends_the_command(parse: Parse) -> None:
    with pytest.raises(SystemExit):
        parse("renew", ini="jprs-ocsp-timeout = x\n")


@pytest.mark.parametrize("verb", ["certificates", "renew", "run"])
def test_the_colon_in_cli_ini_gets_its_line_and_ends_nothing(
    parse: Parse, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    ini = "certbot-jprs:http-ocsp-timeout = 7\n"
    parsed = parse(verb, "-d", "x.example.jp", ini=ini) if verb == "run" else parse(verb, ini=ini)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("cli.ini: a colon cannot be part of a key there")
    assert line.endswith("Write instead: jprs-ocsp-timeout = 7")
    assert value(parsed, OCSP_TIMEOUT) == 900


def test_without_a_colon_nothing_is_said(parse: Parse, capsys: pytest.CaptureFixture[str]) -> None:
    parse("certificates", ini="jprs-ocsp-timeout = 7\n")
    assert capsys.readouterr().err == ""


def test_the_options_are_injected_under_one_name_only(parse: Parse) -> None:
    """Certbot before 2.0 registers third-party plugins twice, one of them by another name."""
    parser = argparse.ArgumentParser()
    injection.inject(parser, f"certbot-jprs:{NAME}")
    assert vars(parser.parse_args([])) == {}
    injection.inject(parser, NAME)
    injection.inject(parser, f"certbot-jprs:{NAME}")
    assert OCSP_TIMEOUT in vars(parser.parse_args([]))
    with pytest.raises(argparse.ArgumentError, match="conflicting option"):
        injection.inject(parser, NAME)  # the twin: twice under this name would be a conflict
    parse("certificates")


def test_help(parse: Parse, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse("--help", "all")
    assert not caught.value.code
    text = capsys.readouterr().out
    assert "--jprs-ocsp-timeout" in text
    assert "counted from" in text
    assert "--certbot-jprs " not in text


def test_version(parse: Parse, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse("--version")
    assert not caught.value.code
    assert capsys.readouterr().out.startswith("certbot ")


# Options of the Apache plugin


def carry(parsed: Parsed) -> Any:
    options.carry_options(parsed.config, parsed.decision.given, ("apache_",))
    return parsed.config


def test_what_the_user_gives_apache_is_carried(parse: Parse) -> None:
    config = carry(parse(*RUN, "--apache-server-root", "/srv/httpd"))
    assert getattr(config, OWN_ROOT) == "/srv/httpd"
    assert config.apache_server_root == "/srv/httpd"
    assert getattr(config, DEST + "apache_challenge_location", None) is None


def test_what_cli_ini_gives_apache_is_carried(parse: Parse) -> None:
    config = carry(parse(*RUN, ini="apache-server-root = /srv/httpd\n"))
    assert getattr(config, OWN_ROOT) == "/srv/httpd"


def test_defaults_are_not_carried(parse: Parse) -> None:
    config = carry(parse(*RUN, "--apache"))
    assert getattr(config, OWN_ROOT) is None


def test_what_a_renewal_file_carries_reaches_apache(parse: Parse) -> None:
    lineage = parse.config_dir.add(
        "www.example.jp",
        authenticator=NAME,
        installer=NAME,
        renew_hook=None,
        **MANUAL_WITH_ROOT,
    )
    parsed = parse("renew")
    reconstitute = vars(renewal).get("reconstitute") or vars(renewal)["_reconstitute"]
    assert reconstitute(parsed.config, lineage.renewal_file) is not None
    assert carry(parsed).apache_server_root == "/srv/httpd"
    again = parse("renew", "--apache-server-root", "/typed")
    reconstitute(again.config, lineage.renewal_file)
    config = carry(again)
    assert config.apache_server_root == "/typed"
    assert getattr(config, OWN_ROOT) == "/typed"


MANUAL_WITH_ROOT: Any = {"account": MANUAL["account"], OWN_ROOT: "/srv/httpd"}


@pytest.mark.parametrize(
    ("dest", "text", "expected"),
    [
        (OCSP_TIMEOUT, "30", 30),
        (OCSP_TIMEOUT, "x", 900),
        (OCSP_TIMEOUT, "-1", 900),
        (OCSP_INTERVAL, "0", 10),
        (OCSP_INTERVAL, 5, 5),
        (OWN_ROOT, "/srv/httpd", "/srv/httpd"),
        (OWN_ROOT, "None", None),
    ],
)
def test_values_read_from_a_renewal_file(dest: str, text: Any, expected: Any) -> None:
    assert options.restored(dest, text) == expected
