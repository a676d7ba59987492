"""``certbot-jprs explain``: each documented error, a real log, and text that is no error."""

from __future__ import annotations

import pytest

from tests.e2e.command import jprs
from tests.e2e.helpers import CONTACT, NAME, certbot
from tests.lab import World
from tests.meanings import MEANINGS, Meaning

LOG = "/var/log/letsencrypt/letsencrypt.log"


@pytest.mark.parametrize("each", MEANINGS, ids=lambda each: each.id)
def test_each_row_of_the_table(world: World, each: Meaning) -> None:
    typed = f"urn:ietf:params:acme:error:{each.kind} :: words of Certbot's :: {each.words}"
    for result in (jprs(world, "explain", typed), jprs(world, "explain", stdin=typed + "\n")):
        assert result.returncode == 0, f"{result}"
        heading, meaning, step, *_empty = result.stdout.splitlines()
        assert heading == f"{each.kind}: {each.words}"
        assert each.missing("en", meaning, step) == []


@pytest.mark.parametrize(
    "words", [("Unable to create account",), ("Unable", "to", "create", "account")]
)
def test_pasted_words(world: World, words: tuple[str, ...]) -> None:
    result = jprs(world, "explain", *words)
    assert result.returncode == 0, f"{result}"
    assert "14 days" in result.stdout


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (
            (
                "newOrder",
                "rejectedIdentifier",
                400,
                "The server will not issue certificates for the identifier",
            ),
            "designated reseller",
        ),
        (("finalize", "badCSR", 400, "The CSR is unacceptable"), "RSA"),
        (("newAccount", "malformed", 400, "Unable to create account"), "14 days"),
    ],
)
def test_a_real_log_without_its_secrets(
    world: World, refusal: tuple[str, str, int, str], words: str
) -> None:
    world.vhost("www.example.jp")
    world.jprs.refuse(*refusal)
    line = f"run -n -a {NAME} -d www.example.jp {CONTACT}"
    assert certbot(world, line, *world.eab()).returncode == 1
    secret = world.eab()[3]
    assert secret in world.certbot_log  # why nothing else of it is shown
    result = jprs(world, "explain")
    assert result.returncode == 0, f"{result}"
    assert refusal[-1] in result.stdout
    assert words in result.stdout
    assert secret not in result.output
    assert len(result.output) < 2000
    # The same by a pipe.
    assert jprs(world, "explain", stdin=world.certbot_log).stdout == result.stdout


@pytest.mark.parametrize("text", ["Congratulations!", "\x00\xff garbage", "urn:ietf:params:acme"])
def test_text_that_is_no_error(world: World, text: str) -> None:
    result = jprs(world, "explain", stdin=text)
    assert result.returncode == 1, f"{result}"
    assert result.stdout == ""
    assert "No error of JPRS's service was recognised" in result.stderr


def test_an_error_that_jprs_does_not_document(world: World) -> None:
    result = jprs(world, "explain", "urn:ietf:params:acme:error:compound :: x :: Several")
    assert result.returncode == 1, f"{result}"
    assert "compound: Several" in result.stdout
    assert "manual does not list this error" in result.stdout


def test_without_a_log(world: World) -> None:
    result = jprs(world, "explain")
    assert result.returncode == 1, f"{result}"
    assert LOG in result.stderr
    assert "explain TEXT" in result.stderr
