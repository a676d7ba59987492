"""The wrapped steps of Certbot: its real hooks and its real lineages, and what is told of them."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from certbot import _internal
from certbot._internal import hooks, storage

from certbot_jprs.internals import interception
from tests.unit.command_line import Parse
from tests.unit.config_dir import ConfigDir, linked, version

NAME = "www.example.jp"
NO_SANS: tuple[Any, ...] = ([],) * (hooks.run_saved_post_hooks.__code__.co_argcount)
"""What Certbot hands to ``run_saved_post_hooks``: nothing at all before 2.7."""


class Noting:
    """Notes what it is told.

    Attributes:
        keeps: whether links stay.
        runs: whether it lets the deploy hooks run.
        error: what the end of the run raises.
    """

    def __init__(self, log: Path) -> None:
        self.log = log
        self.told: list[Any] = []
        self.keeps = False
        self.runs = True
        self.error: BaseException | None = None
        self.conclusion: Exception | None = None

    def _ran(self) -> list[str]:
        return self.log.read_text(encoding="utf-8").split()

    def _tell(self, *what: Any) -> None:
        self.told.append((*what, self._ran()))

    def before_issuing(self, _config: Any) -> None:
        self._tell("before issuing")

    def before_saving(self, lineage: Any, config: Any) -> None:
        assert config is lineage.cli_config
        self._tell("before saving", lineage.available_versions("cert"))

    def after_saving(self, lineage: Any, number: int) -> None:
        assert lineage.lineagename == NAME
        self._tell("after saving", number, lineage.available_versions("cert"))

    def keeps_links(self, lineage: Any, number: int | None) -> bool:
        self._tell("links", lineage.lineagename, number)
        return self.keeps

    def deploy_hooks(self, config: Any, lineage_path: str, run: Callable[[], None]) -> None:
        self._tell("deploy", config.certname, lineage_path)
        if self.runs:
            run()

    def at_end(self) -> Callable[[], None]:
        self._tell("end")
        if self.error is not None:
            raise self.error
        return self._conclude

    def _conclude(self) -> None:
        self._tell("concluded")
        if self.conclusion is not None:
            raise self.conclusion


@pytest.fixture
def noting(tmp_path: Path) -> Noting:
    log = tmp_path / "log"
    log.touch()
    noting = Noting(log)
    assert interception.intercept(noting)
    return noting


@pytest.fixture
def config(parse: Parse, noting: Noting, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Certbot's configuration of ``renew``, with hooks that leave a word in the log."""
    config = parse("renew", "--cert-name", NAME, "--no-directory-hooks").config
    config.pre_hook = f"echo pre >> {noting.log}"
    config.deploy_hook = f"echo new >> {noting.log}"
    if hasattr(hooks, "renew_hook"):
        config.renew_hook = config.deploy_hook
    monkeypatch.setattr(hooks, "executed_pre_hooks", set())
    monkeypatch.setattr(hooks, "post_hooks", [f"echo post >> {noting.log}"])
    return config


@pytest.fixture
def lineage(config_dir: ConfigDir, config: Any) -> Any:
    """Certbot's own object for a lineage whose last version is not linked."""
    config_dir.add(NAME, versions=range(1, 9))
    config_dir.link(NAME, 1)
    return storage.RenewableCert(str(config_dir.conf(NAME)), config)


# Lineages


def save(lineage: Any) -> Any:
    cert, chain = (
        Path(lineage.archive_dir, f"{kind}1.pem").read_bytes() for kind in ("cert", "chain")
    )
    return lineage.save_successor(1, cert, None, chain, lineage.cli_config)


def test_a_version_that_is_saved_is_told_of_before_and_after(lineage: Any, noting: Noting) -> None:
    eight = list(range(1, 9))
    noting.told.clear()
    assert save(lineage) == 9
    before, after = noting.told
    assert (before[0], sorted(before[1])) == ("before saving", eight)
    assert (after[0], after[1], sorted(after[2])) == ("after saving", 9, [*eight, 9])


def test_nothing_is_saved_where_that_is_refused(
    lineage: Any, noting: Noting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> None:
        raise OSError("no room for the record")

    monkeypatch.setattr(noting, "before_saving", refuse)
    with pytest.raises(OSError, match="no room"):
        save(lineage)
    assert max(lineage.available_versions("cert")) == 8


@pytest.mark.parametrize("keeps", [True, False])
def test_links_move_unless_they_are_kept(
    lineage: Any, noting: Noting, config_dir: ConfigDir, *, keeps: bool
) -> None:
    noting.keeps = keeps
    noting.told.clear()
    lineage.update_all_links_to(8)
    assert noting.told == [("links", NAME, 8, [])]
    assert linked(config_dir, NAME) == version(1 if keeps else 8)


@pytest.mark.parametrize("keeps", [True, False])
def test_nothing_pends_where_the_links_are_kept(
    lineage: Any, noting: Noting, *, keeps: bool
) -> None:
    noting.keeps = keeps
    assert lineage.has_pending_deployment() is not keeps


@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.skipif(not hasattr(storage.RenewableCert, "truncate"), reason="since Certbot 2.8")
def test_old_versions_stay_where_the_links_are_kept(
    lineage: Any, noting: Noting, config_dir: ConfigDir, *, keeps: bool
) -> None:
    config_dir.link(NAME, 8)
    noting.keeps = keeps
    lineage.truncate(1)
    assert sorted(lineage.available_versions("cert")) == (list(range(1, 9)) if keeps else [7, 8])


def test_a_certbot_that_removes_no_old_versions(
    lineage: Any, noting: Noting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before 2.8 there is no ``truncate``; the rest is wrapped as ever."""

    class Older:
        def save_successor(self, *_args: Any) -> int:
            return 9

        def update_all_links_to(self, _version: int) -> None: ...

        def has_pending_deployment(self) -> bool:
            return True

    monkeypatch.setattr(storage, "RenewableCert", Older)
    monkeypatch.delattr(hooks, interception._HOOKED)
    assert interception.intercept(noting)
    assert Older.has_pending_deployment.__wrapped__ is not None  # type: ignore[attr-defined]
    assert not hasattr(Older, "truncate")


# Hooks


def test_an_order_is_told_of_before_its_pre_hooks(config: Any, noting: Noting) -> None:
    hooks.pre_hook(config)
    assert noting.told == [("before issuing", [])]
    assert noting._ran() == ["pre"]


@pytest.mark.parametrize("runs", [True, False])
def test_deploy_hooks_are_run_by_who_is_told(config: Any, noting: Noting, *, runs: bool) -> None:
    noting.runs = runs
    hooks.deploy_hook(config, [], "/live/www")
    assert noting.told == [("deploy", NAME, "/live/www", [])]
    assert noting._ran() == (["new"] if runs else [])


@pytest.mark.parametrize("renewed", [True, False])
def test_deploy_hooks_of_an_earlier_run_are_run_untold(
    config: Any, noting: Noting, *, renewed: bool
) -> None:
    interception.run_deploy_hooks(config, [], "/live/www", renewed=renewed)
    assert noting.told == []
    assert noting._ran() == ["new"]


@pytest.mark.parametrize("renewed", [True, False])
def test_an_older_certbot_has_a_hook_of_its_own_for_renewals(
    config: Any, noting: Noting, monkeypatch: pytest.MonkeyPatch, *, renewed: bool
) -> None:
    def renew_hook(*_args: object) -> None:
        with noting.log.open("a", encoding="utf-8") as log:
            log.write("renewed\n")

    monkeypatch.setattr(hooks, "renew_hook", renew_hook, raising=False)
    interception.run_deploy_hooks(config, [], "/live/www", renewed=renewed)
    assert noting._ran() == (["renewed"] if renewed else ["new"])


def test_the_end_of_a_run_is_told_of_before_and_after_the_post_hooks(
    config: Any, noting: Noting
) -> None:
    hooks.run_saved_post_hooks(*NO_SANS)
    assert noting.told == [("end", []), ("concluded", ["post"])]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("a bug of ours")])
def test_post_hooks_run_whatever_goes_wrong_with_us(
    config: Any, noting: Noting, error: BaseException
) -> None:
    noting.error = error
    with pytest.raises(type(error)):
        hooks.run_saved_post_hooks(*NO_SANS)
    assert noting.told == [("end", [])]
    assert noting._ran() == ["post"]


def test_a_conclusion_ends_the_run_after_the_post_hooks(config: Any, noting: Noting) -> None:
    noting.conclusion = OSError("not in service")
    with pytest.raises(OSError, match="not in service"):
        hooks.run_saved_post_hooks(*NO_SANS)
    assert noting._ran() == ["post"]


@pytest.mark.parametrize("ended", [KeyboardInterrupt, SystemExit])
def test_a_run_that_was_ended_releases_nothing(
    config: Any, noting: Noting, ended: type[BaseException]
) -> None:
    with pytest.raises(ended):  # noqa: PT012 - as Certbot before 2.7 calls it
        try:
            raise ended
        finally:
            hooks.run_saved_post_hooks(*NO_SANS)
    assert noting.told == []
    assert noting._ran() == ["post"]


def test_a_run_in_which_a_renewal_failed_releases_the_others(config: Any, noting: Noting) -> None:
    with pytest.raises(OSError, match="failed"):  # noqa: PT012 - as Certbot before 2.7 calls it
        try:
            raise OSError("failed")
        finally:
            hooks.run_saved_post_hooks(*NO_SANS)
    assert [each[0] for each in noting.told] == ["end", "concluded"]


# Other Certbots


@pytest.mark.parametrize("holder", [hooks, storage.RenewableCert])
def test_what_is_not_callable_is_not_wrapped(
    noting: Noting, monkeypatch: pytest.MonkeyPatch, holder: Any
) -> None:
    names = interception._HOOKS if holder is hooks else interception._LINEAGE_METHODS
    monkeypatch.delattr(hooks, interception._HOOKED)
    others = {name: getattr(holder, name) for name in names[:-1]}
    monkeypatch.setattr(holder, names[-1], "something else")
    assert not interception.intercept(noting)
    assert {name: getattr(holder, name) for name in names[:-1]} == others


def test_a_certbot_without_these_modules_is_not_intercepted(
    monkeypatch: pytest.MonkeyPatch, noting: Noting
) -> None:
    monkeypatch.delattr(_internal, "storage")
    monkeypatch.setitem(sys.modules, "certbot._internal.storage", None)
    module = runpy.run_path(interception.__file__, run_name=interception.__name__)
    assert module["intercept"](noting) is False
