"""The main job, shown: one command, a certificate, and when what happened.

``make demo`` runs it, in English or Japanese as the locale says. It ends with exit status 1 if
anything is not as the plugin promises.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

from certbot_jprs.command.table import pad
from certbot_jprs.ground import language
from tests.lab import Missing, World, pki
from tests.lab.acme import Issued
from tests.lab.client import Watcher
from tests.lab.demo_ja import IN_JAPANESE
from tests.lab.place import CONFINED

PLUGIN = "certbot-jprs:http"
NAMES = ("www.example.jp", "example.jp")
INTERVAL = 10  # the plugin's default pause between two OCSP queries
SLACK = 30  # seconds from the answer to Apache's having reloaded, on a busy machine
LOCALE = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
SCHEDULES = ("/lib/systemd/system/certbot.timer", "/etc/cron.d/certbot")


class Promise(Exception):
    """Something is not as promised; the message says what."""


def hold(condition: bool, otherwise: str) -> None:
    """Raises Promise with these words unless the condition holds."""
    if not condition:
        raise Promise(otherwise)


def put(words: str, **values: object) -> str:
    """Puts words into the user's language."""
    if language.chosen() == language.JAPANESE:
        words = IN_JAPANESE[words]
    return words.format(**values)


def clock(at: float) -> str:
    """Returns a time of day."""
    return time.strftime("%H:%M:%S", time.localtime(at)) + f".{int(at * 10) % 10}"


def tell(what: str, words: str) -> None:
    """Prints a line of the story."""
    print(f"  {pad(put(what) if what else '', 16)}{words}", flush=True)


def issue(world: World, lag: float) -> None:
    """Runs the command that the README gives, its output going where ours goes."""
    args = ["run", "-a", PLUGIN]
    for name in NAMES:
        args += ["-d", name]
    args += [*world.eab(), "-m", "admin@example.jp", "--agree-tos", "-n"]
    world_is = put(
        "A private world: Apache serves {names} on port 80, a stand-in for JPRS\n"
        "issues certificates, and its OCSP server knows each of them only after {lag} seconds.",
        names=" ".join(NAMES),
        lag=f"{lag:g}",
    )
    if CONFINED:
        world_is += "\n" + put(
            "Root gets no namespaces here: until the end this container itself is that world."
        )
    print(f"{world_is}\n\n$ certbot {shlex.join(args)}", flush=True)
    command = world.namespace.command([world.certbot_command(), *args])
    terminal = {"TERM": "xterm"} if sys.stdout.isatty() else {}
    terminal.update({name: os.environ[name] for name in LOCALE if name in os.environ})
    done = subprocess.run(command, env=world.environment(terminal), check=False)
    hold(done.returncode == 0, f"certbot ended with exit status {done.returncode}")


def tell_times(world: World, watcher: Watcher) -> Issued:
    """Tells when what happened, and checks the order."""
    hold(len(world.jprs.issued) == 1, f"{len(world.jprs.issued)} certificates issued, not one")
    issued = world.jprs.issued[0]
    tell("issued", clock(issued.issued_at))
    good_at = world.ocsp.good_at(issued.serial)
    hold(good_at is not None, "the OCSP server was never asked, or never answered good")
    assert good_at is not None
    known_at = world.ocsp.known_at(issued.serial)
    queries = len(world.ocsp.asked(issued.serial))
    later = f"{good_at - issued.issued_at:.1f}"
    tell("OCSP good", put("{clock}, {later} s later", clock=clock(good_at), later=later))
    known = put(
        "(known to the server from {clock}, asked {queries} times)",
        clock=clock(known_at),
        queries=queries,
    )
    tell("", known)
    for name in NAMES:
        first = watcher.first(issued.serial, name)
        hold(first is not None, f"{name} does not serve the new certificate")
        assert first is not None
        after = f"{first - good_at:.1f}"
        said = put("{clock}, {after} s after that: ", clock=clock(first), after=after)
        tell("served", f"{said}https://{name}")
        hold(first >= good_at, f"{name} served the certificate before OCSP knew it")
        late = first - known_at
        hold(late <= INTERVAL + SLACK, f"{name} served it only {late:.1f} s after OCSP knew it")
    tell("", put("({visits} visits meanwhile saw nothing earlier)", visits=watcher.visits))
    return issued


def tell_rest(world: World, issued: Issued) -> None:
    """Tells what the certificate is and what will renew it."""
    hold(set(issued.names) == set(NAMES), f"the certificate is for {issued.names}")
    key = pki.key_type(issued.certificate)
    tell("key", key)
    hold(key.startswith("RSA"), f"the key is {key}")
    lineage = world.lineage(NAMES[0])
    hold(lineage.serial == issued.serial, "the lineage does not hold the certificate")
    for option in ("authenticator", "installer"):
        found = lineage.params.get(option)
        hold(found == PLUGIN, f"the renewal file says {option} = {found}")
    hold(lineage.params["server"] == world.jprs.url, "the renewal file names another server")
    tell("renewal", put("certbot renew, through {plugin}", plugin=PLUGIN))
    result = world.certbot("renew", "-n")
    hold(result.returncode == 0, f"certbot renew fails:\n{result.output}")
    hold(len(world.jprs.issued) == 1, "certbot renew renews what is not due")
    tell("", put("(run just now: not due)"))
    found_schedules = [path for path in SCHEDULES if Path(path).exists()]
    if found_schedules and shutil.which("certbot"):
        tell("scheduled by", put("{paths} on this machine", paths=" ".join(found_schedules)))
    else:
        tell("scheduled by", put("nothing on this machine: packages of Certbot bring a timer;"))
        tell("", put("with pip's Certbot, add to cron: 0 0,12 * * * root certbot -q renew"))


def main() -> int:
    """Shows the main job and returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--lag", type=float, default=20, help="seconds until OCSP knows")
    lag = parser.parse_args().lag
    try:
        with World() as world:
            world.vhost(*NAMES)
            world.ocsp.lag = lag
            with world.watch(*NAMES) as watcher:
                issue(world, lag)
                print("\n" + put("The story:"))
                issued = tell_times(world, watcher)
            tell_rest(world, issued)
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    except Promise as broken:
        print("\n" + put("NOT AS PROMISED: {broken}", broken=broken), file=sys.stderr)
        return 1
    print("\n" + put("All as promised. Nothing of it is left on this machine."))
    return 0


if __name__ == "__main__":
    sys.exit(main())
