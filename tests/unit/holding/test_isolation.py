"""Whatever goes wrong at whatever step of one lineage, the others come into service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from certbot import errors
from certbot.display import util
from cryptography import x509

from certbot_jprs.ground import display_util
from certbot_jprs.holding import release, steps
from certbot_jprs.holding.jobs import Job
from certbot_jprs.holding.records import Record, Step
from certbot_jprs.lineage import archive, soundness
from certbot_jprs.machine import served
from certbot_jprs.ocsp import certificates
from certbot_jprs.ocsp.evaluation import Status
from certbot_jprs.wait import verdict
from tests.unit.config_dir import ConfigDir
from tests.unit.holding.test_release import A, B, Bench, C

NOTIFY = display_util.notify  # before a bench takes its place

ERRORS: list[Exception] = [
    RuntimeError("bad"),
    x509.InvalidVersion("bad", 9),
    UnicodeError("bad"),
    errors.PluginError("bad"),
    OSError(5, "bad"),
    KeyError("bad"),
    RecursionError("bad"),
    AssertionError("bad"),
]


@pytest.fixture
def bench(config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(config_dir, monkeypatch)


Break = Callable[[pytest.MonkeyPatch, Job, Callable[..., NoReturn]], None]


def of_function(module: Any, name: str, about: Callable[..., str]) -> Break:
    """Makes a function fail for one lineage."""

    def spoil(patch: pytest.MonkeyPatch, job: Job, fail: Callable[..., NoReturn]) -> None:
        original = getattr(module, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            return fail() if about(*args) == job.name else original(*args, **kwargs)

        patch.setattr(module, name, call)

    return spoil


def hooks(_patch: pytest.MonkeyPatch, job: Job, fail: Callable[..., NoReturn]) -> None:
    job.run_hooks = fail


def apache(_patch: pytest.MonkeyPatch, job: Job, fail: Callable[..., NoReturn]) -> None:
    job.workers.prepared = fail  # type: ignore[method-assign]
    job.config.namespace.apache_ctl = "a server of its own"


def of_lineage(lineage: Any, *_rest: object) -> str:
    return str(lineage.name)


STEPS: dict[str, Break] = {
    "sync": of_function(soundness, "sync", of_lineage),
    "check": of_function(soundness, "check", of_lineage),
    "find the files": of_function(archive, "files", of_lineage),
    "read what is awaited": of_function(certificates, "awaited", lambda name, *_rest: str(name)),
    "read what is in service": of_function(release, "_protected", lambda job, _v: str(job.name)),
    "judge": of_function(verdict, "judge", lambda name, *_rest: str(name)),
    "link": of_function(archive, "link_to", of_lineage),
    "hooks": hooks,
    "install": of_function(steps, "install", lambda record, *_rest: str(record.name)),
    "look": of_function(served, "versions", of_lineage),
    "apache": apache,
}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("step", STEPS)
def test_the_others_come_into_service(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, step: str, error: Exception
) -> None:
    def fail(*_args: object, **_kwargs: object) -> NoReturn:
        raise error

    job = bench.add(A, record=Record(A, in_service=1, held=2, reload=True, install=[A]))
    bench.add(B)
    bench.add(C, Status.UNKNOWN, Status.GOOD, record=Record(C, in_service=1, held=2))
    STEPS[step](monkeypatch, job, fail)
    bench.run()
    assert (bench.version(B), bench.version(C)) == (2, 2)
    assert {f"hooks {B} 2", f"hooks {C} 2", "reload"} <= set(bench.steps)
    assert bench.record(B) is bench.record(C) is None
    tolerated = step == "read what is in service" and isinstance(error, (OSError, ValueError))
    assert list(bench.failures) == ([] if tolerated else [A])
    if not tolerated:
        assert A in bench.said
        assert "bad" in bench.failures[A]
        assert bench.record(A) is not None


@pytest.mark.parametrize("step", STEPS)
def test_a_signal_is_nobodys_failure(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def interrupt(*_args: object, **_kwargs: object) -> NoReturn:
        raise KeyboardInterrupt

    job = bench.add(A, record=Record(A, in_service=1, held=2, reload=True, install=[A]))
    STEPS[step](monkeypatch, job, interrupt)
    with pytest.raises(KeyboardInterrupt):
        bench.run()


def test_one_without_a_web_server_goes_first(bench: Bench) -> None:
    first = bench.add(A, record=Record(A, held=2, reload=True, install=[A]))
    first.earlier = True
    bench.add(B, record=Record(B, in_service=1, held=2))

    def unusable(_server: object) -> NoReturn:
        raise errors.NoInstallationError("Cannot find Apache executable apache2ctl")

    first.workers.prepared = unusable  # type: ignore[method-assign, assignment]
    assert bench.run() == [f"hooks {B} 2", f"hooks {A} 2"]
    assert list(bench.failures) == [A]
    assert bench.record(B) is None


def test_decided_ones_do_not_hide_held_ones(bench: Bench) -> None:
    bench.add(A, record=Record(A, Step.RELEASED, 1, 2, reload=True))
    bench.add(B)
    bench.run()
    assert (bench.version(A), bench.version(B)) == (2, 2)


def test_one_installation_alone_that_fails(bench: Bench) -> None:
    bench.add(A, record=Record(A, held=2, reload=True, install=[A]))
    bench.apache.broken = {"deploy": "no"}
    bench.run()
    assert list(bench.failures) == [A]


def test_a_failure_is_forgotten_when_released(bench: Bench) -> None:
    record = Record(A, in_service=1, held=2, reload=True, failure="old")
    bench.add(A, record=record).reload_here = False
    bench.run()
    kept = bench.record(A)
    assert kept is not None
    assert kept["failure"] == ""


@pytest.mark.parametrize("words", [BrokenPipeError(), ValueError("I/O operation on closed file.")])
def test_a_standard_output_that_is_closed_stops_no_release(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, words: Exception
) -> None:
    def gone(_text: str) -> NoReturn:
        raise words

    bench.add(A, Status.UNKNOWN, Status.GOOD)
    monkeypatch.setattr(display_util, "notify", NOTIFY)
    monkeypatch.setattr(util, "notify", gone)
    assert bench.run() == [f"hooks {A} 2", "reload"]
    assert bench.version(A) == 2
    assert bench.failures == {}
