"""What is written down before an order and a version, and whose lineage it is."""

from __future__ import annotations

import errno
import os
import time
from types import SimpleNamespace
from typing import Any

import pytest
from certbot import errors

from certbot_jprs.ground.exceptions import HoldingError
from certbot_jprs.ground.names import NAME as PLUGIN
from certbot_jprs.holding import noting
from certbot_jprs.holding.records import Record, Step, Store
from certbot_jprs.lineage import durable
from certbot_jprs.lineage.files import Lineage
from tests.unit.config_dir import ConfigDir

NAME = "www.example.jp"
OTHER = "b.example.jp"


def config(config_dir: ConfigDir, **values: Any) -> Any:
    given = {
        "config_dir": str(config_dir),
        "verb": "renew",
        "installer": PLUGIN,
        "directory_hooks": True,
        "domains": [NAME],
        "certname": None,
        "renew_by_default": False,
        **values,
    }
    return SimpleNamespace(**given)


def ours(config_dir: ConfigDir, name: str, *names: str) -> Lineage:
    return config_dir.add(name, names or None, authenticator=PLUGIN, installer=PLUGIN)


def test_a_lineage_is_found_by_all_of_its_names(config_dir: ConfigDir) -> None:
    ours(config_dir, NAME, NAME, OTHER)
    ours(config_dir, "alone", NAME)
    noting.before_order(config(config_dir))
    assert Store(str(config_dir)).names() == ["alone"]
    noting.before_order(config(config_dir, domains=[NAME.upper(), OTHER]))
    assert Store(str(config_dir)).names() == ["alone", NAME]


def test_a_lineage_whose_certificate_cannot_be_read_is_nobodys(config_dir: ConfigDir) -> None:
    ours(config_dir, NAME)
    config_dir.archive(NAME, "cert", 1).write_bytes(b"")
    noting.before_order(config(config_dir))
    assert Store(str(config_dir)).names() == []


def test_how_much_room_is_asked_for(config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(durable, "check_room", lambda _folder, *what: asked.append(what))
    noting.before_order(config(config_dir))
    assert asked == [(32, 4096)]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x"), "No space left on device"),
        (OSError("of no number"), "of no number"),
    ],
)
def test_why_nothing_was_ordered(
    config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch, error: OSError, why: str
) -> None:
    def fail(*_args: object) -> None:
        raise error

    monkeypatch.setattr(durable, "check_room", fail)
    with pytest.raises(HoldingError) as caught:
        noting.before_order(config(config_dir))
    assert str(caught.value) == (
        "Nothing was ordered, because what a certificate needs until it is in service cannot be "
        f"written below {config_dir}. Free space there, or make it writable. The error:\n{why}"
    )


def test_a_record_that_cannot_be_written_is_told_word_for_word(
    config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise OSError("no")

    monkeypatch.setattr(durable, "write", fail)
    with pytest.raises(errors.PluginError) as caught:
        noting.before_saving(NAME, config(config_dir), ours=True)
    assert str(caught.value) == (
        f"The record of the held certificate {NAME} could not be written. Free space, or make it "
        "writable, and run the command again. The error:\nno"
    )


@pytest.mark.parametrize(
    ("there", "in_service"),
    [
        (None, 1),
        (Record(NAME, held=3, since=7.0, failure="unknown"), 1),
        (Record(NAME, in_service=2, held=3, since=7.0), 2),
        (Record(NAME, Step.RELEASED, in_service=1, held=9, since=7.0), 1),
        (Record(NAME, Step.HOOKED, in_service=1, held=2, since=7.0), 2),
    ],
)
def test_what_is_noted(config_dir: ConfigDir, there: Record | None, in_service: int) -> None:
    config_dir.add(NAME, versions=(1, 2), authenticator=PLUGIN, installer=PLUGIN)
    config_dir.link(NAME, 1)
    store = Store(str(config_dir))
    if there is not None:
        store.save(there)
    noting.note(store, NAME, config(config_dir, directory_hooks=False))
    assert store.load(NAME) == Record(
        NAME, in_service=in_service, directory_hooks=False, reload=True
    )
    assert os.readlink(config_dir.live(NAME, "cert")).endswith(f"cert{in_service}.pem") or (
        there is not None and there.step is Step.HELD
    )


def test_a_release_cut_short_whose_renewal_file_cannot_be_read(config_dir: ConfigDir) -> None:
    config_dir.add(NAME, versions=(1, 2), authenticator=PLUGIN, installer=PLUGIN)
    config_dir.conf(NAME).write_text("[[[")
    store = Store(str(config_dir))
    store.save(Record(NAME, Step.RELEASED, in_service=1, held=2))
    noting.note(store, NAME, config(config_dir))
    record = store.load(NAME)
    assert record is not None
    assert (record.step, record.in_service) == (Step.HELD, None)


def test_a_version_that_was_saved_is_noted_also_where_its_renewal_file_is_gone(
    config_dir: ConfigDir,
) -> None:
    config_dir.add(NAME, versions=(1, 2), authenticator=PLUGIN, installer=PLUGIN)
    store = Store(str(config_dir))
    store.save(Record(NAME, in_service=1))
    config_dir.conf(NAME).unlink()
    noting.after_saving(NAME, str(config_dir), 2)
    record = store.load(NAME)
    assert record is not None
    assert (record.in_service, record.held) == (1, 2)
    assert time.time() - record.since < 60


def test_a_record_that_another_process_removes_is_not_made_anew(
    config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_dir.add(NAME, versions=(1, 2), authenticator=PLUGIN, installer=PLUGIN)
    store = Store(str(config_dir))
    store.save(Record(NAME, in_service=1))
    # It goes while the files are made durable.
    monkeypatch.setattr(noting, "make_durable", lambda *_args: store.remove(NAME))
    noting.after_saving(NAME, str(config_dir), 2)
    assert not store.has(NAME)
