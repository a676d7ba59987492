"""Held lineages as jobs: what an earlier run left keeps its own settings."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from certbot_jprs.ground import language, options
from certbot_jprs.ground.names import NAME as PLUGIN
from certbot_jprs.holding import jobs
from certbot_jprs.holding.jobs import Job
from certbot_jprs.holding.records import Record, Store
from certbot_jprs.internals.delegate import Delegate
from certbot_jprs.internals.delegates import APACHE, NGINX
from certbot_jprs.internals.delegation import Workers
from certbot_jprs.lineage.files import Lineage
from tests.unit.command_line import Parse
from tests.unit.config_dir import ConfigDir

NAME = "www.example.jp"


class Noting(Workers):
    """Notes whose plugin is asked for."""

    def __init__(self) -> None:
        super().__init__(SimpleNamespace())
        self.asked: list[Delegate] = []

    def prepared(self, delegate: Delegate) -> Any:
        self.asked.append(delegate)


@pytest.fixture
def lineage(config_dir: ConfigDir) -> Lineage:
    config_dir.add(NAME)
    remembered = {options.LANGUAGE: "ja"}
    return config_dir.write_conf(NAME, authenticator=PLUGIN, installer=PLUGIN, **remembered)


def config(config_dir: ConfigDir, **values: Any) -> Any:
    given = {
        "config_dir": str(config_dir),
        "verb": "certonly",
        "installer": PLUGIN,
        "directory_hooks": True,
        "domains": [NAME],
        "redirect": None,
        **values,
    }
    return SimpleNamespace(**given)


def made(config: Any) -> Job:
    return jobs.of_this_run(config, NAME, lambda: None, Workers(config))


@pytest.mark.parametrize("directory_hooks", [True, False])
def test_a_first_certificate_remembers_whether_the_directorys_hooks_run(
    config_dir: ConfigDir, lineage: Lineage, *, directory_hooks: bool
) -> None:
    job = made(config(config_dir, directory_hooks=directory_hooks))
    assert job.record.directory_hooks is directory_hooks
    assert job.record.held == 1
    assert job.record.in_service is None
    assert not job.earlier


@pytest.mark.parametrize(
    ("values", "install", "redirect"),
    [
        ({"verb": "run"}, [NAME], True),
        ({"verb": "run", "redirect": False}, [NAME], False),
        ({"verb": "run", "redirect": True}, [NAME], True),
        ({"verb": "run", "installer": "other"}, [], False),
        ({"verb": "certonly"}, [], False),
    ],
)
def test_what_is_to_be_installed(
    config_dir: ConfigDir,
    lineage: Lineage,
    values: dict[str, Any],
    install: list[str],
    *,
    redirect: bool,
) -> None:
    record = made(config(config_dir, **values)).record
    assert (record.install, record.redirect) == (install, redirect)


def test_a_lineage_is_spoken_of_in_its_own_language(
    lineage: Lineage, parse: Parse, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace = parse("renew").config.namespace
    entered: list[str | None] = []
    monkeypatch.setattr(language, "enter", entered.append)
    job = jobs.of_earlier_run(namespace, Record(NAME, in_service=1), lineage)
    assert entered == ["ja"]
    assert job.language == "ja"
    assert job.config.dry_run is False


@pytest.mark.parametrize(("server", "asked"), [(None, APACHE), (APACHE, APACHE), (NGINX, NGINX)])
def test_whose_plugin_installs(lineage: Lineage, server: Any, asked: Delegate) -> None:
    workers = Noting()
    job = Job(Record(NAME), lineage, SimpleNamespace(), lambda: None, server, workers)
    job.installer()
    assert workers.asked == [asked]
    assert job.name == NAME
    assert job.language is None


def test_lineages_without_a_web_server_share_none(lineage: Lineage) -> None:
    config = SimpleNamespace(namespace=SimpleNamespace(apache_ctl=""))
    with_none, with_one = (
        Job(Record(NAME), lineage, config, lambda: None, server, Noting())
        for server in (None, APACHE)
    )
    assert with_none.server_key is None
    assert with_one.server_key is not None


def test_which_web_server_it_is_is_found_out_once(
    lineage: Lineage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each lineage that joins is compared with all that are held already."""
    asked: list[Any] = []

    def key(_self: Any, config: Any) -> str:
        asked.append(config)
        return "one"

    monkeypatch.setattr(type(APACHE), "key", key)
    config = SimpleNamespace()
    held = [
        Job(Record(f"n{n}"), lineage, config, lambda: None, APACHE, Noting()) for n in range(20)
    ]
    for number, job in enumerate(held):
        jobs.share_plugin_objects(held[:number], job)
    assert len(asked) == len(held)
    assert {id(job.workers) for job in held} == {id(held[-1].workers)}


@pytest.mark.parametrize(("installer", "reload"), [(PLUGIN, True), ("other", False)])
@pytest.mark.parametrize("noted", [True, False])
def test_whether_a_web_server_is_reloaded_is_the_commands_to_say(
    config_dir: ConfigDir, lineage: Lineage, installer: str, *, reload: bool, noted: bool
) -> None:
    Store(str(config_dir)).save(Record(NAME, held=1, reload=noted))
    record = made(config(config_dir, installer=installer)).record
    assert record.reload is reload
    assert Store(str(config_dir)).load(NAME) == record


@pytest.mark.parametrize(("verb", "asked"), [("run", ["hsts", "uir"]), ("certonly", [])])
def test_what_else_a_run_asked_for_is_remembered(
    config_dir: ConfigDir, lineage: Lineage, verb: str, asked: list[str]
) -> None:
    record = made(config(config_dir, verb=verb, hsts=True, uir=True, staple=False)).record
    assert record.enhancements == asked


@pytest.mark.parametrize(
    ("values", "file", "expected"),
    [
        ({}, "", False),
        ({"deploy_hook": "true"}, "", True),
        ({"renew_hook": "true", "directory_hooks": False}, "", True),
        ({}, "reload.sh", True),
        ({"directory_hooks": False}, "reload.sh", False),
    ],
)
def test_whether_a_hook_may_reload_something(
    config_dir: ConfigDir,
    lineage: Lineage,
    values: dict[str, Any],
    file: str,
    expected: bool,
) -> None:
    directory = config_dir.path / "renewal-hooks" / "deploy"
    job = made(config(config_dir, renewal_deploy_hooks_dir=str(directory), **values))
    assert job.has_hooks() is (expected and not file)
    directory.mkdir(parents=True)
    (directory / (file or ".keep")).touch()
    (directory / ".keep").unlink(missing_ok=True)
    assert job.has_hooks() is expected
