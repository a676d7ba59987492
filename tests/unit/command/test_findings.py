"""What `certbot-jprs status` finds wrong, each beside an entry in which nothing is."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography import x509

from certbot_jprs.command import findings
from certbot_jprs.command.levels import Finding, Level, Limits
from certbot_jprs.command.survey import Entry, Survey
from certbot_jprs.ground import language
from certbot_jprs.ground.names import NAME
from certbot_jprs.holding.records import Record
from certbot_jprs.lineage import files
from certbot_jprs.machine.schedulers import Found, Scheduler, Sleep
from certbot_jprs.ocsp.evaluation import Answer, Status
from tests.unit import pki
from tests.unit.command.entries import well
from tests.unit.config_dir import LETS_ENCRYPT, MANUAL, ConfigDir

SITE = "www.example.jp"


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    language.start("en")
    yield
    language.start(None)


def entry_of(config_dir: ConfigDir, *, key: pki.Key | None = None, **params: Any) -> Entry:
    """Makes an entry with which nothing is wrong but what ``params`` say."""
    ours: dict[str, Any] = {"authenticator": NAME, "installer": NAME, "renew_hook": None}
    lineage = config_dir.add(SITE, key=key, **{**ours, **params})
    return well(lineage, SITE)


def found_in(entry: Entry, days: int = 0) -> list[Finding]:
    """Returns what is found some days from now."""
    now = dt.datetime.now(dt.timezone.utc) + dt.timedelta(days=days)
    return findings.of_lineage(entry, Limits(), now)


def only(found: list[Finding], level: Level, kind: str, *words: str) -> None:
    (finding,) = found
    assert (finding.level, finding.kind) == (level, kind)
    for word in words:
        assert word in finding.message


def other_certificate(config_dir: ConfigDir) -> x509.Certificate:
    return config_dir.add("other.example.jp").certificate()


def test_nothing(config_dir: ConfigDir) -> None:
    assert found_in(entry_of(config_dir)) == []


def test_no_certificate_hides_the_rest(config_dir: ConfigDir) -> None:
    entry = entry_of(config_dir, server=LETS_ENCRYPT)
    entry.certificate = None
    only(found_in(entry), Level.UNKNOWN, "unreadable", "Run this as root")


@pytest.mark.parametrize(
    ("days", "level", "kind"),
    [
        (60, None, ""),
        (75, Level.WARNING, "expires"),
        (85, Level.CRITICAL, "expires"),
        (90, Level.CRITICAL, "expired"),
    ],
)
def test_the_end(config_dir: ConfigDir, days: int, level: Level | None, kind: str) -> None:
    found = found_in(entry_of(config_dir), days)
    if level is None:
        assert found == []
    else:
        only(found, level, kind, f"certbot renew --cert-name {SITE}")


@pytest.mark.parametrize(
    ("status", "level", "kind", "words"),
    [
        (Status.REVOKED, Level.CRITICAL, "revoked", "--force-renewal"),
        (Status.UNKNOWN, Level.WARNING, "ocsp-unknown", "does not know"),
        (Status.UNDETERMINED, Level.UNKNOWN, "ocsp-undetermined", "no answer"),
    ],
)
def test_the_status(
    config_dir: ConfigDir, status: Status, level: Level, kind: str, words: str
) -> None:
    entry = entry_of(config_dir)
    entry.answer = Answer(status, "no answer")
    only(found_in(entry), level, kind, words)
    entry.answer = None
    assert found_in(entry) == []


def test_held_and_why(config_dir: ConfigDir) -> None:
    entry = entry_of(config_dir)
    entry.newest = 2
    only(found_in(entry), Level.WARNING, "pending", "version 1", "version 2")
    entry.record = Record(SITE, held=2, since=time.time())
    only(found_in(entry), Level.WARNING, "held", f"certbot renew --cert-name {SITE}")
    entry.record.failure = "Apache did not\nreload."
    only(found_in(entry), Level.WARNING, "held", "(Apache did not reload)")


@pytest.mark.parametrize("ended", [False, True])
def test_another_is_served(config_dir: ConfigDir, ended: bool) -> None:
    entry = entry_of(config_dir)
    entry.served = {SITE: other_certificate(config_dir)}
    days = 100 if ended else 0
    found = [each for each in found_in(entry, days) if each.kind == "served-other"]
    level = Level.CRITICAL if ended else Level.WARNING
    only(found, level, "served-other", "another certificate", SITE)
    entry.lineage = config_dir.write_conf(SITE, authenticator=NAME, installer=None, renew_hook=None)
    assert [each for each in found_in(entry, days) if each.kind == "served-other"] == []


def test_an_older_version_is_served(config_dir: ConfigDir) -> None:
    entry = entry_of(config_dir)
    older = other_certificate(config_dir)
    entry.version, entry.newest = 2, 2
    entry.versions = {1: older, 2: entry.lineage.certificate()}
    entry.served = {SITE: older}
    only(found_in(entry), Level.WARNING, "served-other", "serves version 1", "has version 2")


@pytest.mark.parametrize(
    ("params", "kind", "words"),
    [
        ({"server": LETS_ENCRYPT}, "other-server", f"certbot run -a {NAME}"),
        (
            {"server": "https://acme.amecert.jprs.jp/DV/getdirectory"},
            "server-url",
            "https://acme.amecert.jprs.jp/DV/getDirectory",
        ),
        ({"key_type": "ecdsa"}, "ecdsa", "key_type = rsa"),
        ({"renew_hook": MANUAL["renew_hook"]}, "sleep", f"certbot-jprs adopt {SITE}"),
        ({"post_hook": "sleep 600"}, "sleep", "sleep 600"),
    ],
)
def test_the_renewal_file(
    config_dir: ConfigDir, params: dict[str, Any], kind: str, words: str
) -> None:
    only(found_in(entry_of(config_dir, **params)), Level.WARNING, kind, words)


def test_a_key_that_jprs_does_not_accept(config_dir: ConfigDir) -> None:
    entry = entry_of(config_dir, key=pki.ec_key("leaf"))
    only(found_in(entry), Level.WARNING, "ecdsa", "key_type = rsa")


def test_no_account(config_dir: ConfigDir) -> None:
    entry = entry_of(config_dir)
    entry.account_exists = False
    only(found_in(entry), Level.WARNING, "account", MANUAL["account"], "accounts/")


def test_renewed_at_every_run(config_dir: ConfigDir) -> None:
    entry = entry_of(config_dir)
    path = config_dir.conf(SITE)
    text = path.read_text(encoding="utf-8").replace(
        "# renew_before_expiry = 30", "renew_before_expiry = 91"
    )
    path.write_text(text, encoding="utf-8")
    entry.lineage = files.read(str(path))
    only(found_in(entry), Level.WARNING, "renews-always", "91 days")


def test_damage(config_dir: ConfigDir) -> None:
    entry = entry_of(config_dir)
    entry.damage = "the key is another's"
    only(found_in(entry), Level.CRITICAL, "damaged", "the key is another's", "--force-renewal")
    entry.damage = ""
    entry.set_aside = ["cert2.pem.damaged"]
    only(found_in(entry), Level.WARNING, "damaged", "cert2.pem.damaged")
    entry.set_aside += ["cert3.pem.damaged"]
    only(found_in(entry), Level.CRITICAL, "damaged", "cert3.pem.damaged", "--force-renewal")
    entry.set_aside = []
    entry.record_error = "Permission denied"
    only(found_in(entry), Level.UNKNOWN, "unreadable", "Permission denied")


# The machine


def machine(directory: ConfigDir, **more: object) -> list[Finding]:
    timer = Scheduler("certbot.timer", sets_proxy=False)
    values: dict[str, object] = {
        "config_dir": str(directory),
        "entries": [] if "entries" in more else [entry_of(directory)],
        "unreadable": [],
        "found": Found([timer]),
        **more,
    }
    return findings.of_machine(Survey(**values))  # type: ignore[arg-type]


def test_a_sound_machine(config_dir: ConfigDir) -> None:
    assert machine(config_dir) == []


def test_schedulers(config_dir: ConfigDir) -> None:
    only(machine(config_dir, found=Found()), Level.WARNING, "no-scheduler", "certbot renew")
    two = Found(
        [Scheduler(where, sets_proxy=False) for where in ("certbot.timer", "/etc/crontab:1")]
    )
    config_dir = ConfigDir(config_dir.path.parent / "second")
    only(machine(config_dir, found=two), Level.WARNING, "schedulers", "certbot.timer", "crontab:1")


def test_nothing_to_renew_needs_no_scheduler(config_dir: ConfigDir) -> None:
    only(machine(config_dir, entries=[], found=Found()), Level.UNKNOWN, "no-certificate")


def test_what_cannot_be_read(config_dir: ConfigDir) -> None:
    found = machine(config_dir, unreadable=["/etc/letsencrypt/renewal/torn.conf"])
    only(found, Level.UNKNOWN, "unreadable", "torn.conf", "--cert-name torn")


def test_no_directory(config_dir: ConfigDir) -> None:
    found = machine(config_dir, config_dir="/none/there", entries=[])
    only(found, Level.UNKNOWN, "no-config-dir", "/none/there", "--config-dir")


def test_no_certificate(config_dir: ConfigDir) -> None:
    found = machine(config_dir, entries=[])
    only(found, Level.UNKNOWN, "no-certificate", "certbot run -a certbot-jprs:http", "monitoring")
    # One that cannot be read may well be one.
    torn = str(config_dir.conf("www.example.jp"))
    only(machine(config_dir, entries=[], unreadable=[torn]), Level.UNKNOWN, "unreadable", torn)


def test_hooks_without_a_sleep_that_matters(config_dir: ConfigDir) -> None:
    entry = entry_of(config_dir, pre_hook="sleep 600", post_hook="systemctl reload postfix")
    assert found_in(entry) == []


def test_a_sleep_elsewhere(config_dir: ConfigDir) -> None:
    sleep = Sleep("/etc/crontab", 3, "certbot renew; sleep 600", "certbot renew")
    found = machine(config_dir, found=Found([Scheduler("x", sets_proxy=False)], [sleep]))
    only(found, Level.WARNING, "sleep", "/etc/crontab", "certbot renew")
