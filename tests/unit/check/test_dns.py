"""What a look-up that has no result means, as dnspython reports it."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import dns.exception
import dns.message
import dns.name
import dns.rdata
import dns.resolver
import pytest

from certbot_jprs.check.caa import Record
from certbot_jprs.check.dns import Dns, LookUpFailed, Trouble

KNOWN = "known.example"


def made(kind: Any) -> Exception:
    """Makes one of dnspython's errors, whose constructors have no types."""
    error: Exception = kind()
    return error


class Answers:
    """Stands in for ``dns.resolver.Resolver.resolve``."""

    def __init__(self) -> None:
        self.says: dict[tuple[str, str], Any] = {(KNOWN, "A"): ["192.0.2.9"]}
        self.asked: list[tuple[str, str]] = []

    def __call__(self, name: str, kind: str, **_options: object) -> list[dns.rdata.Rdata]:
        self.asked.append((name, kind))
        said = self.says.get((name, kind), [])
        if isinstance(said, Exception):
            raise said
        if not said:
            query = dns.message.make_query(name, kind)
            no_answer: Any = dns.resolver.NoAnswer
            raise no_answer(response=dns.message.make_response(query))
        return [dns.rdata.from_text("IN", kind, text) for text in said]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    found = Answers()
    resolver = dns.resolver.Resolver(configure=False)
    monkeypatch.setattr(resolver, "resolve", found)
    monkeypatch.setattr(dns.resolver, "Resolver", lambda: resolver)
    return found


def test_addresses_of_both_kinds(answers: Answers) -> None:
    answers.says["a.jp", "A"] = ["192.0.2.1", "192.0.2.2"]
    answers.says["a.jp", "AAAA"] = ["2001:db8::1"]
    assert Dns(KNOWN).addresses("a.jp") == ["192.0.2.1", "192.0.2.2", "2001:db8::1"]
    assert Dns(KNOWN).addresses("none.jp") == []


def test_caa_records(answers: Answers) -> None:
    answers.says["a.jp", "CAA"] = ['0 issue "jprs.jp; x=1"', '128 tbs "unknown"']
    found = Dns(KNOWN).caa("a.jp")
    assert found == [Record(0, "issue", "jprs.jp; x=1"), Record(128, "tbs", "unknown")]


def test_no_such_name(answers: Answers) -> None:
    answers.says["a.jp", "A"] = answers.says["a.jp", "CAA"] = made(dns.resolver.NXDOMAIN)
    with pytest.raises(LookUpFailed) as failure:
        Dns(KNOWN).addresses("a.jp")
    assert failure.value.trouble is Trouble.NO_SUCH_NAME
    assert Dns(KNOWN).caa("a.jp") == []  # the climb goes on


@pytest.mark.parametrize(
    "error",
    [made(dns.resolver.NoNameservers), made(dns.exception.Timeout), made(dns.resolver.YXDOMAIN)],
)
@pytest.mark.parametrize("known", [["192.0.2.9"], [], made(dns.resolver.NXDOMAIN)])
def test_a_broken_zone(answers: Answers, error: Exception, known: Any) -> None:
    answers.says["a.jp", "A"] = error
    answers.says[KNOWN, "A"] = known
    with pytest.raises(LookUpFailed) as failure:
        Dns(KNOWN).addresses("a.jp")
    assert failure.value.trouble is Trouble.BROKEN


def test_no_resolver_is_found_out_once(answers: Answers) -> None:
    for name in ("a.jp", "b.jp", KNOWN):
        answers.says[name, "A"] = made(dns.exception.Timeout)
    resolver = Dns(KNOWN)
    for name in ("a.jp", "b.jp"):
        with pytest.raises(LookUpFailed) as failure:
            resolver.addresses(name)
        assert failure.value.trouble is Trouble.NO_RESOLVER
    assert answers.asked == [("a.jp", "A"), (KNOWN, "A")]


def test_without_dnspython(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = [name for name in sys.modules if name.split(".")[0] == "dns"]
    for name in ("dns", *hidden):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "certbot_jprs.check.dns")
    module = importlib.import_module("certbot_jprs.check.dns")
    with pytest.raises(module.LookUpFailed, match="python3-dnspython") as failure:
        module.Dns(KNOWN).addresses("a.jp")
    assert failure.value.trouble is module.Trouble.NO_RESOLVER


def test_no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver, "Resolver", refuse)
    with pytest.raises(LookUpFailed) as failure:
        Dns(KNOWN).caa("a.jp")
    assert failure.value.trouble is Trouble.NO_RESOLVER
