"""JPRS's service as this machine reaches it, with real peers in its place."""

from __future__ import annotations

import argparse
import json
import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from cryptography import x509

from certbot_jprs.check import service
from certbot_jprs.check.case import Case
from certbot_jprs.check.report import Level, Report
from certbot_jprs.ground import language
from certbot_jprs.ground.names import NAME
from certbot_jprs.lineage import files
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.machine.schedulers import Scheduler
from certbot_jprs.rules import policy
from tests.unit import pki
from tests.unit.config_dir import OTHER_CA, ConfigDir, pem
from tests.unit.peers import HERE, OcspResponder, WebServer, unused_port

SITE = "www.example.jp"
DIRECTORY = json.dumps({"newNonce": "https://x/nonce", "newOrder": "https://x/order"})
HIDDEN = "not-to-be-shown"
OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """English, and nobody's proxies or CA stores but those that a test sets."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.endswith("_CA_BUNDLE"):
            monkeypatch.delenv(name)
    language.start("en")
    yield
    language.start(None)


@pytest.fixture
def jprs() -> Iterator[WebServer]:
    server = WebServer()
    server.answers["/dir"] = (200, DIRECTORY)
    yield server
    server.close()


def case_of(server: str, config_dir: object = "/none", lineage: Lineage | None = None) -> Case:
    config = argparse.Namespace(
        server=server, config_dir=str(config_dir), no_verify_ssl=False, authenticator=NAME
    )
    return Case(config, (SITE,), lineage)


def url(server: WebServer, path: str = "/dir") -> str:
    return f"http://{HERE}:{server.port}{path}"


def reached(case: Case) -> tuple[bool, Level, str]:
    """Returns whether the directory could be fetched, and the one thing that is said of it."""
    report = Report(lambda _line: None)
    good = service.check_directory(report, case)
    ((level, text),) = report.findings
    return good, level, text


def test_the_directory_is_there(jprs: WebServer) -> None:
    assert reached(case_of(url(jprs))) == (True, OK, f"{url(jprs)} is reachable")
    assert jprs.hosts == [f"{HERE}:{jprs.port}"]  # asked once, and for nothing else


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((404, "nothing"), "HTTP status 404"),
        ((200, "<html>"), "the answer is not JSON"),
        ((200, '["newNonce", "newOrder"]'), "the answer lacks fields"),
        ((200, '{"newNonce": "x"}'), "the answer lacks fields"),
        ((200, DIRECTORY + " " * 65536 + "x"), ""),
    ],
)
def test_what_is_no_directory(jprs: WebServer, answer: tuple[int, str], reason: str) -> None:
    jprs.answers["/dir"] = answer
    good, level, text = reached(case_of(url(jprs)))
    if not reason:  # no more is read than a directory can be long
        assert (good, level) == (True, OK)
        return
    assert (good, level) == (False, FAIL)
    assert f"is no ACME directory ({reason}" in text
    assert policy.SERVER in text  # what to write instead


def test_where_jprss_own_server_gives_none_nobody_mistyped_it(
    jprs: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "SERVER", url(jprs))
    jprs.answers["/dir"] = (503, "")
    _good, level, text = reached(case_of(url(jprs)))
    assert level is FAIL
    assert "--server" not in text
    assert "Try again later" in text


def test_nobody_listens() -> None:
    with unused_port() as port:
        good, level, text = reached(case_of(f"http://{HERE}:{port}/dir"))
    assert (good, level) == (False, FAIL)
    assert "(connection refused)" in text
    assert f"connect to {HERE}, TCP port {port}" in text


@pytest.mark.parametrize(
    ("server", "port"), [("https://none.invalid/dir", 443), ("http://none.invalid/dir", 80)]
)
@pytest.mark.parametrize("number", [socket.EAI_NONAME, socket.EAI_AGAIN])
def test_a_name_that_cannot_be_resolved(
    monkeypatch: pytest.MonkeyPatch, server: str, port: int, number: int
) -> None:
    texts = {
        socket.EAI_NONAME: "Name or service not known",
        socket.EAI_AGAIN: "Temporary failure in name resolution",
    }

    def fail(*_args: object, **_kwargs: object) -> None:
        raise socket.gaierror(number, texts[number])

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    _good, level, text = reached(case_of(server))
    assert level is FAIL
    assert "(its name cannot be resolved)" in text
    assert f"TCP port {port}," in text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        # As urllib3 before 2 words them, which Debian 12 has.
        ("[Errno -2] Name or service not known", "its name cannot be resolved"),
        ("[Errno -3] Temporary failure in name resolution", "its name cannot be resolved"),
        ("[Errno -5] No address associated with hostname", "its name cannot be resolved"),
        ("[Errno 101] Network is unreachable", "network unreachable"),
        ("[Errno 111] Connection refused", "connection refused"),
        ("[Errno 74] Bad message", "ConnectionError"),
    ],
)
def test_why_there_is_no_connection(text: str, reason: str) -> None:
    error = requests.ConnectionError(f"Failed to establish a new connection: {text}")
    assert service._reason(error) == reason


def test_one_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "SECONDS", 0.2)
    with socket.create_server((HERE, 0)) as silent:
        _good, level, text = reached(case_of(f"http://{HERE}:{silent.getsockname()[1]}/dir"))
    assert level is FAIL
    assert "(no answer in time)" in text


# TLS


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[WebServer]:
    """A server at https://localhost, with a certificate of ``ca.pem``."""
    key, issuer_key = pki.ec_key("server"), pki.ec_key("root")
    usage = [False, False, False, False, False, True, True, False, False]
    issuer = pki.mint(
        "Root",
        issuer_key,
        extensions=[
            (x509.BasicConstraints(ca=True, path_length=None), True),
            (x509.KeyUsage(*usage), True),
            (x509.SubjectKeyIdentifier.from_public_key(issuer_key.public_key()), False),
        ],
        not_before=pki.NOW - 3650 * pki.DAY,
        not_after=pki.NOW + 3650 * pki.DAY,
    )
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    leaf = pki.mint(
        "localhost",
        key,
        issuer.subject,
        issuer_key,
        extensions=[
            (x509.SubjectAlternativeName([x509.DNSName("localhost")]), False),
            (authority, False),
        ],
        not_before=pki.NOW - 3650 * pki.DAY,
        not_after=pki.NOW + 3650 * pki.DAY,
    )
    (tmp_path / "ca.pem").write_bytes(pem(issuer))
    (tmp_path / "server.pem").write_bytes(pem(key) + pem(leaf))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    server = WebServer(context)
    server.answers["/dir"] = (200, DIRECTORY)
    yield server
    server.close()


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environments_ca_store_is_used(
    secured: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    case = case_of(f"https://localhost:{secured.port}/dir")
    good, level, text = reached(case)
    assert (good, level) == (False, FAIL)
    assert "cannot be verified (unable to get local issuer certificate)" in text
    assert "ca-certificates" in text
    with pytest.raises(requests.exceptions.SSLError):
        service._fetch(case, with_proxies=False)
    monkeypatch.setenv(variable, str(tmp_path / "ca.pem"))
    assert reached(case)[:2] == (True, OK)
    service._fetch(case, with_proxies=False)  # also by who has no proxies


def test_what_is_not_to_be_verified_is_not(secured: WebServer) -> None:
    case = case_of(f"https://localhost:{secured.port}/dir")
    case.config.no_verify_ssl = True
    with pytest.warns(Warning, match="Unverified HTTPS request"):
        assert reached(case)[:2] == (True, OK)


def test_a_server_that_does_not_speak_tls(jprs: WebServer) -> None:
    _good, level, text = reached(case_of(f"https://{HERE}:{jprs.port}/dir"))
    assert level is FAIL
    assert "cannot be verified (TLS)" in text


# Proxies


def warned(case: Case, *schedulers: Scheduler) -> list[tuple[Level, str]]:
    report = Report(lambda _line: None)
    service.check_proxies(report, case, list(schedulers))
    for _level, text in report.findings:
        assert HIDDEN not in text
    return report.findings


TIMER = Scheduler("certbot.timer", sets_proxy=False)
WITH_PROXY = Scheduler("/etc/crontab:3", sets_proxy=True)


def through(proxy: WebServer | int) -> str:
    port = proxy if isinstance(proxy, int) else proxy.port
    return f"http://user:{HIDDEN}@{HERE}:{port}"


def test_without_a_proxy_there_is_nothing_to_say(jprs: WebServer) -> None:
    assert warned(case_of(url(jprs)), TIMER) == []


@pytest.mark.parametrize(("variable", "value"), [("no_proxy", HERE), ("https_proxy", "")])
def test_a_proxy_that_is_not_for_jprs(
    jprs: WebServer, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    if value:
        monkeypatch.setenv("http_proxy", through(1))
    monkeypatch.setenv(variable, value)
    assert warned(case_of(url(jprs)), TIMER) == []


def test_a_proxy_that_is_also_set_for_the_timer(
    jprs: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", through(1))
    ((level, text),) = warned(case_of(url(jprs)), WITH_PROXY)
    assert level is OK
    assert "also set for automatic renewal" in text
    assert jprs.hosts == []
    ((level, _text),) = warned(case_of(url(jprs)), WITH_PROXY, TIMER)
    assert level is WARN


@pytest.mark.parametrize("schedulers", [(), (TIMER,)])
def test_a_proxy_of_this_shell_that_is_not_needed(
    jprs: WebServer, monkeypatch: pytest.MonkeyPatch, schedulers: tuple[Scheduler, ...]
) -> None:
    monkeypatch.setenv("http_proxy", through(1))
    monkeypatch.setenv("ALL_PROXY", through(1))
    ((level, text),) = warned(case_of(url(jprs)), *schedulers)
    assert level is WARN
    assert "(ALL_PROXY, http_proxy)" in text
    assert "can be reached without it" in text


def test_a_proxy_of_this_shell_without_which_jprs_is_not_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy = WebServer()
    with unused_port() as port:
        case = case_of(f"http://{HERE}:{port}/dir")
        proxy.answers[case.server] = (200, DIRECTORY)
        monkeypatch.setenv("http_proxy", through(proxy))
        try:
            assert reached(case)[:2] == (True, OK)
            ((level, text),) = warned(case, TIMER)
        finally:
            proxy.close()
    assert level is WARN
    assert "automatic renewal will fail" in text
    assert "systemctl edit certbot.service" in text
    assert "crontab" in text


def test_a_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with unused_port() as port:
        monkeypatch.setenv("http_proxy", through(port))
        _good, level, text = reached(case_of("http://jprs.invalid/dir"))
    assert level is FAIL
    assert "(the proxy cannot be used)" in text
    assert HIDDEN not in text


# OCSP


@pytest.fixture
def responder() -> Iterator[OcspResponder]:
    server = OcspResponder()
    yield server
    server.close()


def asked(case: Case) -> tuple[tuple[str, ...], list[tuple[Level, str]]]:
    report = Report(lambda _line: None)
    return service.check_ocsp(report, case), report.findings


@pytest.mark.parametrize(
    ("status", "level", "words"),
    [
        ("good", OK, ("answers about www.example.jp",)),
        ("unknown", OK, ("answers about",)),
        ("revoked", WARN, ("of www.example.jp is revoked", "replaces it at once")),
        (None, WARN, ("no usable answer about www.example.jp (", "firewall")),
    ],
)
def test_what_the_responder_answers(
    config_dir: ConfigDir,
    responder: OcspResponder,
    status: str | None,
    level: Level,
    words: tuple[str, ...],
) -> None:
    lineage = config_dir.add(SITE, responder=responder.url)
    serial = lineage.certificate().serial_number
    responder.says[serial] = status
    urls, ((found, text),) = asked(case_of(policy.SERVER, config_dir, lineage))
    assert urls == (responder.url,)
    assert responder.asked == [serial]
    assert found is level
    for word in words:
        assert word in text


def test_where_no_certificate_names_one_it_is_not_known(config_dir: ConfigDir) -> None:
    case = case_of(policy.SERVER, config_dir)
    assert asked(case) == ((), [])
    config_dir.add(SITE)
    assert asked(case) == ((), [])


def test_the_commands_own_lineage_comes_first(
    config_dir: ConfigDir, responder: OcspResponder
) -> None:
    for name in ("a.jp", SITE, "z.jp"):
        config_dir.add(name, responder=responder.url)
    for name in ("z.jp", SITE):
        case = case_of(policy.SERVER, config_dir, files.named(str(config_dir), name))
        _urls, ((_level, text),) = asked(case)
        assert f"about {name}" in text


def test_what_cannot_be_asked_about_is_passed_over(
    config_dir: ConfigDir, responder: OcspResponder
) -> None:
    lineage = config_dir.add("a.jp", responder=responder.url)
    config_dir.archive("a.jp", "cert", 1).write_bytes(b"")
    config_dir.add("b.jp", responder=responder.url)
    for kind in ("chain", "fullchain"):  # no issuer, so that no answer could be verified
        config_dir.archive("b.jp", kind, 1).write_bytes(pem(pki.mint("X", pki.ec_key("x"))))
    config_dir.add("c.jp", responder=responder.url, server=OTHER_CA)
    case = case_of(policy.SERVER, config_dir, lineage)
    assert asked(case) == ((), [])
    assert responder.asked == []
    config_dir.add("d.jp", responder=responder.url)
    urls, ((_level, text),) = asked(case)
    assert urls == (responder.url,)
    assert "d.jp" in text
