"""Putting held lineages into service: real files and records, a responder that the test plays."""

from __future__ import annotations

import dataclasses
import datetime as dt
import errno
import functools
import json
import os
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from certbot import errors
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from certbot_jprs.ground import options
from certbot_jprs.ground.exceptions import WaitInterrupted
from certbot_jprs.ground.names import NAME as PLUGIN
from certbot_jprs.ground.said import from_json
from certbot_jprs.holding import installation, postmortem, release, sight, steps
from certbot_jprs.holding.ending import Ending
from certbot_jprs.holding.history import History
from certbot_jprs.holding.jobs import Job
from certbot_jprs.holding.records import Record, Step, Store
from certbot_jprs.holding.release import Release
from certbot_jprs.internals.delegate import Delegate
from certbot_jprs.internals.delegates import APACHE
from certbot_jprs.internals.delegation import Workers
from certbot_jprs.lineage import archive, durable, soundness
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.machine import served
from certbot_jprs.machine.served import Place
from certbot_jprs.ocsp.evaluation import Answer, Status
from certbot_jprs.validation.reloads import Reloads
from certbot_jprs.wait import gate, verdict
from tests.unit import pki
from tests.unit.config_dir import ConfigDir, linked, pem

A, B, C = (f"{letter}.example.jp" for letter in "abc")
ISSUER_KEY = pki.ec_key("issuer")
ISSUER = pki.mint("Test CA", ISSUER_KEY)


def now() -> dt.datetime:
    """Returns the time, in whole seconds as certificates have it."""
    return dt.datetime.now(dt.timezone.utc).replace(microsecond=0)


def leaf(name: str, days: float = 60, *, url: str = "http://ocsp.example/") -> x509.Certificate:
    places = [
        x509.AccessDescription(
            AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(url)
        )
    ]
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.SubjectAlternativeName([x509.DNSName(name)]), False)
    ]
    if url:
        extensions.append((x509.AuthorityInformationAccess(places), False))
    return pki.mint(
        name,
        pki.ec_key(name),
        ISSUER.subject,
        ISSUER_KEY,
        extensions=extensions,
        not_before=now() - pki.DAY,
        not_after=now() + dt.timedelta(days=days),
    )


class Apache:
    """Notes what it is told."""

    def __init__(self, steps: list[str]) -> None:
        self.steps = steps
        self.broken: dict[str, str] = {}
        self.on_reload: Callable[[], None] = lambda: None

    def _do(self, word: str) -> None:
        self.steps.append(word)
        if word.split(maxsplit=1)[0] in self.broken:
            raise errors.MisconfigurationError(self.broken[word.split(maxsplit=1)[0]])

    def restart(self) -> None:
        self._do("reload")
        self.on_reload()

    def deploy_cert(self, name: str, *paths: str) -> None:
        assert [os.path.basename(path) for path in paths] == [
            f"{kind}.pem" for kind in ("cert", "privkey", "chain", "fullchain")
        ]
        self._do(f"deploy {name}")

    def enhance(self, name: str, what: str, options: object) -> None:
        self._do(f"{options or what} {name}")

    def enable_autohsts(self, lineage: Lineage, names: list[str]) -> None:
        self._do(f"autohsts {lineage.name} {' '.join(names)}")

    def get_all_names(self) -> set[str]:
        return {A, B, "www.other.jp"}

    def save(self, _title: str = "") -> None:
        pass

    def recovery_routine(self) -> None:
        self.steps.append("recover")


class Installing(Workers):
    """Has Apache do what is asked for."""

    def __init__(self, apache: Apache) -> None:
        super().__init__(SimpleNamespace())
        self._apache = apache

    def prepared(self, _delegate: Delegate) -> Any:
        return self._apache


class Visitors:
    """What they are served: each lineage's version that the web server loaded last.

    Attributes:
        loads: which lineages a reload has the server load anew; None: all.
        elsewhere: what is served whatever is loaded here; None: nothing.
    """

    def __init__(self, jobs: list[Job], steps: list[str]) -> None:
        self._jobs = jobs
        self._steps = steps
        self._loaded: dict[str, bytes] = {}
        self.loads: set[str] | None = None
        self.elsewhere: dict[str, x509.Certificate | None] = {}
        self.looks = 0

    def load(self, name: str) -> None:
        for job in self._jobs:
            if name == job.name and (self.loads is None or name in self.loads):
                with open(job.lineage.links["cert"], "rb") as file:
                    self._loaded[name] = file.read()

    def reloaded(self) -> None:
        for job in self._jobs:
            self.load(job.name)

    def look_at(
        self, places: Iterable[Place], seconds: float = 5.0
    ) -> dict[Place, x509.Certificate | None]:
        assert 0 < seconds <= 5
        self.looks += 1
        found: dict[Place, x509.Certificate | None] = {}
        for place in places:
            pem = self._loaded.get(place.name)
            seen = x509.load_pem_x509_certificate(pem) if pem is not None else None
            seen = self.elsewhere.get(place.name, seen)
            found[place] = seen
        return found


class Owing:
    """A plugin that takes a challenge away."""

    def __init__(self, steps: list[str]) -> None:
        self.steps = steps

    def restart(self) -> None:
        self.steps.append("take away")


class Bench:
    """Held lineages, and all that releases them."""

    def __init__(self, config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch) -> None:
        self.config_dir = config_dir
        self.store = Store(str(config_dir))
        self.steps: list[str] = []
        self.told: list[str] = []
        self.apache = Apache(self.steps)
        self.reloads = Reloads()
        self.jobs: list[Job] = []
        self.says: dict[tuple[str, str], list[Status]] = {}
        self.on_ask: Callable[[], None] = lambda: None
        self.failures: dict[str, str] = {}
        self.visitors = Visitors(self.jobs, self.steps)
        self.apache.on_reload = self.visitors.reloaded
        monkeypatch.setattr(served, "listening", lambda _port: ["192.0.2.1"])
        monkeypatch.setattr(served, "look_at", self.visitors.look_at)
        monkeypatch.setattr(sight, "SECONDS", 0.05)
        monkeypatch.setattr(sight, "PAUSE", 0.01)
        for module in (release, steps, sight, verdict):
            monkeypatch.setattr(vars(module)["display_util"], "notify", self.told.append)
        for level in ("warning", "error"):
            for module in (installation, release, sight, steps, verdict):
                monkeypatch.setattr(
                    module.logger, level, lambda text, *_a, **_k: self.told.append(text)
                )
        monkeypatch.setattr(release, "Responder", lambda: self)
        quick = Quick(self.ask_all)
        monkeypatch.setattr(release, "Asking", lambda _ask: quick)
        clock = quick.clock()
        monkeypatch.setattr(gate, "Clock", lambda: clock)

    # The responder

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.steps.append("closed")

    def ask_all(self, items: Mapping[Any, Any], tell: Callable[[Any, Answer], None]) -> None:
        self.on_ask()
        for key in items:
            self.steps.append("asked " + " ".join(key))
            default = [Status.GOOD]
            answers = self.says.get(key, default)
            tell(key, Answer(answers.pop(0) if len(answers) > 1 else answers[0], "because"))

    # The lineages

    def add(
        self,
        name: str,
        *says: Status,
        days: float = 60,
        timeout: int = 900,
        age: float = 0,
        server: str = "",
        url: str = "http://ocsp.example/",
        record: Record | None = None,
    ) -> Job:
        lineage = self.config_dir.add(name, versions=(1, 2), installer=PLUGIN)
        self.config_dir.link(name, 1)
        for number, certificate in ((1, leaf(name, days)), (2, leaf(name, url=url))):
            self.write(name, number, certificate)
        saved_at = time.time() - age
        os.utime(self.config_dir.archive(name, "cert", 2), (saved_at, saved_at))
        if says:
            self.says[name, "new"] = list(says)
        record = record or Record(name, in_service=1, held=2, reload=True)
        self.store.save(record)
        values = {options.OCSP_TIMEOUT: timeout, options.OCSP_INTERVAL: 1}
        namespace = SimpleNamespace(apache_ctl=server, **values)
        config = SimpleNamespace(namespace=namespace, **values)
        job = Job(
            record,
            lineage,
            config,
            lambda: self.steps.append(f"hooks {name} {self.version(name)}"),
            APACHE,
            Installing(self.apache),
        )
        self.jobs.append(job)
        if record.in_service is not None:
            self.visitors.load(name)
        return job

    def write(
        self, name: str, number: int, leaf: x509.Certificate, chain: x509.Certificate = ISSUER
    ) -> None:
        """Writes the files of a version."""
        contents = {
            "privkey": pem(pki.ec_key(name)),
            "cert": pem(leaf),
            "chain": pem(chain),
            "fullchain": pem(leaf) + pem(chain),
        }
        for kind, data in contents.items():
            self.config_dir.archive(name, kind, number).write_bytes(data)

    def version(self, name: str) -> int:
        versions = {linked(self.config_dir, name)[kind][len(kind)] for kind in ("cert", "chain")}
        (found,) = versions
        return int(found)

    def run(self) -> list[str]:
        """Releases all; returns the steps other than questions."""
        one = Release(self.store, self.jobs, quiet=True, reloads=self.reloads)
        try:
            one.run()
        finally:
            self.failures = one.failures
        return [step for step in self.steps if not step.startswith(("asked", "closed"))]

    def owe(self, server: Hashable) -> None:
        """Has a reload be owed, and notes what is told of reloads."""
        plugin = Owing(self.steps)
        with self.reloads.put_off(plugin, server):
            plugin.restart()
        for word in ("begun", "wait"):
            setattr(self.reloads, word, functools.partial(self.steps.append, word))

    def record(self, name: str) -> dict[str, Any] | None:
        path = self.config_dir.path / "certbot-jprs" / "held" / f"{name}.json"
        return json.loads(path.read_text()) if path.exists() else None

    @property
    def said(self) -> str:
        return "\n".join(self.told)

    def history(self) -> dict[str, Ending]:
        """Returns what is remembered, by lineage; each has one entry."""
        entries = History(str(self.config_dir)).entries()
        found = {entry.name: entry for entry in entries}
        assert len(found) == len(entries)
        return found

    def endings(self) -> dict[str, tuple[str, ...]]:
        """Returns outcome, status, hooks and reload of each, as the history has them."""
        return {
            name: tuple(
                str(entry.values()[key]) for key in ("outcome", "status", "hooks", "reload")
            )
            for name, entry in self.history().items()
        }


class Quick:
    """Asks and answers at once, and has a second pass in no time: an asker and its clock."""

    def __init__(
        self, ask: Callable[[Mapping[Any, Any], Callable[[Any, Answer], None]], None]
    ) -> None:
        self._ask = ask
        self._began = time.time()
        self._passed = 0.0
        self._answers: dict[Any, Answer] = {}

    def ask(self, items: Mapping[Any, Any]) -> None:
        self._ask(items, self._answers.__setitem__)

    def answers(self, seconds: float) -> dict[Any, Answer]:
        answers, self._answers = self._answers, {}
        if not answers:
            self._passed += seconds
        return answers

    def clock(self) -> gate.Clock:
        return gate.Clock(lambda: self._passed, lambda: self._began + self._passed)


def raising(error: Exception) -> Callable[..., None]:
    def fail(*_args: object) -> None:
        raise error

    return fail


@pytest.fixture
def bench(config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(config_dir, monkeypatch)


def test_those_that_are_ready_together_share_one_reload(bench: Bench) -> None:
    bench.add(A, Status.UNKNOWN, Status.GOOD)
    bench.add(B, Status.UNKNOWN, Status.GOOD)
    bench.add(C, Status.UNKNOWN, Status.UNKNOWN, Status.UNKNOWN, Status.GOOD)
    assert bench.run() == [
        *(f"hooks {A} 2", f"hooks {B} 2", "reload"),
        *(f"hooks {C} 2", "reload"),
    ]
    assert bench.failures == {}
    assert [bench.record(name) for name in (A, B, C)] == [None] * 3
    assert bench.steps.count(f"asked {C} new") == 4
    assert bench.steps[-1] == "closed"
    for name in (A, B, C):
        assert f"The new certificate of {name} is in service." in bench.told


def test_a_challenge_in_memory_is_gone_before_a_wait(bench: Bench) -> None:
    bench.owe(bench.add(A, Status.UNKNOWN, Status.GOOD).server_key)
    assert bench.run() == ["take away", "begun", "wait", f"hooks {A} 2", "reload"]


def test_the_reload_for_the_new_certificate_takes_it_away_where_nothing_waits(bench: Bench) -> None:
    bench.owe(bench.add(A).server_key)
    assert bench.run() == ["wait", f"hooks {A} 2", "reload"]
    bench.reloads.settle()
    assert "take away" not in bench.steps


def test_another_servers_is_owed_still(bench: Bench) -> None:
    bench.add(A)
    bench.owe("another")
    assert bench.run() == ["wait", f"hooks {A} 2", "reload"]
    bench.reloads.settle()
    assert bench.steps[-2:] == ["take away", "begun"]


@pytest.mark.parametrize("has_hooks", [True, False])
def test_no_link_moves_while_a_server_that_a_hook_reloads_may_be_reading(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, *, has_hooks: bool
) -> None:
    monkeypatch.setattr(Job, "has_hooks", lambda _job: has_hooks)
    bench.owe("another")
    bench.add(A, Status.UNKNOWN, Status.GOOD)
    bench.add(B, Status.UNKNOWN, Status.GOOD)
    bench.add(C, *[Status.UNKNOWN] * 3, Status.GOOD)

    def noted(name: str) -> None:
        bench.steps.append(f"hooks {name} {[bench.version(each) for each in (A, B, C)]}")

    for job in bench.jobs:
        job.run_hooks = functools.partial(noted, job.name)
    begun = ["begun"] if has_hooks else []
    assert bench.run() == [
        *("take away", "begun", "wait"),
        *(f"hooks {A} [2, 2, 1]", *begun, f"hooks {B} [2, 2, 1]", *begun, "reload"),
        *("wait", f"hooks {C} [2, 2, 2]", *begun, "reload"),
    ]


def test_each_web_server_is_reloaded_by_itself(bench: Bench) -> None:
    for name, server in ((A, "one"), (B, "two"), (C, "one")):
        bench.add(name, server=server)
    assert bench.run().count("reload") == 2


def test_each_step_is_in_the_record_before_it_is_taken(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str]] = []

    def note(what: str) -> None:
        record = bench.record(A)
        seen.append((what, record["step"] if record else "none"))

    job = bench.add(A, Status.UNKNOWN, Status.GOOD)
    run_hooks, bench.on_ask = job.run_hooks, lambda: note("ask")

    def hooks() -> None:
        note("hooks")
        run_hooks()

    restart = bench.apache.restart

    def reload() -> None:
        note("reload")
        restart()

    job.run_hooks = hooks
    monkeypatch.setattr(bench.apache, "restart", reload)
    bench.run()
    assert seen == [
        *(("ask", "held"), ("ask", "held")),
        *(("hooks", "released"), ("reload", "hooked")),
    ]
    assert bench.record(A) is None


def test_a_revoked_one_is_withdrawn_and_spoils_no_other(bench: Bench) -> None:
    bench.add(A, Status.REVOKED)
    bench.add(B)
    assert bench.run() == [f"hooks {B} 2", "reload"]
    assert bench.version(A) == 1
    assert archive.versions(bench.jobs[0].lineage) == [1]
    assert bench.record(A) is None
    assert list(bench.failures) == [A]
    assert bench.said.count("is revoked") == 1


def test_an_unknown_one_stays_held(bench: Bench) -> None:
    bench.add(A, Status.UNKNOWN, timeout=5)
    bench.add(B, Status.GOOD)
    assert bench.run() == [f"hooks {B} 2", "reload"]
    assert bench.version(A) == 1
    kept = bench.record(A)
    assert kept is not None
    assert (kept["step"], kept["in_service"]) == ("held", 1)
    assert "does not know" in from_json(kept["failure"])
    assert list(bench.failures) == [A]
    assert bench.said.count("still does not know") == 1


def test_each_has_the_time_of_its_own_lineage(bench: Bench) -> None:
    bench.add(A, Status.UNDETERMINED, timeout=60)
    bench.add(B, Status.UNDETERMINED, timeout=600)
    bench.add(C, Status.UNDETERMINED, timeout=0)
    assert bench.run() == [step for name in (C, A, B) for step in (f"hooks {name} 2", "reload")]
    # They count from when they were added, which is some seconds ago on a busy machine.
    assert 30 <= bench.steps.count(f"asked {A} new") <= 62
    assert bench.steps.count(f"asked {B} new") > 500
    assert bench.steps.count(f"asked {C} new") == 0


def test_one_whose_time_was_up_long_ago_is_asked_about_once(bench: Bench) -> None:
    bench.add(A, Status.UNDETERMINED, age=5000)
    assert bench.run() == [f"hooks {A} 2", "reload"]
    assert bench.steps.count(f"asked {A} new") == 1


def test_nothing_is_asked_where_the_certificate_names_no_responder(bench: Bench) -> None:
    bench.add(A, url="")
    assert bench.run() == [f"hooks {A} 2", "reload"]
    assert not any(step.startswith("asked") for step in bench.steps)


def test_the_one_in_service_is_revoked(bench: Bench) -> None:
    bench.add(A, Status.UNKNOWN)
    bench.says[A, "in service"] = [Status.REVOKED]
    assert bench.run() == [f"hooks {A} 2", "reload"]
    assert "at once" in bench.said
    assert bench.failures == {}


@pytest.mark.parametrize("state", ["expired", "unreadable", "missing"])
def test_there_is_nothing_to_protect(bench: Bench, state: str) -> None:
    bench.add(A, Status.UNKNOWN, days=-0.5 if state == "expired" else 60)
    path = bench.config_dir.archive(A, "cert", 1)
    if state == "unreadable":
        path.write_text("")
    elif state == "missing":
        path.unlink()
    assert bench.run() == [f"hooks {A} 2", "reload"]
    assert not any(step.startswith("asked") for step in bench.steps)


def test_without_the_issuers_certificate_it_cannot_be_waited_for(bench: Bench) -> None:
    bench.add(A)
    bench.write(A, 2, leaf(A), pki.mint("Another CA", pki.ec_key("another")))
    assert bench.run() == [f"hooks {A} 2", "reload"]
    assert "without waiting" in bench.said


def test_a_new_certificate_that_cannot_be_read_spoils_no_other(bench: Bench) -> None:
    bench.add(A)
    bench.add(B)
    bench.config_dir.archive(A, "cert", 2).unlink()
    assert bench.run() == [f"hooks {B} 2", "reload"]
    assert list(bench.failures) == [A]
    assert bench.record(A) is not None
    assert bench.version(A) == 1


@pytest.mark.parametrize("step", [Step.RELEASED, Step.HOOKED])
def test_what_was_decided_goes_on_where_it_was_cut_short(bench: Bench, step: Step) -> None:
    bench.add(A, Status.UNKNOWN, record=Record(A, step, 1, 2, reload=True))
    if step is Step.HOOKED:
        bench.config_dir.link(A, 2)
    expected = [f"hooks {A} 2"] if step is Step.RELEASED else []
    assert bench.run() == [*expected, "reload"]
    assert not any(text.startswith("asked") for text in bench.steps)
    assert bench.record(A) is None


def test_without_an_installer_nothing_is_reloaded(bench: Bench) -> None:
    bench.add(A, record=Record(A, in_service=1, held=2))
    assert bench.run() == [f"hooks {A} 2"]
    assert bench.record(A) is None
    assert "its deploy hooks were run" in bench.said


def test_certbot_reloads_by_itself(bench: Bench) -> None:
    bench.add(A).reload_here = False
    assert bench.run() == [f"hooks {A} 2"]
    kept = bench.record(A)
    assert kept is not None
    assert kept["step"] == "hooked"  # until that reload


@pytest.mark.parametrize("redirect", [True, False])
def test_an_interrupted_first_installation_is_made_up_for(bench: Bench, redirect: bool) -> None:
    record = Record(A, held=2, reload=True, install=[A, B], redirect=redirect)
    bench.add(A, record=record).earlier = True
    redirects = [f"redirect {A}", f"redirect {B}"] if redirect else []
    assert bench.run() == [*(f"hooks {A} 2", f"deploy {A}", f"deploy {B}", *redirects, "reload")]
    assert f"The new certificate of {A} is in service." in bench.told


def test_all_that_was_asked_for_with_it_is_made_up_for_in_certbots_order(bench: Bench) -> None:
    asked = ["uir", "staple", "hsts", "auto_hsts", "what a later version writes"]
    record = Record(A, held=2, reload=True, install=[A], redirect=True, enhancements=asked)
    bench.add(A, record=record).earlier = True
    chain = str(bench.config_dir.live(A, "chain"))
    assert bench.run()[2:] == [
        *(f"Strict-Transport-Security {A}", f"redirect {A}", f"{chain} {A}"),
        *(f"Upgrade-Insecure-Requests {A}", f"autohsts {A} {A}", "reload"),
    ]


def test_what_cannot_be_made_up_for_is_named_with_its_command(bench: Bench) -> None:
    asked = ["hsts", "uir", "auto_hsts"]
    record = Record(A, held=2, reload=True, install=[A], redirect=True, enhancements=asked)
    bench.add(A, record=record).earlier = True
    bench.apache.broken = {"Strict-Transport-Security": "no", "autohsts": "no"}
    found = bench.run()
    assert found.count("recover") == 2
    assert [*found[-4:]] == [
        f"Upgrade-Insecure-Requests {A}",
        *(f"autohsts {A} {A}", "recover", "reload"),
    ]
    command = f"certbot enhance -i {PLUGIN} --cert-name {A} --hsts --auto-hsts"
    assert any(text.endswith(command) for text in bench.told)
    # It is in service all the same, and nothing is left to do for the next run.
    assert f"The new certificate of {A} is in service." in bench.told
    assert bench.failures == {}
    assert bench.record(A) is None


def test_a_redirect_that_is_there_already_is_fine(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Record(A, held=2, reload=True, install=[A], redirect=True)
    bench.add(A, record=record)

    monkeypatch.setattr(bench.apache, "enhance", raising(errors.PluginEnhancementAlreadyPresent()))
    assert bench.run()[-1] == "reload"
    assert bench.failures == {}


def test_a_first_certificate_is_certbots_to_announce(bench: Bench) -> None:
    bench.add(A, record=Record(A, held=2))
    bench.run()
    assert not any("released" in text or "in service" in text for text in bench.told)


def test_an_installation_that_fails_is_taken_back(bench: Bench) -> None:
    bench.add(A, record=Record(A, held=2, reload=True, install=[A]))
    bench.add(B)
    bench.apache.broken = {"deploy": "no such virtual host"}
    assert bench.run() == [f"hooks {A} 2", f"hooks {B} 2", f"deploy {A}", "recover", "reload"]
    assert list(bench.failures) == [A]
    assert "no such virtual host" in bench.failures[A]
    kept = bench.record(A)
    assert kept is not None
    assert kept["install"] == [A]


def test_a_reload_that_fails_keeps_the_records(bench: Bench) -> None:
    bench.add(A)
    bench.add(B)
    bench.apache.broken = {"reload": "Syntax error on line 3."}
    bench.run()
    for name in (A, B):
        kept = bench.record(name)
        assert kept is not None
        assert kept["step"] == "hooked"
        assert "line 3" in from_json(kept["failure"])
        assert bench.version(name) == 2
    assert bench.said.count("line 3") == 1
    assert sorted(bench.failures) == [A, B]


@pytest.mark.parametrize(
    "error", [errors.HookCommandNotFound("no"), OSError("no"), ValueError("no")]
)
def test_a_hook_that_cannot_be_run_stops_nothing(bench: Bench, error: Exception) -> None:
    def fail() -> None:
        raise error

    bench.add(A).run_hooks = fail
    assert bench.run() == ["reload"]
    assert f"deploy hook of {A} could not be run: no" in bench.said


def test_links_that_cannot_be_moved(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.add(A)
    bench.add(B)
    link_to = archive.link_to

    def fail(lineage: Any, number: int) -> None:
        if lineage.name == A:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        link_to(lineage, number)

    monkeypatch.setattr(archive, "link_to", fail)
    assert bench.run() == [f"hooks {B} 2", "reload"]
    kept = bench.record(A)
    assert kept is not None
    assert kept["step"] == "released"
    assert "Read-only" in from_json(kept["failure"])


def test_a_revoked_one_that_cannot_be_taken_away_keeps_its_record(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.add(A, Status.REVOKED)

    def fail(*_args: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(archive, "withdraw", fail)
    assert bench.run() == []
    assert bench.version(A) == 1
    kept = bench.record(A)
    assert kept is not None
    assert "Read-only" in from_json(kept["failure"])
    assert "is revoked" in bench.failures[A]


@pytest.mark.parametrize("function", ["write", "remove"])
def test_a_record_that_cannot_be_written_stops_no_release(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    bench.add(A)

    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(durable, function, full)
    assert bench.run() == [f"hooks {A} 2", "reload"]
    assert bench.version(A) == 2
    assert "No space left" in bench.said
    assert bench.failures == {}


@pytest.mark.parametrize("names", [(A,), (A, B)])
def test_a_signal_ends_the_wait_and_says_how_to_go_on(bench: Bench, names: tuple[str, ...]) -> None:
    for name in names:
        bench.add(name, Status.UNKNOWN)
    bench.add(C)
    rounds: list[int] = []

    def interrupt(self: Quick, _seconds: float) -> dict[Any, Answer]:
        if answers := self._answers:
            self._answers = {}
            return answers
        rounds.append(1)
        raise WaitInterrupted("The wait was ended by SIGTERM.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Quick, "answers", interrupt)
        with pytest.raises(KeyboardInterrupt):
            bench.run()
    assert rounds == [1]
    assert bench.version(C) == 2
    assert [bench.version(name) for name in names] == [1] * len(names)
    assert all(bench.record(name) for name in names)
    last = bench.told[-1]
    command = f"certbot renew --cert-name {A}" if len(names) == 1 else "certbot renew"
    assert last.endswith(f"{', '.join(names)}\nTo go on: {command}")
    assert bench.steps[-1] == "closed"


def test_nothing_held_is_nothing_done(bench: Bench) -> None:
    assert bench.run() == []


# What visitors see


def test_in_service_is_said_of_what_was_seen(bench: Bench) -> None:
    bench.add(A)
    bench.run()
    assert f"The new certificate of {A} is in service." in bench.told
    assert bench.visitors.looks == 2  # right before the reload, and once after it


def test_an_older_version_that_is_still_served(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sight, "SECONDS", 3.0)  # enough to look several times on a busy machine
    bench.add(A)
    bench.add(B)
    bench.visitors.loads = {B}
    bench.run()
    (said,) = [text for text in bench.told if "still does not serve" in text]
    assert f"certificate of {A}" in said
    assert f"192.0.2.1; {A}" in said
    assert "ss -ltnp" in said
    assert f"The new certificate of {A} is in service." not in bench.told
    assert f"The new certificate of {B} is in service." in bench.told
    # The release is over: nothing that the next run could do.
    assert bench.failures == {}
    assert bench.record(A) is None
    assert bench.visitors.looks > 3


def test_one_that_is_served_after_a_while(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sight, "SECONDS", 30.0)
    bench.add(A)
    bench.visitors.loads = set()
    real = bench.visitors.look_at

    def look_at(
        places: Iterable[Place], seconds: float = 5.0
    ) -> dict[Place, x509.Certificate | None]:
        if bench.visitors.looks == 3:
            bench.visitors.loads = None
            bench.visitors.reloaded()
        return real(places, seconds)

    monkeypatch.setattr(served, "look_at", look_at)
    bench.run()
    assert bench.visitors.looks == 4
    assert f"The new certificate of {A} is in service." in bench.told


def test_a_server_that_listens_only_after_a_while(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sight, "SECONDS", 30.0)
    record = Record(A, held=2, reload=True, install=[A])
    bench.add(A, record=record).earlier = True
    asked: list[int] = []

    def listening(port: int) -> list[str]:
        asked.append(port)
        return ["192.0.2.1"] if len(asked) > 3 else []

    monkeypatch.setattr(served, "listening", listening)
    bench.run()
    assert len(asked) == 4
    assert f"The new certificate of {A} is in service." in bench.told


def test_where_nothing_answers_any_more(bench: Bench) -> None:
    bench.add(A)
    bench.add(B)
    bench.apache.on_reload = lambda: bench.visitors.elsewhere.update({A: None})
    bench.run()
    assert list(bench.failures) == [A]
    assert f"192.0.2.1; {A}" in bench.failures[A]
    assert bench.said.count("Nothing answers any more") == 1
    kept = bench.record(A)
    assert kept is not None
    assert (kept["step"], from_json(kept["failure"])) == ("hooked", bench.failures[A])


def test_a_place_that_could_not_be_looked_at_in_time_is_not_called_silent(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.add(A)
    real = bench.visitors.look_at

    def look_at(
        places: Iterable[Place], seconds: float = 5.0
    ) -> dict[Place, x509.Certificate | None]:
        return {} if "reload" in bench.steps else real(places, seconds)

    monkeypatch.setattr(served, "look_at", look_at)
    bench.run()
    assert bench.failures == {}
    assert "still does not serve" not in bench.said
    assert f"The new certificate of {A} is released, and the web server reloaded." in bench.told


@pytest.mark.parametrize("before", ["nothing", "another's"])
def test_a_name_that_showed_none_of_the_versions_before_is_not_judged(
    bench: Bench, before: str
) -> None:
    bench.add(A)
    bench.visitors.elsewhere = {A: None if before == "nothing" else leaf(A)}
    bench.run()
    assert "still does not serve" not in bench.said
    assert "Nothing answers" not in bench.said
    assert "in service." not in bench.said
    assert f"The new certificate of {A} is released, and the web server reloaded." in bench.told
    assert bench.failures == {}
    assert bench.visitors.looks == 1


@pytest.mark.parametrize("installed", [True, False])
def test_a_wildcard_is_looked_at_by_the_hosts_that_it_was_installed_for(
    bench: Bench, installed: bool
) -> None:
    name = "example.jp"
    certificate = pki.mint(
        "*.example.jp",
        pki.ec_key("wildcard"),
        ISSUER.subject,
        ISSUER_KEY,
        extensions=[
            (x509.SubjectAlternativeName([x509.DNSName("*.example.jp")]), False),
            pki.aia("http://ocsp.example/"),
        ],
        not_before=now(),
        not_after=now() + pki.DAY,
    )
    record = Record(name, held=2, reload=True, install=["*.example.jp"] if installed else [])
    bench.add(name, record=record).earlier = True
    bench.config_dir.archive(name, "privkey", 2).write_bytes(pem(pki.ec_key("wildcard")))
    bench.config_dir.archive(name, "cert", 2).write_bytes(pem(certificate))
    bench.config_dir.archive(name, "fullchain", 2).write_bytes(pem(certificate) + pem(ISSUER))
    bench.visitors.elsewhere = {A: leaf(A), B: certificate}
    bench.run()
    # B serves the new one: where it was judged, or installed just now, that is seen.
    assert f"The new certificate of {name} is in service." in bench.told
    assert "*" not in bench.said


def test_one_that_cannot_be_read_is_not_looked_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.add(A)
    monkeypatch.setattr(archive, "current_version", lambda _lineage: None)
    assert bench.run()[-1] == "reload"
    assert bench.visitors.looks == 1
    assert bench.failures == {}


def test_messages_word_for_word(bench: Bench) -> None:
    job = bench.add(A, Status.UNKNOWN, timeout=1)
    bench.apache.broken["reload"] = "it is broken"
    bench.add(B, days=-0.5)
    bench.run()
    assert bench.failures[A] == "The OCSP server still does not know the new certificate."
    assert (
        f"The certificate of {B} in service has expired: the new one replaces it at once."
        in bench.told
    )
    assert bench.failures[B].startswith(
        f"Apache could not be reloaded with the new certificates of {B}. Fix its configuration"
    )
    assert job.record.held == 2


def test_an_installation_that_failed_word_for_word(bench: Bench) -> None:
    bench.add(A, record=Record(A, held=2, reload=True, install=[A])).earlier = True
    bench.apache.broken["deploy"] = "it is broken"
    bench.run()
    assert bench.failures[A] == (
        f"The certificate {A} could not be installed in Apache. Run the command that ordered it "
        "again. The error:\nit is broken"
    )
    assert "recover" in bench.steps


def test_an_interruption_word_for_word(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_self: Quick, _seconds: float) -> dict[Any, Answer]:
        raise WaitInterrupted("The wait was ended by SIGTERM.")

    bench.add(A, Status.UNKNOWN)
    monkeypatch.setattr(Quick, "answers", interrupt)
    with pytest.raises(KeyboardInterrupt):
        bench.run()
    assert bench.told[-1] == (
        "The wait was ended by SIGTERM.\n"
        f"Saved, and held until the OCSP server knows them: {A}\n"
        f"To go on: certbot renew --cert-name {A}"
    )


@pytest.mark.parametrize("earlier", [True, False])
def test_who_says_that_a_first_certificate_is_released(bench: Bench, *, earlier: bool) -> None:
    bench.add(A, record=Record(A, held=2)).earlier = earlier
    bench.run()
    said = f"The new certificate of {A} is released, and its deploy hooks were run."
    assert (said in bench.told) is earlier  # else Certbot is about to


def test_those_that_stay_held_are_named_in_order(bench: Bench) -> None:
    for name in (B, A):
        bench.add(name, Status.UNKNOWN, timeout=1)
    bench.run()
    assert bench.told[-1].index(A) < bench.told[-1].index(B)


def test_what_cannot_be_read_word_for_word(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.add(A)
    monkeypatch.setattr(soundness, "sync", raising(OSError("no")))
    bench.run()
    assert bench.failures == {A: f"The held certificate {A} cannot be read: no"}


def test_what_cannot_be_taken_away_word_for_word(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.add(A, Status.REVOKED)
    monkeypatch.setattr(archive, "withdraw", raising(OSError("no")))
    bench.run()
    assert f"The revoked certificate of {A} could not be taken away: no" in bench.told


def test_a_record_that_cannot_be_written_word_for_word(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.add(A)
    monkeypatch.setattr(durable, "write", raising(OSError("no")))
    bench.run()
    assert f"The record of the held certificate {A} could not be written: no" in bench.told


@pytest.mark.parametrize("numbers", [(2,), (1, 2)])
def test_which_damage_was_set_aside(bench: Bench, numbers: tuple[int, ...]) -> None:
    job = bench.add(A)
    for number in numbers:
        bench.config_dir.archive(A, "privkey", number).write_bytes(b"")
    one = Release(bench.store, [job], quiet=True, reloads=Reloads())
    one.run()
    assert list(one.failures) == [A]
    assert one.set_aside == ({A} if numbers == (2,) else set())


@pytest.mark.parametrize("loads", [True, False])
def test_of_a_first_certificate_only_what_is_wrong_is_said(bench: Bench, *, loads: bool) -> None:
    bench.add(A, record=Record(A, held=2, reload=True))
    bench.visitors.load(A)  # from an earlier lineage of this name
    if not loads:
        bench.visitors.loads = set()
    bench.run()
    assert ("still does not serve" in bench.said) is not loads
    assert "in service." not in bench.said


# What is kept of it, and written to the journal


def test_each_release_is_remembered_with_what_was_measured(bench: Bench) -> None:
    bench.add(A, *[Status.UNKNOWN] * 5, Status.GOOD)
    bench.add(B, age=30)
    bench.run()
    first, second = bench.history()[A], bench.history()[B]
    assert (first.version, first.replaces) == (2, 1)
    assert first.known_after == first.waited
    assert first.unknown_until is not None
    assert first.waited is not None
    assert 0 < first.waited - first.unknown_until <= 2
    assert first.ended > 1e9
    assert second.unknown_until is None
    assert second.known_after == pytest.approx(30, abs=10)
    assert set(bench.endings().values()) == {("released", "good", "done", "done")}


def test_all_that_can_become_of_one_is_remembered(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{letter}.example.jp" for letter in "abcdefgh"]
    bench.add(names[0], Status.REVOKED)
    bench.add(names[1], Status.UNKNOWN, timeout=5)
    bench.add(names[2], Status.UNDETERMINED, timeout=5)
    bench.add(names[3], timeout=0)
    bench.add(names[4], record=Record(names[4], in_service=1, held=2)).run_hooks = raising(
        OSError("no")
    )
    bench.add(names[5], days=-1)
    done = Record(names[6], Step.HOOKED, in_service=1, held=2, reload=True)
    bench.add(names[6], record=done)
    bench.add(names[7])
    bench.config_dir.archive(names[7], "cert", 2).write_text("torn")
    bench.run()
    assert bench.endings() == {
        names[0]: ("revoked", "revoked", "none", "none"),
        names[1]: ("held", "unknown", "none", "none"),
        names[2]: ("released", "undetermined", "done", "done"),
        names[3]: ("released", "unasked", "done", "done"),
        names[4]: ("failed", "good", "failed", "none"),
        names[5]: ("released", "None", "done", "done"),
        names[6]: ("released", "None", "earlier", "done"),
        names[7]: ("damaged", "None", "none", "none"),
    }
    assert all(
        entry.known_after is None for name, entry in bench.history().items() if name != names[4]
    )


def test_a_reload_that_fails_is_remembered_until_one_succeeds(bench: Bench) -> None:
    job = bench.add(A)
    bench.apache.broken = {"reload": "Syntax error on line 3."}
    bench.run()
    assert bench.endings() == {A: ("failed", "good", "done", "failed")}
    measured = bench.history()[A].known_after
    assert measured is not None
    bench.apache.broken = {}
    bench.jobs[:] = [dataclasses.replace(job)]
    bench.run()
    assert bench.endings() == {A: ("released", "good", "earlier", "done")}
    assert bench.history()[A].known_after == measured


def test_nothing_answers_any_more_is_a_reload_that_failed(bench: Bench) -> None:
    bench.add(A)
    bench.apache.on_reload = lambda: bench.visitors.elsewhere.update({A: None})
    bench.run()
    assert bench.endings() == {A: ("failed", "good", "done", "failed")}


def test_what_certbot_reloads_is_still_open(bench: Bench) -> None:
    bench.add(A).reload_here = False
    bench.run()
    assert bench.history() == {}
    ending = bench.jobs[0].ending
    assert (ending.outcome, ending.hooks.value, ending.reload.value) == (None, "done", "none")
    assert ending.status == "good"


def test_each_is_told_once_its_record_is_gone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[list[str], bool]] = []
    conclude = postmortem.conclude

    def note(config_dir: str, endings: list[Ending]) -> None:
        told.append(([one.name for one in endings], any(bench.record(one.name) for one in endings)))
        conclude(config_dir, endings)

    monkeypatch.setattr(postmortem, "conclude", note)
    bench.add(A, *[Status.UNKNOWN] * 5, Status.GOOD)
    bench.add(B)
    bench.run()
    assert [each for each in told if each[0]] == [([B], False), ([A], False)]


@pytest.mark.parametrize("ended", [KeyboardInterrupt, None])
def test_what_still_waits_is_not_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, ended: type[BaseException] | None
) -> None:
    bench.add(A, Status.UNKNOWN)
    bench.add(B)
    if ended is None:
        bench.run()
        assert bench.endings()[A][0] == "held"
        return
    asked: list[int] = []

    def interrupt() -> None:
        asked.append(1)
        if len(asked) > 4:
            raise WaitInterrupted("The wait was ended by SIGTERM.")

    bench.on_ask = interrupt
    with pytest.raises(ended):
        bench.run()
    assert bench.endings() == {B: ("released", "good", "done", "done")}


def test_a_history_that_is_damaged_stops_no_release(bench: Bench) -> None:
    path = bench.config_dir.path / "certbot-jprs" / "history.jsonl"
    bench.add(A)
    path.mkdir()
    bench.add(B)
    assert bench.run() == [f"hooks {A} 2", f"hooks {B} 2", "reload"]
    assert bench.failures == {}
    assert [bench.record(name) for name in (A, B)] == [None, None]
