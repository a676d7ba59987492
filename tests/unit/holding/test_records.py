"""Records of held lineages: kept, read back, rebuilt where they cannot be."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from certbot_jprs import ground
from certbot_jprs.ground.language import marked
from certbot_jprs.ground.names import NAME as PLUGIN
from certbot_jprs.ground.said import Said, words
from certbot_jprs.holding import records
from certbot_jprs.holding.records import Record, Step, Store, rebuilt
from certbot_jprs.lineage import durable
from tests.unit.config_dir import ConfigDir, snapshot

NAME = "www.example.jp"

FULL = Record(
    NAME,
    Step.HOOKED,
    in_service=3,
    held=5,
    since=1_800_000_000.5,
    directory_hooks=False,
    reload=True,
    install=["www.example.jp", "日本語.example"],
    redirect=True,
    enhancements=["hsts", "staple"],
    failure=Said("Apache could not be reloaded: {error}", error='"syntax"'),
)


@pytest.fixture
def store(config_dir: ConfigDir) -> Store:
    return Store(str(config_dir))


def write(config_dir: ConfigDir, text: str | bytes, name: str = NAME) -> None:
    folder = config_dir.path / "certbot-jprs" / "held"
    folder.mkdir(parents=True, exist_ok=True)
    data = text if isinstance(text, bytes) else text.encode()
    (folder / f"{name}.json").write_bytes(data)


def changed(**fields: object) -> str:
    return json.dumps({**json.loads(FULL.to_json()), **fields})


@pytest.mark.parametrize("record", [Record(NAME), FULL])
def test_what_is_saved_is_loaded(store: Store, record: Record) -> None:
    store.save(record)
    assert store.load(NAME) == record
    assert store.names() == [NAME]
    assert store.has(NAME)


def test_a_failure_is_worded_when_it_is_shown(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an English run kept is read by a Japanese user, and the other way round."""
    failure = Said(
        marked("A deploy hook of {name} could not be run: {error}"), name=NAME, error="E"
    )
    store.save(dataclasses.replace(FULL, failure=failure))
    record = store.load(NAME)
    assert record is not None
    for language, said in (
        ("ja", f"{NAME} のdeploy-hookを実行できませんでした: E"),
        ("en", f"A deploy hook of {NAME} could not be run: E"),
    ):
        monkeypatch.setattr(vars(ground.language)["_State"], "option", language)
        assert words(record.failure) == said


def test_a_failure_of_an_older_version_is_shown_as_it_was_kept(
    store: Store, config_dir: ConfigDir
) -> None:
    write(config_dir, changed(failure="新しい証明書 {name}"))
    record = store.load(NAME)
    assert record is not None
    assert words(record.failure) == "新しい証明書 {name}"


def test_a_record_holds_no_commands_and_no_keys() -> None:
    assert {field.name for field in dataclasses.fields(Record)} == {
        *("name", "step", "in_service", "held", "since", "directory_hooks"),
        *("reload", "install", "redirect", "enhancements", "failure"),
    }


def test_a_record_of_the_version_before_still_works() -> None:
    values = json.loads(FULL.to_json())
    del values["enhancements"]
    assert Record.from_json(json.dumps(values)) == dataclasses.replace(FULL, enhancements=[])


def test_where_there_is_none(store: Store, config_dir: ConfigDir) -> None:
    assert store.load(NAME) is None
    assert store.names() == []
    assert not store.has(NAME)
    store.remove(NAME)
    # What is left of a write that was cut short is no record.
    write(config_dir, "{}", "x")
    (config_dir.path / "certbot-jprs" / "held" / "x.json").rename(
        config_dir.path / "certbot-jprs" / "held" / ".new-x"
    )
    assert store.names() == []


def test_removal(store: Store) -> None:
    store.save(FULL)
    store.remove(NAME)
    assert store.load(NAME) is None


UNREADABLE = {
    "nothing": "",
    "torn": FULL.to_json()[:40],
    "zeros": b"\0" * 300,
    "not UTF-8": b'{"name": "\xff"}',
    "nested": "[" * 100_000,
    "a list": "[]",
    "a number": "1",
    "another format": changed(format=2),
    "no format": json.dumps({"name": NAME}),
    "another step": changed(step="served"),
    "a step that is a list": changed(step=[]),
    "an unknown field": changed(sleep="10m"),
    "no name": json.dumps({"format": 1, "step": "held"}),
    "another name": changed(name="other.example.jp"),
    "a name that is none": changed(name=1),
    "a version that is text": changed(held="5"),
    "a version that is true": changed(in_service=True),
    "a time that is text": changed(since="yesterday"),
    "a time that is no number": changed(since=float("nan")),
    "a time that never comes": changed(since=float("inf")),
    "a time beyond all calendars": changed(since=1e300),
    "a time before all computers": changed(since=-1),
    "a version that cannot be": changed(held=0),
    "hooks neither on nor off": changed(directory_hooks=1),
    "names that are none": changed(install=[1]),
    "a name instead of names": changed(install="www.example.jp"),
    "a failure that is none": changed(failure=None),
    "a failure without its values": changed(failure={"message": "{error}", "values": {}}),
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_one_that_cannot_be_read_is_reported_and_rebuilt(
    config_dir: ConfigDir, store: Store, caplog: pytest.LogCaptureFixture, text: str | bytes
) -> None:
    config_dir.add(NAME, versions=(1, 2, 3))
    config_dir.link(NAME, 2)
    write(config_dir, text)
    record = store.load(NAME)
    assert record == Record(NAME, in_service=2, held=3, reload=True)
    assert len(caplog.records) == 1
    assert NAME in caplog.text
    # Once: it is mended.
    assert store.load(NAME) == record
    assert len(caplog.records) == 1


def test_one_that_cannot_be_mended_is_rebuilt_each_time(
    config_dir: ConfigDir, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_dir.add(NAME, versions=(1, 2))
    write(config_dir, "{")

    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(durable, "write", full)
    expected = store.load(NAME)
    assert expected is not None
    assert store.load(NAME) == expected


def test_one_of_no_lineage_is_rebuilt_as_one_of_which_nothing_is_known(
    config_dir: ConfigDir, store: Store
) -> None:
    write(config_dir, "{")
    assert store.load(NAME) == Record(NAME)


def put_a_directory(path: Path) -> None:
    path.mkdir()
    (path / "file").touch()


def put_a_socket(path: Path) -> None:
    # A path of a socket is short.
    here = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(f"/proc/self/fd/{here}/{path.name}")
    finally:
        os.close(here)


STRANGERS = {
    "a directory": put_a_directory,
    "a pipe": os.mkfifo,
    "a socket": put_a_socket,
    "a device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("put", STRANGERS.values(), ids=STRANGERS)
def test_what_is_no_file_makes_way_for_a_record(
    config_dir: ConfigDir, store: Store, put: Callable[[Path], None]
) -> None:
    lineage = config_dir.add(NAME, versions=(1, 2))
    config_dir.link(NAME, 1)
    place = config_dir.path / "certbot-jprs" / "held" / f"{NAME}.json"
    place.parent.mkdir(parents=True)
    put(place)
    before = place.lstat().st_ino
    assert store.look(NAME) == rebuilt(lineage)
    assert place.lstat().st_ino == before  # who only looks moves nothing
    assert store.load(NAME) == rebuilt(lineage)
    assert place.is_file()
    assert Path(f"{place}.no-record").lstat().st_ino == before
    assert store.names() == [NAME]
    store.remove(NAME)
    assert store.load(NAME) is None


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO])
def test_one_that_cannot_be_read_is_none_to_rebuild(
    config_dir: ConfigDir, store: Store, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    config_dir.add(NAME, versions=(1, 2))
    store.save(FULL)

    def refuse(path: str, **_how: str) -> None:
        raise OSError(number, os.strerror(number), path)

    with monkeypatch.context() as patch:
        patch.setattr(records, "open", refuse, raising=False)
        for read in (store.load, store.look):
            with pytest.raises(OSError, match=os.strerror(number)):
                read(NAME)
    assert store.load(NAME) == FULL


def test_who_only_looks_writes_nothing_and_says_nothing(
    config_dir: ConfigDir, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    config_dir.add(NAME, versions=(1, 2))
    config_dir.link(NAME, 1)
    write(config_dir, "{")
    before = snapshot(config_dir.path)
    assert store.look(NAME) == Record(NAME, in_service=1, held=2, reload=True)
    assert snapshot(config_dir.path) == before
    assert caplog.records == []
    store.load(NAME)  # the twin
    assert snapshot(config_dir.path) != before
    assert len(caplog.records) == 1


def test_a_name_that_is_no_text_is_no_lineages(config_dir: ConfigDir, store: Store) -> None:
    store.save(FULL)
    folder = os.fsencode(config_dir.path / "certbot-jprs" / "held")
    with open(os.path.join(folder, b"\xff.json"), "wb"):
        pass
    assert store.names() == [NAME]


def test_a_rebuilt_record_runs_the_directory_hooks(config_dir: ConfigDir, store: Store) -> None:
    config_dir.add(NAME, versions=(1, 2))
    write(config_dir, "{")
    record = store.load(NAME)
    assert record is not None
    assert record.directory_hooks is True


@pytest.mark.parametrize("installer", [PLUGIN, None])
def test_rebuilt_from_links(config_dir: ConfigDir, installer: str | None) -> None:
    lineage = config_dir.add(NAME, versions=(1, 4), installer=installer)
    reload = installer == PLUGIN
    # Forward already: nobody knows whether hooks and reload came after it.
    assert rebuilt(lineage) == Record(NAME, Step.RELEASED, held=4, reload=reload)
    config_dir.link(NAME, 1)
    assert rebuilt(lineage) == Record(NAME, in_service=1, held=4, reload=reload)


def test_rebuilt_without_an_archive(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(NAME, versions=(1,))
    (config_dir.path / "archive").rename(config_dir.path / "elsewhere")
    assert rebuilt(lineage) == Record(NAME, in_service=1, reload=True)


def test_a_renewal_file_is_there_or_not(store: Store, config_dir: ConfigDir) -> None:
    assert not store.has_renewal_file(NAME)
    config_dir.conf(NAME).write_text("torn")
    assert store.has_renewal_file(NAME)


def test_fields_are_text_in_json() -> None:
    values: dict[str, Any] = json.loads(FULL.to_json())
    assert values["format"] == 1
    assert values["step"] == "hooked"
    assert FULL.to_json().endswith("}\n")
    assert "日本語" in FULL.to_json()


@pytest.mark.parametrize("name", [1, None, ["www.example.jp"]])
def test_a_name_is_text(name: object) -> None:
    text = json.dumps({**json.loads(Record("www.example.jp").to_json()), "name": name})
    with pytest.raises(ValueError, match=r"^a field has a wrong type$"):
        Record.from_json(text)


def test_a_pipe_in_a_records_place_is_said_to_be_no_file(
    config_dir: ConfigDir, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    os.makedirs(store.directory)
    os.mkfifo(os.path.join(store.directory, "www.example.jp.json"))
    store.load("www.example.jp")
    assert "could not be read (it is no file). It is rebuilt" in caplog.text
