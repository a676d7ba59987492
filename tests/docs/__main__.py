"""Prints what the commands of documents say, in the form in which it stands in them."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.docs.exceptions import excepted
from tests.docs.markdown import Command, is_japanese, read
from tests.docs.scene import Scene
from tests.lab import World


def show(world: World, path: Path) -> None:
    """Runs the commands of a document, and prints each with its output and exit status."""
    world.reset()
    scene = Scene(world, japanese=is_japanese(path))
    for step in read(path.read_text(encoding="utf-8")).steps:
        if not isinstance(step, Command):
            scene.set(step)
            continue
        print(f"# {step.text}")
        if excepted(step.text) is None:
            done = scene.run(step)
            print(done.stdout, end="")
            print(f"(exit status {done.returncode}, {done.seconds:.1f} s)", flush=True)


if __name__ == "__main__":
    with World() as made:
        for argument in sys.argv[1:]:
            show(made, Path(argument).resolve())
