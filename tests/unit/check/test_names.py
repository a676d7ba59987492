"""The rehearsal's look at names, by a real resolver that asks a real name server."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import dns.resolver
import pytest

from certbot_jprs.check import dns as look_ups
from certbot_jprs.check import names
from certbot_jprs.check.case import Case
from certbot_jprs.check.dns import Dns
from certbot_jprs.check.report import Level, Report
from certbot_jprs.ground.names import NAME
from certbot_jprs.machine import addresses
from tests.unit.peers import NameServer

SITE = "www.example.jp"
CA = "acme.example"
OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL


pytestmark = pytest.mark.usefixtures("english")


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    server = NameServer({(SITE, "A"): ["192.0.2.1"], (CA, "A"): ["192.0.2.9"]})
    monkeypatch.setattr(dns.resolver, "Resolver", lambda: server.resolver)
    yield server
    server.close()


def checked(
    *wanted: str, authenticator: str = NAME
) -> tuple[dict[str, list[str]], list[tuple[Level, str]]]:
    """Returns the addresses found, and what the report says."""
    config = argparse.Namespace(
        authenticator=authenticator, installer=NAME, configurator=None, domains=list(wanted)
    )
    report = Report(lambda _line: None)
    found = names.check(report, Case(config, wanted or (SITE,), None), Dns(CA))
    return found, report.findings


def said(findings: list[tuple[Level, str]], *expected: tuple[Level, tuple[str, ...]]) -> None:
    """Asserts that there are these findings in this order, each with these words."""
    assert [level for level, _text in findings] == [level for level, _words in expected]
    for (_level, text), (_same, words) in zip(findings, expected):
        for word in words:
            assert word in text


def test_all_is_well(zone: NameServer) -> None:
    zone.records[SITE, "AAAA"] = ["2001:db8::1"]
    found, findings = checked()
    assert found == {SITE: ["192.0.2.1", "2001:db8::1"]}
    said(findings, (OK, (SITE, "192.0.2.1, 2001:db8::1")), (OK, (SITE, "no CAA record")))
    assert [name for name, kind in zone.asked if kind == "CAA"] == [SITE, "example.jp", "jp"]


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        *(("10.0.0.1", True), ("172.31.255.255", True), ("192.168.1.1", True), ("127.0.0.1", True)),
        *(("100.64.0.1", True), ("169.254.1.1", True), ("172.32.0.1", False), ("8.8.8.8", False)),
        *(("fd00::1", True), ("fe80::1", True), ("::1", True), ("2001:db8::1", False)),
    ],
)
def test_addresses_that_nobody_reaches(zone: NameServer, address: str, inside: bool) -> None:
    del zone.records[SITE, "A"]
    zone.records[SITE, "AAAA" if ":" in address else "A"] = [address]
    found, findings = checked()
    assert found == {SITE: [address]}
    words = ("nobody reaches", address) if inside else (f"resolves to {address}",)
    said(findings, (WARN if inside else OK, words), (OK, ("CAA",)))


def test_one_address_that_is_reached_is_enough(zone: NameServer) -> None:
    zone.records[SITE, "A"] = ["10.0.0.1", "192.0.2.1"]
    found, findings = checked()
    assert sorted(found[SITE]) == ["10.0.0.1", "192.0.2.1"]
    said(findings, (OK, ("192.0.2.1",)), (OK, ("CAA",)))


def test_a_name_without_addresses(zone: NameServer) -> None:
    zone.records = {(SITE, "CAA"): ['0 issue "jprs.jp"'], (CA, "A"): ["192.0.2.9"]}
    found, findings = checked()
    assert found == {}
    said(findings, (FAIL, (SITE, "neither an A nor an AAAA")), (OK, (f"of {SITE} allow JPRS",)))


def test_a_name_that_does_not_exist(zone: NameServer) -> None:
    found, findings = checked("none.example.jp", SITE)
    assert found == {SITE: ["192.0.2.1"]}
    said(
        findings,
        (WARN, ("2 names",)),
        (FAIL, ("none.example.jp cannot be resolved (NXDOMAIN)", "Add an A or AAAA")),
        (OK, ("no CAA",)),
        (OK, ("192.0.2.1",)),
        (OK, ("no CAA",)),
    )


def test_a_name_whose_name_servers_fail(zone: NameServer) -> None:
    zone.broken = {"broken.jp"}
    found, findings = checked("broken.jp", SITE)
    assert found == {SITE: ["192.0.2.1"]}
    said(
        findings,
        (WARN, ("2 names",)),
        (FAIL, ("broken.jp cannot be resolved (SERVFAIL)", "name servers")),
        (OK, ("192.0.2.1",)),
        (OK, ("no CAA",)),
    )
    assert ("broken.jp", "CAA") not in zone.asked  # it would only be said twice


@pytest.mark.parametrize("where", [SITE, "example.jp"])
def test_caa_records_that_cannot_be_looked_up(zone: NameServer, where: str) -> None:
    zone.broken = {(where, "CAA")}
    found, findings = checked()
    assert found == {SITE: ["192.0.2.1"]}
    said(findings, (OK, ()), (FAIL, (SITE, "SERVFAIL", "must not issue")))


@pytest.mark.parametrize(
    ("name", "record", "level", "words"),
    [
        (SITE, (SITE, '0 issue "jprs.jp"'), OK, (f"of {SITE} allow JPRS",)),
        (
            SITE,
            ("example.jp", '0 issue "ca.example"'),
            FAIL,
            ("allow ca.example, not JPRS", 'this record: example.jp. CAA 0 issue "jprs.jp"'),
        ),
        (SITE, ("jp", '0 issue ";"'), FAIL, ("allow nobody, not JPRS", "jp. CAA 0 issue")),
        ("*.a.jp", ("a.jp", '0 issuewild "z.jp"'), FAIL, ('a.jp. CAA 0 issuewild "jprs.jp"',)),
        ("*.a.jp", ("a.jp", '0 issue "jprs.jp"'), OK, ("*.a.jp",)),
        (SITE, (SITE, '128 tbs "x"'), FAIL, ("critical tag 'tbs'", "flags set to 0")),
        (SITE, (SITE, '0 issue "jprs.jp; a=b"'), WARN, ("condition (a=b)", "remove it")),
    ],
)
def test_what_caa_says(
    zone: NameServer, name: str, record: tuple[str, str], level: Level, words: tuple[str, ...]
) -> None:
    where, text = record
    zone.records[where, "CAA"] = [text]
    _found, findings = checked(name, authenticator="dns-x")
    said(findings, (level, words))


def test_by_dns_no_addresses_are_needed(zone: NameServer) -> None:
    found, findings = checked("none.jp", authenticator="dns-x")
    assert found == {}
    said(findings, (OK, ("no CAA record",)))
    assert {kind for _name, kind in zone.asked} == {"CAA"}


def test_a_wildcard_has_no_address(zone: NameServer) -> None:
    found, findings = checked("*.example.jp")  # refused by the rules, and said there
    assert found == {}
    said(findings, (OK, ("*.example.jp has no CAA",)))


@pytest.mark.parametrize(
    ("wanted", "count"),
    [((SITE,), 0), ((SITE, f"*.{SITE}"), 0), ((SITE, "a.jp"), 2), ((SITE, "a.jp", "*.b.jp"), 3)],
)
def test_names_that_share_a_certificate(
    zone: NameServer, wanted: tuple[str, ...], count: int
) -> None:
    _found, findings = checked(*wanted, authenticator="dns-x")
    told = [text for level, text in findings if level is WARN]
    assert len(told) == bool(count)
    if count:
        assert told[0].startswith(f"{count} names share this certificate")
        assert "revoked for all of them" in told[0]


# Without a resolver


@pytest.mark.parametrize(
    ("own", "instead"),
    [
        ([], ["127.0.0.1"]),
        (["127.0.0.1", "::1"], ["127.0.0.1", "::1"]),
        (["127.0.0.1", "192.0.2.1", "2001:db8::1"], ["192.0.2.1", "2001:db8::1"]),
    ],
)
def test_this_servers_own_addresses_are_tried_instead(
    zone: NameServer, monkeypatch: pytest.MonkeyPatch, own: list[str], instead: list[str]
) -> None:
    monkeypatch.setattr(look_ups, "SECONDS", 0.2)
    monkeypatch.setattr(addresses, "listening", {80: own}.__getitem__)
    zone.silence()
    found, findings = checked(SITE, "*.example.jp", "a.jp")
    assert found == {SITE: instead, "a.jp": instead}
    said(
        findings,
        (WARN, ("3 names",)),
        (WARN, ("cannot be looked up from here (no answer in time)", "/etc/resolv.conf")),
        (WARN, (f"({', '.join(instead)})", "was not checked")),
    )


def test_what_was_looked_up_before_stays(zone: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look_ups, "SECONDS", 0.2)
    monkeypatch.setattr(addresses, "listening", lambda _port: ["192.0.2.7"])
    looked_up = Dns.addresses

    def then_silence(resolver: Dns, name: str) -> list[str]:
        found = looked_up(resolver, name)
        zone.silence()
        resolver._answers = None  # as if nothing had been answered yet
        return found

    monkeypatch.setattr(Dns, "addresses", then_silence)
    found, findings = checked(SITE, "a.jp")
    assert found == {SITE: ["192.0.2.1"], "a.jp": ["192.0.2.7"]}
    said(
        findings,
        (WARN, ("2 names",)),
        (OK, ("192.0.2.1",)),
        (WARN, ("cannot be looked up",)),
        (WARN, ("192.0.2.7",)),
    )


def test_by_dns_nothing_is_tried_instead(zone: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look_ups, "SECONDS", 0.2)
    zone.silence()
    found, findings = checked(authenticator="dns-x")
    assert found == {}
    said(findings, (WARN, ("cannot be looked up",)))
