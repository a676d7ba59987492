"""One renewal on one time axis: with the hook of JPRS's manual, and with the plugin.

Three runs: the manual's; the same, and somebody reloads Apache meanwhile, as the rotation of logs
does; the plugin's, and somebody reloads as well. The lab's clock runs faster: each of its seconds
stands for ten.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence

from tests.lab import World
from tests.lab.measure import NAME, by_hand, by_plugin

SCALE = 10
SLEEP = 600 / SCALE  # `sleep 10m`
LAG = 460 / SCALE  # the OCSP server knows it after 7 min 40 s: "about 10 minutes" at most
MEANWHILE = 200 / SCALE  # when somebody reloads
AFTER = 60 / SCALE  # how much longer the site is watched
RENEW = ("renew", "--force-renewal", "--no-random-sleep-on-renew")
MARK = "date +%s.%N >> /run/tmp/hook"
SLEEPING = f"{MARK}; sleep {SLEEP:g}; apachectl graceful; {MARK}"
STAMP = re.compile(r"^\[\w+ (\w+ \d+ [\d:]+)\.(\d+) (\d+)\].* AH00493", re.MULTILINE)


def reloaded(world: World) -> list[float]:
    """Returns when Apache was reloaded, by its own log."""
    found = []
    for day, fraction, year in STAMP.findall(world.apache.log()):
        seconds = time.mktime(time.strptime(f"{day} {year}", "%b %d %H:%M:%S %Y"))
        found.append(seconds + float(f"0.{fraction}"))
    return found


def run(world: World, *, plugin: bool, meanwhile: bool) -> Mapping[str, object]:
    """Renews, and returns what happened when, in the lab's seconds since the issuance.

    Args:
        world: where.
        plugin: by the plugin, or with the manual's hook.
        meanwhile: whether somebody reloads Apache.
    """
    world.reset()
    world.vhost(NAME)
    by_plugin(world, "--jprs-ocsp-interval", "1") if plugin else by_hand(world)
    world.ocsp.behave("good", serial=world.jprs.issued[-1].serial)
    world.ocsp.lag = LAG
    hook = MARK if plugin else SLEEPING
    with world.watch(NAME) as watcher:
        renewal = world.spawn_certbot(*RENEW, "--deploy-hook", hook)
        while len(world.jprs.issued) < 2:
            assert renewal.process.poll() is None, renewal.output
            time.sleep(0.05)
        issued = world.jprs.issued[-1]
        if meanwhile:
            time.sleep(issued.issued_at + MEANWHILE - time.time())
            world.apache.graceful()
        renewal.wait().check()
        time.sleep(max(0, issued.issued_at + SLEEP + AFTER - time.time()))
        served = watcher.first(issued.serial)
    assert served is not None, watcher.changes
    hooks = [float(line) for line in world.read("/run/tmp/hook").split()]

    def since(times: Sequence[float]) -> list[float]:
        return [round(each - issued.issued_at, 2) for each in times]

    return {
        "known": LAG,
        "asked": since([query.time for query in world.ocsp.asked(issued.serial)]),
        "hook": since(hooks),
        "reloads": since(reloaded(world)),
        "served": since([served])[0],
    }


def measure(world: World) -> Mapping[str, object]:
    """Measures the three runs."""
    return {
        "scale": SCALE,
        "sleep": SLEEP,
        "meanwhile": MEANWHILE,
        "manual": run(world, plugin=False, meanwhile=False),
        "manual, reloaded": run(world, plugin=False, meanwhile=True),
        "plugin, reloaded": run(world, plugin=True, meanwhile=True),
    }
