"""Versions of a lineage and the links that choose one, also after a kill in between."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from certbot._internal import storage

from certbot_jprs.lineage import archive, durable
from certbot_jprs.lineage.files import KINDS, Lineage
from tests.unit.command_line import Parse
from tests.unit.config_dir import ConfigDir, linked, snapshot, version

NAME = "www.example.jp"
ORDER = ("privkey", "fullchain", "cert", "chain")
"""What servers load, key and chain, directly after each other."""


class Killed(BaseException):
    """Stands for the end of the process: nothing in the code under test catches it."""


def killing(monkeypatch: pytest.MonkeyPatch, nth: int, error: BaseException) -> list[str]:
    """Lets the nth rename and all later ones fail; returns the list of what was renamed."""
    renamed: list[str] = []
    replace = os.replace

    def replace_or_die(source: Any, target: Any, **kwargs: Any) -> None:
        if len(renamed) == nth:
            raise error
        replace(source, target, **kwargs)
        renamed.append(os.path.basename(target))

    monkeypatch.setattr(os, "replace", replace_or_die)
    return renamed


def as_certbot_sees_it(parse: Parse, lineage: Lineage) -> storage.RenewableCert:
    return storage.RenewableCert(lineage.renewal_file, parse("certificates").config)


@pytest.fixture(params=["relative", "absolute"])
def lineage(request: pytest.FixtureRequest, config_dir: ConfigDir) -> Lineage:
    return config_dir.add(NAME, versions=(1, 2, 5, 12), absolute=request.param == "absolute")


def test_what_there_is(config_dir: ConfigDir, lineage: Lineage) -> None:
    assert archive.directory(lineage) == str(config_dir.path / "archive" / NAME)
    assert archive.versions(lineage) == [1, 2, 5, 12]
    assert archive.current_version(lineage) == 12


def test_incomplete_versions_and_other_files_are_no_versions(
    config_dir: ConfigDir, lineage: Lineage
) -> None:
    config_dir.archive(NAME, "chain", 2).unlink()
    folder = config_dir.path / "archive" / NAME
    for name in ("cert.pem", "cert7.pem", "cert8.pem.revoked", "xcert9.pem", "cert-1.pem"):
        (folder / name).touch()
    for kind in ("privkey", "chain", "fullchain"):
        (folder / f"{kind}8.pem.revoked").touch()
    assert archive.versions(lineage) == [1, 5, 12]


def test_links_move_and_keep_their_style(config_dir: ConfigDir, lineage: Lineage) -> None:
    absolute = config_dir.live(NAME, "cert").readlink().is_absolute()
    archive.link_to(lineage, 2)
    assert linked(config_dir, NAME) == version(2)
    assert archive.current_version(lineage) == 2
    for kind in KINDS:
        link = config_dir.live(NAME, kind)
        assert link.readlink().is_absolute() == absolute
        assert link.read_bytes() == config_dir.archive(NAME, kind, 2).read_bytes()
    assert sorted(os.listdir(config_dir.path / "live" / NAME)) == sorted(f"{k}.pem" for k in KINDS)


def test_links_are_replaced_in_order_and_never_missing(
    config_dir: ConfigDir, lineage: Lineage, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace
    seen = []

    def watch(source: Any, target: Any) -> None:
        assert all(config_dir.live(NAME, kind).is_file() for kind in KINDS)
        replace(source, target)
        seen.append(Path(target).stem)

    monkeypatch.setattr(os, "replace", watch)
    archive.link_to(lineage, 1)
    assert seen == list(ORDER)


def test_links_that_are_right_are_left_alone(
    config_dir: ConfigDir, lineage: Lineage, monkeypatch: pytest.MonkeyPatch
) -> None:
    inodes = {kind: config_dir.live(NAME, kind).lstat().st_ino for kind in KINDS}
    renamed = killing(monkeypatch, 0, Killed())
    archive.link_to(lineage, 12)
    assert renamed == []
    assert inodes == {kind: config_dir.live(NAME, kind).lstat().st_ino for kind in KINDS}
    with pytest.raises(Killed):  # the twin: another version does rename
        archive.link_to(lineage, 5)


def test_the_directory_and_what_others_put_there_stay(
    config_dir: ConfigDir, lineage: Lineage
) -> None:
    live = config_dir.path / "live" / NAME
    (live / "README").write_text("Certbot's words")
    (live / "combined.pem").symlink_to("/etc/haproxy/combined.pem")
    (live / "backup").mkdir()
    live.chmod(0o750)
    before, watcher = live.stat(), os.open(live, os.O_RDONLY | os.O_DIRECTORY)
    try:
        archive.link_to(lineage, 1)
        seen = os.listdir(watcher)
    finally:
        os.close(watcher)
    after = live.stat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    others = ["README", "backup", "combined.pem"]
    assert sorted(seen) == sorted([*others, *(f"{kind}.pem" for kind in KINDS)])
    assert (live / "combined.pem").readlink() == Path("/etc/haproxy/combined.pem")
    assert os.listdir(config_dir.path / "live") == [NAME]


def test_links_in_several_directories(config_dir: ConfigDir, lineage: Lineage) -> None:
    elsewhere = config_dir.path / "live" / "elsewhere"
    elsewhere.mkdir()
    chain = elsewhere / "chain.pem"
    config_dir.live(NAME, "chain").rename(chain)
    lineage = Lineage(NAME, lineage.renewal_file, {**lineage.links, "chain": str(chain)}, {})
    archive.link_to(lineage, 1)
    assert chain.readlink().name == "chain1.pem"
    assert config_dir.live(NAME, "cert").readlink().name == "cert1.pem"


def test_torn_links_are_told_and_mended(config_dir: ConfigDir, lineage: Lineage) -> None:
    assert not archive.is_torn(lineage)
    config_dir.link(NAME, 1, cert=2)
    assert archive.is_torn(lineage)
    archive.mend(lineage, 2)
    assert linked(config_dir, NAME) == version(2)
    archive.mend(lineage, 1)  # what is not torn is not moved
    assert linked(config_dir, NAME) == version(2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_link_is_torn(config_dir: ConfigDir, lineage: Lineage, kind: str) -> None:
    config_dir.live(NAME, kind).unlink()
    assert archive.is_torn(lineage)


@pytest.mark.parametrize("nth", range(4))
@pytest.mark.parametrize("error", [Killed(), OSError(28, "No space left on device")])
def test_a_move_cut_short_is_mended_by_the_next(
    config_dir: ConfigDir,
    lineage: Lineage,
    monkeypatch: pytest.MonkeyPatch,
    nth: int,
    error: BaseException,
) -> None:
    with monkeypatch.context() as patch:
        killing(patch, nth, error)
        with pytest.raises(type(error)):
            archive.link_to(lineage, 5)
    expected = {**version(12), **{kind: f"{kind}5.pem" for kind in ORDER[:nth]}}
    assert linked(config_dir, NAME) == expected
    assert all(config_dir.live(NAME, kind).is_file() for kind in KINDS)
    archive.link_to(lineage, 5)
    assert linked(config_dir, NAME) == version(5)
    left = os.listdir(config_dir.path / "live" / NAME)
    assert sorted(left) == sorted(f"{kind}.pem" for kind in KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_link_that_certbot_left_missing_is_made_again(
    config_dir: ConfigDir, lineage: Lineage, kind: str
) -> None:
    config_dir.live(NAME, kind).unlink()
    archive.link_to(lineage, 12)
    assert linked(config_dir, NAME) == version(12)


def test_a_link_in_another_style_is_made_like_the_rest(
    config_dir: ConfigDir, lineage: Lineage
) -> None:
    link = config_dir.live(NAME, "chain")
    link.unlink()
    link.symlink_to(os.path.join("..", NAME, "..", "..", "archive", NAME, "chain12.pem"))
    archive.link_to(lineage, 12)
    assert link.readlink().parent == config_dir.live(NAME, "cert").readlink().parent


def test_a_lineage_without_links(config_dir: ConfigDir, lineage: Lineage) -> None:
    shutil.rmtree(config_dir.path / "live" / NAME)
    assert archive.current_version(lineage) is None
    with pytest.raises(OSError, match="No such file"):
        archive.directory(lineage)
    with pytest.raises(OSError, match="No such file"):
        archive.link_to(lineage, 1)


@pytest.mark.parametrize("target", ["cert.pem", "../../archive/www/cert12.pem.bak", "Cert3.pem"])
def test_a_link_to_no_version(config_dir: ConfigDir, lineage: Lineage, target: str) -> None:
    link = config_dir.live(NAME, "cert")
    link.unlink()
    link.symlink_to(target)
    assert archive.current_version(lineage) is None


def test_a_live_directory_elsewhere(config_dir: ConfigDir, tmp_path: Path) -> None:
    """``live`` may be a link; a relative link below it starts from where that leads."""
    lineage = config_dir.add(NAME, versions=(1, 2))
    elsewhere = tmp_path / "far" / "away" / "etc"
    elsewhere.mkdir(parents=True)
    for name in ("live", "archive"):
        shutil.move(str(config_dir.path / name), elsewhere / name)
    (config_dir.path / "live").symlink_to(elsewhere / "live")
    assert archive.directory(lineage) == str(elsewhere / "archive" / NAME)
    archive.link_to(lineage, 1)
    assert linked(config_dir, NAME) == version(1)
    assert config_dir.live(NAME, "cert").is_file()


def test_certbot_agrees(config_dir: ConfigDir, parse: Parse) -> None:
    lineage = config_dir.add(NAME, versions=(1, 2))
    archive.link_to(lineage, 1)
    seen = as_certbot_sees_it(parse, lineage)
    assert seen.latest_common_version() == 2
    assert seen.has_pending_deployment()
    archive.link_to(lineage, 2)
    assert not as_certbot_sees_it(parse, lineage).has_pending_deployment()


def test_a_reused_key_moves_with_its_version(config_dir: ConfigDir, parse: Parse) -> None:
    """Certbot counts links, so one that stays behind is a pending deployment at every run."""
    lineage = config_dir.add(NAME, versions=(1, 2, 3), shared_key=True)
    archive.link_to(lineage, 1)
    assert linked(config_dir, NAME) == version(1)
    archive.link_to(lineage, 3)
    assert linked(config_dir, NAME) == version(3)
    assert not as_certbot_sees_it(parse, lineage).has_pending_deployment()


# Withdrawing a revoked version


def assert_withdrawn(config_dir: ConfigDir, number: int, kinds: tuple[str, ...] = KINDS) -> None:
    for kind in kinds:
        path = config_dir.archive(NAME, kind, number)
        assert not os.path.lexists(path)
        assert os.path.lexists(f"{path}.revoked")


def test_the_newest_version_is_withdrawn(config_dir: ConfigDir, lineage: Lineage) -> None:
    contents = config_dir.archive(NAME, "cert", 12).read_bytes()
    assert archive.withdraw(lineage, 12) == 5
    assert linked(config_dir, NAME) == version(5)
    assert archive.versions(lineage) == [1, 2, 5]
    assert_withdrawn(config_dir, 12)
    assert Path(f"{config_dir.archive(NAME, 'cert', 12)}.revoked").read_bytes() == contents


def test_certbot_does_not_link_the_withdrawn_version_again(
    config_dir: ConfigDir, parse: Parse
) -> None:
    lineage = config_dir.add(NAME, versions=(1, 2))
    archive.withdraw(lineage, 2)
    seen = as_certbot_sees_it(parse, lineage)
    assert not seen.has_pending_deployment()
    assert seen.latest_common_version() == 1


def test_a_held_version_is_withdrawn_and_the_links_stay(
    config_dir: ConfigDir, lineage: Lineage
) -> None:
    archive.link_to(lineage, 5)
    assert archive.withdraw(lineage, 12) == 5
    assert linked(config_dir, NAME) == version(5)
    assert_withdrawn(config_dir, 12)


def test_an_older_version_is_withdrawn_and_the_links_stay(
    config_dir: ConfigDir, lineage: Lineage
) -> None:
    assert archive.withdraw(lineage, 2) == 12
    assert linked(config_dir, NAME) == version(12)
    assert archive.versions(lineage) == [1, 5, 12]


def test_the_only_version_is_not_withdrawn(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(NAME, versions=(3,))
    before = snapshot(config_dir.path)
    assert archive.withdraw(lineage, 3) is None
    assert snapshot(config_dir.path) == before


def test_an_incomplete_version_is_nothing_to_go_back_to(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(NAME, versions=(1, 2))
    config_dir.archive(NAME, "privkey", 1).unlink()
    before = snapshot(config_dir.path)
    assert archive.withdraw(lineage, 2) is None
    assert snapshot(config_dir.path) == before


@pytest.mark.parametrize("nth", range(8))
def test_a_withdrawal_cut_short_is_completed_by_the_next(
    config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    lineage = config_dir.add(NAME, versions=(1, 2))
    with monkeypatch.context() as patch:
        renamed = killing(patch, nth, Killed())
        with pytest.raises(Killed):
            archive.withdraw(lineage, 2)
    assert len(renamed) == nth
    assert all(config_dir.live(NAME, kind).is_file() for kind in KINDS)
    assert archive.withdraw(lineage, 2) == 1
    assert linked(config_dir, NAME) == version(1)
    assert_withdrawn(config_dir, 2)


def test_withdrawing_a_version_with_a_reused_key(config_dir: ConfigDir, parse: Parse) -> None:
    """Its key is a link to the older one, and ``live/`` must not keep pointing to that link."""
    lineage = config_dir.add(NAME, versions=(1, 2), shared_key=True)
    assert archive.withdraw(lineage, 2) == 1
    assert linked(config_dir, NAME) == version(1)
    assert all(config_dir.live(NAME, kind).is_file() for kind in KINDS)
    assert_withdrawn(config_dir, 2)
    assert not as_certbot_sees_it(parse, lineage).has_pending_deployment()


def test_withdrawing_a_version_whose_key_is_reused(config_dir: ConfigDir) -> None:
    """Later versions' keys are links to that file: without it they are no versions."""
    lineage = config_dir.add(NAME, versions=(1, 2), shared_key=True)
    assert archive.withdraw(lineage, 1) == 2
    assert all(config_dir.live(NAME, kind).is_file() for kind in KINDS)
    assert archive.versions(lineage) == [2]
    assert_withdrawn(config_dir, 1, ("cert", "chain", "fullchain"))


Act = Callable[[Lineage], Any]


@pytest.mark.parametrize(
    "act",
    [lambda lineage: archive.link_to(lineage, 2), lambda lineage: archive.withdraw(lineage, 12)],
)
def test_a_failure_to_sync_is_told(
    lineage: Lineage, monkeypatch: pytest.MonkeyPatch, act: Act
) -> None:
    def fsync(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="Input/output error"):
        act(lineage)


def test_moved_links_are_synced_in_their_directory(
    config_dir: ConfigDir, lineage: Lineage, monkeypatch: pytest.MonkeyPatch
) -> None:
    renamed = killing(monkeypatch, 9, Killed())
    synced: list[tuple[int, str]] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        synced.append((len(renamed), os.readlink(f"/proc/self/fd/{descriptor}")))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    archive.link_to(lineage, 1)
    assert synced == [(4, str(config_dir.path / "live" / NAME))]


def test_where_no_link_moves_nothing_is_synced(
    config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    lineage = config_dir.add("synced.example.jp", versions=(1, 2))
    synced: list[str] = []
    monkeypatch.setattr(durable, "sync_directory", synced.append)
    archive.link_to(lineage, 2)
    assert synced == []
    archive.link_to(lineage, 1)
    assert synced == [str(config_dir.path / "live" / "synced.example.jp")]


def test_a_link_that_could_not_be_moved_leaves_nothing(
    config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    lineage = config_dir.add("moved.example.jp", versions=(1, 2))
    folder = config_dir.path / "live" / "moved.example.jp"
    before = sorted(os.listdir(folder))

    def fail(*_args: object) -> None:
        raise OSError("no")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no"):
        archive.link_to(lineage, 1)
    assert sorted(os.listdir(folder)) == before
