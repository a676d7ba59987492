"""Records that an earlier run left: which still ask for something."""

from __future__ import annotations

import logging
import os

import pytest

from certbot_jprs.ground.names import NAME as PLUGIN
from certbot_jprs.ground.said import words
from certbot_jprs.holding.ending import Outcome
from certbot_jprs.holding.history import History
from certbot_jprs.holding.leftovers import anew, is_held_by_us, relevant, set_damaged_aside
from certbot_jprs.holding.records import Record, Step, Store
from certbot_jprs.lineage import archive, durable
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.rules import policy
from tests.unit.config_dir import LETS_ENCRYPT, OTHER_CA, ConfigDir

NAME = "www.example.jp"


@pytest.fixture
def store(config_dir: ConfigDir) -> Store:
    return Store(str(config_dir))


@pytest.fixture
def lineage(config_dir: ConfigDir) -> Lineage:
    lineage = config_dir.add(NAME, versions=(1, 2, 3), authenticator=PLUGIN, installer=PLUGIN)
    config_dir.link(NAME, 1)
    return lineage


def settled(store: Store, lineage: Lineage | None, record: Record) -> Record | None:
    store.save(record)
    return relevant(store, NAME, lineage)


def test_without_a_record_nothing_waits(store: Store, lineage: Lineage) -> None:
    assert relevant(store, NAME, lineage) is None


@pytest.mark.parametrize("held", [None, 2, 3])
def test_the_newest_version_waits(
    store: Store, config_dir: ConfigDir, lineage: Lineage, held: int | None
) -> None:
    os.utime(config_dir.archive(NAME, "cert", 3), (5e8, 5e8))
    record = settled(store, lineage, Record(NAME, in_service=1, held=held))
    assert record is not None
    assert (record.held, record.since) == (3, 5e8)
    record = settled(store, lineage, Record(NAME, in_service=1, held=held, since=7.0))
    assert record is not None
    assert record.since == 7.0


@pytest.mark.parametrize("step", [Step.RELEASED, Step.HOOKED])
def test_what_was_decided_stays_decided(store: Store, lineage: Lineage, step: Step) -> None:
    record = Record(NAME, step, in_service=1, held=2)
    assert settled(store, lineage, record) == record


def test_a_first_certificate_waits(store: Store, lineage: Lineage) -> None:
    record = Record(NAME, held=1, install=[NAME])
    assert settled(store, lineage, record) == record


def dropped(store: Store, caplog: pytest.LogCaptureFixture) -> str:
    assert store.names() == []
    (said,) = [record.getMessage() for record in caplog.records]
    assert NAME in said
    return said


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (Record(NAME, in_service=3), "no newer"),
        (Record(NAME, in_service=3, held=4), "no newer"),
        (Record(NAME, Step.RELEASED, 1, 4), "is gone"),
        (Record(NAME, held=9), "is gone"),
        (Record(NAME), "is gone"),
    ],
)
def test_it_is_dropped_where_nothing_waits(
    store: Store,
    lineage: Lineage,
    caplog: pytest.LogCaptureFixture,
    record: Record,
    reason: str,
) -> None:
    caplog.set_level(logging.INFO)
    assert settled(store, lineage, record) is None
    assert reason in dropped(store, caplog)
    remembered = History(store.config_dir).entries()
    # An order came to nothing, as far as can be told.
    expected = [(NAME, None, Outcome.NOT_ISSUED)] if reason == "no newer" else []
    assert [(entry.name, entry.version, entry.outcome) for entry in remembered] == expected
    assert all(entry.ended > 1e9 for entry in remembered)


def test_it_is_dropped_with_its_lineage(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert settled(store, None, Record(NAME, in_service=1)) is None
    assert "its lineage is gone" in dropped(store, caplog)


def test_it_is_dropped_where_others_put_a_newer_one_into_service(
    store: Store, config_dir: ConfigDir, lineage: Lineage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    config_dir.link(NAME, 3)
    assert settled(store, lineage, Record(NAME, in_service=1, held=2)) is None
    assert "without this plugin" in dropped(store, caplog)
    # The twin: linked by others, but this plugin's own version; its hooks have yet to run.
    assert settled(store, lineage, Record(NAME, in_service=1, held=3)) is not None


def test_it_stays_where_the_renewal_file_cannot_be_read(
    store: Store, config_dir: ConfigDir, lineage: Lineage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    config_dir.conf(NAME).write_text("[[[")
    assert settled(store, None, Record(NAME, in_service=1)) is None
    assert store.names() == [NAME]
    assert f"The certificate {NAME} stays held: its renewal file cannot be read" in caplog.messages


def test_it_stays_where_the_archive_cannot_be_read(
    store: Store, config_dir: ConfigDir, lineage: Lineage
) -> None:
    (config_dir.path / "archive").rename(config_dir.path / "elsewhere")
    with pytest.raises(FileNotFoundError):
        settled(store, lineage, Record(NAME, in_service=1))
    assert store.names() == [NAME]


def test_one_that_cannot_be_removed_is_no_obstacle(
    store: Store, lineage: Lineage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_path: str) -> None:
        raise PermissionError

    monkeypatch.setattr(durable, "remove", fail)
    assert settled(store, lineage, Record(NAME, in_service=3)) is None
    assert store.names() == [NAME]
    assert archive.current_version(lineage) == 1


@pytest.mark.parametrize(
    ("authenticator", "installer", "server", "ours"),
    [
        (PLUGIN, PLUGIN, policy.SERVER, True),
        (PLUGIN, None, policy.SERVER, True),
        ("manual", PLUGIN, policy.SERVER, True),
        (PLUGIN, PLUGIN, OTHER_CA, True),
        ("apache", "apache", policy.SERVER, False),
        (PLUGIN, PLUGIN, LETS_ENCRYPT, False),
        (PLUGIN, PLUGIN, None, False),
    ],
)
def test_whose_lineage_it_is(
    config_dir: ConfigDir,
    authenticator: str,
    installer: str | None,
    server: str | None,
    ours: bool,
) -> None:
    lineage = config_dir.add(NAME, authenticator=authenticator, installer=installer, server=server)
    assert is_held_by_us(lineage.params) is ours
    store = Store(str(config_dir))
    assert (settled(store, lineage, Record(NAME, Step.RELEASED, held=1)) is not None) is ours


def damage(config_dir: ConfigDir, *numbers: int) -> None:
    for number in numbers:
        config_dir.archive(NAME, "privkey", number).write_bytes(b"")


def test_each_that_was_set_aside_is_told(config_dir: ConfigDir, lineage: Lineage) -> None:
    damage(config_dir, 2, 3)
    record = Record(NAME, Step.RELEASED, in_service=1, held=3, since=7.0)
    damaged = set_damaged_aside(record, lineage)
    assert damaged is not None
    assert not damaged.stays
    assert record == Record(NAME, in_service=1)
    keys = [archive.files(lineage, number)["privkey"] for number in (3, 2)]
    assert words(damaged.told) == " ".join(
        f"Version {number} of {NAME} is damaged and was set aside, with .damaged appended to the "
        "names of its files: version 1 stays in service, and is renewed when it is due. Check "
        f"the disk, and what writes there. {key} holds no private key."
        for number, key in zip((3, 2), keys)
    )


def test_where_none_is_sound_it_is_told_once(config_dir: ConfigDir, lineage: Lineage) -> None:
    damage(config_dir, 1, 2, 3)
    record = Record(NAME, held=3)
    damaged = set_damaged_aside(record, lineage)
    assert damaged is not None
    assert damaged.stays
    assert record == Record(NAME, held=3)
    key = archive.files(lineage, 3)["privkey"]
    assert words(damaged.told) == (
        f"The certificate {NAME} is damaged, and there is no other version: it is not put into "
        f"service. {key} holds no private key. Check the disk; then order it anew: certbot renew "
        f"--force-renewal --cert-name {NAME}"
    )


@pytest.mark.parametrize("how", ["empty", "missing"])
def test_the_usual_command_is_of_no_use_without_a_certificate(
    config_dir: ConfigDir, lineage: Lineage, how: str
) -> None:
    assert anew(lineage) == f"certbot renew --force-renewal --cert-name {NAME}"
    path = config_dir.archive(NAME, "cert", 1)
    if how == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()
    assert anew(lineage).startswith(f"certbot delete --cert-name {NAME}, then the command that")


def test_links_that_are_nobodys_put_nothing_newer_into_service(
    store: Store, config_dir: ConfigDir, lineage: Lineage
) -> None:
    link = config_dir.live(NAME, "cert")
    link.unlink()
    link.symlink_to(f"../../archive/{NAME}/mine.pem")
    record = settled(store, lineage, Record(NAME, in_service=1, held=2))
    assert record is not None
    assert record.held == 3


def test_the_one_in_service_is_not_set_aside(config_dir: ConfigDir, lineage: Lineage) -> None:
    config_dir.link(NAME, 3)
    damage(config_dir, 3)
    record = Record(NAME, Step.HOOKED, in_service=3)
    assert set_damaged_aside(record, lineage) is None
    assert archive.versions(lineage) == [1, 2, 3]


def test_where_no_version_is_left_nothing_is_set_aside(
    config_dir: ConfigDir, lineage: Lineage
) -> None:
    for path in (config_dir.path / "archive" / NAME).iterdir():
        path.unlink()
    record = Record(NAME, held=3)
    assert set_damaged_aside(record, lineage) is None
    assert record == Record(NAME, held=3)
