"""Hooks: which of them stop a service, and which cannot be run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from certbot_jprs.check import hooks
from certbot_jprs.check.report import Level, Report


@pytest.mark.parametrize(
    "command",
    [
        "systemctl stop httpd",
        "/usr/bin/systemctl --quiet stop postfix",
        "sudo systemctl stop nginx",
        "true; service apache2 stop",
        "apachectl stop",
        "/usr/sbin/apachectl -k graceful-stop",
        "nginx -s quit",
        "/etc/init.d/httpd stop",
        "docker stop web",
        "podman container stop web",
    ],
)
def test_hooks_that_stop_a_service(command: str) -> None:
    assert hooks.stops(command)


@pytest.mark.parametrize(
    "command",
    [
        "systemctl reload httpd",
        "systemctl start stop-light",
        "echo systemctl stop httpd",
        "/usr/local/bin/stop-nothing",
        "logger about to stop",
        "",
    ],
)
def test_hooks_that_do_not(command: str) -> None:
    assert not hooks.stops(command)


def test_programs_that_are_missing(tmp_path: Path) -> None:
    script = tmp_path / "hook"
    script.write_text("#!/bin/sh\n", encoding="ascii")
    assert hooks.missing_program(f"{script} x") == str(script)
    script.chmod(0o755)
    for command in (f"{script} x", "sleep 1;true", "cd / && true", "A=1 x", "$HOME/x", "'", ""):
        assert hooks.missing_program(command) == ""
    assert hooks.missing_program("no-such-program-anywhere --now") == "no-such-program-anywhere"


def test_a_report_is_a_finding_each() -> None:
    shown: list[str] = []
    report = Report(shown.append)
    report.ok("good")
    report.warn("one\n\n  two\n")
    assert not report.failed
    report.fail("bad {braces}")
    report.say("the end")
    assert shown == ["ok    good", "warn  one\n        two", "FAIL  bad {braces}", "the end"]
    assert report.failed
    assert [report.count(level) for level in Level] == [1, 1, 1]


def test_a_quiet_report_shows_failures_only() -> None:
    shown: list[str] = []
    report = Report(shown.append, quiet=True)
    report.ok("good")
    report.warn("doubtful")
    report.say("the end")
    report.fail("bad")
    assert shown == ["FAIL  bad"]


def test_a_hook_that_goes_while_it_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pre = tmp_path / "pre"
    pre.mkdir()
    goes, stays = pre / "10-goes", pre / "20-stays"
    for hook in (goes, stays):
        hook.write_text("#!/bin/sh\nsystemctl stop nginx\n")
        hook.chmod(0o755)
    access = os.access

    def looked_at(path: str, mode: int) -> bool:
        goes.unlink(missing_ok=True)
        return path == str(goes) or access(path, mode)

    monkeypatch.setattr(os, "access", looked_at)
    shown: list[str] = []
    hooks._check_directory(Report(shown.append), str(pre))
    (line,) = shown
    assert line.startswith(f"warn  {stays} stops a service")
