"""Twenty certificates renewed in one run: sleeping, waited for one by one, and side by side.

The lab's clock runs faster: each of its seconds stands for twenty. Issuing takes in the lab what it
takes, about two seconds each, so that it looks twenty times as long. The three runs take place at
the same time, each in a world of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from tests.lab import World, faults
from tests.lab.bench import LACKING, fleet_of, renewed
from tests.lab.process import Result

COUNT = 20
SCALE = 20
SLEEP = 600 / SCALE
LAG = 460 / SCALE
HOOK = f"sleep {SLEEP:g}; date +%s.%N >> /run/tmp/slept"


def spans(world: World, result: Result, ends: Sequence[float]) -> Mapping[str, object]:
    """Returns for each certificate when it was issued and when its wait ended."""
    issued = world.jprs.issued[-COUNT:]
    began = min(each.issued_at for each in issued)
    waits = [
        [round(each.issued_at - began, 2), round(end - began, 2)] for each, end in zip(issued, ends)
    ]
    return {"waits": waits, "end": round(result.ended - began, 2)}


def sleeping(world: World) -> Mapping[str, object]:
    """Renews with the manual's hook."""
    fleet_of(world, COUNT, installer="apache", renew_hook=repr(HOOK))
    result = renewed(world, COUNT)
    return spans(world, result, [float(line) for line in world.read("/run/tmp/slept").split()])


def _good(world: World) -> list[float]:
    found = [world.ocsp.good_at(issued.serial) for issued in world.jprs.issued[-COUNT:]]
    assert None not in found, found
    return [each for each in found if each is not None]


def one_by_one(world: World) -> Mapping[str, object]:
    """Renews so that each is waited for before the next: as it is where nothing can be held."""
    fleet_of(world, COUNT)
    world.ocsp.lag = LAG
    result = renewed(world, COUNT, faults.environment(world, LACKING))
    return spans(world, result, _good(world))


def side_by_side(world: World) -> Mapping[str, object]:
    """Renews as the plugin does."""
    fleet_of(world, COUNT)
    world.ocsp.lag = LAG
    return spans(world, renewed(world, COUNT), _good(world))


def measure() -> Mapping[str, object]:
    """Measures the three ways, at the same time."""
    ways: Mapping[str, Callable[[World], Mapping[str, object]]] = {
        "sleeping": sleeping,
        "one by one": one_by_one,
        "side by side": side_by_side,
    }
    found: dict[str, object] = {"count": COUNT, "scale": SCALE, "sleep": SLEEP, "lag": LAG}

    def take(way: str) -> None:
        with World() as world:
            found[way] = ways[way](world)

    threads = [threading.Thread(target=take, args=(way,)) for way in ways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(ways) <= set(found), "one of the runs failed"
    return found
