"""All links of a lineage in one step: what a server sees that is reloaded meanwhile."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from certbot_jprs import archive, durable
from certbot_jprs.lineages import KINDS, Lineage
from tests.unit.lineage import ConfigDir, linked, version
from tests.unit.test_archive import Killed, one_by_one

NAME = "www.example.jp"


@pytest.fixture
def lineage(config_dir: ConfigDir) -> Lineage:
    lineage = config_dir.add(NAME, versions=(1, 2))
    live = config_dir.path / "live" / NAME
    (live / "README").write_text("Certbot's words")
    (live / "combined.pem").symlink_to("/etc/haproxy/combined.pem")
    live.chmod(0o750)
    return lineage


def replaced_at_once(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Returns a list of the links that are replaced singly: none should be."""
    singly: list[str] = []
    replace = os.replace

    def note(source: Any, target: Any) -> None:
        singly.append(os.path.basename(target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", note)
    return singly


def test_all_links_change_in_one_step(
    config_dir: ConfigDir, lineage: Lineage, monkeypatch: pytest.MonkeyPatch
) -> None:
    singly = replaced_at_once(monkeypatch)
    seen: list[dict[str, str]] = []
    exchange = durable.exchange

    def look_and_exchange(one: str, other: str) -> None:
        seen.append(linked(config_dir, NAME))
        exchange(one, other)
        seen.append(linked(config_dir, NAME))

    monkeypatch.setattr(durable, "exchange", look_and_exchange)
    archive.link_to(lineage, 1)
    assert seen == [version(2), version(1)]
    assert singly == []
    live = config_dir.path / "live"
    assert os.listdir(live) == [NAME]
    assert (live / NAME).stat().st_mode & 0o777 == 0o750
    assert (live / NAME / "README").read_text() == "Certbot's words"
    assert (live / NAME / "combined.pem").readlink() == Path("/etc/haproxy/combined.pem")
    assert all(config_dir.live(NAME, kind).is_file() for kind in KINDS)
    # The twin: where the file system cannot, each link is replaced by itself.
    one_by_one(monkeypatch)
    archive.link_to(lineage, 2)
    assert singly == [f"{kind}.pem" for kind in KINDS]
    assert os.listdir(live) == [NAME]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_leaves_all_links_old_or_all_new(
    config_dir: ConfigDir, lineage: Lineage, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    exchange = durable.exchange
    rmtree = shutil.rmtree

    def die(one: str, other: str) -> None:
        if when == "after":
            exchange(one, other)
        # What a killed process would have cleaned, stays.
        monkeypatch.setattr(shutil, "rmtree", lambda *_args, **_kwargs: None)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(durable, "exchange", die)
        with pytest.raises(Killed):
            archive.link_to(lineage, 1)
    monkeypatch.setattr(shutil, "rmtree", rmtree)
    assert linked(config_dir, NAME) == version(1 if when == "after" else 2)
    assert len(os.listdir(config_dir.path / "live")) == 2
    # The next move takes away what was left.
    archive.link_to(lineage, 1)
    archive.link_to(lineage, 2)
    assert linked(config_dir, NAME) == version(2)
    assert os.listdir(config_dir.path / "live") == [NAME]


def test_a_directory_among_the_links_is_left_in_peace(
    config_dir: ConfigDir, lineage: Lineage, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = config_dir.path / "live" / NAME / "backup"
    own.mkdir()
    inode = own.parent.stat().st_ino
    singly = replaced_at_once(monkeypatch)
    archive.link_to(lineage, 1)
    assert linked(config_dir, NAME) == version(1)
    assert len(singly) == 4
    assert own.is_dir()
    assert own.parent.stat().st_ino == inode
    assert os.listdir(config_dir.path / "live") == [NAME]


def test_links_in_several_directories(config_dir: ConfigDir, lineage: Lineage) -> None:
    elsewhere = config_dir.path / "live" / "elsewhere"
    elsewhere.mkdir()
    chain = elsewhere / "chain.pem"
    config_dir.live(NAME, "chain").rename(chain)
    text = (
        config_dir.conf(NAME)
        .read_text()
        .replace(f"chain = {config_dir.live(NAME, 'chain')}", f"chain = {chain}", 1)
    )
    config_dir.conf(NAME).write_text(text)
    lineage = Lineage(NAME, lineage.renewal_file, {**lineage.links, "chain": str(chain)}, {})
    archive.link_to(lineage, 1)
    assert chain.readlink().name == "chain1.pem"
    assert config_dir.live(NAME, "cert").readlink().name == "cert1.pem"


def test_torn_links_are_told(config_dir: ConfigDir, lineage: Lineage) -> None:
    assert not archive.is_torn(lineage)
    config_dir.link(NAME, 1, cert=2)
    assert archive.is_torn(lineage)
    config_dir.live(NAME, "cert").unlink()
    assert archive.is_torn(lineage)


def test_directories_change_places(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for each in (one, other):
        each.mkdir()
        (each / each.name).touch()
    durable.exchange(str(one), str(other))
    assert (os.listdir(one), os.listdir(other)) == (["other"], ["one"])
    with pytest.raises(OSError, match="No such file") as error:
        durable.exchange(str(one), str(tmp_path / "missing"))
    assert error.value.errno == 2


def test_a_c_library_that_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda *_args, **_kwargs: object())
    with pytest.raises(OSError, match="renameat2"):
        durable.exchange(str(tmp_path), str(tmp_path))
