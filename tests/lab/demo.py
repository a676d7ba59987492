"""The main job, shown: one command, a certificate, and when what happened.

``make demo`` runs it. It ends with exit status 1 if anything is not as the plugin promises.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.lab import Missing, World, pki
from tests.lab.acme import Issued
from tests.lab.client import Watcher

PLUGIN = "certbot-jprs:http"
NAMES = ("www.example.jp", "example.jp")
INTERVAL = 10  # the plugin's default pause between two OCSP queries
SLACK = 3  # seconds from the answer to Apache's having reloaded
SCHEDULES = ("/lib/systemd/system/certbot.timer", "/etc/cron.d/certbot")


class Promise(Exception):
    """Something is not as promised; the message says what."""


def hold(condition: bool, otherwise: str) -> None:
    """Raises Promise with these words unless the condition holds."""
    if not condition:
        raise Promise(otherwise)


def clock(at: float) -> str:
    """Returns a time of day."""
    return time.strftime("%H:%M:%S", time.localtime(at)) + f".{int(at * 10) % 10}"


def tell(what: str, words: str) -> None:
    """Prints a line of the story."""
    print(f"  {what:<14}{words}", flush=True)


def issue(world: World, lag: float) -> None:
    """Runs the command that the README gives, its output going where ours goes."""
    args = ["run", "-a", PLUGIN]
    for name in NAMES:
        args += ["-d", name]
    args += [*world.eab(), "-m", "admin@example.jp", "--agree-tos", "-n"]
    print(
        f"A private world: Apache serves {' and '.join(NAMES)} on port 80, a stand-in for JPRS\n"
        f"issues certificates, and its OCSP server knows each of them only after {lag:g} seconds.\n"
        f"\n$ certbot {shlex.join(args)}",
        flush=True,
    )
    command = world.namespace.command([world.certbot_command(), *args])
    terminal = {"TERM": "xterm"} if sys.stdout.isatty() else {}
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
    tell("OCSP good", f"{clock(good_at)}, {good_at - issued.issued_at:.1f} s later")
    tell("", f"(known to the server from {clock(known_at)}, asked {queries} times)")
    for name in NAMES:
        first = watcher.first(issued.serial, name)
        hold(first is not None, f"{name} does not serve the new certificate")
        assert first is not None
        tell("served", f"{clock(first)}, {first - good_at:.1f} s after that: https://{name}")
        hold(first >= good_at, f"{name} served the certificate before OCSP knew it")
        late = first - known_at
        hold(late <= INTERVAL + SLACK, f"{name} served it only {late:.1f} s after OCSP knew it")
    tell("", f"({watcher.visits} visits meanwhile saw nothing earlier)")
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
    tell("renewal", f"certbot renew, through {PLUGIN} (authenticator and installer)")
    result = world.certbot("renew", "-n")
    hold(result.returncode == 0, f"certbot renew fails:\n{result.output}")
    hold(len(world.jprs.issued) == 1, "certbot renew renews what is not due")
    tell("", "(run just now: not due)")
    found_schedules = [path for path in SCHEDULES if Path(path).exists()]
    if found_schedules and shutil.which("certbot"):
        tell("scheduled by", f"{' and '.join(found_schedules)} on this machine")
    else:
        tell("scheduled by", "nothing on this machine. Distributions' packages of Certbot bring")
        tell("", "certbot.timer; with pip's, add to cron: 0 0,12 * * * root certbot -q renew")


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
                print("\nThe story:")
                issued = tell_times(world, watcher)
            tell_rest(world, issued)
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    except Promise as broken:
        print(f"\nNOT AS PROMISED: {broken}", file=sys.stderr)
        return 1
    print("\nAll as promised. Nothing of it is left on this machine.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
