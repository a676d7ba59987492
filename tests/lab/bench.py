"""What renewing a fleet costs: beside Certbot's own Apache plugin, waiting, and what is not due.

``make bench`` runs it. Both plugins renew the same fleet by turns, so that a busy machine is busy
for both; of several runs the medians count. Waiting is what a run lasts longer because of it: with
JPRS's manual, the sleeps; one by one, the time from each certificate's issuance to its ``good``;
with the plugin, the time from the last issuance to the last ``good``. The lab's responder knows a
certificate after a few seconds instead of JPRS's ten minutes; the tables of waiting are issued by
dns-01, which takes less time.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass

from tests.lab import Missing, World, faults, fleet
from tests.lab.process import Result

RENEW = ("renew", "--no-random-sleep-on-renew")
FORCE = (*RENEW, "--force-renewal")
MANUAL_SLEEP = 600  # seconds: `sleep 10m` in JPRS's manual
SHORT_SLEEP = 3  # seconds: the same, measured
PARTS = ("side-by-side", "asked", "waiting", "not-due")
LARGE = 50
"""From how many lineages on one run of each has to be enough."""
METER = """
import os, sys
pid = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_pid, status, usage = os.wait4(pid, 0)
print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss, flush=True)
sys.exit(os.waitstatus_to_exitcode(status))
"""
APACHE = {"authenticator": "apache", "installer": "apache"}
TABLES = (
    (
        "`certbot renew --force-renewal`, `--apache` → this plugin (ratio); no lag:",
        "| N | time | processor | reloads of Apache | memory at its peak |",
    ),
    (
        "`certbot renew --force-renewal`、`--apache` → 本プラグイン (比)、OCSPの遅れなし",
        "| N | 所要時間 | CPU時間 | Apacheの再読み込み | 最大メモリ |",
    ),
)
"""Title and head in English and Japanese; the rows are numbers."""
LACKING = faults.fault("certbot_jprs.internals.interception", "_HOOKS", do="lack")


def tell(what: str) -> None:
    """Says, beside the tables, how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


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


@dataclass(frozen=True)
class Cost:
    """What a run of Certbot cost.

    Attributes:
        clock: seconds on the clock.
        processor: seconds of processor time, of it and of what it started.
        reloads: of Apache.
        memory: at its peak, in MiB.
    """

    clock: float
    processor: float
    reloads: int
    memory: float


def measured(world: World, count: int) -> Cost:
    """Renews a fleet and measures that."""
    issued, reloads = len(world.jprs.issued), world.apache.reloads()
    command = (sys.executable, "-c", METER, world.certbot_command(), *FORCE)
    result = world.run(*command, timeout=3600).check()
    assert len(world.jprs.issued) == issued + count, f"{result}"
    seconds, kibibytes = result.stdout.split()[-2:]
    return Cost(
        result.seconds, float(seconds), world.apache.reloads() - reloads, int(kibibytes) / 1024
    )


def median(costs: Sequence[Cost]) -> Cost:
    """Returns the medians of several runs."""
    return Cost(*(statistics.median(each) for each in zip(*map(astuple, costs))))


def side_by_side(world: World, counts: Sequence[int], runs: int) -> None:
    """Prints what renewing costs with Certbot's own Apache plugin and with this one.

    Args:
        world: where.
        counts: sizes of fleets.
        runs: how many runs of each, for fleets that are not large.
    """
    rows = []
    for count in counts:
        world.reset()
        fleet.found(world, names(count), certbot_jprs__ocsp_interval=None)
        lineages = [world.lineage(name) for name in names(count)]
        costs: dict[str, list[Cost]] = {"apache": [], fleet.PLUGIN: []}
        for _turn in range(runs if count < LARGE else 1):
            for which, each in costs.items():
                tell(f"side by side, N = {count}: {which}, run {len(each) + 1}")
                for lineage in lineages:
                    lineage.set("authenticator", which)
                    lineage.set("installer", which)
                each.append(measured(world, count))
        own, ours = (median(each) for each in costs.values())
        rows.append(
            f"| {count} | {own.clock:.1f} s → {ours.clock:.1f} s ({ours.clock / own.clock:.2f}) "
            f"| {own.processor:.2f} s → {ours.processor:.2f} s "
            f"({ours.processor / own.processor:.2f}) | {own.reloads:.0f} → {ours.reloads:.0f} "
            f"| {own.memory:.1f} MiB → {ours.memory:.1f} MiB |"
        )
        tell(rows[-1])
    for title, head in TABLES:
        print(
            "\n".join([title, "", head, "| --- | --- | --- | --- | --- |", *rows, ""]), flush=True
        )


def asked(world: World, count: int, lag: float) -> None:
    """Prints what a large fleet costs while the responder lags behind."""
    world.reset()
    fleet.found(world, names(count), certbot_jprs__ocsp_interval=None)
    world.ocsp.lag = lag
    result = renewed(world, count)
    good = [world.ocsp.good_at(issued.serial) or 0 for issued in world.jprs.issued[-count:]]
    early = sum(query.time < min(good) for query in world.ocsp.queries)
    print(
        f"\nN = {count}, the responder's lag {lag:g} s: {result.seconds:.1f} s in all, "
        f"{len(world.ocsp.queries)} queries, {early} of them before the first `good`.\n",
        flush=True,
    )


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
    parser.add_argument("--lineages", type=int, nargs="+", default=[1, 5, 20, 60])
    parser.add_argument("--lag", type=float, default=6)
    parser.add_argument("--long-lag", type=float, default=20)
    parser.add_argument("--not-due", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=PARTS)
    arguments = parser.parse_args()
    try:
        world = World()
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    with world:
        small = [count for count in arguments.lineages if count < LARGE]
        parts: Mapping[str, Callable[[], None]] = {
            "side-by-side": lambda: side_by_side(world, arguments.lineages, arguments.runs),
            "asked": lambda: asked(world, max(arguments.lineages), arguments.long_lag),
            "waiting": lambda: waiting(world, small, arguments.lag),
            "not-due": lambda: not_due(world, arguments.not_due, arguments.runs),
        }
        for part, run in parts.items():
            if arguments.only in (None, part):
                tell(part)
                run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
