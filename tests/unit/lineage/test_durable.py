"""Files written whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from certbot_jprs.lineage import durable


class Killed(BaseException):
    """Stands for the end of the process."""


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "record"
    for text in ("一つ", "two"):
        durable.write(str(path), text)
        assert path.read_text(encoding="utf-8") == text
        assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["record"]


def test_each_step_is_durable_before_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def note_fsync(descriptor: int) -> None:
        steps.append("fsync " + Path(os.readlink(f"/proc/self/fd/{descriptor}")).name[:4])
        fsync(descriptor)

    def note_replace(source: Any, target: Any) -> None:
        assert Path(source).read_text() == "text"
        steps.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "replace", note_replace)
    durable.write(str(tmp_path / "record"), "text")
    assert steps == ["fsync .new", "rename", "fsync " + tmp_path.name[:4]]


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_new_file_gets_the_mode_that_is_asked_for(tmp_path: Path, mode: int) -> None:
    old = os.umask(0o077)
    try:
        durable.write(str(tmp_path / "new"), "text", mode)
    finally:
        os.umask(old)
    assert (tmp_path / "new").stat().st_mode & 0o777 == mode
    # One that was there keeps its own.
    (tmp_path / "new").chmod(0o640)
    durable.write(str(tmp_path / "new"), "other", mode)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), Killed()])
def test_a_failure_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    path = tmp_path / "record"
    durable.write(str(path), "old")

    def fail(*_args: object, **_kwargs: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        if step == "write":
            patch.setattr(os, "fdopen", fail)
        else:
            patch.setattr(os, step, fail)
        with pytest.raises(type(error)):
            durable.write(str(path), "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["record"]


def test_a_missing_directory_is_an_error(tmp_path: Path) -> None:
    path = str(tmp_path / "missing" / "record")
    with pytest.raises(FileNotFoundError) as caught:
        durable.write(path, "")
    assert (caught.value.filename, caught.value.filename2) == (path, None)  # not the temporary file


def test_a_directory_in_the_files_place_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError) as caught:
        durable.write(str(tmp_path), "")
    assert (caught.value.filename, caught.value.filename2) == (str(tmp_path), None)


def test_removal(tmp_path: Path) -> None:
    path = tmp_path / "record"
    durable.write(str(path), "")
    durable.remove(str(path))
    assert os.listdir(tmp_path) == []
    durable.remove(str(path))
    with pytest.raises(OSError, match="directory"):
        durable.remove(str(tmp_path))


def test_directories_are_made_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "certbot-jprs" / "held"
    durable.make_directory(str(path))
    durable.make_directory(str(path))
    assert [each.stat().st_mode & 0o777 for each in (path, path.parent)] == [0o700, 0o700]
    # One that is there keeps what the administrator gave it.
    path.chmod(0o750)
    durable.make_directory(str(path))
    assert path.stat().st_mode & 0o777 == 0o750


def test_a_file_in_the_directorys_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "certbot-jprs").touch()
    with pytest.raises(OSError, match="exists"):
        durable.make_directory(str(tmp_path / "certbot-jprs" / "held"))


def test_only_a_directory_is_synced(tmp_path: Path) -> None:
    durable.sync_directory(str(tmp_path))
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        durable.sync_directory(str(tmp_path / "file"))


def test_what_is_synced_was_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        sizes.append(os.fstat(descriptor).st_size)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    durable.write(str(tmp_path / "x"), "text")
    assert sizes[0] == 4


# Room


def test_room_is_looked_for_and_nothing_is_left(tmp_path: Path) -> None:
    durable.check_room(str(tmp_path), 32, 4096)
    assert os.listdir(tmp_path) == []


def test_all_files_are_there_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    rmtree = shutil.rmtree

    def note(path: str, **how: bool) -> None:
        sizes.extend(each.stat().st_size for each in Path(path).iterdir())
        rmtree(path, ignore_errors=how["ignore_errors"])

    monkeypatch.setattr(shutil, "rmtree", note)
    durable.check_room(str(tmp_path), 3, 5000)
    assert sizes == [5000] * 3


@pytest.mark.parametrize("function", ["open", "posix_fallocate", "mkdir"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
def test_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, number: int
) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, function, refuse)
        patch.setattr(shutil, "rmtree", lambda *_args, **_kwargs: None)
        with pytest.raises(OSError, match=os.strerror(number)):
            durable.check_room(str(tmp_path), 2, 10)


@pytest.mark.parametrize("number", [None, 1, 2])
def test_an_unused_path(tmp_path: Path, number: int | None) -> None:
    path = tmp_path / "file"
    taken = [] if number is None else [path, *(Path(f"{path}.{n}") for n in range(1, number))]
    for each in taken:
        each.symlink_to("nowhere")
    assert durable.unused(str(path)) == (str(path) if number is None else f"{path}.{number}")


@pytest.mark.parametrize("what", ["a file", "room"])
def test_what_a_killed_process_left_is_known_to_the_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def killed(*_args: object, **_kwargs: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", killed)
        patch.setattr(os, "unlink", lambda *_args, **_kwargs: None)
        patch.setattr(shutil, "rmtree", lambda *_args, **_kwargs: None)
        if what == "a file":
            with pytest.raises(Killed):
                durable.write(str(tmp_path / "record"), "text")
        else:
            durable.check_room(str(tmp_path), 2, 10)
    (left,) = os.listdir(tmp_path)
    assert left.startswith(".")
    durable.sweep(str(tmp_path))
    assert os.listdir(tmp_path) == []


def test_no_file_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {*os.listdir("/proc/self/fd")}
    durable.write(str(tmp_path / "record"), "text")
    durable.check_room(str(tmp_path), 3, 10)
    durable.sync_file(str(tmp_path / "record"))
    durable.remove(str(tmp_path / "record"))

    def refuse(*_args: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        durable.sync_directory(str(tmp_path))
    assert {*os.listdir("/proc/self/fd")} <= before  # others' are closed when they are collected


def test_a_file_system_that_cannot_sync_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "fsync", refuse)
    durable.sync_directory(str(tmp_path))


def test_names_in_a_directory_are_durable_when_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(durable, "sync_directory", synced.append)
    path = tmp_path / "certbot-jprs" / "held"
    durable.make_directory(str(path))
    assert synced == [str(tmp_path), str(path.parent)]
    durable.make_directory(str(path))
    assert len(synced) == 2
    (path / "record").touch()
    durable.remove(str(path / "record"))
    durable.remove(str(path / "record"))  # is gone: nothing to sync
    assert synced[2:] == [str(path)]


@pytest.mark.parametrize("text", ["", "new", "new" * 100_000])
def test_what_is_new_does_not_look_old(tmp_path: Path, text: str) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    os.utime(path, (1, 1))
    durable.write(str(path), text)
    assert path.read_text() == text
    assert path.stat().st_mtime > 1


def test_what_is_written_is_utf_8_whatever_the_locale(tmp_path: Path) -> None:
    path = tmp_path / "file"
    script = f"from certbot_jprs.lineage import durable; durable.write({str(path)!r}, '\\u4e00')"
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    environment = {**os.environ, **locale, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)
    assert path.read_bytes() == "一".encode()


def failing(*_args: object, **_kwargs: object) -> None:
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))


def test_a_trial_that_cannot_be_taken_away_is_no_lack_of_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "rmdir", failing)
        durable.check_room(str(tmp_path), 2, 10)
    assert len(os.listdir(tmp_path)) == 1


def test_the_sweep_goes_on_after_one_that_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (".trial-aaaaaaaa", ".trial-bbbbbbbb"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0").touch()
    with monkeypatch.context() as patch:
        patch.setattr(os, "rmdir", failing)
        durable.sweep(str(tmp_path))
    assert not list(tmp_path.rglob("0"))


def test_a_link_is_swept_and_not_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    swept = tmp_path / "swept"
    swept.mkdir()
    (swept / ".trial-aaaaaaaa").symlink_to(tmp_path / "mine")
    durable.sweep(str(swept))
    assert os.listdir(swept) == []
    assert (tmp_path / "mine" / "file").exists()
