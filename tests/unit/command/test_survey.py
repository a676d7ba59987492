"""What is known of a machine: real files, and a real OCSP responder."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from cryptography import x509

from certbot_jprs.command import survey
from certbot_jprs.command.survey import Entry, Survey
from certbot_jprs.ground.names import NAME
from certbot_jprs.holding import records
from certbot_jprs.holding.ending import Ending, Outcome
from certbot_jprs.holding.history import History
from certbot_jprs.holding.records import Record, Store
from certbot_jprs.lineage import soundness
from certbot_jprs.machine import schedulers, served
from certbot_jprs.machine.schedulers import Found, Scheduler
from certbot_jprs.machine.served import Place
from certbot_jprs.ocsp.evaluation import Status
from tests.unit import pki
from tests.unit.config_dir import LETS_ENCRYPT, MANUAL, OTHER_CA, ConfigDir
from tests.unit.peers import OcspResponder

SITE = "www.example.jp"
OTHER = "b.example.jp"
FOUND = Found([Scheduler("certbot.timer", sets_proxy=False)])


class Machine:
    """A machine, and what its port 443 serves.

    Attributes:
        shown: what each place shows.
        looked: where was looked.
    """

    def __init__(self, config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch) -> None:
        self.config_dir = config_dir
        self.shown: dict[Place, x509.Certificate | None] = {}
        self.looked: list[Place] = []
        monkeypatch.setattr(schedulers, "find", lambda _config_dir: FOUND)
        monkeypatch.setattr(served, "listening", lambda _port: ["192.0.2.1", "192.0.2.2"])
        monkeypatch.setattr(served, "look_at", self._look_at)

    def _look_at(self, places: list[Place]) -> dict[Place, x509.Certificate | None]:
        self.looked += places
        return self.shown

    def survey(self) -> Survey:
        return survey.make(str(self.config_dir))

    def entry(self) -> Entry:
        (entry,) = self.survey().entries
        return entry


@pytest.fixture
def machine(config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(config_dir, monkeypatch)


@pytest.fixture
def responder() -> Iterator[OcspResponder]:
    server = OcspResponder()
    yield server
    server.close()


def test_all_of_a_lineage(
    machine: Machine, config_dir: ConfigDir, responder: OcspResponder
) -> None:
    lineage = config_dir.add(SITE, ["b.jp", SITE, "a.jp"], responder=responder.url)
    account = config_dir.account()
    for file in ("regr.json", "private_key.json"):
        (account / file).write_text("{}", encoding="utf-8")
    certificate = lineage.certificate()
    machine.shown = {Place("192.0.2.1", SITE): certificate}
    entry = machine.entry()
    assert entry == Entry(
        lineage,
        certificate,
        ("a.jp", "b.jp", SITE),
        entry.answer,
        version=1,
        newest=1,
        versions={1: certificate},
        served={SITE: certificate},
        account_exists=True,
        renewals=[],
    )
    assert entry.answer is not None
    assert entry.answer.status is Status.GOOD
    assert responder.asked == [certificate.serial_number]
    assert entry.key == "RSA 2048 bits"
    assert entry.account == MANUAL["account"]
    assert entry.not_after is not None
    assert entry.not_after.tzinfo is not None
    assert len(machine.looked) == 6  # each name, at each address


def test_its_renewals_and_no_others(machine: Machine, config_dir: ConfigDir) -> None:
    config_dir.add(SITE)
    kept = History(str(config_dir))
    endings = [Ending(name, 1, outcome=Outcome.RELEASED) for name in (SITE, "other.jp", SITE)]
    kept.add(endings)
    assert machine.entry().renewals == [endings[0], endings[2]]
    os.unlink(kept.path)
    os.mkdir(kept.path)  # it cannot be read
    assert machine.entry().renewals is None


def test_which_lineages(machine: Machine, config_dir: ConfigDir) -> None:
    config_dir.add("a.jp")
    config_dir.add("b.jp", server=LETS_ENCRYPT)
    config_dir.add("c.jp", server=OTHER_CA, authenticator=NAME)
    config_dir.add("d.jp", server=OTHER_CA, authenticator="dns-x", installer=NAME)
    config_dir.add("e.jp", server=None)
    config_dir.conf("aa.jp").write_text("[renewalparams", encoding="utf-8")
    (config_dir.path / "renewal" / "README").write_text("no lineage", encoding="utf-8")
    found = machine.survey()
    assert [entry.lineage.name for entry in found.entries] == ["a.jp", "c.jp", "d.jp"]
    assert found.unreadable == [str(config_dir.conf("aa.jp"))]
    assert found.found is FOUND
    assert found.config_dir == str(config_dir)


def test_no_certificate_ever(machine: Machine, config_dir: ConfigDir) -> None:
    (config_dir.path / "renewal").rmdir()
    assert machine.survey().entries == []
    (config_dir.path / "renewal").write_text("", encoding="utf-8")
    with pytest.raises(NotADirectoryError):
        machine.survey()


def test_a_certificate_that_cannot_be_read(machine: Machine, config_dir: ConfigDir) -> None:
    config_dir.add(SITE)
    config_dir.archive(SITE, "cert", 1).write_bytes(b"")
    entry = machine.entry()
    assert entry.certificate is None
    assert entry.names == ()
    assert entry.key == ""
    assert entry.not_after is None
    assert entry.answer is None
    assert entry.served == {}
    assert machine.looked == []


# Versions


def test_versions(machine: Machine, config_dir: ConfigDir) -> None:
    lineage = config_dir.add(SITE, versions=(1, 2, 3))
    config_dir.link(SITE, 2)
    entry = machine.entry()
    assert (entry.version, entry.newest, sorted(entry.versions)) == (2, 3, [1, 2, 3])
    for version, certificate in entry.versions.items():
        assert entry.version_of(certificate) == version
    assert entry.certificate == entry.versions[2] == lineage.certificate()
    assert entry.version_of(pki.mint(SITE, pki.ec_key("x"))) is None


def test_damage(machine: Machine, config_dir: ConfigDir) -> None:
    config_dir.add(SITE, versions=(1, 2))
    assert machine.entry().damage == ""
    config_dir.archive(SITE, "privkey", 2).write_bytes(b"")
    assert "holds no private key" in machine.entry().damage
    config_dir.link(SITE, 1)  # only the version in service is looked at
    assert machine.entry().damage == ""


def test_a_key_that_may_not_be_read_is_no_damage(
    machine: Machine, config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_dir.add(SITE)

    def check(*_args: object) -> None:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(soundness, "check", check)
    entry = machine.entry()
    assert entry.damage == ""
    assert entry.certificate is not None


def test_what_was_set_aside(machine: Machine, config_dir: ConfigDir) -> None:
    config_dir.add(SITE)
    paths = [config_dir.archive(SITE, "cert", version) for version in (2, 3)]
    aside = [path.with_name(path.name + ".damaged") for path in paths]
    for path in aside:
        path.write_bytes(b"")
    assert sorted(machine.entry().set_aside) == [str(path) for path in aside]


# Records


def test_what_waits(machine: Machine, config_dir: ConfigDir) -> None:
    config_dir.add(SITE, authenticator=NAME, installer=NAME, versions=(1, 2))
    config_dir.link(SITE, 1)
    assert machine.entry().record is None
    record = Record(SITE, in_service=1, held=2, since=1.0)
    Store(str(config_dir)).save(record)
    before = Store(str(config_dir)).load(SITE)
    assert machine.entry().record == before
    # A record that nothing waits for any more is passed over, and not taken away.
    config_dir.write_conf(SITE, authenticator="apache")
    assert machine.entry().record is None
    assert Store(str(config_dir)).load(SITE) == before


def test_a_record_that_cannot_be_read(
    machine: Machine, config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_dir.add(SITE)

    def look(*_args: object) -> None:
        raise PermissionError(13, "Permission denied", "/etc/letsencrypt/certbot-jprs")

    monkeypatch.setattr(records.Store, "look", look)
    entry = machine.entry()
    assert entry.record_error == "Permission denied"
    assert entry.certificate is not None

    def bare(*_args: object) -> None:
        raise OSError("torn")

    monkeypatch.setattr(records.Store, "look", bare)
    assert machine.entry().record_error == "torn"


# Accounts


@pytest.mark.parametrize("server", [MANUAL["server"], MANUAL["server"] + "/", OTHER_CA])
def test_the_account_of_the_lineages_own_server(
    machine: Machine, config_dir: ConfigDir, server: str
) -> None:
    config_dir.add(SITE, authenticator=NAME, server=server)
    assert not machine.entry().account_exists
    account = config_dir.account(server.rstrip("/"))
    assert not machine.entry().account_exists  # it is empty
    for file in ("regr.json", "private_key.json"):
        (account / file).write_text("{}", encoding="utf-8")
    assert machine.entry().account_exists
    account.rename(account.with_name("f" * 32))
    assert not machine.entry().account_exists


def test_without_a_server_there_is_no_account(machine: Machine, config_dir: ConfigDir) -> None:
    (config_dir.path / "accounts" / MANUAL["account"]).mkdir(parents=True)
    for file in ("regr.json", "private_key.json"):
        path = config_dir.path / "accounts" / MANUAL["account"] / file
        path.write_text("{}", encoding="utf-8")
    config_dir.add(SITE, authenticator=NAME, server=None)
    assert not machine.entry().account_exists


# The responder


def test_the_responder_is_asked_for_all_at_once(
    machine: Machine, config_dir: ConfigDir, responder: OcspResponder
) -> None:
    serials = {
        name: config_dir.add(name, responder=responder.url).certificate().serial_number
        for name in ("a.jp", "b.jp", "d.jp")
    }
    config_dir.add("c.jp")  # it names no responder
    responder.says = {serials["a.jp"]: "revoked", serials["b.jp"]: "unknown"}
    for kind in ("chain", "fullchain"):  # it has no issuer to verify by
        config_dir.archive("d.jp", kind, 1).write_bytes(b"")
    answers = {entry.lineage.name: entry.answer for entry in machine.survey().entries}
    statuses = {name: answer.status for name, answer in answers.items() if answer is not None}
    assert statuses == {"a.jp": Status.REVOKED, "b.jp": Status.UNKNOWN}
    assert sorted(responder.asked) == sorted((serials["a.jp"], serials["b.jp"]))


# What is served


def test_the_address_that_is_furthest_behind_counts(
    machine: Machine, config_dir: ConfigDir
) -> None:
    config_dir.add(SITE, versions=(1, 2))
    config_dir.add(OTHER)
    one, two = machine.survey().entries[1].versions.values()
    stranger = pki.mint("x", pki.ec_key("x"))
    here, there = Place("192.0.2.1", SITE), Place("192.0.2.2", SITE)
    for shown, counts in (
        ({here: two, there: one}, one),
        ({here: one, there: two}, one),
        ({here: stranger, there: two}, two),
        ({here: None, there: two}, two),
        ({here: stranger, there: None}, stranger),
        ({here: None, there: None}, None),
        ({}, None),
    ):
        machine.shown = dict(shown)
        machine.shown[Place("192.0.2.1", OTHER)] = stranger
        other, site = machine.survey().entries
        assert site.served.get(SITE) == counts
        assert other.served == {OTHER: stranger}


# Names


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("www.example.jp", None),
        ("xn--wgv71a119e.jp", "日本語.jp"),
        ("*.xn--wgv71a119e.jp", "*.日本語.jp"),
        ("xn--\x00.jp", None),
        ("xn--a.jp", None),
    ],
)
def test_internationalized_names(name: str, written: str | None) -> None:
    assert survey.unicode_name(name) == written
