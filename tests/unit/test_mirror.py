"""What the lab does with a container's own files: all is as it was afterwards."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.agents import mirror

LONG_AGO = 1_000_000_000


def seen(root: Path) -> dict[str, object]:
    """Returns what there is to see of a tree."""
    found: dict[str, object] = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        text = os.readlink(path) if path.is_symlink() else None
        if path.is_file() and text is None:
            text = path.read_text()
        when = 0 if stat.S_ISDIR(status.st_mode) else status.st_mtime_ns
        found[str(path.relative_to(root))] = (status.st_mode, status.st_uid, when, text)
    return found


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Something like an /etc."""
    root = tmp_path / "etc"
    for name in ("apache2/sites/a.conf", "apache2/ports.conf", "hosts", "shadow"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        os.utime(path, (LONG_AGO, LONG_AGO))
    (root / "apache2" / "enabled").symlink_to("sites/a.conf")
    (root / "empty").mkdir(mode=0o700)
    return root


def vandalise(root: Path) -> None:
    """Changes everything that can be changed of a file."""
    (root / "hosts").write_text("other")
    (root / "apache2" / "ports.conf").chmod(0o600)
    (root / "apache2" / "enabled").unlink()
    (root / "apache2" / "enabled").write_text("a file")
    (root / "apache2" / "sites" / "a.conf").unlink()
    (root / "apache2" / "sites").rmdir()
    (root / "apache2" / "sites").symlink_to("/nowhere")
    (root / "empty").rmdir()
    (root / "new").mkdir()
    (root / "new" / "file").write_text("")


def test_all_is_brought_back(tree: Path, tmp_path: Path) -> None:
    before = seen(tree)
    os.link(tree / "shadow", tmp_path / "same")
    kept = str(tmp_path / "kept")
    mirror.keep(str(tree), kept)
    vandalise(tree)
    assert seen(tree) != before
    mirror.bring_back(kept, str(tree))
    assert seen(tree) == before
    assert (tree / "shadow").samefile(tmp_path / "same")  # what was alike was not touched


def test_what_is_left_out_is_left_alone(tree: Path, tmp_path: Path) -> None:
    kept = str(tmp_path / "kept")
    mirror.keep(str(tree), kept, {"shadow"})
    assert not os.path.exists(kept + "/shadow")
    (tree / "shadow").write_text("a new password")
    vandalise(tree)
    mirror.bring_back(kept, str(tree), {"shadow"})
    assert (tree / "shadow").read_text() == "a new password"
    assert (tree / "hosts").read_text() == "hosts"


def test_a_mount_is_written_in_place(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = str(tmp_path / "kept")
    mirror.keep(str(tree), kept)
    (tree / "hosts").write_text("other")
    os.link(tree / "hosts", tmp_path / "same")
    monkeypatch.setattr(mirror, "mounts", lambda: {str(tree / "hosts")})
    mirror.bring_back(kept, str(tree))
    assert (tree / "hosts").read_text() == "hosts"
    assert (tree / "hosts").samefile(tmp_path / "same")


def test_what_was_not_there_vanishes(tree: Path, tmp_path: Path) -> None:
    kept = str(tmp_path / "kept")
    mirror.keep(str(tmp_path / "nothing"), kept)
    mirror.bring_back(kept, str(tree))
    assert not tree.exists()
