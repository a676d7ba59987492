"""The whole rehearsal, with real peers: a directory, a name server, Certbot's standalone plugin."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.resolver
import pytest

from certbot_jprs.check import account, rehearsal, web
from certbot_jprs.check.case import Case
from certbot_jprs.check.report import Report
from certbot_jprs.ground import language
from certbot_jprs.ground.names import NAME
from certbot_jprs.internals.delegation import Workers
from certbot_jprs.machine import schedulers
from certbot_jprs.machine.schedulers import Found, Scheduler
from certbot_jprs.rules.decision import Decision
from certbot_jprs.rules.policy import SERVER
from tests.unit.command_line import CONTACT, FLAG, Parse
from tests.unit.config_dir import ConfigDir
from tests.unit.peers import HERE, NameServer, OcspResponder, WebServer, unused_port

SITE = "www.example.jp"
DIRECTORY = json.dumps({"newNonce": "https://x/nonce", "newOrder": "https://x/order"})


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine with a timer, in English."""
    timer = Scheduler("certbot.timer", sets_proxy=False)
    monkeypatch.setattr(schedulers, "find", lambda _config_dir: Found([timer]))
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    yield
    language.start(None)


class Rehearsal:
    """Rehearses commands.

    Attributes:
        jprs: the server of the directory.
        zone: the name server.
        site: the name that is ordered; the port in it is where http-01 is served, in earnest 80.
        classes: Certbot's own plugins, by name, where not the real ones.
    """

    def __init__(self, parse: Parse, jprs: WebServer, zone: NameServer, port: int) -> None:
        self._parse = parse
        self._port = port
        self.jprs = jprs
        self.zone = zone
        self.site = f"{SITE}:{port}"
        self.classes: dict[str, Any] = {}

    def command(self, *words: str, names: tuple[str, ...] | None = None) -> tuple[Any, Decision]:
        """Returns the configuration and the decision of a command."""
        server = ("--server", f"http://{HERE}:{self.jprs.port}/dir")
        where = ("--http-01-port", str(self._port), "--http-01-address", HERE)
        line = ("certonly", "-n", *FLAG, "--jprs-check", *server, *where)
        parsed = self._parse(*line, *(words or ("--standalone", "-d", SITE, *CONTACT)))
        language.start("en")
        parsed.config.namespace.domains = list((self.site,) if names is None else names)
        return parsed.config, parsed.decision

    def run(self, *words: str, **more: Any) -> int:
        """Rehearses a command; returns the exit status."""
        config, decision = self.command(*words, **more)
        return rehearsal.run(config, decision, Workers(config, self.classes))


@pytest.fixture
def stage(parse: Parse, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rehearsal]:
    with unused_port() as port:
        pass
    jprs, name = WebServer(), f"{SITE}:{port}"
    jprs.answers["/dir"] = (200, DIRECTORY)
    zone = NameServer({(name, "A"): [HERE]})
    monkeypatch.setattr(dns.resolver, "Resolver", lambda: zone.resolver)
    yield Rehearsal(parse, jprs, zone, port)
    zone.close()
    jprs.close()


def test_all_is_well(stage: Rehearsal, capsys: pytest.CaptureFixture[str]) -> None:
    assert stage.run() == 0
    lines = capsys.readouterr().out.splitlines()
    host, site = f"http://{HERE}:{stage.jprs.port}/dir", stage.site
    assert lines[0] == f"Rehearsal for {site}:"
    findings = [line for line in lines if line[:4] in ("ok  ", "warn", "FAIL")]
    said = (
        ("ok", f"{host} is reachable"),
        ("ok", "EAB credentials are given"),
        ("warn", f"{site} resolves here to {HERE}"),
        ("ok", "no CAA record"),
        ("ok", "The http-01 challenge"),
        ("ok", "certbot.timer"),
    )
    for line, (level, words) in zip(findings, said):
        assert line.startswith(level)
        assert words in line
    assert len(findings) == len(said)
    start = lines.index("A firewall must let through:")
    assert lines[start:] == [
        "A firewall must let through:",
        f"  from here: to {HERE}, TCP port {stage.jprs.port}",
        "  from here: to JPRS's OCSP server, TCP port 80 (the certificate names its host)",
        "  to here: from anywhere, TCP port 80",
        "Not proved by this rehearsal:",
        "  that each name is registered, and paid for, at JPRS's designated reseller",
        "  that the EAB credentials are right and not older than 14 days",
        "  that JPRS reaches port 80 from outside",
        "",
        "0 FAIL, 1 warn, 5 ok. Nothing was ordered or changed.",
    ]
    assert len(stage.jprs.hosts) == 1  # the directory, and nothing else


def test_the_twin_fails(stage: Rehearsal, capsys: pytest.CaptureFixture[str]) -> None:
    stage.zone.records[stage.site, "CAA"] = ['0 issue "ca.example"']
    assert stage.run() == 1
    text = capsys.readouterr().out
    assert "FAIL  The CAA records" in text
    assert "1 FAIL, 1 warn, 4 ok." in text


def test_quiet_shows_only_failures(stage: Rehearsal, capsys: pytest.CaptureFixture[str]) -> None:
    line = ("--standalone", "-q", "-d", SITE, *CONTACT)
    assert stage.run(*line) == 0
    assert capsys.readouterr().out == ""
    stage.jprs.answers["/dir"] = (404, "")
    assert stage.run(*line) == 1
    (text,) = capsys.readouterr().out.splitlines()
    assert text.startswith("FAIL  http://")


def test_without_jprs_its_proxies_are_no_matter(
    stage: Rehearsal, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", f"http://{HERE}:1")
    assert stage.run() == 0
    assert "This shell uses a proxy" in capsys.readouterr().out
    stage.jprs.answers["/dir"] = (404, "")
    assert stage.run() == 1
    assert "proxy" not in capsys.readouterr().out


def test_a_broken_rule_and_notices_come_first(
    stage: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    config, decision = stage.command(
        "--standalone", "-d", SITE, *CONTACT, "--dry-run", "--key-type", "ecdsa"
    )
    assert rehearsal.run(config, decision, Workers(config)) == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAIL")]
    assert len(lines) == 1
    assert "--dry-run" in lines[0]
    config, decision = stage.command("--standalone", "-d", SITE, *CONTACT, "--key-type", "ecdsa")
    assert rehearsal.run(config, decision, Workers(config)) == 0
    _head, notice, *_rest = capsys.readouterr().out.splitlines()
    assert notice.startswith("warn")
    assert "RSA" in notice


def test_a_certificate_that_is_not_here(
    stage: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stage.run("--standalone", "--cert-name", "none", *CONTACT, names=()) == 1
    (line, *more) = capsys.readouterr().out.splitlines()
    assert line.startswith("FAIL  There is no such certificate here")
    assert "certbot certificates" in line
    assert more == []
    assert stage.jprs.hosts == []


def test_a_signal(
    stage: Rehearsal, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(*_args: object) -> bool:
        signal.raise_signal(signal.SIGINT)
        return False

    monkeypatch.setattr(account, "check", check)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job of a shell ignores it
    try:
        assert stage.run() == 1
        with pytest.raises(KeyboardInterrupt):  # what was there is back
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    *_lines, last = capsys.readouterr().out.splitlines()
    assert last == "A signal ended the rehearsal, which is not complete; everything is as it was."


class Ready:
    """A web server's plugin on a machine that has that server."""

    def __init__(self, _config: Any, _name: str) -> None: ...

    def prepare(self) -> None: ...


def test_by_dns_a_wildcard_of_a_lineage(
    stage: Rehearsal,
    config_dir: ConfigDir,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What cannot be proved is another thing then, and the responder is known."""
    monkeypatch.setattr(web, "check", lambda *_args: None)  # this machine's own Apache is no matter
    responder = OcspResponder()
    stage.classes["apache"] = Ready
    names = ("*.example.jp", "example.jp")
    try:
        config_dir.add("example.jp", names, responder=responder.url, renew_hook=None)
        account_dir = config_dir.account(f"http://{HERE}:{stage.jprs.port}/dir")
        for file in ("regr.json", "private_key.json"):
            (account_dir / file).write_text("{}", encoding="utf-8")
        dns01 = ("-a", "manual", "--manual-auth-hook", "true", "--preferred-challenges", "dns")
        line = (*dns01, "-i", NAME, "-d", ",".join(names))
        assert stage.run(*line, names=names) == 0
    finally:
        responder.close()
    text = capsys.readouterr().out
    assert f"  from here: to {HERE}, TCP port {responder.port}\n" in text
    assert "OCSP server, TCP port 80" not in text
    assert "to here" not in text
    unproved = text.partition("Not proved by this rehearsal:\n")[2]
    assert "  that JPRS still accepts the account\n" in unproved
    assert "EAB" not in unproved
    assert "  that manual can prove control of the names" in unproved
    assert "  that a wildcard name is part of what was applied for\n" in unproved


@pytest.mark.parametrize(
    ("url", "port"),
    [("http://a.jp/x", 80), ("https://a.jp/x", 443), ("http://a.jp:8080/x", 8080)],
)
def test_ports_that_are_not_written(
    stage: Rehearsal, capsys: pytest.CaptureFixture[str], url: str, port: int
) -> None:
    config, _decision = stage.command()
    config.namespace.server = SERVER
    rehearsal._conclude(Report(print), Case(config, (SITE,), None), (url,), registers=False)
    text = capsys.readouterr().out
    assert "  from here: to acme.amecert.jprs.jp, TCP port 443\n" in text
    assert f"  from here: to a.jp, TCP port {port}\n" in text


# The plugins of the lineage


def broken_plugin(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installs one that cannot be imported."""
    info = directory / "broken-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[certbot.plugins]\nbroken = no_such_module:X\n")
    monkeypatch.syspath_prepend(directory)


@pytest.mark.parametrize(
    ("plugins", "reasons"),
    [
        ({}, []),
        ({"authenticator": None, "installer": None}, []),
        ({"authenticator": "dns-none", "installer": "dns-none"}, ["dns-none", "not installed"]),
        ({"installer": "broken"}, ["broken", "No module named 'no_such_module'"]),
    ],
)
def test_plugins_that_renewals_need(
    stage: Rehearsal,
    config_dir: ConfigDir,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    plugins: dict[str, Any],
    reasons: list[str],
) -> None:
    broken_plugin(tmp_path, monkeypatch)
    ours = {"authenticator": NAME, "installer": None, "renew_hook": None, "server": SERVER}
    config_dir.add(SITE, **{**ours, **plugins})
    line = ("--standalone", "--cert-name", SITE, *CONTACT)
    stage.run(*line)
    text = capsys.readouterr().out
    told = [line for line in text.splitlines() if "cannot be loaded" in line]
    assert len(told) == bool(reasons)
    for reason in reasons:
        assert reason in told[0]
    if told:
        assert told[0].startswith(f"warn  The renewal file of {SITE} names the plugin")
