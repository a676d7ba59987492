"""Files written whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
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
    with pytest.raises(FileNotFoundError):
        durable.write(str(tmp_path / "missing" / "record"), "")


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
    before = os.listdir("/proc/self/fd")
    durable.write(str(tmp_path / "record"), "text")
    durable.check_room(str(tmp_path), 3, 10)
    durable.sync_file(str(tmp_path / "record"))
    durable.remove(str(tmp_path / "record"))

    def refuse(*_args: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        durable.sync_directory(str(tmp_path))
    assert os.listdir("/proc/self/fd") == before


def test_a_file_system_that_cannot_sync_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "fsync", refuse)
    durable.sync_directory(str(tmp_path))
