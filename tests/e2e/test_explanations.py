"""What JPRS refuses is explained, once, in the user's language, where the refusal is shown."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.helpers import CONTACT, NAME, RENEW, certbot, first_run
from tests.e2e.needs import LOSES_WORDS, needs_words
from tests.e2e.refusals import (
    ENGLISH,
    JAPANESE,
    JPRS,
    ORDER,
    REGISTER,
    REVOKE,
    ROWS,
    SITE,
    Accounts,
    Refusal,
    expected,
    explained,
    is_japanese,
    validate_everything,
)
from tests.e2e.test_not_selected import Installation
from tests.lab import World

CAA = Refusal("caa", 403, "CAA records forbid the CA from issuing a certificate", "newOrder", ORDER)
LABELS = ("What this means", "意味: ")


@pytest.fixture(scope="session")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Accounts:
    """An account at JPRS, for tests that are about what comes later."""
    return Accounts(tmp_path_factory.mktemp("accounts") / "kept")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_row(
    world: World, accounts: Accounts, monkeypatch: pytest.MonkeyPatch, row: Refusal
) -> None:
    more = world.eab() if row.command == REGISTER else ()
    if row.command != REGISTER:
        accounts.put(world)
    row.arrange(world, monkeypatch)
    for env, code in ((ENGLISH, "en"), (JAPANESE, "ja")):
        explained(row, certbot(world, row.command, *more, env=env), code)


def test_the_table_has_29_rows() -> None:
    assert len(ROWS) == 29
    assert len({(row.kind, row.status, row.detail) for row in ROWS}) == 27


def test_run_and_quiet(world: World, accounts: Accounts) -> None:
    accounts.put(world)
    world.vhost(SITE)
    world.jprs.refuse("newOrder", CAA.kind, CAA.status, CAA.detail)
    explained(CAA, certbot(world, f"run -n -a {NAME} -d {SITE}"), "en")
    quiet = certbot(world, f"run -q -a {NAME} -d {SITE} --jprs-language ja")
    explained(CAA, quiet, "ja")
    assert quiet.stdout == ""


def test_debug_shows_it_once_too(world: World, accounts: Accounts) -> None:
    accounts.put(world)
    world.jprs.refuse("newOrder", CAA.kind, CAA.status, CAA.detail)
    result = certbot(world, f"{ORDER} --debug")
    assert "Traceback" in result.stderr
    assert result.stderr.count(expected(CAA, "en").meaning) == 1
    assert result.stderr.index(CAA.detail) < result.stderr.index(LABELS[0])


def test_in_cli_ini_alone_the_plugin_is_selected(world: World, accounts: Accounts) -> None:
    accounts.put(world)
    world.cli_ini(f"authenticator = {NAME}\njprs-language = ja\n")
    world.jprs.refuse("newOrder", CAA.kind, CAA.status, CAA.detail)
    explained(CAA, certbot(world, f"certonly -n -d {SITE}"), "ja")


@pytest.mark.parametrize(
    ("kind", "status", "detail"),
    [
        ("malformed", 400, "Something new"),
        ("newFromTomorrowOn", 400, "Something else that is new"),
        ("unauthorized", 403, "Not the words of the table"),
    ],
)
def test_what_is_not_known_gets_no_advice(
    world: World, accounts: Accounts, kind: str, status: int, detail: str
) -> None:
    accounts.put(world)
    world.jprs.refuse("newOrder", kind, status, detail)
    result = certbot(world, ORDER)
    assert result.returncode == 1
    assert detail in result.stderr
    assert not any(label in result.output for label in LABELS)
    assert "What to do next" not in result.output


def test_too_many_requests_get_a_neutral_hint(world: World, accounts: Accounts) -> None:
    accounts.put(world)
    row = Refusal("rateLimited", 429, "Come again tomorrow", "newOrder", ORDER)
    world.jprs.refuse("newOrder", row.kind, row.status, row.detail)
    explained(row, certbot(world, ORDER), "en")
    assert "Wait before" in expected(row, "en").step


def test_an_order_that_ends_as_invalid(
    world: World, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal then is in the order, not in an answer of its own."""
    accounts.put(world)
    validate_everything(world.jprs, monkeypatch)
    order = (
        f'{{"status": "invalid", "identifiers": [{{"type": "dns", "value": "{SITE}"}}], '
        f'"authorizations": [], "finalize": "https://{JPRS}/finalize-order/x", '
        f'"error": {{"type": "urn:ietf:params:acme:error:caa", "detail": "{CAA.detail}"}}}}'
    )
    translate = world.jprs.translate

    def translated(step: str, status: int, body: bytes) -> tuple[int, bytes]:
        if step in {"finalize", "order"}:
            return 200, order.encode()
        return translate(step, status, body)

    monkeypatch.setattr(world.jprs, "translate", translated)
    result = certbot(world, ORDER)
    assert result.returncode == 1
    assert result.stderr.count(expected(CAA, "en").meaning) == 1, f"{result}"
    assert CAA.detail in result.stderr


def test_a_challenge(world: World, accounts: Accounts) -> None:
    """Its ``unauthorized`` is not the table's, and the hint is about JPRS and Apache."""
    accounts.put(world)
    world.vhost(SITE)
    world.vhost("shop.example.jp")
    words = "Non-200 status code from HTTP: 404"
    for name in (SITE, "shop.example.jp"):
        world.jprs.fail_validation(name, "unauthorized", 403, words)
    account = expected(next(row for row in ROWS if row.kind == "unauthorized"), "en")
    line = f"run -n -a {NAME} -d {SITE},shop.example.jp"
    result = certbot(world, line)
    assert result.returncode == 1
    hint = result.stdout.partition("Hint: ")[2]
    for name in (SITE, "shop.example.jp"):
        assert f"could not validate {name}" in hint
        assert f"http://{name}/.well-known/acme-challenge/" in hint
        assert hint.count(name) == 2
    assert hint.count("Check, for each name") == 1
    assert all(word in hint for word in (words, "Port 80", "AAAA", "redirect", "firewall"))
    assert account.meaning not in result.output
    assert hint not in result.stderr
    # Under -q Certbot would only say "Some challenges have failed."
    quiet = certbot(world, line.replace("-n", "-q"), env=JAPANESE)
    assert quiet.returncode == 1
    assert quiet.stdout == ""
    assert quiet.stderr.count(f"http://{SITE}/.well-known/acme-challenge/") == 1
    assert words in quiet.stderr
    assert is_japanese(quiet.stderr)


@pytest.mark.parametrize("quiet", ["", pytest.param("-q", marks=pytest.mark.main_job)])
def test_renewal_of_two_lineages_one_meets_caa(world: World, quiet: str) -> None:
    names = ("a.example.jp", "b.example.jp")
    first_run(world, names[0], more="--jprs-language ja")
    world.vhost(names[1])
    certbot(world, f"run -n -a {NAME} -d {names[1]} --jprs-ocsp-interval 1").check()
    world.jprs.refuse("newOrder", CAA.kind, CAA.status, CAA.detail, match=names[0])
    result = certbot(world, f"{RENEW} --force-renewal {quiet}")
    assert result.returncode == 1
    assert [world.lineage(name).version() for name in names] == [1, 2]
    explanation = expected(CAA, "ja")  # that lineage's language, although there is no locale
    assert result.output.count(explanation.meaning) == 1
    lines = [line for line in result.stderr.splitlines() if line]
    record = next(n for n, line in enumerate(lines) if "Failed to renew certificate" in line)
    assert names[0] in lines[record]
    assert CAA.detail in lines[record]
    assert explanation.meaning in lines[record + 1]
    assert explanation.step in lines[record + 2]
    assert not any(label in line for line in lines[record + 3 :] for label in LABELS)


def test_a_failed_challenge_at_a_quiet_renewal(world: World) -> None:
    first_run(world)
    world.jprs.fail_validation(SITE, "connection", 400, f"The server could not connect: [{SITE}]")
    result = certbot(world, f"{RENEW} -q --force-renewal")
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.count(f"could not validate {SITE}") == 1, f"{result}"
    assert "Port 80" in result.stderr


def test_revocation_of_a_lineage_of_the_plugins(world: World) -> None:
    """Its renewal file selects the plugin, although the command does not name it."""
    first_run(world)
    (issued,) = world.jprs.issued
    keep = "--no-delete-after-revoke"
    revoke = f"revoke -n --cert-name {SITE} {keep}"
    certbot(world, revoke).check()
    serial = f"{issued.serial:x}"
    path = f"/etc/letsencrypt/live/{SITE}/cert.pem"
    for line in (
        revoke,
        f"revoke -n --cert-path {path} {keep} --server {world.jprs.url}",
        f"revoke -n -a {NAME} --cert-path {path} {keep}",
    ):
        result = certbot(world, line)
        assert result.returncode == 1
        assert result.stderr.count(LABELS[0]) == 1, f"{result}"
        assert f"({serial}) is revoked already" in result.stderr
    # Another account's certificate: refused by the state of things, not by an arrangement.
    world.write("/run/tmp/cert.pem", world.jprs.mint(SITE).pem)
    unauthorized = next(row for row in ROWS if row.kind == "unauthorized")
    explained(unauthorized, certbot(world, REVOKE), "en")


def test_errors_of_lets_encrypt_stay_untouched(world: World, tmp_path: Path) -> None:
    plain = Installation(tmp_path, without=("certbot_jprs",)).certbot
    world.vhost(SITE)
    words = "too many certificates already issued"
    world.letsencrypt.refuse("newOrder", "rateLimited", 429, words)
    commands = (
        f"certonly -n --apache -d {SITE} {CONTACT}",
        f"certonly -n --apache -d {SITE}",
        f"run -q --apache -d {SITE}",
    )
    runs = []
    for venv in (plain, None):
        done = [certbot(world, line, venv=venv) for line in commands]
        runs.append([(each.returncode, each.stdout, each.stderr) for each in done])
        shutil.rmtree(world.path("/etc/letsencrypt/accounts"))
    assert runs[0] == runs[1]
    assert LOSES_WORDS or all(words in stderr for _code, _out, stderr in runs[1])
    # Selected, but for another CA.
    server = f"--server {world.letsencrypt.url}"
    result = certbot(world, f"certonly -n -a {NAME} -d {SITE} {CONTACT} {server}", env=JAPANESE)
    assert LOSES_WORDS or words in result.stderr
    assert not any(label in result.output for label in LABELS)


@pytest.mark.skipif(not LOSES_WORDS, reason="only Debian 12's Certbot loses what a CA says")
def test_the_twin_without_the_plugin_loses_what_jprs_says(
    world: World, accounts: Accounts, tmp_path: Path
) -> None:
    plain = Installation(tmp_path, without=("certbot_jprs",)).certbot
    accounts.put(world)
    world.jprs.refuse("newOrder", CAA.kind, CAA.status, CAA.detail)
    line = f"certonly -n --apache -d {SITE} --server {world.jprs.url}"
    result = certbot(world, line, venv=plain)
    assert result.returncode == 1
    assert CAA.detail not in result.output
    assert "AttributeError" in result.stderr


@needs_words
def test_jprs_without_the_plugin_stays_untouched(world: World, accounts: Accounts) -> None:
    accounts.put(world)
    world.jprs.refuse("newOrder", CAA.kind, CAA.status, CAA.detail)
    line = f"certonly -n --apache -d {SITE} --server {world.jprs.url} --key-type rsa"
    result = certbot(world, line, env=JAPANESE)
    assert CAA.detail in result.stderr
    assert not is_japanese(result.output)
    assert LABELS[0] not in result.output
