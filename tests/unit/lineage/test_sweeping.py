"""What killed processes left, of this version and of earlier ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from certbot_jprs.lineage import sweeping
from certbot_jprs.lineage.files import KINDS
from tests.unit.config_dir import ConfigDir, linked, snapshot, version

NAME = "www.example.jp"


@pytest.fixture
def records(config_dir: ConfigDir) -> Path:
    path = config_dir.path / "certbot-jprs" / "held"
    path.mkdir(parents=True)
    (path / f"{NAME}.json").write_text("{}")
    return path


def sweep(config_dir: ConfigDir, records: Path) -> None:
    sweeping.sweep(str(config_dir), str(records))


def test_leftovers_go_and_all_else_stays(config_dir: ConfigDir, records: Path) -> None:
    config_dir.add(NAME, versions=(1, 2))
    live = config_dir.path / "live"
    (live / "other").mkdir()
    for path in (
        live / "README",
        live / NAME / ".notes.new",
        live / NAME / ".privkey.pem.new.orig",
        live / ".elsewhere.new",
        live / "other" / ".cert.pem.new",
        config_dir.path / "renewal" / ".new-idea",
        records / ".new-",
    ):
        path.write_text("an administrator's")
    (live / ".gone.example.jp.new").mkdir()  # whose lineage is not there
    before = snapshot(config_dir.path)

    (records / ".new-ab12_xyz").touch()
    (records.parent / ".new-ab12_xyz").touch()
    (records / ".trial").touch()  # of earlier versions
    (records / ".trial-ab12_xyz").mkdir()
    (records / ".trial-ab12_xyz" / "0").touch()
    (config_dir.path / "archive" / ".trial-ab12_xyz").mkdir()
    (config_dir.path / "renewal" / ".new-ab12_xyz").touch()
    for kind in KINDS:
        (live / NAME / f".{kind}.pem.new").symlink_to(f"../../archive/{NAME}/{kind}2.pem")
    assert snapshot(config_dir.path) != before
    sweep(config_dir, records)
    assert snapshot(config_dir.path) == before
    assert not (config_dir.path / "archive" / ".trial-ab12_xyz").exists()
    assert linked(config_dir, NAME) == version(2)
    assert (live / ".gone.example.jp.new").is_dir()


def exchanged(config_dir: ConfigDir) -> Path:
    """Makes what a kill right after an exchange left: the old directory beside the new one."""
    config_dir.add(NAME, versions=(1, 2))
    old = config_dir.path / "live" / f".{NAME}.new"
    old.mkdir()
    for kind in KINDS:
        (old / f"{kind}.pem").symlink_to(f"../../archive/{NAME}/{kind}1.pem")
    return old


def test_the_directory_of_an_exchange_goes(config_dir: ConfigDir, records: Path) -> None:
    old = exchanged(config_dir)
    readme = config_dir.path / "live" / NAME / "README"
    readme.write_text("Certbot's words")
    os.link(readme, old / "README")
    sweep(config_dir, records)
    assert not old.exists()
    assert readme.read_text() == "Certbot's words"
    assert linked(config_dir, NAME) == version(2)


def test_what_was_written_into_it_meanwhile_goes_where_it_belongs(
    config_dir: ConfigDir, records: Path
) -> None:
    old = exchanged(config_dir)
    (old / "combined.pem").write_text("an administrator's")
    sweep(config_dir, records)
    assert not old.exists()
    assert (config_dir.path / "live" / NAME / "combined.pem").read_text() == "an administrator's"


def test_what_is_there_twice_is_not_chosen_from(config_dir: ConfigDir, records: Path) -> None:
    old = exchanged(config_dir)
    new = config_dir.path / "live" / NAME
    for directory in (old, new):
        (directory / "combined.pem").write_text(directory.name)
    sweep(config_dir, records)
    assert (old / "combined.pem").read_text() == old.name
    assert (new / "combined.pem").read_text() == new.name
    assert os.listdir(old) == ["combined.pem"]


def test_where_there_is_nothing(config_dir: ConfigDir) -> None:
    sweeping.sweep(str(config_dir), str(config_dir.path / "certbot-jprs" / "held"))


def test_a_directory_that_is_read_only_stops_nothing(
    config_dir: ConfigDir, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = exchanged(config_dir)

    def fail(_path: object) -> None:
        raise OSError("Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", fail)
        sweep(config_dir, records)
    assert old.is_dir()
    sweep(config_dir, records)
    assert not old.exists()


@pytest.mark.parametrize("what", ["a file", "a link to a directory"])
def test_what_is_no_directory_of_an_exchange_stays(
    config_dir: ConfigDir, records: Path, what: str
) -> None:
    config_dir.add(NAME)
    path = config_dir.path / "live" / f".{NAME}.new"
    mine = config_dir.path / "mine"
    mine.mkdir()
    (mine / "file").touch()
    if what == "a file":
        path.touch()
    else:
        path.symlink_to(mine)
    sweep(config_dir, records)
    assert os.path.lexists(path)
    assert (mine / "file").exists()


def test_certbots_link_in_it_goes_and_a_file_of_its_name_does_not(
    config_dir: ConfigDir, records: Path
) -> None:
    old = exchanged(config_dir)
    (old / "cert.pem").unlink()
    (old / "cert.pem").write_text("an administrator's")
    (old / "mine").symlink_to("cert.pem")
    sweep(config_dir, records)
    assert (old / "cert.pem").read_text() == "an administrator's"
    assert (config_dir.path / "live" / NAME / "mine").is_symlink()
    assert os.listdir(old) == ["cert.pem"]


def test_one_that_stays_is_noted(
    config_dir: ConfigDir,
    records: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    old = exchanged(config_dir)

    def fail(_path: object) -> None:
        raise OSError("Read-only file system")

    caplog.set_level("DEBUG")
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", fail)
        sweep(config_dir, records)
    assert f"{old} could not be taken away: Read-only file system" in caplog.text
