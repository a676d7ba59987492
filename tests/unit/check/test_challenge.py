"""A challenge fetched as a CA does it, from real servers on this machine."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from certbot import achallenges

from certbot_jprs.check import challenge
from certbot_jprs.check.challenge import Challenge, Fetched, Outcome
from certbot_jprs.check.dns import Dns, LookUpFailed, Trouble
from tests.unit import pki
from tests.unit.config_dir import certificate, pem
from tests.unit.peers import WebServer

NAME = "www.example.jp"
PATH = "/.well-known/acme-challenge/token"
CONTENT = "token.thumbprint"


@pytest.fixture
def plain() -> Iterator[WebServer]:
    server = WebServer()
    yield server
    server.close()


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[WebServer]:
    """A server with a certificate that nobody trusts, for another name."""
    key = pki.rsa_key("leaf")
    issuer_key = pki.ec_key("issuer")
    issuer = pki.mint("Nobody", issuer_key)
    path = tmp_path / "server.pem"
    path.write_bytes(pem(key) + pem(certificate(["other.example"], key, issuer, issuer_key)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server = WebServer(context)
    yield server
    server.close()


class Known(Dns):
    """A resolver that knows one name."""

    def addresses(self, name: str) -> list[str]:
        if name != NAME:
            raise LookUpFailed(Trouble.NO_SUCH_NAME, "NXDOMAIN")
        return ["127.0.0.1"]


def fetch(server: WebServer, address: str = "127.0.0.1") -> Fetched:
    # The port belongs to the URL; in earnest it is 80.
    one = Challenge(f"{NAME}:{server.port}", None, PATH, CONTENT)
    (fetched,) = challenge.fetch_all(one, [address], Known(NAME))
    return fetched


def test_found(plain: WebServer) -> None:
    plain.answers[PATH] = (200, CONTENT + "\n")
    fetched = fetch(plain)
    assert fetched.outcome is Outcome.FOUND
    assert fetched.is_here
    assert plain.hosts == [f"{NAME}:{plain.port}"]


def test_found_where_a_redirect_leads_to_https(plain: WebServer, secured: WebServer) -> None:
    plain.answers[PATH] = (301, f"https://{NAME}:{secured.port}{PATH}?x=1")
    secured.answers[PATH + "?x=1"] = (200, CONTENT)
    assert fetch(plain).outcome is Outcome.FOUND
    assert secured.hosts == [f"{NAME}:{secured.port}"]


def test_a_redirect_to_the_name_itself_stays_at_the_address(
    plain: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever other addresses the name has: it is this one that is looked at."""
    monkeypatch.setitem(challenge._PORTS, "http", plain.port)
    monkeypatch.setattr(Known, "addresses", lambda _self, _name: ["127.0.0.2"])
    plain.answers[PATH] = (301, f"http://{NAME}/elsewhere")
    plain.answers["/elsewhere"] = (200, CONTENT)
    one = Challenge(NAME, None, PATH, CONTENT)
    (fetched,) = challenge.fetch_all(one, ["127.0.0.1"], Known(NAME))
    assert fetched.outcome is Outcome.FOUND
    assert plain.hosts == [NAME, NAME]


def test_a_relative_redirect(plain: WebServer) -> None:
    plain.answers[PATH] = (302, "/elsewhere")
    plain.answers["/elsewhere"] = (200, CONTENT)
    assert fetch(plain).outcome is Outcome.FOUND


@pytest.mark.parametrize(
    ("leads_to", "reason"),
    [
        ("/nowhere", "/nowhere"),
        ("http://none.example/x", "http://none.example/x"),
        ("ftp://www.example.jp/x", "ftp://"),
        ("http://127.0.0.1:1/x", "http://127.0.0.1:1/x"),
        (PATH, "loop"),
        ("http://[::1/x", ""),
        ("http://www.example.jp:port/x", ""),
        ("/a b\x7f", ""),
        ("http:///x", ""),
        ("//", ""),
    ],
)
def test_a_redirect_to_where_it_is_not(plain: WebServer, leads_to: str, reason: str) -> None:
    plain.answers[PATH] = (302, leads_to)
    fetched = fetch(plain)
    assert fetched.outcome is Outcome.REDIRECTED
    assert reason in fetched.reason


@pytest.mark.parametrize("answer", [(200, "hello"), (404, ""), (500, CONTENT), (200, "x" * 99999)])
def test_another_answer(plain: WebServer, answer: tuple[int, str]) -> None:
    plain.answers[PATH] = answer
    fetched = fetch(plain)
    assert fetched.outcome is Outcome.OTHER_ANSWER
    assert str(answer[0]) in fetched.reason


def test_nobody_listens(plain: WebServer) -> None:
    fetched = fetch(plain, "127.0.0.2")  # it listens at another address
    assert fetched.outcome is Outcome.NO_CONNECTION
    assert fetched.reason == "connection refused"


def test_no_proxy_is_used(plain: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    plain.answers[PATH] = (200, CONTENT)
    assert fetch(plain).outcome is Outcome.FOUND


def test_made_challenges_differ_and_are_what_an_authenticator_performs() -> None:
    one, other = challenge.make(["a.example.jp", "b.example.jp"])
    assert one.path.startswith("/.well-known/acme-challenge/")
    assert one.path != other.path
    _response, validation = one.annotated.response_and_validation()
    assert one.content == validation
    assert one.content.startswith(one.path.rpartition("/")[2] + ".")


def test_made_challenges_are_what_an_older_certbot_performs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before 5.3 a challenge is for a ``domain``."""

    class Older:
        __slots__ = ("account_key", "challb", "domain")

        def __init__(self, challb: Any, account_key: Any, domain: str) -> None:
            self.challb, self.account_key, self.domain = challb, account_key, domain

        def response_and_validation(self) -> tuple[Any, str]:
            response, validation = self.challb.chall.response_and_validation(self.account_key)
            return response, str(validation)

    monkeypatch.setattr(achallenges, "KeyAuthorizationAnnotatedChallenge", Older)
    (one,) = challenge.make([NAME])
    assert one.annotated.domain == NAME
    assert one.content.startswith(one.path.rpartition("/")[2] + ".")


@pytest.mark.parametrize(
    ("address", "here"), [("127.0.0.1", True), ("192.0.2.1", False), ("2001:db8::1", False)]
)
def test_whose_address_it_is(address: str, here: bool) -> None:
    assert challenge.is_here(address) is here


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "connection refused"),
        (TimeoutError("timed out"), "no answer in time"),
        (OSError(101, "Network is unreachable"), "network unreachable"),
        (OSError(113, "No route to host"), "network unreachable"),
        (ConnectionResetError(104, "Connection reset by peer"), "ConnectionResetError"),
    ],
)
def test_why_it_could_not_be_fetched(error: Exception, reason: str) -> None:
    assert challenge._words(error) == reason
