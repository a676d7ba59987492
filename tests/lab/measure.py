"""Measures what the plugin costs, and how soon after OCSP ``good`` a certificate is served.

``python -m tests.lab.measure`` prints a table; in the goals, 1.05 means five per cent. What is
compared runs in turns, so that a busy machine is busy for both, and of all runs the median counts.
Beside the time on the clock stands the processor's, which other work on the machine hardly changes.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.process import Result
from tests.lab.world import World

NAME = "www.example.jp"
LAG = 4.0
INTERVAL = 1

SERVED_RUNS = 5
RUN_RUNS = 5
VERSION_RUNS = 20
GOAL = 1.05


@dataclass
class Cost:
    """What the runs of a command took.

    Attributes:
        clock: seconds on the clock, of each run.
        processor: seconds of processor time of each run and what it started and waited for.
    """

    clock: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def add(self, run: Callable[[], Result]) -> None:
        """Runs and measures."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.clock.append(run().check().seconds)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
        self.processor.append(user + system)


def account(world: World) -> tuple[str, ...]:
    """Returns the options that a first run needs."""
    return (*world.eab(), "-m", "admin@example.jp", "--agree-tos")


def by_plugin(world: World, *options: str) -> Result:
    """Gets a first certificate with the one flag."""
    flag = ("run", "-n", "-a", "certbot-jprs:http")
    return world.certbot(*flag, "-d", NAME, *account(world), *options).check()


def by_hand(world: World) -> Result:
    """Gets one with the command of JPRS's manual."""
    to_jprs = ("--key-type", "rsa", "--server", world.jprs.url)
    return world.certbot("run", "-n", "--apache", "-d", NAME, *to_jprs, *account(world)).check()


def until_served(world: World) -> tuple[list[float], list[float]]:
    """Measures how long after OCSP ``good`` visitors get a first certificate.

    Returns:
        Seconds from when the responder knew each certificate, which include what is left of the
        pause between two queries; and from when it first said so.
    """
    since_known, since_said = [], []
    for _turn in range(SERVED_RUNS):
        world.reset()
        world.vhost(NAME)
        world.ocsp.lag = LAG
        with world.watch(NAME, pause=0.02) as watcher:
            by_plugin(world, "--jprs-ocsp-interval", str(INTERVAL))
        serial = world.jprs.issued[-1].serial
        served, good_at = watcher.first(serial), world.ocsp.good_at(serial)
        assert served is not None
        assert good_at is not None
        since_known.append(served - world.ocsp.known_at(serial))
        since_said.append(served - good_at)
    return since_known, since_said


def whole_runs(world: World) -> tuple[Cost, Cost]:
    """Measures ``certbot run`` with the plugin and without, where nothing is to be waited for."""
    plugin, hand = Cost(), Cost()
    for _turn in range(RUN_RUNS):
        for run, cost in ((by_plugin, plugin), (by_hand, hand)):
            world.reset()
            world.vhost(NAME)
            cost.add(lambda run=run: run(world))  # type: ignore[misc]
    return plugin, hand


def starts(world: World, directory: Path) -> tuple[Cost, Cost]:
    """Measures ``certbot --version`` with the plugin installed, not as in development, and without.

    Args:
        world: where Certbot runs.
        directory: an empty one, for two copies of this virtual environment.
    """
    installed, absent = Cost(), Cost()
    commands = []
    for cost in (installed, absent):
        copy = directory / ("with" if cost is installed else "without")
        copy_environment(copy, plugin=cost is installed)
        command = (str(copy / "bin/python"), str(copy / "bin/certbot"), "--version")
        world.run(*command).check()  # writes byte code
        commands.append((command, cost))
    for _turn in range(VERSION_RUNS):
        for command, cost in commands:
            cost.add(lambda command=command: world.run(*command))  # type: ignore[misc]
    return installed, absent


def copy_environment(target: Path, *, plugin: bool) -> None:
    """Copies this virtual environment, as links where that can be.

    Args:
        target: where to.
        plugin: whether with certbot-jprs, then as an ordinary installation; or without.
    """

    def link(source: str, copy: str) -> str:
        try:
            os.link(source, copy, follow_symlinks=False)
        except OSError:
            shutil.copy2(source, copy, follow_symlinks=False)
        return copy

    shutil.copytree(
        sys.prefix,
        target,
        symlinks=True,
        copy_function=link,
        ignore=shutil.ignore_patterns("__editable__*jprs*", "certbot_jprs*"),
    )
    if not plugin:
        return
    own = Path(__file__).resolve().parents[2] / "certbot_jprs"
    for packages in target.glob("lib/python*/site-packages"):
        shutil.copytree(own, packages / own.name)
        for metadata in Path(sys.prefix).glob(f"lib/*/{packages.name}/certbot_jprs*-info"):
            shutil.copytree(metadata, packages / metadata.name)


def row(what: str, seconds: Sequence[float]) -> str:
    """Formats some measurements."""
    low, high = min(seconds), max(seconds)
    return (
        f"{what:<58} {statistics.median(seconds):6.2f} s   "
        f"({low:.2f} to {high:.2f}, {len(seconds)} runs)"
    )


def compare(ours: tuple[str, Cost], theirs: tuple[str, Cost], goal: float) -> str:
    """Formats a comparison of medians."""
    lines = []
    for what, cost in (ours, theirs):
        lines.append(row(what, cost.clock))
        lines.append(row("  of the processor's time", cost.processor))
    for what, own, other in (
        ("  ratio", ours[1].clock, theirs[1].clock),
        ("  of the processor's time", ours[1].processor, theirs[1].processor),
    ):
        found = statistics.median(own) / statistics.median(other)
        lines.append(f"{what:<58} {found:6.3f}     (goal {goal})")
    return "\n".join(lines)


def main() -> None:
    """Measures everything and prints it."""
    with World() as world, tempfile.TemporaryDirectory(dir=Path(sys.prefix).parent) as directory:
        since_known, since_said = until_served(world)
        print(row("from OCSP good (first said) to served", since_said))
        print(row(f"from OCSP good (known; asked every {INTERVAL} s) to served", since_known))
        plugin, hand = whole_runs(world)
        print(
            compare(
                ("certbot run -a certbot-jprs:http, no lag", plugin),
                ("certbot run --apache --server JPRS, no lag", hand),
                GOAL,
            )
        )
        installed, absent = starts(world, Path(directory))
        print(
            compare(
                ("certbot --version, plugin installed", installed),
                ("certbot --version, without", absent),
                GOAL,
            )
        )


if __name__ == "__main__":
    main()
