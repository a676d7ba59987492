"""What the tests of the wait share: command lines, and the words that tell its outcomes apart."""

from __future__ import annotations

import re
from pathlib import Path

from tests.lab import World
from tests.lab.process import Result

NAME = "www.example.jp"
PLUGIN = "certbot-jprs:http"
QUICK = ("--jprs-ocsp-timeout", "3", "--jprs-ocsp-interval", "1")
PATIENT = ("--jprs-ocsp-timeout", "600", "--jprs-ocsp-interval", "1")
NOT_AT_ALL = ("--jprs-ocsp-timeout", "0")

# What the contract adds to the longest wait: a query under way, and the deployment itself, of
# which a busy machine makes a lot.
ALLOWANCE = 60

# Seconds within which an ended wait is over on a busy machine; left alone, it would take minutes.
AT_ONCE = 30

WORDS = {
    "good": r"\(good,|says\s+good",
    "unknown": r"still\s+does\s+not\s+know",
    "undetermined": r"no\s+usable\s+answer",
    "revoked": r"\brevoked\b",
}


def first(world: World, *options: str, name: str = NAME) -> tuple[str, ...]:
    """Returns the command line for a first certificate, account included."""
    account = (*world.eab(), "-m", "admin@example.jp", "--agree-tos")
    return ("run", "-n", "-a", PLUGIN, "-d", name, *account, *options)


def renew(*options: str) -> tuple[str, ...]:
    """Returns the command line for a renewal now; off a terminal Certbot would dawdle first."""
    return ("renew", "--force-renewal", "--no-random-sleep-on-renew", *options)


def served_first_version(world: World) -> int:
    """Gets a certificate that is good at once and puts it into service; returns its serial.

    No option is given: Certbot would keep it for the renewals.
    """
    world.vhost(NAME)
    world.certbot(*first(world)).check()
    serial = world.served(NAME).serial
    assert serial == world.jprs.issued[-1].serial
    return serial


def outcomes(result: Result) -> set[str]:
    """Returns which outcomes of a wait a command told the user."""
    return {name for name, words in WORDS.items() if re.search(words, result.output)}


def saved_at(world: World, version: int = 1, name: str = NAME) -> float:
    """Returns when a version was saved: what the wait counts from."""
    return version_file(world, version, name).stat().st_mtime


def version_file(world: World, version: int = 1, name: str = NAME) -> Path:
    """Returns a version's certificate file."""
    return world.lineage(name).archive / f"cert{version}.pem"


def serves_https(world: World) -> bool:
    """Tells whether HTTPS is served at all."""
    return world.listening(443)
