"""JPRS's refusals, in Certbot's log records of every shape."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from acme import challenges as acme_challenges
from acme import errors as acme_errors
from acme import messages
from certbot import errors

from certbot_jprs.ground import language
from certbot_jprs.ground.names import NAME
from certbot_jprs.internals.delegates import APACHE
from certbot_jprs.problems import challenges, matching, watch
from certbot_jprs.problems.watch import Watch
from certbot_jprs.rules.policy import SERVER
from tests.unit.config_dir import LETS_ENCRYPT, ConfigDir

logger = logging.getLogger("certbot._internal.log")

WORDS = "CAA records forbid the CA from issuing a certificate"
MEANING = "does not allow JPRS to issue"


def refusal(kind: str = "caa", detail: str | None = WORDS, **more: object) -> Any:
    document = {"type": messages.ERROR_PREFIX + kind, **more}
    return messages.Error.from_json({**document, "detail": detail} if detail else document)


class Certbot:
    """What Certbot logs, and what the plugin adds to it."""

    def __init__(self, config_dir: ConfigDir, caplog: pytest.LogCaptureFixture) -> None:
        self.config_dir = config_dir
        self._caplog = caplog
        self._watch: Watch | None = None

    def begin(self, verb: str = "certonly", *, named: bool = True, **options: object) -> None:
        """Starts a command."""
        self.end()
        namespace = argparse.Namespace(
            **{
                "server": SERVER,
                "config_dir": str(self.config_dir.path),
                "quiet": False,
                "certname": None,
                "cert_path": None,
                "authenticator": NAME if named else None,
                "installer": None,
                "configurator": None,
                **options,
            }
        )
        self._watch = Watch(namespace, verb)
        self._watch.start()

    def end(self) -> None:
        if self._watch is not None:
            self._watch.stop()

    def fails(self, error: BaseException, *said: str) -> None:
        """Logs an error as Certbot's last resort does."""
        logger.debug("Exiting abnormally:", exc_info=(type(error), error, None))
        for message in said:
            logger.error(message)

    @property
    def watch(self) -> Watch:
        assert self._watch is not None
        return self._watch

    @property
    def added(self) -> list[str]:
        """What the plugin wrote since the last question."""
        records = [each for each in self._caplog.records if each.name == watch.__name__]
        assert all(each.levelno == logging.ERROR for each in records)
        self._caplog.clear()
        return [each.getMessage() for each in records]


@pytest.fixture
def certbot(config_dir: ConfigDir, caplog: pytest.LogCaptureFixture) -> Iterator[Certbot]:
    caplog.set_level(logging.DEBUG)
    language.start("en")
    made = Certbot(config_dir, caplog)
    made.begin()
    yield made
    made.end()
    language.start(None)


def test_the_words_were_shown(certbot: Certbot) -> None:
    certbot.fails(refusal(), "An unexpected error occurred:", WORDS)
    (text,) = certbot.added
    assert MEANING in text
    assert "answer" not in text


def test_the_words_were_lost(certbot: Certbot) -> None:
    """As on Debian 12, where only the context has them."""
    lost = AttributeError("can't set attribute")
    lost.__context__ = refusal()
    certbot.fails(lost, "An unexpected error occurred:", "AttributeError: can't set attribute")
    (text,) = certbot.added
    assert text.startswith(f"JPRS's answer: {WORDS}\n")
    assert MEANING in text


def test_other_words_were_shown(certbot: Certbot) -> None:
    """As for an address that is refused: Certbot words that itself."""
    shown = errors.Error("The ACME server believes x is an invalid email address.")
    shown.__context__ = refusal("invalidContact", "A contact URL for an account was invalid: [x]")
    certbot.fails(shown, str(shown))
    (text,) = certbot.added
    assert text.startswith("JPRS's answer: A contact URL for an account was invalid: [x]")


@pytest.mark.parametrize("how", ["cause", "context of the cause", "carried", "loop"])
def test_where_the_refusal_hides(certbot: Certbot, how: str) -> None:
    error: BaseException = ValueError("something else")
    if how == "cause":
        error.__cause__ = refusal()
    elif how == "context of the cause":
        error.__cause__ = KeyError()
        error.__cause__.__context__ = refusal()
    elif how == "carried":
        error = acme_errors.IssuanceError(refusal())
    else:
        error.__context__ = KeyError()
        error.__context__.__context__ = error
        error.__context__.__cause__ = refusal()
    certbot.fails(error, f"failed: {str(error) or type(error).__name__}")
    assert len(certbot.added) == 1


def test_a_context_that_was_suppressed_is_none(certbot: Certbot) -> None:
    error = errors.Error("unrelated")
    error.__context__ = refusal()
    error.__suppress_context__ = True
    certbot.fails(error, "unrelated")
    assert certbot.added == []


def test_an_error_without_a_detail(certbot: Certbot) -> None:
    error = refusal("serverInternal", None)
    certbot.fails(error, "An unexpected error occurred:", error.description)
    (text,) = certbot.added
    assert "inside JPRS's service" in text


def test_parts_of_an_error(certbot: Certbot) -> None:
    parts = [
        {"type": messages.ERROR_PREFIX + "caa", "detail": "for a.jp"},
        {"type": messages.ERROR_PREFIX + "malformed", "detail": "The FQDN is invalid: [b.jp]"},
    ]
    certbot.fails(refusal("compound", "Several", subproblems=parts), "Several")
    (text,) = certbot.added
    assert "for a.jp" in text
    assert MEANING in text
    assert "cannot issue a certificate for b.jp" in text


def test_once(certbot: Certbot) -> None:
    error = refusal()
    certbot.fails(error, "An unexpected error occurred:", WORDS, WORDS)
    certbot.fails(error, WORDS)
    assert len(certbot.added) == 1


def test_with_debug_the_record_of_the_exception_is_shown(certbot: Certbot) -> None:
    error = refusal()
    logger.error("Exiting abnormally:", exc_info=(type(error), error, None))
    (text,) = certbot.added
    assert "answer" not in text


def test_what_was_recovered_from_is_not_explained(certbot: Certbot) -> None:
    logging.getLogger("acme.client").debug("Retrying request after error:\n%s", refusal())
    logger.debug("", exc_info=(messages.Error, refusal("badNonce", "old"), None))
    logger.error("Something that has nothing to do with it")
    certbot.watch.at_exit()
    assert certbot.added == []


def test_a_record_whose_arguments_do_not_fit(certbot: Certbot) -> None:
    logger.debug("", exc_info=(messages.Error, refusal(), None))
    record = logging.LogRecord("x", logging.ERROR, "x", 1, "%d and %s", (1,), None)
    certbot.watch.emit(record)
    assert certbot.added == []


def test_the_end_of_the_process_if_no_record_tells(
    certbot: Certbot, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = refusal()
    certbot.fails(error, "Words that no Certbot uses yet")
    assert certbot.added == []
    certbot.watch.at_exit()
    assert certbot.added == []  # the process did not end with it
    monkeypatch.setattr(sys, "last_value", error, raising=False)
    certbot.watch.at_exit()
    certbot.watch.at_exit()
    (text,) = certbot.added
    assert WORDS in text


@pytest.mark.parametrize("server", [LETS_ENCRYPT, "https://ca.example/dir", "", None])
def test_other_servers(certbot: Certbot, server: str | None) -> None:
    certbot.begin(server=server)
    certbot.fails(refusal(), WORDS)
    assert certbot.added == []


def test_an_order_that_never_became_ready(certbot: Certbot) -> None:
    """Newer versions of acme ask until their time is up, and then say only that."""
    body = (
        '{"type": "urn:ietf:params:acme:error:orderNotReady", "status": 403, "detail": "The '
        'request attempted to finalize an order that is not ready to be finalized"}'
    )
    acme = logging.getLogger("acme.client")
    acme.debug("Received response:\nHTTP %d\n%s\n\n%s", 403, "Content-Type: x", body)
    acme.debug("Received response:\nHTTP %d\n%s\n\n%s", 200, "Content-Type: x", "{}")
    certbot.fails(acme_errors.TimeoutError(), "An unexpected error occurred:", "TimeoutError")
    (text,) = certbot.added
    assert "not ready to be finalized" in text
    assert "before all of its names were validated" in text
    certbot.begin()
    certbot.fails(acme_errors.TimeoutError(), "TimeoutError")
    assert certbot.added == []


# Challenges


def test_a_report_of_challenges_is_repeated_under_quiet_only(certbot: Certbot) -> None:
    error = errors.AuthorizationError("Some challenges have failed.")
    for quiet in (False, True):
        certbot.begin(quiet=quiet)
        certbot.watch.report = "Check port 80"
        certbot.fails(error, str(error))
        assert certbot.added == (["Check port 80"] if quiet else [])
    certbot.fails(errors.AuthorizationError("Another"), "Another")
    assert certbot.added == []


def test_the_hint_names_each_url_once_and_the_checks_once() -> None:
    language.start("en")
    failed = [
        challenges.Failed(name, f"http://{name}/.well-known/acme-challenge/x", kind, detail)
        for name, kind, detail in (
            ("a.jp", "unauthorized", "404"),
            ("b.jp", "connection", "The server could not connect to validation target : [b.jp]"),
            ("c.jp", "dns", ""),
            ("d.jp", "unauthorized", "404"),
        )
    ]
    text = challenges.hint_for(failed, APACHE)
    for each in failed:
        assert text.count(each.url) == 1
    assert "reports: dns" in text
    assert text.count("Check, for each name") == 1
    assert text.count("was not the expected one") == 1
    assert "could not connect to b.jp" in text
    language.start(None)


def answered(status: int, document: object) -> None:
    """Logs an answer of the CA as acme does."""
    words = "Received response:\nHTTP %d\n%s\n\n%s"
    logging.getLogger("acme.client").debug(words, status, "Content-Type: x", json.dumps(document))


def authorization(name: str, kind: str, **error: str) -> dict[str, object]:
    failed = {"type": kind, "status": "invalid", "token": "t0k3n", "error": error or None}
    untried = {"type": "tls-alpn-01", "status": "pending", "token": "x"}
    identifier = {"type": "dns", "value": name}
    return {"identifier": identifier, "status": "invalid", "challenges": [untried, failed]}


def test_challenges_of_another_authenticator(certbot: Certbot) -> None:
    unauthorized = messages.ERROR_PREFIX + "unauthorized"
    certbot.begin(authenticator="webroot", installer=NAME)
    for _poll in range(2):
        answered(200, authorization("a.jp", "http-01", type=unauthorized, detail="404"))
        answered(200, authorization("b.jp", "dns-01", type=unauthorized, detail="none"))
        answered(200, authorization("c.jp", "new-01", type=unauthorized, detail="none"))
        answered(200, authorization("d.jp", "http-01"))
        answered(200, {"challenges": "invalid", "identifier": []})
    error = errors.AuthorizationError("Some challenges have failed.")
    certbot.fails(error, str(error))
    (text,) = certbot.added
    for words in (
        "http://a.jp/.well-known/acme-challenge/t0k3n",
        "TXT _acme-challenge.b.jp",
        "Port 80",
        "propagation",
    ):
        assert text.count(words) == 1, words
    assert "c.jp" not in text
    assert "d.jp" not in text
    # Said once; and what failed for one certificate is not said of the next.
    certbot.fails(errors.AuthorizationError("Another"), "Another")
    assert certbot.added == []
    answered(200, authorization("a.jp", "http-01", type=unauthorized, detail="404"))
    certbot.fails(refusal(), "An unexpected error occurred:", WORDS)
    assert "a.jp" not in "".join(certbot.added)
    certbot.fails(errors.AuthorizationError("A third"), "A third")
    assert certbot.added == []


def test_the_hint_about_caa_has_its_own_step() -> None:
    language.start("en")
    text = challenges.hint_for([challenges.Failed("a.jp", "http://a.jp/x", "caa", WORDS)], APACHE)
    explanation = matching.explain("caa", WORDS)
    assert explanation is not None
    assert explanation.step in text
    assert "Check, for each name" not in text
    language.start(None)


# renew and revoke


def failed_renewal(name: str, error: BaseException) -> None:
    logger.error("Failed to renew certificate %s with error: %s", name, error)


def lineage(config_dir: ConfigDir, name: str, server: str, plugin: str) -> None:
    path = config_dir.path / "renewal" / f"{name}.conf"
    path.parent.mkdir(parents=True, exist_ok=True)
    files = "".join(
        f"{kind} = {config_dir.path}/live/{name}/{kind}.pem\n"
        for kind in ("cert", "privkey", "chain", "fullchain")
    )
    path.write_text(
        f"{files}[renewalparams]\nserver = {server}\nauthenticator = {plugin}\ninstaller = apache\n"
    )


def test_renewals_each_by_its_own_renewal_file(certbot: Certbot) -> None:
    certbot.begin("renew", named=False, server=LETS_ENCRYPT)
    lineage(certbot.config_dir, "ours", SERVER, NAME)
    lineage(certbot.config_dir, "manual", SERVER, "apache")
    lineage(certbot.config_dir, "other", LETS_ENCRYPT, NAME)
    for name in ("other", "manual", "unknown"):
        failed_renewal(name, refusal())
        assert certbot.added == [], name
    failed_renewal("ours", refusal())
    (text,) = certbot.added
    assert MEANING in text
    failed_renewal("ours", errors.Error("unrelated"))
    assert certbot.added == []
    # Named on the command line, the plugin is selected for the one that JPRS's manual set up too.
    certbot.begin("renew", named=True, server=LETS_ENCRYPT)
    failed_renewal("manual", refusal())
    failed_renewal("other", refusal())
    assert len(certbot.added) == 1


def test_revocation_by_the_renewal_file(certbot: Certbot) -> None:
    lineage(certbot.config_dir, "ours", SERVER, NAME)
    lineage(certbot.config_dir, "manual", SERVER, "apache")
    live = certbot.config_dir.path / "live"
    for options, explained in (
        ({"certname": "ours"}, 1),
        ({"certname": "manual"}, 0),
        ({"certname": "unknown"}, 0),
        ({"cert_path": str(live / "ours" / "cert.pem")}, 1),
        ({"cert_path": (str(live / "ours" / "cert.pem"), b"")}, 1),
        ({"cert_path": str(live / "manual" / "cert.pem")}, 0),
        ({"cert_path": "/elsewhere/cert.pem"}, 0),
        ({}, 0),
    ):
        certbot.begin("revoke", named=False, **options)
        certbot.fails(refusal(), WORDS)
        assert len(certbot.added) == explained, options


def test_an_order_whose_refusal_cannot_be_read_adds_nothing(certbot: Certbot) -> None:
    client = logging.getLogger("acme.client")
    client.debug("Received response:\nHTTP %d\n\n%s", 403, "orderNotReady, whatever that means")
    certbot.fails(acme_errors.TimeoutError(), "An unexpected error occurred:", "TimeoutError")
    assert certbot.added == []


@pytest.mark.parametrize(
    ("verb", "watched"), [("renew", True), ("certonly", True), ("install", False)]
)
def test_which_commands_are_watched_once_the_plugin_is_selected(
    certbot: Certbot, verb: str, watched: bool
) -> None:
    certbot.begin(verb)
    certbot.watch.stop()
    certbot.watch.selected()
    assert (certbot.watch in logging.getLogger().handlers) is watched


@pytest.mark.parametrize("older", [False, True], ids=["identifier", "domain"])
def test_of_failed_challenges_those_by_http_are_taken_over(older: bool) -> None:
    def failed(chall: Any, name: str, **error: str) -> Any:
        given = messages.Error.from_json({"type": messages.ERROR_PREFIX + "connection", **error})
        value = None if older else SimpleNamespace(value=name)  # since Certbot 5.4
        return SimpleNamespace(
            chall=chall, identifier=value, domain=name if older else None, error=given
        )

    by_http = acme_challenges.HTTP01(token=b"x" * 32)
    by_dns = acme_challenges.DNS01(token=b"y" * 32)
    found = challenges.failed_http(
        [
            failed(by_http, "a.jp", detail="refused", title="no"),
            failed(by_dns, "b.jp", detail="no record"),
            failed(by_http, "c.jp", title="no"),
            failed(by_http, "d.jp"),
        ]
    )
    path = by_http.path
    assert found == [
        challenges.Failed("a.jp", f"http://a.jp{path}", "connection", "refused"),
        challenges.Failed("c.jp", f"http://c.jp{path}", "connection", "no"),
        challenges.Failed("d.jp", f"http://d.jp{path}", "connection", ""),
    ]
