"""EAB credentials: every way to get them wrong, and where they must never be found."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.e2e.helpers import CONTACT, NAME, QUICK, RENEW, certbot, refused
from tests.e2e.refusals import ROWS, expected, explained
from tests.lab import World

REGISTER = f"register -n -a {NAME} {CONTACT}"
FILE = "/root/eab"

(NOT_ACCEPTED,) = (row for row in ROWS if row.detail == "Unable to create account")


@pytest.fixture
def secret(world: World) -> str:
    """The MAC key that JPRS accepts with the identifier lab-0."""
    return world.jprs.eab["lab-0"]


def keep(world: World, text: str, mode: int = 0o600) -> str:
    """Writes a file with credentials and returns the option that names it."""
    path = world.write("/run/home/eab", text)
    path.chmod(mode)
    return "--jprs-eab-file=/run/home/eab"


def registered(world: World) -> bool:
    """Tells whether there is an account of JPRS's here."""
    return bool(list(world.path("/etc/letsencrypt/accounts").rglob("regr.json")))


# What is refused before anything is sent


@pytest.mark.parametrize("verb", ["register", "certonly -d a.example.jp", "run -d a.example.jp"])
def test_none(world: World, verb: str) -> None:
    result = certbot(world, f"{verb} -n -a {NAME} {CONTACT}")
    refused(world, result, "designated reseller", "--eab-kid", "--jprs-eab-file")
    # The twin: Certbot's own words speak of neither.
    plain = certbot(world, f"register -n {CONTACT} --server {world.jprs.url}")
    assert "reseller" not in plain.output


@pytest.mark.parametrize(
    ("kid", "key", "words"),
    [
        ("", "", ("--eab-kid", "empty")),
        ("lab-0", "", ("--eab-hmac-key", "empty")),
        ("lab-0", None, ("--eab-hmac-key", "without")),
        (None, "{key}", ("--eab-kid", "without")),
        (" lab-0", "{key}", ("--eab-kid", "a space")),
        ("lab-0\n", "{key}", ("--eab-kid", "a line break")),
        ("“lab-0”", "{key}", ("--eab-kid", "a quotation mark")),
        ("'lab-0'", "{key}", ("--eab-kid", "a quotation mark")),
        ("lab-0", "{key} ", ("--eab-hmac-key", "a space")),
        ("lab-0", "{key}\r\n", ("--eab-hmac-key", "a line break")),
        ("lab-0", "{half}\n{half}", ("--eab-hmac-key", "a line break")),
        ("lab-0", "{half}\u200b{half}", ("--eab-hmac-key", "invisible")),
        ("lab-0", "„{key}“", ("--eab-hmac-key", "a quotation mark")),
        ("lab-0", '"{key}"', ("--eab-hmac-key", "a quotation mark")),
        ("lab-0", "{key}!", ("--eab-hmac-key", "base64url")),
        ("lab-0", "a+/{key}", ("--eab-hmac-key", "base64url")),
        ("lab-0", "{key}A", ("--eab-hmac-key", "base64url")),
        ("lab-0", "{key}=", ("--eab-hmac-key", "base64url")),
    ],
)
def test_pasted_badly(
    world: World, secret: str, kid: str | None, key: str | None, words: tuple[str, ...]
) -> None:
    given = []
    if kid is not None:
        given.append(f"--eab-kid={kid}")
    if key is not None:
        key = key.format(key=secret, half=secret[:32])
        given.append(f"--eab-hmac-key={key}")
    result = certbot(world, REGISTER, *given)
    refused(world, result, *words)
    assert secret[:32] not in result.output
    assert "lab-0" not in result.output
    assert secret[:32] not in "".join(own_lines(world))


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize(
    "case",
    [
        ("lab-0\n{key}\n", 0o644, "chmod 600"),
        ("lab-0\n{key}\n", 0o640, "chmod 600"),
        ("lab-0\n{key}\n", 0o602, "chmod 600"),
        ("", 0o600, '"hmac": '),
        ("lab-0\n", 0o600, '"hmac": '),
        ("lab-0\n{key}\nmore\n", 0o600, '"hmac": '),
        ("lab-0\n{half} {half}\n", 0o600, "hmac"),
        ("“lab-0”\n{key}\n", 0o600, "kid"),
        ('{{"kid": "lab-0", "hmac": "{key}"', 0o600, '"hmac": '),
        ('{{"kid": "lab-0"}}', 0o600, '"hmac": '),
        ('{{"kid": 1, "hmac": "{key}"}}', 0o600, '"hmac": '),
        ('{{"kid": "lab-0", "hmac": ["{key}"]}}', 0o600, '"hmac": '),
        ('{{"kid": "lab-0", "hmac": "{key}é"}}', 0o600, "hmac"),
        ("lab-0\n{key}\n" + " " * 4096, 0o600, '"hmac": '),
        ("[" * 4000, 0o600, '"hmac": '),
    ],
)
def test_a_file_that_is_refused(
    world: World, secret: str, case: tuple[str, int, str], language: str
) -> None:
    text, mode, word = case
    text = text.format(key=secret, half=secret[:32]) if "{" in text else text
    option = keep(world, text, mode)
    result = certbot(world, REGISTER, option, "--jprs-language", language)
    refused(world, result, "/run/home/eab", word)
    assert secret[:32] not in result.output + world.certbot_log


def test_files_that_cannot_be_read(world: World) -> None:
    world.path("/run/home/directory").mkdir(mode=0o700, exist_ok=True)
    world.run("mkfifo", "-m", "600", "/run/home/pipe").check()
    world.run("sh", "-c", "printf '\\377\\376' >/run/home/bytes; chmod 600 /run/home/bytes")
    world.run("sh", "-c", "touch /run/home/other; chmod 600 /run/home/other").check()
    for name, words in (
        ("missing", ("there is no file",)),
        ("missing/deeper", ("there is no file",)),
        ("directory", ("is not a file",)),
        ("pipe", ("is not a file",)),  # and nobody waits for it
        ("bytes", ("another form",)),
        ("other/deeper", ("cannot be read",)),
    ):
        result = certbot(world, REGISTER, "--jprs-eab-file", f"/run/home/{name}")
        refused(world, result, "--jprs-eab-file", f"/run/home/{name}", *words)


def test_a_file_beside_the_options(world: World, secret: str) -> None:
    option = keep(world, f"lab-0\n{secret}\n")
    refused(world, certbot(world, REGISTER, option, *world.eab()), "--jprs-eab-file", "--eab-kid")


# What JPRS refuses


@pytest.mark.parametrize("how", ["unknown kid", "wrong key", "changed", "expired"])
def test_what_jprs_does_not_accept(world: World, secret: str, how: str) -> None:
    kid, key = "lab-0", secret
    if how == "unknown kid":
        kid = "lab-of-another"
    elif how == "wrong key":
        key = world.jprs.eab["lab-1"]
    elif how == "changed":
        key = ("B" if key[0] != "B" else "C") + key[1:]
    else:  # Pebble's never expire
        row = NOT_ACCEPTED
        world.jprs.refuse("newAccount", row.kind, row.status, row.detail)
    result = certbot(world, REGISTER, "--eab-kid", kid, "--eab-hmac-key", key)
    explained(NOT_ACCEPTED, result, "en")
    assert "14 days" in result.stderr
    assert "designated reseller" in result.stderr
    assert key not in result.output
    assert not registered(world)
    # Right ones mend it, with nothing left over.
    world.reset()
    certbot(world, REGISTER, *world.eab()).check()
    assert registered(world)


def test_a_nonce_rejected_in_between(world: World, secret: str) -> None:
    """Certbot's own second attempt succeeds, and nothing is explained that is over."""
    nonce = next(row for row in ROWS if row.kind == "badNonce")
    world.jprs.refuse("newAccount", nonce.kind, nonce.status, nonce.detail, times=1)
    result = certbot(world, REGISTER, keep(world, f"lab-0\n{secret}\n")).check()
    assert world.jprs.steps().count("newAccount") == 2
    assert "JPRS" not in result.output
    assert registered(world)


# What works


@pytest.mark.parametrize(
    "text",
    [
        "lab-0\n{key}\n",
        "lab-0\n{key}",
        "\ufeff lab-0 \r\n\r\n{key}\r\n",
        '{{"kid": "lab-0", "hmac": "{key}"}}',
        '\n{{\n "hmac": "{key}",\n "kid": "lab-0",\n "note": "from the reseller"\n}}\n',
    ],
)
def test_a_file(world: World, secret: str, text: str) -> None:
    option = keep(world, text.format(key=secret))
    certbot(world, REGISTER, option).check()
    assert registered(world)
    assert secret not in world.certbot_log


def test_a_key_with_its_padding(world: World, secret: str) -> None:
    padded = secret + "=" * (-len(secret) % 4)
    certbot(world, REGISTER, "--eab-kid", "lab-0", f"--eab-hmac-key={padded}").check()


def test_in_cli_ini(world: World, secret: str) -> None:
    keep(world, json.dumps({"kid": "lab-0", "hmac": secret}))
    world.cli_ini("jprs-eab-file = /run/home/eab\n")
    world.vhost("a.example.jp")
    certbot(world, f"certonly -n -a {NAME} -d a.example.jp {CONTACT} {QUICK}").check()
    world.path("/run/home/eab").unlink()  # it is not needed any more
    result = certbot(world, f"{RENEW} --force-renewal").check()
    assert "eab" not in result.output
    result = certbot(world, f"certonly -n -a {NAME} -d a.example.jp --force-renewal").check()
    assert "are not used" in result.output


def test_a_second_pair_is_said_to_be_unused(world: World, secret: str) -> None:
    certbot(world, REGISTER, *world.eab()).check()
    option = keep(world, f"lab-1\n{world.jprs.eab['lab-1']}\n")
    world.jprs.requests.clear()
    for language, words in (("en", "are not used"), ("ja", "使用しません")):
        result = certbot(world, REGISTER, option, "--jprs-language", language)
        assert result.output.count(words) == 1
        assert secret not in result.output
    assert "newAccount" not in world.jprs.steps()


@pytest.mark.parametrize("code", ["en", "ja"])
def test_what_can_be_told_apart_is(world: World, code: str) -> None:
    """None, not accepted, and used already by this machine, which alone can be known here.

    JPRS answers the same to what is mistyped, too old or of a contract that has ended: the
    explanation names all three.
    """
    language = ("--jprs-language", code)
    none = certbot(world, REGISTER, *language)
    refused(world, none, *(("none were given",) if code == "en" else ("EAB",)))
    world.jprs.refuse(
        "newAccount", NOT_ACCEPTED.kind, NOT_ACCEPTED.status, NOT_ACCEPTED.detail, times=1
    )
    not_accepted = certbot(world, REGISTER, *world.eab(), *language)
    explained(NOT_ACCEPTED, not_accepted, code)
    certbot(world, REGISTER, *world.eab(), *language).check()
    world.jprs.requests.clear()
    again = certbot(world, REGISTER, *world.eab(), *language)  # Certbot itself refuses that
    assert world.jprs.requests == []
    used = {"en": "exists on this machine already", "ja": "そのアカウントを使用します"}[code]
    assert [used in each.output for each in (none, not_accepted, again)] == [False, False, True]
    meaning = expected(NOT_ACCEPTED, code).meaning
    assert [meaning in each.output for each in (none, not_accepted, again)] == [False, True, False]


# Where they must not be found


@pytest.mark.parametrize("by", ["file", "options"])
def test_nothing_that_is_written_has_them(world: World, secret: str, by: str) -> None:
    option = keep(world, f"lab-0\n{secret}\n")
    given = (option,) if by == "file" else ("--eab-kid", "lab-0", "--eab-hmac-key", secret)
    world.vhost("a.example.jp")
    world.ocsp.lag = 2
    line = f"run -n -a {NAME} -d a.example.jp {CONTACT} {QUICK} --jprs-language ja"
    first = certbot(world, line, *given).check()
    logged = own_lines(world)
    renewed = certbot(world, f"{RENEW} --force-renewal").check()
    logged += own_lines(world)
    assert len(logged) > 4
    world.path("/run/home/eab").unlink()
    texts = {"output": first.output + renewed.output, "log lines": "\n".join(logged)}
    for root in ("/etc/letsencrypt", "/var/lib/letsencrypt", "/run/home", "/run/tmp"):
        texts |= {str(path): contents(path) for path in world.path(root).rglob("*")}
    if by == "file":
        texts["log"] = world.certbot_log
    assert any("renewal" in name and "eab" not in text for name, text in texts.items())
    for name, text in texts.items():
        assert secret not in text, name
        assert "lab-0" not in text, name
        assert "/run/home/eab" not in text or name == "log", name


def contents(path: Path) -> str:
    """Returns a file's bytes as text."""
    return path.read_bytes().decode("latin-1") if path.is_file() else ""


def own_lines(world: World) -> list[str]:
    """Returns what the plugin wrote into Certbot's logs."""
    directory = world.path("/var/log/letsencrypt")
    text = "\n".join(path.read_text(encoding="utf-8") for path in directory.glob("*.log*"))
    return re.findall(r"^\S+ \S+:certbot_jprs.*(?:\n(?!\d{4}-).*)*", text, re.MULTILINE)
