"""Taking up what an earlier run left: each lineage for itself."""

from __future__ import annotations

import argparse
import logging

import pytest
from cryptography import x509

from certbot_jprs.ground.names import NAME as PLUGIN
from certbot_jprs.holding import jobs, uptake
from certbot_jprs.holding.records import Record, Store
from certbot_jprs.holding.uptake import Uptake
from certbot_jprs.validation.reloads import Reloads
from tests.unit.command_line import Parse
from tests.unit.config_dir import ConfigDir

A, B, C = (f"{letter}.example.jp" for letter in "abc")


@pytest.fixture
def namespace(parse: Parse) -> argparse.Namespace:
    namespace: argparse.Namespace = parse("renew").config.namespace
    return namespace


@pytest.fixture
def held(config_dir: ConfigDir) -> Store:
    store = Store(str(config_dir))
    for name in (A, B, C):
        config_dir.add(name, versions=(1, 2), authenticator=PLUGIN, installer=PLUGIN)
        config_dir.link(name, 1)
        store.save(Record(name, in_service=1, held=2))
    return store


def names(taken: Uptake) -> list[str]:
    return [job.name for job in taken.jobs]


def test_what_was_left_is_taken_up(
    held: Store, config_dir: ConfigDir, namespace: argparse.Namespace
) -> None:
    taken = Uptake(namespace, str(config_dir), [A, C], Reloads())
    assert names(taken) == [A, C]
    assert all(job.earlier for job in taken.jobs)
    assert taken.failures == {}


@pytest.mark.parametrize("step", ["relevant", "of_earlier_run"])
@pytest.mark.parametrize(
    "error", [RuntimeError("bad"), x509.InvalidVersion("bad", 9), PermissionError(13, "bad")]
)
def test_whatever_goes_wrong_with_one_the_others_are_taken_up(
    held: Store,
    *,
    config_dir: ConfigDir,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    namespace: argparse.Namespace,
    step: str,
    error: Exception,
) -> None:
    module = uptake if step == "relevant" else jobs
    original = getattr(module, step)

    def fail(first: object, second: object, third: object) -> object:
        if B in (second, getattr(second, "name", None)):
            raise error
        return original(first, second, third)

    monkeypatch.setattr(module, step, fail)
    taken = Uptake(namespace, str(config_dir), [A, B, C], Reloads())
    assert names(taken) == [A, C]
    assert list(taken.failures) == [B]
    assert [each.levelno for each in caplog.records] == [logging.ERROR]
    assert held.has(B)


def test_leftovers_are_swept(
    held: Store, config_dir: ConfigDir, namespace: argparse.Namespace
) -> None:
    folder = config_dir.path / "certbot-jprs" / "held"
    (folder / ".new-ab12_xyz").touch()
    (config_dir.path / "live" / A / ".cert.pem.new").symlink_to("nowhere")
    Uptake(namespace, str(config_dir), [], Reloads())
    assert sorted(path.name for path in folder.iterdir()) == [f"{n}.json" for n in (A, B, C)]
    assert not (config_dir.path / "live" / A / ".cert.pem.new").is_symlink()
