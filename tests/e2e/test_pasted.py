"""Command lines as a PDF gives them: recognised, and nothing is sent; then as the message says."""

from __future__ import annotations

import re

import pytest

from tests.e2e.helpers import CONTACT, NAME, QUICK, certbot, refused
from tests.lab import World

RUN = f"run -n -a {NAME} {QUICK}"
JAPANESE = "--jprs-language ja"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"{RUN} -d “www.example.jp” {CONTACT}", ("-d contains a quotation mark",)),
        (f"{RUN} -d \u2018www.example.jp\u2019 {CONTACT}", ("-d contains a quotation mark",)),
        (f"{RUN} -d 「www.example.jp」 {CONTACT}", ("-d contains a quotation mark",)),
        (f"{RUN} -d www.example.jp\u00a0{CONTACT}", ("-d contains a space",)),
        (f"{RUN} -d www.example.jp, example.jp {CONTACT}", ("-d www.example.jp,example.jp",)),
        (f"{RUN} -d www.example.jp ,example.jp {CONTACT}", ("-d www.example.jp,example.jp",)),
        (
            f"{RUN} -d www.example.jp -m “admin@example.jp” --agree-tos",
            ("-m contains a quotation mark",),
        ),
        (
            f"{RUN} -d www.example.jp -m a@example.jp, b@example.jp --agree-tos",
            ("-m a@example.jp,b@example.jp",),
        ),
        (
            f"{RUN} -d www.example.jp {CONTACT} --server “{{server}}”",
            ("--server contains a quotation mark",),
        ),
        (
            f"{RUN} -d www.example.jp {CONTACT} --server={{server}}\u200b",
            ("--server contains", "invisible"),
        ),
        (
            f"{RUN} {JAPANESE} -d “www.example.jp” {CONTACT}",
            ("-d: 値に引用符が含まれています",),
        ),
        (
            f"{RUN} {JAPANESE} -d www.example.jp, example.jp {CONTACT}",
            ("空白", "-d www.example.jp,example.jp"),
        ),
    ],
)
def test_it_is_recognised_before_anything_is_sent(
    world: World, line: str, words: tuple[str, ...]
) -> None:
    world.vhost("www.example.jp", "example.jp")
    refused(world, certbot(world, line.format(server=world.jprs.url), *world.eab()), *words)
    assert world.lineages() == []


def test_the_line_that_the_message_gives_works(world: World) -> None:
    world.vhost("www.example.jp", "example.jp")
    pasted = f"{RUN} {CONTACT} -d www.example.jp, example.jp"
    result = certbot(world, pasted, *world.eab())
    refused(world, result)
    mended = re.findall(r"-d (\S+,\S+)", result.output)[-1]
    certbot(world, f"{RUN} {CONTACT} -d {mended}", *world.eab()).check()
    assert set(world.jprs.issued[-1].names) == {"www.example.jp", "example.jp"}


def test_without_the_plugin_certbots_own_words_stand(world: World) -> None:
    """The twin: what a customer of JPRS's is told by Certbot alone."""
    result = certbot(world, f"certonly -n --apache -d “www.example.jp” {CONTACT}")
    assert result.returncode == 1
    assert "Non-ASCII domain names not supported" in result.output
    assert "quotation" not in result.output
