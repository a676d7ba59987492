"""What the tests of held certificates share: a fleet, its renewal, and that nothing is early."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.lab import Result, Running, World, fleet
from tests.lab.client import Watcher

NAME = "www.example.jp"
RENEW = ("renew", "--no-random-sleep-on-renew")
FORCE = (*RENEW, "--force-renewal")
IMPATIENT = {"certbot_jprs__ocsp_timeout": "1"}
"""A lineage whose time is up a second after it was saved."""

RECORDS = "/etc/letsencrypt/certbot-jprs/held"
HOOKS = "/etc/letsencrypt/renewal-hooks"
HOOKED = "/run/tmp/hooked"
WAITING = r"Waiting for the OCSP"


def serials(world: World, name: str = NAME) -> list[int]:
    """Returns the serial numbers of a name's certificates, oldest first."""
    return [issued.serial for issued in world.jprs.issued if issued.names == (name,)]


def served(world: World, name: str = NAME) -> int:
    """Returns which version of a name's certificate visitors see, from 1."""
    return serials(world, name).index(world.served(name).serial) + 1


def record(world: World, name: str = NAME) -> dict[str, Any] | None:
    """Returns a lineage's record; None where there is none."""
    text = world.read(f"{RECORDS}/{name}.json")
    return json.loads(text) if text else None


def never_early(world: World, watcher: Watcher) -> None:
    """Asserts that no visitor saw an ordered certificate before its ``good``, nor any gap."""
    ordered = {issued.serial for issued in world.jprs.issued if issued.account}
    for change in watcher.changes:
        assert change.serial is not None, f"not served: {change}"
        if change.serial in ordered:
            good_at = world.ocsp.good_at(change.serial)
            assert good_at is not None, f"never good: {change}"
            assert good_at < change.time, f"good at {good_at:.2f}: {change}"


def log_hooks(world: World, *kinds: str) -> None:
    """Puts a hook of each kind where all lineages have theirs; each writes what it sees."""
    for kind in kinds:
        # Certbot leaves a deploy hook's environment to the post-hooks.
        clean = "" if kind == "deploy" else "unset RENEWED_LINEAGE; "
        world.hook(f"{HOOKS}/{kind}/log", clean + hook(kind))


def hook(word: str) -> str:
    """Returns a shell command that notes a word, the lineage and the version linked."""
    linked = "$(readlink $RENEWED_LINEAGE/cert.pem)"
    return f'echo {word} $(date +%s.%N) $(basename "$RENEWED_LINEAGE") {linked} >> {HOOKED}'


def hooked(world: World, word: str = "") -> list[tuple[str, float, str, int]]:
    """Returns what hooks noted: the word, when, the lineage's name, the version linked."""
    found = []
    for line in world.read(HOOKED).splitlines():
        kind, at, *rest = line.split()
        name = rest[0] if rest else ""
        version = int(re.findall(r"([0-9]+)\.pem", rest[1])[0]) if len(rest) > 1 else 0
        if word in ("", kind):
            found.append((kind, float(at), name, version))
    return found


def hold(world: World, name: str = NAME, **params: str | None) -> Result:
    """Makes a lineage with a version 2 that the responder does not know when time is up."""
    fleet.found(world, [name], **{**IMPATIENT, **params})
    world.ocsp.behave("unknown")
    result = world.certbot(*FORCE)
    assert served(world, name) == 1
    assert record(world, name) is not None
    assert len(serials(world, name)) == 2
    return result


def waiting(world: World, *args: str, env: Mapping[str, str] | None = None) -> Running:
    """Starts Certbot, and returns it when it waits, and has done what it does before."""
    running = world.spawn_certbot(*(args or FORCE), env=env)
    running.wait_for(WAITING)
    until(lambda: "the wait goes on" in world.certbot_log)
    return running


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Waits for a condition.

    Raises:
        AssertionError: it does not come about.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)
