"""Faults in a Certbot process of a world: killed at a certain point, or lacking something.

Nothing of this is in the plugin. A directory on ``PYTHONPATH`` holds a ``sitecustomize`` that
Python imports first; it changes one function of one module right after that is imported. Other
programs that inherit the environment, as hooks do, are not concerned.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests.lab.world import World

DIRECTORY = "/run/faults"
VARIABLE = "CERTBOT_JPRS_LAB_FAULTS"

CUSTOMIZE = """\
import importlib.machinery, json, os, signal, sys, types

faults = json.loads(os.environ.get("{variable}", "[]"))


def holder_of(module, target):
    *path, name = target.split(".")
    holder = module
    for step in path:
        inner = getattr(holder, step)
        if isinstance(inner, types.ModuleType) and not hasattr(inner, "__path__"):
            # Only as this module sees it: others call the same function too.
            copy = types.ModuleType(inner.__name__)
            copy.__dict__.update(inner.__dict__)
            setattr(holder, step, copy)
            inner = copy
        holder = inner
    return holder, name


def inject(module, target, do, call, when):
    holder, name = holder_of(module, target)
    if do == "lack":
        setattr(holder, name, getattr(holder, name) + ("what_no_certbot_has",))
        return
    if do.startswith("="):
        setattr(holder, name, json.loads(do[1:]))
        return
    original = getattr(holder, name)
    calls = [0]

    def faulty(*args, **kwargs):
        calls[0] += 1
        hit = calls[0] == call or not call
        if hit and when == "before":
            strike()
        result = original(*args, **kwargs)
        if hit and when == "after":
            strike()
        return result

    def strike():
        with open("{directory}/struck", "a") as file:
            file.write(module.__name__ + " " + target + "\\n")
        if do == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if do.startswith("SIG"):
            os.kill(os.getpid(), getattr(signal, do))
            return
        raise OSError(int(do), os.strerror(int(do)))

    setattr(holder, name, faulty)


class Finder:
    @staticmethod
    def find_spec(fullname, path=None, target=None):
        wanted = [fault for fault in faults if fault["module"] == fullname]
        if not wanted:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            for fault in wanted:
                inject(module, fault["target"], fault["do"], fault["call"], fault["when"])

        spec.loader.exec_module = exec_module
        return spec


if faults:
    sys.meta_path.insert(0, Finder)
"""


def fault(
    module: str, target: str, *, do: str = "kill", call: int = 1, when: str = "before"
) -> Mapping[str, object]:
    """Describes a fault.

    Args:
        module: the module in which the function is called, or that defines it.
        target: the function as that module sees it: ``os.replace``, ``Store.save``.
        do: ``kill``: SIGKILL; another signal's name, after which the function goes on; an
            ``errno`` to fail with; ``lack``: ``target`` is a tuple of names, to which one is
            added that does not exist; ``=60``: ``target`` is a number, and becomes that one.
        call: at which call of it, from 1; 0 means at every one.
        when: ``before`` or ``after`` the function does its work.
    """
    return {"module": module, "target": target, "do": do, "call": call, "when": when}


def environment(world: World, *faults: Mapping[str, object]) -> dict[str, str]:
    """Returns what to add to a Certbot's environment, so that it has these faults."""
    text = CUSTOMIZE.replace("{variable}", VARIABLE).replace("{directory}", DIRECTORY)
    world.write(f"{DIRECTORY}/sitecustomize.py", text)
    return {"PYTHONPATH": DIRECTORY, VARIABLE: json.dumps(faults)}


def patience(world: World) -> dict[str, str]:
    """Has what is ready together be released together, however slow the machine answers."""
    return environment(world, fault("certbot_jprs.wait.gate", "PATIENCE", do="=60"))


def struck(world: World) -> list[str]:
    """Returns which faults came about, one ``module function`` each."""
    return world.read(f"{DIRECTORY}/struck").splitlines()
