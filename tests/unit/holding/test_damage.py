"""Damaged versions on their way into service, each found before the links move."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from certbot_jprs.holding import release
from certbot_jprs.holding.records import Record, Step
from certbot_jprs.lineage import archive, soundness
from certbot_jprs.lineage.files import KINDS, Lineage
from certbot_jprs.ocsp.evaluation import Status
from tests.unit.config_dir import ConfigDir
from tests.unit.holding.test_release import A, B, Bench


@pytest.fixture
def bench(config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(config_dir, monkeypatch)


def spoil(bench: Bench, kind: str, number: int = 2) -> None:
    bench.config_dir.archive(A, kind, number).write_bytes(b"")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", [Step.HELD, Step.RELEASED])
def test_a_damaged_version_is_set_aside_and_spoils_no_other(
    bench: Bench, kind: str, step: Step
) -> None:
    bench.add(A, record=Record(A, step, in_service=1, held=2, reload=True))
    bench.add(B)
    spoil(bench, kind)
    assert bench.run() == [f"hooks {B} 2", "reload"]
    assert f"asked {A} new" not in bench.steps
    assert list(bench.failures) == [A]
    assert archive.versions(bench.jobs[0].lineage) == [1]
    assert Path(f"{bench.config_dir.archive(A, kind, 2)}.damaged").read_bytes() == b""
    assert bench.version(A) == 1
    assert bench.said.count("is damaged and was set aside") == 1
    kept = bench.record(A)
    assert kept is not None
    assert (kept["step"], kept["in_service"], kept["held"]) == ("held", 1, None)


def test_one_whose_links_are_forward_goes_back(bench: Bench) -> None:
    bench.add(A, record=Record(A, Step.HOOKED, in_service=1, held=2, reload=True))
    bench.config_dir.link(A, 2)
    spoil(bench, "privkey")
    assert bench.run() == []
    assert bench.version(A) == 1


def test_an_older_one_that_waits_too_is_kept_for_the_next_run(bench: Bench) -> None:
    job = bench.add(A)
    for kind in KINDS:
        there = bench.config_dir.archive(A, kind, 2)
        bench.config_dir.archive(A, kind, 3).write_bytes(there.read_bytes())
    job.record.held = 3
    spoil(bench, "cert", 3)
    assert bench.run() == []
    assert archive.versions(job.lineage) == [1, 2]
    assert bench.version(A) == 1
    assert bench.record(A) is not None


@pytest.mark.parametrize("kind", KINDS)
def test_the_only_version_stays_and_is_not_installed(bench: Bench, kind: str) -> None:
    job = bench.add(A, record=Record(A, held=1, reload=True, install=[A]))
    for each in KINDS:
        bench.config_dir.archive(A, each, 2).unlink()
    spoil(bench, kind, 1)
    for _run in range(2):
        assert bench.run() == []
        assert archive.versions(job.lineage) == [1]
        kept = bench.record(A)
        assert kept is not None
        assert (kept["held"], kept["install"]) == (1, [A])
        assert "--force-renewal" in bench.failures[A]
    # What Certbot cannot read it cannot renew.
    assert ("certbot delete" in bench.failures[A]) is (kind == "cert")


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES])
def test_what_cannot_be_read_stays_held(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    bench.add(A)
    bench.add(B)
    check = soundness.check

    def refuse(lineage: Lineage, version: int) -> None:
        if lineage.name == A:
            raise OSError(number, os.strerror(number))
        check(lineage, version)

    monkeypatch.setattr(soundness, "check", refuse)
    assert bench.run() == [f"hooks {B} 2", "reload"]
    assert archive.versions(bench.jobs[0].lineage) == [1, 2]
    assert os.strerror(number) in bench.failures[A]
    kept = bench.record(A)
    assert kept is not None
    assert (kept["step"], kept["held"]) == ("held", 2)


def test_what_cannot_be_synced_stays_held(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.add(A)

    def fail(*_args: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(soundness, "sync", fail)
    assert bench.run() == []
    assert (bench.version(A), list(bench.failures)) == (1, [A])


def test_damage_while_it_waited_is_found_before_the_links_move(bench: Bench) -> None:
    bench.add(A, Status.UNKNOWN, Status.GOOD)
    bench.add(B)
    bench.on_ask = lambda: spoil(bench, "fullchain")
    assert bench.run() == [f"hooks {B} 2", "reload"]
    assert bench.version(A) == 1
    assert "fullchain2.pem" in bench.failures[A]
    bench.on_ask = lambda: None
    bench.jobs = bench.jobs[:1]
    bench.steps.clear()
    assert bench.run() == []  # the next run sets it aside
    assert archive.versions(bench.jobs[0].lineage) == [1]


def test_the_issuer_is_found_in_the_full_chain_too(bench: Bench) -> None:
    job = bench.add(A)
    path = bench.config_dir.archive(A, "chain", 1)  # the one in service is as it is
    path.write_bytes(b"")
    _protected, pair = release._protected(job, 1)
    assert pair is not None
    bench.config_dir.archive(A, "fullchain", 1).write_bytes(b"")  # the twin
    assert release._protected(job, 1)[1] is None
