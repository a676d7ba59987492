"""What the end-to-end tests share: command lines as a user types them, and what CAs were asked."""

from __future__ import annotations

import importlib.metadata
import os
import shlex
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import certbot_jprs
from tests.e2e.waiting import AT_ONCE
from tests.lab import Result, World, fleet, subject
from tests.lab.client import Watcher

NAME = "certbot-jprs:http"

PACKAGE = Path(certbot_jprs.__file__).parent

CONTACT = "-m admin@example.jp --agree-tos"
"""What a first run needs besides the EAB credentials."""

QUICK = "--jprs-ocsp-interval 1"
"""Keeps tests short: the responder is asked every second."""

OWN_KEY = "ECDSA" if subject.version() >= (2,) else "RSA 2048"
"""What Certbot makes by itself."""

VERBS = {"show_account": (1, 23), "reconfigure": (2, 3)}
"""Since when Certbot has them, where it has not always had them."""

RENEW = "renew --no-random-sleep-on-renew"
"""A renewal as a timer runs it, without the sleep that spreads the world's timers."""


def renewed(params: Mapping[str, str]) -> dict[str, str]:
    """Returns the renewal parameters that a renewal leaves of these.

    Before 2.0 RSA is Certbot's own choice, which a renewal does not store.

    Args:
        params: those before it.
    """
    return {
        key: value
        for key, value in params.items()
        if (key, value) != ("key_type", "rsa") or subject.version() >= (2,)
    }


def certbot(
    world: World,
    line: str,
    *more: str,
    env: Mapping[str, str] | None = None,
    venv: str | os.PathLike[str] | None = None,
) -> Result:
    """Runs Certbot with a command line as it is typed.

    Args:
        world: where.
        line: the arguments, quoted for a shell.
        more: further arguments, for what is not known beforehand: ``*world.eab()``.
        env: what to add to the environment.
        venv: which Certbot, if not the tests' own.
    """
    return world.certbot(*shlex.split(line), *more, env=env, venv=venv)


def known(line: str) -> bool:
    """Tells whether the Certbot under test has the verb of a command line."""
    return subject.version() >= VERBS.get(line.split(maxsplit=1)[0], ())


def first_run(world: World, name: str = "www.example.jp", more: str = "") -> Result:
    """Gets a first certificate by the one flag.

    Args:
        world: where; it gets the virtual host.
        name: the certificate's only name.
        more: further arguments, quoted for a shell.
    """
    world.vhost(name)
    line = f"run -n -a {NAME} -d {name} {CONTACT} {QUICK} {more}"
    return certbot(world, line, *world.eab()).check()


def lets_encrypt(world: World, name: str = "www.example.jp", more: str = "") -> Result:
    """Gets a certificate of Let's Encrypt by Certbot's Apache plugin.

    Args:
        world: where; it gets the virtual host.
        name: the certificate's first name.
        more: further arguments, quoted for a shell.
    """
    world.vhost(name)
    return certbot(world, f"run -n --apache -d {name} {CONTACT} {more}").check()


def served(world: World, name: str = "www.example.jp") -> int:
    """Returns the serial number that visitors of a name see."""
    return world.served(name).serial


def asked(world: World) -> list[str]:
    """Returns the steps of ACME that any CA was asked for, as ``beyond_directory`` has them."""
    return [
        f"{request.host}: {request.step}"
        for service in world.services
        for request in service.beyond_directory()
    ]


def forget(world: World) -> None:
    """Forgets what the CAs were asked until now."""
    for service in world.services:
        service.requests.clear()


def refused(world: World, result: Result, *words: str) -> None:
    """Asserts that a command was refused, told what to do, and asked no CA for anything.

    Args:
        world: where it ran, since the last ``forget``.
        result: what it did.
        words: what its output says, each.
    """
    assert result.returncode != 0, f"{result}"
    for word in words:
        assert word in result.output, f"{word!r} is missing: {result}"
    assert "Traceback" not in result.output, f"{result}"
    assert asked(world) == []


def waited(world: World, watcher: Watcher, serial: int, name: str | None = None) -> None:
    """Asserts that a certificate was served soon after the responder's ``good``, not before.

    Args:
        world: where; the responder is asked every second (``QUICK``).
        watcher: what visitors saw.
        serial: the certificate's serial number.
        name: which visitors; None: of any of the names watched.
    """
    first = watcher.first(serial, name)
    good_at = world.ocsp.good_at(serial)
    assert first is not None, "it was never served"
    assert good_at is not None, "the responder never said good"
    assert world.ocsp.known_at(serial) <= good_at < first < good_at + 1 + AT_ONCE


def costs_one_reload_for_each(world: World, run: Callable[[str], Result]) -> None:
    """Asserts that a fleet's renewal waits for no more, and reloads no more often, than needed.

    Args:
        world: where.
        run: runs a command line of some Certbot.
    """
    names = [f"{letter}.example.jp" for letter in "abcde"]
    fleet.found(world, names)
    before, reloads = world.apache.hashes(), world.apache.reloads()
    run(f"{RENEW} --force-renewal").check()
    assert len(names) + 1 <= world.apache.reloads() - reloads <= len(names) + 4
    assert [world.lineage(name).version() for name in names] == [2] * len(names)
    assert "The challenges can be fetched" in world.certbot_log
    assert world.apache.hashes() == before


def copy_package(site: Path) -> None:
    """Installs a copy of this package, as far as Certbot can tell.

    Args:
        site: a directory of modules; what is there of an earlier copy is replaced.
    """
    shutil.rmtree(site / PACKAGE.name, ignore_errors=True)
    shutil.copytree(PACKAGE, site / PACKAGE.name)  # with what Python has compiled
    installed = importlib.metadata.distribution("certbot-jprs")
    info = site / f"certbot_jprs-{installed.version}.dist-info"
    shutil.rmtree(info, ignore_errors=True)
    info.mkdir()
    head = f"Metadata-Version: 2.1\nName: certbot-jprs\nVersion: {installed.version}\n"
    (info / "METADATA").write_text(head)
    (info / "entry_points.txt").write_text(installed.read_text("entry_points.txt") or "")
