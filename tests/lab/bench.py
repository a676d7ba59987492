"""What renewing a fleet costs: waiting, and looking at what is not due.

``make bench`` runs it. Waiting is what a run lasts longer because of it: with JPRS's manual, the
sleeps; one by one, the time from each certificate's issuance to its ``good``; with the plugin, the
time from the last issuance to the last ``good``. The lab's responder knows a certificate after a
few seconds instead of JPRS's ten minutes; issuing is by dns-01, which takes less time.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Mapping, Sequence

from tests.lab import Missing, World, faults, fleet
from tests.lab.process import Result

RENEW = ("renew", "--no-random-sleep-on-renew")
FORCE = (*RENEW, "--force-renewal")
MANUAL_SLEEP = 600  # seconds: `sleep 10m` in JPRS's manual
SHORT_SLEEP = 3  # seconds: the same, measured
APACHE = {"authenticator": "apache", "installer": "apache"}
LACKING = faults.fault("certbot_jprs.internals.interception", "_HOOKS", do="lack")


def names(count: int) -> list[str]:
    """Returns the names of a fleet."""
    return [f"n{number:03}.example.jp" for number in range(count)]


def dns01(world: World) -> Mapping[str, str]:
    """Returns what a renewal file says of dns-01."""
    return {
        "authenticator": "manual",
        "pref_challs": "dns-01,",
        # Certbot leaves the output of one lineage's hook to the next one's, in the environment.
        "manual_auth_hook": f"env -u CERTBOT_AUTH_OUTPUT {world.dns_hook}",
        "manual_cleanup_hook": world.dns_hook,
    }


def renewed(world: World, count: int, env: Mapping[str, str] | None = None) -> Result:
    """Renews a fleet, and checks that all of it is."""
    before = len(world.jprs.issued)
    result = world.certbot(*FORCE, env=env, timeout=1200).check()
    assert len(world.jprs.issued) == before + count, f"{result}"
    return result


def waited(world: World, count: int, *, one_by_one: bool) -> float:
    """Returns how long the last run waited."""
    times = []
    for issued in world.jprs.issued[-count:]:
        good_at = world.ocsp.good_at(issued.serial)
        assert good_at is not None, issued.names
        times.append((issued.issued_at, good_at))
    if one_by_one:
        return sum(good_at - issued_at for issued_at, good_at in times)
    return max(good_at for _at, good_at in times) - max(issued_at for issued_at, _at in times)


def fleet_of(world: World, count: int, **params: str | None) -> None:
    """Makes a fleet in a fresh world."""
    world.reset()
    fleet.found(world, names(count), **{**dns01(world), **params})


def waiting(world: World, counts: Sequence[int], lag: float) -> None:
    """Prints the table of waiting times."""
    print(f"Waiting in all, for N lineages renewed in one run; the responder's lag is {lag:g} s:\n")
    print("    N   manual, sleep 10m   one by one       this plugin      (whole run)")
    for count in counts:
        took = []
        for env in (True, False):
            fleet_of(world, count)
            world.ocsp.lag = lag
            result = renewed(world, count, faults.environment(world, LACKING) if env else None)
            took.append((waited(world, count, one_by_one=env), result.seconds))
        (single, _whole), (together, whole) = took
        print(
            f"  {count:3}   {count * MANUAL_SLEEP:8} s         {single:6.1f} s         "
            f"{together:6.1f} s         ({whole:.1f} s)",
            flush=True,
        )
    count = counts[min(1, len(counts) - 1)]
    hook = f"sleep {SHORT_SLEEP}; date +%s.%N >> /run/tmp/slept"
    fleet_of(world, count, installer="apache", renew_hook=repr(hook))
    renewed(world, count)
    ends = [float(line) for line in world.read("/run/tmp/slept").split()]
    began = [issued.issued_at for issued in world.jprs.issued[-count:]]
    slept = sum(end - start for start, end in zip(began, ends))
    print(
        f"\nThe manual's hook, measured with `sleep {SHORT_SLEEP}`: N = {count} waits "
        f"{slept:.1f} s, {slept / count:.1f} s each.\n",
        flush=True,
    )


def cpu_seconds() -> float:
    """Returns what the commands took so far; clocks on walls tell what else the machine does."""
    times = os.times()
    return times.children_user + times.children_system


def not_due(world: World, count: int, runs: int) -> None:
    """Prints what a renewal costs that finds nothing due."""
    world.reset()
    fleet.kept(world, names(count))
    ours = [world.lineage(name) for name in names(count)]
    mine = {lineage.name: lineage.renewal.read_text() for lineage in ours}
    theirs = {name: text.replace(fleet.PLUGIN, "apache") for name, text in mine.items()}
    times: dict[str, list[float]] = {"apache": [], "certbot-jprs": []}
    for turn in range(runs + 1):
        for which, texts in (("apache", theirs), ("certbot-jprs", mine)):
            for lineage in ours:
                lineage.renewal.write_text(texts[lineage.name])
            began = cpu_seconds()
            world.certbot(*RENEW, timeout=600).check()
            if turn:  # the first one warms up
                times[which].append(cpu_seconds() - began)
    medians = {which: statistics.median(each) for which, each in times.items()}
    ratio = medians["certbot-jprs"] / medians["apache"]
    print(
        f"`certbot renew` over {count} lineages that are not due, median of {runs} runs each, "
        "in seconds of CPU:\n"
    )
    for which, median in medians.items():
        spread = f"{min(times[which]):.2f} to {max(times[which]):.2f}"
        print(f"    {which:13} {median:6.2f} s   ({spread} s)")
    print(f"    ratio         {ratio:6.3f}", flush=True)


def main() -> int:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lineages", type=int, nargs="+", default=[1, 5, 20])
    parser.add_argument("--lag", type=float, default=6)
    parser.add_argument("--not-due", type=int, default=200)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", choices=["waiting", "not-due"])
    arguments = parser.parse_args()
    try:
        world = World()
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    with world:
        if arguments.only != "not-due":
            waiting(world, arguments.lineages, arguments.lag)
        if arguments.only != "waiting":
            not_due(world, arguments.not_due, arguments.runs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
