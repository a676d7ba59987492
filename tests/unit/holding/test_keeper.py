"""What is held, when: the keeper's part in Certbot's steps, with real files and records."""

from __future__ import annotations

import argparse
import errno
import gc
import logging
import os
import weakref
from collections.abc import Callable, Hashable
from types import SimpleNamespace
from typing import Any

import pytest
from certbot import errors
from certbot._internal import hooks

from certbot_jprs import door
from certbot_jprs.ground import display_util, language, options
from certbot_jprs.ground.exceptions import HoldingError
from certbot_jprs.ground.names import NAME as PLUGIN
from certbot_jprs.ground.options import AUTHENTICATOR
from certbot_jprs.holding import jobs, release
from certbot_jprs.holding.jobs import Job
from certbot_jprs.holding.keeper import Keeper
from certbot_jprs.holding.lookout import Lookout
from certbot_jprs.holding.records import Record, Step, Store
from certbot_jprs.holding.turn import Turn, Turns
from certbot_jprs.holding.uptake import Uptake
from certbot_jprs.house import House
from certbot_jprs.internals import interception
from certbot_jprs.internals.delegation import Workers
from certbot_jprs.lineage import archive, durable, files, soundness
from certbot_jprs.lineage.files import KINDS, Lineage
from certbot_jprs.rules import policy
from certbot_jprs.validation.reloads import Reloads
from tests.unit.command_line import Parse
from tests.unit.config_dir import LETS_ENCRYPT, ConfigDir, linked, version

NAME = "www.example.jp"
OTHER = "b.example.jp"


class Released:
    """Stands for the wait and the release: notes the jobs, and does what the test says."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.calls = 0
        self.act: Callable[[Job], str | None] = lambda _job: None
        self.failures: dict[str, str] = {}
        self.set_aside: set[str] = set()

    def __call__(
        self, _store: Store, jobs: list[Job], *, quiet: bool, reloads: Reloads
    ) -> Released:
        self.reloads = reloads
        self.jobs = jobs
        return self

    def run(self) -> None:
        self.calls += 1
        for job in self.jobs:
            failure = self.act(job)
            if failure:
                self.failures[job.record.name] = failure


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> Released:
    fake = Released()
    monkeypatch.setattr(release, "Release", fake)
    return fake


class NotedReloads(Reloads):
    """Notes what it is told; the process is not guarded."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def guard(self) -> None:
        self.told.append("guard")

    def settle(self, spared: Hashable = None) -> None:
        self.told.append("settle" if spared is None else "settle others")
        super().settle(spared)

    def begun(self) -> None:
        self.told.append("begun")


@pytest.fixture
def reloads() -> NotedReloads:
    return NotedReloads()


@pytest.fixture
def keeper(monkeypatch: pytest.MonkeyPatch, reloads: NotedReloads) -> Keeper:
    monkeypatch.setattr(display_util, "notify", lambda _text: None)
    return Keeper(None, reloads, Turns())


@pytest.fixture
def lineage(config_dir: ConfigDir) -> Lineage:
    return added(config_dir, NAME)


def added(
    config_dir: ConfigDir, name: str, plugin: str = PLUGIN, server: str = policy.SERVER
) -> Lineage:
    """Makes a lineage whose second version is not linked."""
    lineage = config_dir.add(
        name, versions=(1, 2), authenticator=plugin, installer=plugin, server=server
    )
    config_dir.link(name, 1)
    return lineage


class Bench:
    """A keeper, a configuration directory and what Certbot hands over."""

    def __init__(self, keeper: Keeper, config_dir: ConfigDir) -> None:
        self.keeper = keeper
        self.lookout = Lookout(None, keeper._turns, lambda: keeper)
        self.config_dir = config_dir
        self.store = Store(str(config_dir))
        self.hooks: list[str] = []

    def config(self, verb: str = "renew", *, governed: bool = True, **values: Any) -> Any:
        given = {
            "config_dir": str(self.config_dir),
            "verb": verb,
            "installer": PLUGIN,
            "dry_run": False,
            "directory_hooks": True,
            "quiet": False,
            "domains": [NAME],
            "redirect": None,
            "certname": None,
            "renew_by_default": False,
            **values,
        }
        config = SimpleNamespace(**{"namespace": argparse.Namespace(**given), **given})
        if governed:
            self.govern(config)
        return config

    def govern(self, config: Any) -> Turn:
        """Returns a configuration's turn; the same for the same one."""
        turn = self.lookout.govern(config, Workers(config))
        assert turn is not None
        return turn

    def namespace(self, parse: Parse, *args: str) -> argparse.Namespace:
        namespace: argparse.Namespace = parse(*args).config.namespace
        self.keeper._namespace = namespace
        return namespace

    def unopened(self, namespace: argparse.Namespace | None) -> tuple[Lookout, list[Keeper]]:
        """Returns a lookout, and the keepers that it opens."""
        opened: list[Keeper] = []

        def opening() -> Keeper:
            opened.append(self.keeper)
            return self.keeper

        return Lookout(namespace, self.keeper._turns, opening), opened

    def cert(self, name: str = NAME) -> Any:
        """Returns what Certbot calls the lineage, as far as the keeper looks at it."""
        params = {"renewalparams": dict(_lineage(self.config_dir, name).params)}
        config = SimpleNamespace(config_dir=str(self.config_dir))
        return SimpleNamespace(lineagename=name, cli_config=config, configuration=params)

    def deploy(self, config: Any, name: str = NAME) -> None:
        path = str(self.config_dir.path / "live" / name)
        self.keeper.deploy_hooks(config, path, lambda: self.hooks.append(name))


def _lineage(config_dir: ConfigDir, name: str) -> Lineage:
    found = files.named(str(config_dir), name)
    assert found is not None
    return found


@pytest.fixture
def bench(keeper: Keeper, config_dir: ConfigDir) -> Bench:
    return Bench(keeper, config_dir)


def failing(number: int) -> Callable[..., None]:
    def fail(*_args: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


# Taking Certbot's place


def test_certbots_steps_are_intercepted_only_where_something_is_held(bench: Bench) -> None:
    original = hooks.deploy_hook
    House(None, door._workshop)
    assert hooks.deploy_hook is original
    bench.lookout.engage()
    assert hooks.deploy_hook is not original
    wrapped = hooks.deploy_hook
    bench.lookout.engage()
    assert hooks.deploy_hook is wrapped


def test_a_certbot_that_lacks_something_is_told_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delattr(hooks, "run_saved_post_hooks")
    for _ in range(2):
        assert not bench.lookout.govern(SimpleNamespace(), Workers(SimpleNamespace()))
    assert len([each for each in caplog.records if each.levelno >= logging.WARNING]) == 1
    assert caplog.messages[-1].startswith(f"This version of Certbot lacks what {PLUGIN} needs to")
    assert "deploy hooks run before that wait" in caplog.text


def test_what_waits_is_opened_once_there_is_something_to_hold(
    bench: Bench, lineage: Lineage, parse: Parse
) -> None:
    lookout, opened = bench.unopened(bench.namespace(parse, "renew"))
    lookout.govern(bench.config(), Workers(None))
    assert not lookout.keeps_links(bench.cert(), None)
    lookout.at_end()()
    assert not opened
    lookout.before_saving(bench.cert(), bench.config())
    lookout.after_saving(bench.cert(), 2)
    assert lookout.keeps_links(bench.cert(), None)
    assert len(opened) == 1


@pytest.mark.parametrize("left", ["none", "record", "torn"])
def test_the_end_of_a_run_is_the_keepers_where_something_was_left(
    bench: Bench, lineage: Lineage, parse: Parse, left: str
) -> None:
    lookout, opened = bench.unopened(bench.namespace(parse, "renew"))
    os.makedirs(bench.store.directory)
    if left == "record":
        bench.store.save(Record(NAME, in_service=2))
    elif left == "torn":
        open(os.path.join(bench.store.directory, ".new-abcdefgh"), "w").close()
    lookout.at_end()()
    assert bool(opened) == (left != "none")
    assert os.listdir(bench.store.directory) == []


def test_the_end_of_a_run_whose_options_are_not_known_opens_nothing(bench: Bench) -> None:
    bench.store.save(Record(NAME, in_service=1, held=2))
    lookout, opened = bench.unopened(None)
    lookout.at_end()()
    assert opened == []
    assert bench.store.names() == [NAME]


# Before the order


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"authenticator": PLUGIN}, ["settle others", "guard"]),
        ({"authenticator": "dns-example"}, ["settle", "guard"]),
        ({"authenticator": PLUGIN, AUTHENTICATOR: "webroot"}, ["settle", "guard"]),
        ({"authenticator": PLUGIN, "governed": False}, ["settle"]),
        ({"authenticator": "apache", "installer": "apache", "governed": False}, ["settle"]),
        ({"authenticator": PLUGIN, "dry_run": True}, ["settle others"]),
    ],
)
def test_no_challenge_is_in_the_way_of_another_plugin(
    bench: Bench, reloads: NotedReloads, given: dict[str, Any], told: list[str]
) -> None:
    bench.keeper.before_issuing(bench.config(**given))
    assert reloads.told == told


def test_nothing_is_ordered_where_no_record_can_be_written(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = bench.config()
    bench.keeper.before_issuing(config)
    monkeypatch.setattr(durable, "check_room", failing(errno.ENOSPC))
    with pytest.raises(HoldingError, match=r"(?s)Nothing was ordered.*Free space.*\nNo space left"):
        bench.keeper.before_issuing(config)
    # Others are not concerned.
    bench.keeper.before_issuing(bench.config(governed=False))
    bench.keeper.before_issuing(bench.config(dry_run=True))


def test_the_record_is_there_before_the_order(bench: Bench, lineage: Lineage) -> None:
    bench.keeper.before_issuing(bench.config())
    record = bench.store.load(NAME)
    assert record == Record(NAME, in_service=1, reload=True)
    before = inode(bench)
    bench.keeper.before_saving(bench.cert(), bench.config())
    assert inode(bench) == before  # nothing is left to write
    # An order that failed leaves nothing that waits.
    config_dir = bench.config_dir
    for kind in KINDS:
        config_dir.archive(NAME, kind, 2).unlink()
    assert Uptake(argparse.Namespace(), str(config_dir), [NAME], Reloads()).jobs == []
    assert not bench.store.has(NAME)


def inode(bench: Bench) -> int:
    return os.stat(bench.config_dir.path / "certbot-jprs" / "held" / f"{NAME}.json").st_ino


def test_what_an_earlier_run_left_is_not_touched_by_an_order(
    bench: Bench, lineage: Lineage
) -> None:
    for record in (
        Record(NAME, in_service=1, held=2, since=7.0, failure="unknown"),
        Record(NAME, Step.RELEASED, in_service=1, held=2),
    ):
        bench.store.save(record)
        bench.keeper.before_issuing(bench.config())
        assert bench.store.load(NAME) == record
        assert linked(bench.config_dir, NAME) == version(1)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO])
def test_nothing_is_ordered_beside_a_record_that_cannot_be_read(
    bench: Bench, lineage: Lineage, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(Store, "load", failing(number))
    with pytest.raises(HoldingError, match=f"(?s)Nothing was ordered.*{os.strerror(number)}"):
        bench.keeper.before_issuing(bench.config())
    with pytest.raises(errors.PluginError, match=os.strerror(number)):
        bench.keeper.before_saving(bench.cert(), bench.config())
    bench.keeper.after_saving(bench.cert(), 2)


def test_no_record_is_made_for_another_plugins_lineage_of_these_names(
    bench: Bench, config_dir: ConfigDir
) -> None:
    config_dir.add(NAME, authenticator="apache", installer="apache")
    bench.keeper.before_issuing(bench.config())
    assert bench.store.names() == []
    config_dir.add("again", [NAME], authenticator=PLUGIN, installer=PLUGIN)
    bench.keeper.before_issuing(bench.config())
    assert bench.store.names() == ["again"]
    bench.keeper.before_issuing(bench.config(certname=NAME))
    assert bench.store.names() == ["again", NAME]


def test_a_first_certificate_has_no_record_yet(bench: Bench) -> None:
    for certname in (None, "new"):
        bench.keeper.before_issuing(bench.config("certonly", certname=certname))
    assert bench.store.names() == []


def damage(config_dir: ConfigDir, number: int, kind: str = "privkey") -> None:
    config_dir.archive(NAME, kind, number).write_bytes(b"")


def test_after_two_damaged_versions_nothing_more_is_ordered_by_itself(
    bench: Bench, lineage: Lineage
) -> None:
    config_dir = bench.config_dir
    good = {kind: config_dir.archive(NAME, kind, 2).read_bytes() for kind in KINDS}
    for _time in range(2):
        bench.keeper.before_issuing(bench.config())
        for kind, data in good.items():
            config_dir.archive(NAME, kind, 2).write_bytes(data)
        damage(config_dir, 2)
        bench.store.save(Record(NAME, in_service=1, held=2))
        bench.keeper.keeps_links(bench.cert(), None)
        assert archive.versions(lineage) == [1]
    with pytest.raises(HoldingError, match=r"last 2 certificates.*--force-renewal"):
        bench.keeper.before_issuing(bench.config())
    # Who asks for it gets it.
    bench.keeper.before_issuing(bench.config(renew_by_default=True))
    bench.keeper.before_issuing(bench.config("certonly"))


# When a version is saved


def test_what_was_saved_is_made_durable(
    bench: Bench, lineage: Lineage, monkeypatch: pytest.MonkeyPatch, released: Released
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(soundness, "sync", lambda _lineage, number: synced.append(number))
    bench.keeper.before_saving(bench.cert(), bench.config())
    bench.keeper.after_saving(bench.cert(), 2)
    assert synced == [2]
    # A first one: Certbot calls for the first time when its hooks are to run.
    bench.store.remove(NAME)
    bench.deploy(bench.config("certonly"))
    assert synced == [2, 2]
    monkeypatch.setattr(soundness, "sync", failing(errno.EIO))
    bench.keeper.before_saving(bench.cert(), bench.config())
    bench.keeper.after_saving(bench.cert(), 3)
    record = bench.store.load(NAME)
    assert record is not None
    assert record.held == 3  # the release syncs again, and fails


def test_the_one_in_service_is_kept_in_mind_when_the_record_cannot_be_completed(
    bench: Bench, lineage: Lineage, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = bench.config()
    bench.keeper.before_saving(bench.cert(), config)
    monkeypatch.setattr(durable, "write", failing(errno.ENOSPC))
    bench.keeper.after_saving(bench.cert(), 2)
    bench.deploy(config)
    assert bench.keeper._queue[NAME].record.in_service == 1


def test_the_record_says_what_is_in_service(bench: Bench, config_dir: ConfigDir) -> None:
    config_dir.add(NAME, versions=(1, 2, 3), authenticator=PLUGIN, installer=PLUGIN)
    config_dir.link(NAME, 2)
    bench.store.save(Record(NAME, in_service=1, held=2))
    bench.keeper.before_saving(bench.cert(), bench.config())
    record = bench.store.load(NAME)
    assert record is not None
    assert record.in_service == 1


def test_a_first_installation_that_is_open_is_not_forgotten(bench: Bench, lineage: Lineage) -> None:
    bench.store.save(Record(NAME, held=2, install=[NAME], redirect=True, reload=True))
    bench.keeper.before_saving(bench.cert(), bench.config())
    record = bench.store.load(NAME)
    assert record is not None
    assert (record.install, record.redirect) == ([NAME], True)


def test_a_release_cut_short_whose_version_is_gone_moves_no_link(
    bench: Bench, lineage: Lineage
) -> None:
    bench.store.save(Record(NAME, Step.RELEASED, in_service=1, held=7))
    bench.keeper.before_saving(bench.cert(), bench.config())
    assert linked(bench.config_dir, NAME) == version(1)


def test_the_version_in_service_is_noted_before_a_newer_one_exists(
    bench: Bench, lineage: Lineage
) -> None:
    config = bench.config(directory_hooks=False)
    bench.keeper.before_saving(bench.cert(), config)
    record = bench.store.load(NAME)
    assert record is not None
    assert (record.step, record.in_service, record.held) == (Step.HELD, 1, None)
    assert (record.directory_hooks, record.reload) == (False, True)
    bench.keeper.after_saving(bench.cert(), 3)
    record = bench.store.load(NAME)
    assert record is not None
    assert record.held == 3


def test_one_that_is_held_already_is_skipped_by_the_next(bench: Bench, lineage: Lineage) -> None:
    bench.store.save(Record(NAME, in_service=1, held=2))
    bench.keeper.before_saving(bench.cert(), bench.config())
    record = bench.store.load(NAME)
    assert record is not None
    assert (record.in_service, record.held) == (1, None)


def test_a_release_that_was_cut_short_is_completed_first(bench: Bench, lineage: Lineage) -> None:
    bench.store.save(Record(NAME, Step.RELEASED, in_service=1, held=2))
    bench.keeper.before_saving(bench.cert(), bench.config())
    record = bench.store.load(NAME)
    assert record is not None
    assert (record.step, record.in_service) == (Step.HELD, 2)
    assert linked(bench.config_dir, NAME) == version(2)


def test_another_plugins_renewal_drops_the_record(bench: Bench, lineage: Lineage) -> None:
    config = bench.config(governed=False)
    bench.keeper.before_saving(bench.cert(), config)
    bench.store.save(Record(NAME, in_service=1, held=2))
    bench.keeper.before_saving(bench.cert(), config)
    assert not bench.store.has(NAME)


def test_a_record_that_cannot_be_written_is_told(
    bench: Bench, lineage: Lineage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable, "write", failing(errno.EROFS))
    with pytest.raises(errors.PluginError, match=r"(?s)run the command again.*\n.*Read-only"):
        bench.keeper.before_saving(bench.cert(), bench.config())


def test_the_held_version_need_not_be_noted(
    bench: Bench, lineage: Lineage, monkeypatch: pytest.MonkeyPatch, released: Released
) -> None:
    config = bench.config()
    bench.keeper.before_saving(bench.cert(), config)
    monkeypatch.setattr(durable, "write", failing(errno.ENOSPC))
    bench.keeper.after_saving(bench.cert(), 2)
    bench.deploy(config)
    assert bench.keeper._queue[NAME].record.held == 2


def test_a_version_that_nobody_holds(bench: Bench, lineage: Lineage) -> None:
    bench.keeper.after_saving(bench.cert(), 2)
    assert not bench.store.has(NAME)


# Links


@pytest.mark.parametrize("linking", [None, 2, 3])
def test_links_of_a_held_lineage_stay(bench: Bench, lineage: Lineage, linking: int | None) -> None:
    assert not bench.keeper.keeps_links(bench.cert(), linking)
    bench.store.save(Record(NAME, in_service=1))
    assert bench.keeper.keeps_links(bench.cert(), linking)
    assert not bench.keeper.keeps_links(bench.cert(), 1)


@pytest.mark.parametrize(("plugin", "server"), [("apache", policy.SERVER), (PLUGIN, LETS_ENCRYPT)])
@pytest.mark.parametrize("text", ['{"garbage', ""])
def test_another_plugins_links_move_whatever_our_record_is(
    bench: Bench, config_dir: ConfigDir, plugin: str, server: str, text: str
) -> None:
    added(config_dir, NAME, plugin, server)
    bench.store.save(Record(NAME, in_service=1, held=2))
    (config_dir.path / "certbot-jprs" / "held" / f"{NAME}.json").write_text(text)
    assert not bench.keeper.keeps_links(bench.cert(), None)
    assert linked(config_dir, NAME) == version(1)


@pytest.mark.parametrize("step", [Step.RELEASED, Step.HOOKED])
def test_links_of_a_released_lineage_move(bench: Bench, lineage: Lineage, step: Step) -> None:
    bench.store.save(Record(NAME, step, in_service=1, held=2))
    assert not bench.keeper.keeps_links(bench.cert(), None)
    assert not bench.keeper.keeps_links(bench.cert(), 2)


@pytest.mark.parametrize(("step", "whole"), [(Step.HELD, 1), (Step.RELEASED, 2)])
def test_torn_links_are_mended(
    bench: Bench, lineage: Lineage, config_dir: ConfigDir, step: Step, whole: int
) -> None:
    bench.store.save(Record(NAME, step, in_service=1, held=2))
    config_dir.link(NAME, 1, privkey=2, cert=2)
    bench.keeper.keeps_links(bench.cert(), None)
    assert linked(config_dir, NAME) == version(whole)


def test_torn_links_that_cannot_be_mended(
    bench: Bench, lineage: Lineage, config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.store.save(Record(NAME, in_service=1, held=2))
    config_dir.link(NAME, 1, privkey=2)
    monkeypatch.setattr(archive, "link_to", failing(errno.EROFS))
    assert bench.keeper.keeps_links(bench.cert(), None)


def test_a_first_certificates_links_are_certbots(bench: Bench, lineage: Lineage) -> None:
    bench.store.save(Record(NAME, held=1))
    assert not bench.keeper.keeps_links(bench.cert(), 1)


def test_torn_links_of_a_first_certificate(
    bench: Bench, lineage: Lineage, config_dir: ConfigDir
) -> None:
    bench.store.save(Record(NAME, held=1))
    config_dir.link(NAME, 1, privkey=2)
    before = linked(config_dir, NAME)
    bench.keeper.keeps_links(bench.cert(), None)
    assert linked(config_dir, NAME) == before


@pytest.mark.parametrize("step", [Step.HELD, Step.RELEASED, Step.HOOKED])
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_version_is_set_aside_before_certbot_looks_at_it(
    bench: Bench, lineage: Lineage, caplog: pytest.LogCaptureFixture, step: Step, kind: str
) -> None:
    bench.store.save(Record(NAME, step, in_service=1, held=2))
    if step is Step.HOOKED:
        bench.config_dir.link(NAME, 2)
    damage(bench.config_dir, 2, kind)
    assert bench.keeper.keeps_links(bench.cert(), None)
    assert not bench.keeper.keeps_links(bench.cert(), 1)
    assert linked(bench.config_dir, NAME) == version(1)
    assert archive.versions(lineage) == [1]
    assert len([each for each in caplog.records if each.levelno >= logging.WARNING]) == 1
    assert "is renewed when it is due" in caplog.text


def test_what_was_set_aside_fails_the_run_unless_it_is_made_up_for(
    bench: Bench, lineage: Lineage, released: Released, parse: Parse
) -> None:
    bench.namespace(parse, "renew")
    bench.store.save(Record(NAME, in_service=1, held=2))
    damage(bench.config_dir, 2)
    bench.keeper.keeps_links(bench.cert(), None)
    conclude = bench.keeper.at_end()
    with pytest.raises(HoldingError, match=f"given above: {NAME}"):
        conclude()
    assert released.calls == 0
    assert not bench.store.has(NAME)
    config = bench.config()  # the twin: the same run orders another one
    bench.keeper.before_saving(bench.cert(), config)
    for kind in KINDS:
        there = bench.config_dir.archive(NAME, kind, 1)
        bench.config_dir.archive(NAME, kind, 2).write_bytes(there.read_bytes())
    bench.keeper.after_saving(bench.cert(), 2)
    bench.deploy(config)
    bench.keeper.at_end()()
    assert released.calls == 1


@pytest.mark.parametrize("what", ["record", "certificate"])
def test_links_stay_where_something_cannot_be_read(
    bench: Bench,
    *,
    lineage: Lineage,
    released: Released,
    parse: Parse,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    bench.store.save(Record(NAME, in_service=1, held=2))
    bench.namespace(parse, "renew")
    with monkeypatch.context() as patch:
        if what == "record":
            patch.setattr(Store, "load", failing(errno.EACCES))
        else:
            patch.setattr(soundness, "check", failing(errno.EACCES))
        for number in (None, 2):
            assert bench.keeper.keeps_links(bench.cert(), number)
        conclude = bench.keeper.at_end()
    assert bench.store.has(NAME)
    assert archive.versions(lineage) == [1, 2]
    if what == "record":  # else the release says so
        with pytest.raises(HoldingError, match=f"given above: {NAME}"):
            conclude()


# Deploy hooks


def test_held_lineages_of_one_server_share_a_plugin_object(
    bench: Bench, config_dir: ConfigDir, released: Released, parse: Parse
) -> None:
    """A plugin object for a web server is not small, and Certbot makes one for each lineage."""
    bench.namespace(parse, "renew")
    kept = []
    for name, root in ((NAME, "one"), (OTHER, "one"), ("c.example.jp", "two")):
        added(config_dir, name)
        config = bench.config(apache_server_root=root)
        turn = bench.govern(config)
        bench.deploy(config, name)
        kept.append(turn.workers)
    bench.keeper.at_end()
    first, second, third = (job.workers for job in released.jobs)
    assert first is second is kept[1]
    assert third is kept[2]


def test_what_plugin_objects_hold_in_cycles_is_freed(bench: Bench, config_dir: ConfigDir) -> None:
    class Cycle:
        def __init__(self) -> None:
            self.itself = self

    gone = weakref.ref(Cycle())
    gc.disable()
    try:
        for number in range(jobs.COLLECTED):
            assert gone() is not None
            name = f"n{number}.example.jp"
            added(config_dir, name)
            bench.deploy(bench.config(), name)
    finally:
        gc.enable()
    assert gone() is None


def test_what_is_owed_is_for_the_wait_to_do_and_done_after_it(
    bench: Bench, reloads: NotedReloads, lineage: Lineage, released: Released, parse: Parse
) -> None:
    bench.namespace(parse, "renew")
    released.act = lambda _job: reloads.told.append("released")
    bench.deploy(bench.config())
    assert reloads.told == []
    bench.keeper.at_end()
    assert released.reloads is reloads
    bench.deploy(bench.config(installer="another"))
    assert reloads.told == ["released", "settle"] * 2


def test_a_reload_that_failed_fails_the_run(bench: Bench, reloads: NotedReloads) -> None:
    bench.keeper.at_end()()
    reloads.failed = True
    conclude = bench.keeper.at_end()
    with pytest.raises(
        HoldingError, match=r"^A web server could not be reloaded, for the reason given above\.$"
    ):
        conclude()


@pytest.mark.parametrize(("governed", "dry_run"), [(False, False), (True, True)])
def test_others_hooks_run_at_once(
    bench: Bench, reloads: NotedReloads, lineage: Lineage, governed: bool, dry_run: bool
) -> None:
    bench.deploy(bench.config(governed=governed, dry_run=dry_run))
    assert bench.hooks == [NAME]
    assert not bench.store.has(NAME)
    assert reloads.told == ["begun"]


@pytest.mark.parametrize("installer", [PLUGIN, None])
def test_under_renew_hooks_wait_for_the_end(
    bench: Bench, lineage: Lineage, released: Released, parse: Parse, installer: str | None
) -> None:
    config = bench.config(installer=installer)
    bench.keeper.before_saving(bench.cert(), config)
    bench.keeper.after_saving(bench.cert(), 2)
    assert not bench.govern(config).held
    bench.deploy(config)
    assert bench.govern(config).held
    assert bench.hooks == []
    assert released.calls == 0
    bench.namespace(parse, "renew")
    bench.keeper.at_end()()
    (job,) = released.jobs
    assert (job.record.held, job.reload_here, job.earlier) == (2, True, False)
    assert job.record.reload == (installer == PLUGIN)
    job.run_hooks()
    assert bench.hooks == [NAME]
    # Once: there is nothing left to do.
    bench.store.remove(NAME)
    bench.keeper.at_end()()
    assert released.calls == 1


def test_beside_another_installer_each_waits_on_the_spot(
    bench: Bench, lineage: Lineage, released: Released
) -> None:
    config = bench.config(installer="dummy")
    bench.keeper.before_saving(bench.cert(), config)
    bench.deploy(config)
    assert released.calls == 1
    assert not released.jobs[0].record.reload
    released.act = lambda _job: "revoked"
    with pytest.raises(HoldingError, match=f"reasons given above: {NAME}"):
        bench.deploy(config)


@pytest.mark.parametrize("verb", ["run", "certonly"])
def test_a_first_certificate_waits_on_the_spot(
    bench: Bench, lineage: Lineage, released: Released, verb: str
) -> None:
    config = bench.config(verb)

    def release_it(job: Job) -> None:
        assert job.record.in_service is None
        job.record.step = Step.HOOKED

    released.act = release_it
    bench.deploy(config)
    (job,) = released.jobs
    assert job.reload_here == (verb == "certonly")
    assert job.record.install == ([NAME] if verb == "run" else [])
    assert job.record.redirect == (verb == "run")
    turn = bench.govern(config)
    assert turn.settled
    assert turn.reloaded == (verb == "certonly")
    # Under `run` the record stays until Certbot has reloaded.
    assert bench.store.has(NAME)
    bench.keeper.reload(turn, lambda: None)
    assert bench.store.has(NAME) == (verb == "certonly")


def test_a_record_that_cannot_be_removed_stops_no_reload(
    bench: Bench, lineage: Lineage, released: Released, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = bench.config("run")

    def release_it(job: Job) -> None:
        job.record.step = Step.HOOKED

    released.act = release_it
    bench.deploy(config)
    monkeypatch.setattr(durable, "remove", failing(errno.EROFS))
    bench.keeper.reload(bench.govern(config), lambda: None)
    assert bench.store.has(NAME)


def test_a_first_certificate_whose_record_cannot_be_written_waits_all_the_same(
    bench: Bench,
    lineage: Lineage,
    released: Released,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(durable, "write", failing(errno.ENOSPC))
    bench.deploy(bench.config("certonly"))
    assert released.calls == 1
    assert "could not be written" in caplog.text


def test_the_record_of_a_deleted_lineage_is_not_that_of_a_new_one(
    bench: Bench, released: Released
) -> None:
    bench.config_dir.add(NAME, versions=(1,), authenticator=PLUGIN, installer=PLUGIN)
    bench.store.save(Record(NAME, in_service=1, held=2, failure="unknown", since=7.0))
    bench.deploy(bench.config("certonly"))
    (job,) = released.jobs
    assert (job.record.in_service, job.record.held, job.record.failure) == (None, 1, "")
    assert job.record.since > 7


def test_a_renewal_file_that_cannot_be_read(
    bench: Bench, lineage: Lineage, config_dir: ConfigDir
) -> None:
    config_dir.conf(NAME).write_text("[[[")
    with pytest.raises(HoldingError, match="cannot be read"):
        bench.deploy(bench.config())


# The end of the run


def test_without_a_command_line_nothing_is_done(bench: Bench, released: Released) -> None:
    bench.keeper.at_end()()
    assert released.calls == 0


def test_a_dry_run_releases_nothing(
    bench: Bench, lineage: Lineage, released: Released, parse: Parse
) -> None:
    bench.store.save(Record(NAME, in_service=1, held=2))
    namespace = bench.namespace(parse, "renew")
    namespace.dry_run = True
    bench.keeper.at_end()()
    assert released.calls == 0
    assert bench.store.has(NAME)


@pytest.mark.parametrize("name", [None, NAME, OTHER])
def test_what_an_earlier_run_left_is_taken_up(
    bench: Bench,
    released: Released,
    parse: Parse,
    monkeypatch: pytest.MonkeyPatch,
    name: str | None,
) -> None:
    config_dir = bench.config_dir
    for each in (NAME, OTHER):
        added(config_dir, each)
    lineage = config_dir.write_conf(
        NAME,
        authenticator=PLUGIN,
        installer=PLUGIN,
        renew_hook="reload-mail",
        **{
            options.OCSP_TIMEOUT: "77",
            options.DEST + "apache_server_root": "/opt/apache",
        },
    )
    bench.store.save(Record(NAME, in_service=1, held=2, directory_hooks=False))
    bench.namespace(parse, "renew", *(["--cert-name", name] if name else []))
    bench.keeper.at_end()()
    assert released.calls == (0 if name == OTHER else 1)
    if name == OTHER:
        return
    (job,) = released.jobs
    assert job.earlier
    assert getattr(job.config, options.OCSP_TIMEOUT) == 77
    assert job.config.apache_server_root == "/opt/apache"
    assert job.config.directory_hooks is False
    seen: list[Any] = []
    monkeypatch.setattr(
        interception, "run_deploy_hooks", lambda *args, renewed: seen.append((*args, renewed))
    )
    job.run_hooks()
    ((config, names, live, renewed),) = seen
    assert config.deploy_hook == config.renew_hook == "reload-mail"
    assert names == [NAME]
    assert live == str(config_dir.path / "live" / NAME)
    assert renewed is True
    assert lineage.deploy_hook == "reload-mail"


def test_what_failed_is_told_after_the_post_hooks(
    bench: Bench, lineage: Lineage, released: Released, parse: Parse
) -> None:
    bench.store.save(Record(NAME, in_service=1, held=2))
    bench.namespace(parse, "renew")
    released.act = lambda _job: "no"
    conclude = bench.keeper.at_end()
    with pytest.raises(HoldingError, match=f"given above: {NAME}"):
        conclude()


# Before Certbot goes on


def test_run_and_certonly_finish_first_what_was_left(
    bench: Bench, lineage: Lineage, released: Released, parse: Parse
) -> None:
    namespace = parse("certonly").config.namespace
    bench.keeper.finish(bench.govern(bench.config("run", namespace=namespace)), [NAME])
    assert released.calls == 0
    bench.store.save(Record(NAME, held=2, install=[NAME], reload=True))
    bench.keeper.finish(bench.govern(bench.config("run", namespace=namespace)), [NAME])
    (job,) = released.jobs
    assert job.record.install == []  # Certbot is about to do that
    assert not job.reload_here
    bench.keeper.finish(bench.govern(bench.config("certonly", namespace=namespace)), [NAME])
    (job,) = released.jobs
    assert job.record.install == [NAME]
    assert job.reload_here


def test_certbot_goes_on_where_a_damaged_version_was_set_aside(
    bench: Bench, lineage: Lineage, released: Released, parse: Parse
) -> None:
    namespace = parse("certonly").config.namespace
    bench.store.save(Record(NAME, in_service=1, held=2))
    released.act = lambda _job: "damaged"
    released.set_aside = {NAME}
    bench.keeper.finish(bench.govern(bench.config("certonly", namespace=namespace)), [NAME])
    released.set_aside = set()  # the twin
    with pytest.raises(errors.Error, match="given above"):
        bench.keeper.finish(bench.govern(bench.config("certonly", namespace=namespace)), [NAME])


def test_what_cannot_be_finished_is_no_damage_to_the_plugin(
    bench: Bench, lineage: Lineage, released: Released, parse: Parse
) -> None:
    namespace = parse("run").config.namespace
    bench.store.save(Record(NAME, in_service=1, held=2))
    released.act = lambda _job: "no"
    with pytest.raises(errors.Error) as raised:
        bench.keeper.finish(bench.govern(bench.config("run", namespace=namespace)), [NAME])
    # Certbot shows a PluginError from here as "The plugin is not working".
    assert not isinstance(raised.value, errors.PluginError)


def test_a_certbot_that_lacks_nothing_is_told_nothing(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    assert bench.lookout.engage()
    assert caplog.text == ""


def test_links_stay_where_the_renewal_file_cannot_be_read(
    bench: Bench, lineage: Lineage, config_dir: ConfigDir
) -> None:
    bench.store.save(Record(NAME, in_service=1, held=2))
    cert = bench.cert()
    config_dir.conf(NAME).write_text("[[[")
    assert bench.keeper.keeps_links(cert, None)


def test_what_was_set_aside_is_written_down(bench: Bench, lineage: Lineage) -> None:
    bench.store.save(Record(NAME, in_service=1, held=2, since=7.0))
    damage(bench.config_dir, 2)
    bench.keeper.keeps_links(bench.cert(), None)
    assert bench.store.load(NAME) == Record(NAME, in_service=1)


def test_an_only_version_that_is_damaged_is_told_when_it_is_taken_up(
    bench: Bench, config_dir: ConfigDir, caplog: pytest.LogCaptureFixture
) -> None:
    config_dir.add(NAME, authenticator=PLUGIN, installer=PLUGIN)
    bench.store.save(Record(NAME, held=1))
    damage(config_dir, 1)
    bench.keeper.keeps_links(bench.cert(), None)
    assert caplog.text == ""
    assert bench.keeper._damaged == set()


@pytest.mark.parametrize(("installer", "here"), [(PLUGIN, False), ("dummy", True)])
def test_certbot_reloads_under_run_only_what_is_installed_here(
    bench: Bench, lineage: Lineage, released: Released, installer: str, *, here: bool
) -> None:
    bench.deploy(bench.config("run", installer=installer))
    (job,) = released.jobs
    assert job.reload_here is here


def test_what_goes_into_service_at_the_end_is_announced(
    bench: Bench,
    config_dir: ConfigDir,
    released: Released,
    parse: Parse,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    monkeypatch.setattr(display_util, "notify", told.append)
    monkeypatch.setattr(language, "conclude", lambda: told.append("one language"))
    bench.namespace(parse, "renew")
    new = (
        "Nothing more is ordered in this run. The held certificates now go into service, each "
        "once the OCSP server knows it."
    )
    left = f"Saved by an earlier run and not yet in service: {OTHER}, {NAME}"
    bench.keeper.at_end()()
    assert told == []
    for name in (NAME, OTHER):
        added(config_dir, name)
        bench.store.save(Record(name, in_service=1, held=2))
    released.act = lambda _job: "no"
    conclude = bench.keeper.at_end()
    assert told == ["one language", left]
    with pytest.raises(HoldingError) as raised:
        conclude()
    assert str(raised.value) == (
        f"Not put into service, for the reasons given above: {OTHER}, {NAME}"
    )
    for name in (NAME, OTHER):
        bench.store.remove(name)
    bench.deploy(bench.config())
    assert told[-1] == (
        f"The new certificate of {NAME} is saved and held: the old one stays in service until the "
        "end of this run, and until the OCSP server knows the new one."
    )
    told.clear()
    bench.keeper.at_end()
    assert told == ["one language", new]
