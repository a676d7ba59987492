"""The rehearsal's look at later renewals: the lineage, its hooks, and what renews it."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from certbot_jprs.check import renewal
from certbot_jprs.check.case import Case
from certbot_jprs.check.report import Level, Report
from certbot_jprs.ground import language
from certbot_jprs.ground.names import NAME
from certbot_jprs.holding.records import Record, Store
from certbot_jprs.lineage import files
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.machine.schedulers import Found, Scheduler, Sleep
from certbot_jprs.rules.policy import SERVER
from tests.unit.config_dir import MANUAL, ConfigDir

SITE = "www.example.jp"
TIMER = Scheduler("certbot.timer", sets_proxy=False)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    language.start("en")
    yield
    language.start(None)


def sound(directory: ConfigDir, **params: Any) -> Lineage:
    """Adds a lineage of the plugin's with which nothing is wrong but what ``params`` say."""
    ours: dict[str, Any] = {"authenticator": NAME, "installer": NAME, "renew_hook": None}
    return directory.add(SITE, **{**ours, **params})


def findings(
    directory: ConfigDir, lineage: Lineage | None, found: Found | None = None, **more: Any
) -> tuple[list[str], list[str]]:
    """Returns the warnings and the failures of the check."""
    values: dict[str, Any] = {
        "server": SERVER,
        "config_dir": str(directory),
        "certname": SITE if lineage is not None else None,
        "duplicate": False,
        "csr": None,
        "expand": False,
        "renew_by_default": False,
        "noninteractive_mode": True,
        "authenticator": NAME,
        "installer": NAME,
        "configurator": None,
    }
    names = more.pop("names", (SITE,))
    report = Report(lambda _line: None)
    case = Case(argparse.Namespace(**{**values, **more}), names, lineage)
    renewal.check(report, case, found if found is not None else Found([TIMER]))
    told = [[text for level, text in report.findings if level is each] for each in Level]
    return told[1], told[2]


def test_nothing_is_wrong(config_dir: ConfigDir) -> None:
    assert findings(config_dir, sound(config_dir)) == ([], [])
    assert findings(config_dir, None, certname="new.example.jp") == ([], [])


def only(found: tuple[list[str], list[str]], *words: str) -> None:
    (warnings, failures) = found
    (text,) = warnings
    assert failures == []
    for word in words:
        assert word in text


def test_a_renewal_file_that_cannot_be_read(config_dir: ConfigDir) -> None:
    config_dir.conf(SITE).write_text("[renewalparams", encoding="utf-8")
    only(findings(config_dir, None, certname=SITE), "cannot be read", f"--cert-name {SITE}")


def test_damaged_files(config_dir: ConfigDir) -> None:
    lineage = sound(config_dir)
    config_dir.archive(SITE, "chain", 1).unlink()
    only(findings(config_dir, lineage), "damaged", "its links do not lead to a complete version")
    config_dir.archive(SITE, "cert", 1).write_bytes(b"")
    only(findings(config_dir, lineage), "damaged", "backup")


def test_an_ecdsa_key_at_renewal(config_dir: ConfigDir) -> None:
    only(findings(config_dir, sound(config_dir, key_type="ecdsa")), "ECDSA", "key_type = rsa")


@pytest.mark.parametrize(
    ("text", "always"), [("91 days", True), ("13 weeks", True), ("30 days", False), ("soon", False)]
)
def test_the_period(config_dir: ConfigDir, text: str, always: bool) -> None:
    sound(config_dir)
    path = config_dir.conf(SITE)
    old = path.read_text(encoding="utf-8")
    new = old.replace("# renew_before_expiry = 30 days", f"renew_before_expiry = {text}")
    path.write_text(new, encoding="utf-8")
    found = findings(config_dir, files.read(str(path)))
    if always:
        only(found, text, str(path))
    else:
        assert found == ([], [])


def test_held_and_pending(config_dir: ConfigDir) -> None:
    lineage = sound(config_dir, versions=(1, 2))
    config_dir.link(SITE, 1)
    only(findings(config_dir, lineage), "version 2", "puts that into service")
    Store(str(config_dir)).save(Record(SITE, in_service=1, held=2, since=1.0))
    only(findings(config_dir, lineage), "waiting since", f"certbot renew --cert-name {SITE}")


def test_schedulers(config_dir: ConfigDir) -> None:
    lineage = sound(config_dir)
    only(findings(config_dir, lineage, Found()), "certbot.timer", "crontab")
    cron = dataclasses.replace(TIMER, where="/etc/crontab:1")
    only(findings(config_dir, lineage, Found([TIMER, cron])), "certbot.timer", "/etc/crontab:1")


def test_names_of_another_certificate(config_dir: ConfigDir) -> None:
    sound(config_dir)
    more = (SITE, "example.jp")
    warnings, (failure,) = findings(config_dir, None, names=more)
    assert warnings == []
    assert "--expand" in failure
    assert SITE in failure
    for option in ({"expand": True}, {"duplicate": True}, {"certname": "new"}):
        assert findings(config_dir, None, names=more, **option) == ([], [])
    config_dir.archive(SITE, "cert", 1).write_bytes(b"")
    assert findings(config_dir, None, names=more) == ([], [])


# Hooks


def test_a_hook_that_sleeps(config_dir: ConfigDir) -> None:
    hook = MANUAL["renew_hook"]
    lineage = sound(config_dir, renew_hook=hook)
    only(findings(config_dir, lineage), hook, f"certbot-jprs adopt {SITE}")
    given = "sleep 600; true"
    only(findings(config_dir, None, post_hook=given), given, "leave the sleep out")


def test_sleeps_elsewhere(config_dir: ConfigDir) -> None:
    sleep = Sleep("/etc/crontab", 3, "certbot renew; sleep 600", "certbot renew")
    only(findings(config_dir, sound(config_dir), Found([TIMER], [sleep])), "/etc/crontab")


def test_hooks_that_cannot_be_run_or_stop_a_service(config_dir: ConfigDir) -> None:
    only(findings(config_dir, None, pre_hook="/none/there x"), "/none/there", "chmod +x")
    only(findings(config_dir, None, pre_hook="true; systemctl stop httpd"), "pre-hook", "stops")


def test_hooks_in_directories(config_dir: ConfigDir) -> None:
    directory = config_dir.path / "renewal-hooks" / "pre"
    directory.mkdir(parents=True)
    hook = directory / "stop"
    hook.write_text("#!/bin/sh\nsystemctl stop httpd\n", encoding="utf-8")
    only(findings(config_dir, None), str(hook), "chmod +x")
    hook.chmod(0o755)
    only(findings(config_dir, None), str(hook), "stops a service")
    hook.rename(directory / "stop~")  # a backup of an editor's, which Certbot passes over
    assert findings(config_dir, None) == ([], [])


def test_a_hook_that_stops_a_service_once_all_is_over(config_dir: ConfigDir) -> None:
    directory = config_dir.path / "renewal-hooks" / "post"
    directory.mkdir(parents=True)
    hook = directory / "stop"
    hook.write_text("#!/bin/sh\nsystemctl stop httpd\n", encoding="utf-8")
    hook.chmod(0o755)
    assert findings(config_dir, None) == ([], [])


def test_a_renewal_file_that_has_gone_says_nothing_of_when(config_dir: ConfigDir) -> None:
    lineage = sound(config_dir)
    config_dir.conf(SITE).unlink()
    assert renewal.renew_before(lineage) is None
