"""Measures in the lab, and draws the pictures in ``docs/pictures`` from it."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version

from tests.lab import Missing, World
from tests.pictures import drawings, recording, renewal, twenty
from tests.pictures.svg import PICTURES
from tests.pictures.words import LANGUAGES

Measure = Callable[[], Mapping[str, object]]
Draw = Callable[[drawings.Measured], None]


def measured_renewal() -> Mapping[str, object]:
    """Measures one renewal."""
    with World() as world:
        return renewal.measure(world)


PARTS: Mapping[str, tuple[Measure, Draw]] = {
    "renewal": (measured_renewal, drawings.renewal),
    "twenty": (twenty.measure, drawings.twenty),
}


def picture(name: str, *, only_draw: bool) -> None:
    """Makes one picture in all languages."""
    measure, draw = PARTS[name]
    path = PICTURES / f"{name}.json"
    if not only_draw:
        today = dt.datetime.now(dt.timezone.utc).date()
        found = {"measured": f"{today}", "certbot": version("certbot"), **measure()}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    draw(json.loads(path.read_text(encoding="utf-8")))


def demo(*, only_draw: bool) -> None:
    """Records the demonstration in all languages."""
    for language, words in LANGUAGES.items():
        cast = PICTURES / f"demo.{language}.cast"
        if not only_draw:
            recording.save_cast(recording.record(language), cast)
        svg = recording.animated(recording.load_cast(cast), words["demo"])
        (PICTURES / f"demo.{language}.svg").write_text(svg, encoding="utf-8")


def main() -> int:
    """Makes the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draw", action="store_true", help="draw only, from what was measured")
    parser.add_argument("--only", choices=[*PARTS, "demo"])
    arguments = parser.parse_args()
    try:
        for name in [*PARTS, "demo"]:
            if arguments.only not in (None, name):
                continue
            print(name, flush=True)
            if name == "demo":
                demo(only_draw=arguments.draw)
            else:
                picture(name, only_draw=arguments.draw)
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
