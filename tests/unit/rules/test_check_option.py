"""``--jprs-check`` never lets the real thing happen: where it cannot rehearse, it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from certbot import configuration

from certbot_jprs import door
from certbot_jprs.ground.exceptions import PolicyError
from certbot_jprs.ground.names import NAME
from certbot_jprs.ground.options import is_rehearsal
from certbot_jprs.internals.delegation import Workers
from certbot_jprs.plugin import Configurator
from tests.unit.command_line import CONTACT, FLAG, Parse
from tests.unit.config_dir import LETS_ENCRYPT, OTHER_CA, ConfigDir

SITE = "www.example.jp"
LINE = ("-n", *FLAG, *CONTACT, "-d", SITE)
IN_FILE = "jprs-check = true\n"


@pytest.mark.parametrize("verb", ["run", "certonly"])
def test_commands_that_issue_are_rehearsed(parse: Parse, verb: str) -> None:
    parsed = parse(verb, *LINE, "--jprs-check")
    assert is_rehearsal(parsed.config)
    assert parsed.decision.governed
    assert parsed.decision.broken_rule == ""
    assert not is_rehearsal(parse(verb, *LINE).config)


@pytest.mark.parametrize("verb", ["run", "certonly"])
@pytest.mark.parametrize(
    "flags", [(), ("--apache",), ("-a", "webroot", "-w", "/"), ("-i", "apache"), ("--standalone",)]
)
def test_without_the_plugin_it_is_refused(parse: Parse, verb: str, flags: tuple[str, ...]) -> None:
    words = (verb, "-n", *CONTACT, "-d", SITE, *flags)
    with pytest.raises(PolicyError, match=f"-a {NAME}"):
        parse(*words, "--jprs-check")
    with pytest.raises(PolicyError, match=f"-a {NAME}"):
        parse(*words, ini=IN_FILE)
    parse(*words)  # the twin


@pytest.mark.parametrize(
    "words",
    [
        ("renew",),
        ("renew", *FLAG),
        ("register", *FLAG, *CONTACT, "-n"),
        ("unregister", *FLAG),
        ("install", "-i", NAME, "--cert-name", SITE),
        ("revoke", *FLAG, "--cert-name", SITE),
        ("certificates",),
        ("delete", "--cert-name", SITE),
    ],
)
def test_other_commands_refuse_it_unless_it_stands_in_cli_ini(
    parse: Parse, words: tuple[str, ...]
) -> None:
    with pytest.raises(PolicyError, match=f"not `certbot {words[0]}`; nothing was done"):
        parse(*words, "--jprs-check")
    # There it is meant for `run` and `certonly`; timers shall go on.
    assert not is_rehearsal(parse(*words, ini=IN_FILE).config)
    parse(*words)


@pytest.mark.parametrize("verb", ["run", "certonly"])
def test_what_would_be_issued_by_another_ca_is_refused(parse: Parse, verb: str) -> None:
    line = (verb, *LINE, "--server", LETS_ENCRYPT)
    with pytest.raises(PolicyError, match="That CA has --dry-run"):
        parse(*line, "--jprs-check")
    assert not parse(*line).decision.governed
    # The twin: any other CA is one that the rules are for.
    assert is_rehearsal(parse(verb, *LINE, "--server", OTHER_CA, "--jprs-check").config)


def test_a_broken_rule_is_a_finding_and_not_an_end(parse: Parse) -> None:
    line = ("certonly", *LINE, "--dry-run")
    with pytest.raises(PolicyError):
        parse(*line)
    parsed = parse(*line, "--jprs-check")
    assert "--dry-run" in parsed.decision.broken_rule
    assert is_rehearsal(parsed.config)
    bad_key = ("run", *LINE, "--eab-hmac-key", "no!")
    assert "base64url" in parse(*bad_key, "--jprs-check").decision.broken_rule


class Apache:
    """An Apache plugin that does nothing, and says what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def prepare(self) -> None:
        self.asked.append("prepare")


def plugin(config: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Configurator, Apache]:
    apache = Apache()
    monkeypatch.setattr(Workers, "make", lambda _self, _delegate: apache)
    if not isinstance(config, configuration.NamespaceConfig):
        config = configuration.NamespaceConfig(config)
    return Configurator(config, NAME), apache


@pytest.mark.parametrize("status", [0, 1])
def test_certbot_comes_no_further_than_the_rehearsal(
    parse: Parse, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(door.Door, "rehearse", lambda _self, _config, _workers: status)
    made, apache = plugin(parse("run", *LINE, "--jprs-check").config, monkeypatch)
    with pytest.raises(SystemExit) as ended:
        made.prepare()
    assert ended.value.code == status
    assert apache.asked == []


def test_the_twin_prepares_apache_and_goes_on(
    parse: Parse, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, apache = plugin(parse("certonly", *LINE).config, monkeypatch)
    made.prepare()
    assert apache.asked == ["prepare"]


def test_another_cas_renewal_is_no_rehearsal(
    parse: Parse, config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_dir.add(SITE, server=LETS_ENCRYPT)
    config = parse("renew", *FLAG, ini=IN_FILE).config
    config.namespace.domains, config.namespace.server = [SITE], LETS_ENCRYPT
    made, apache = plugin(config, monkeypatch)
    made.prepare()
    assert apache.asked == ["prepare"]


def test_notices_are_among_its_findings_instead(
    parse: Parse, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr("certbot.display.util.notify", shown.append)
    line = ("run", *LINE, "--key-type", "ecdsa")
    plugin(parse(*line, "--jprs-check").config, monkeypatch)
    assert shown == []
    plugin(parse(*line).config, monkeypatch)
    assert len(shown) == 1
    assert "RSA" in shown[0]
