"""The alert rules do what their own tests say, and these tests would notice if they did not."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from certbot_jprs.command.levels import KINDS
from tests.monitoring.rules import RULES, TESTS, alerts, shortened

SHIPPED = RULES.read_text(encoding="utf-8")

SABOTAGED = {
    "CertbotJprsExpires": (
        ("< 14 * 86400", "< 15 * 86400"),
        ("< 14 * 86400", "<= 14 * 86400"),
        ("< 14 * 86400", "< 13 * 86400"),
        (">= 7 * 86400", "> 7 * 86400"),
        (" >= 7 * 86400", ""),
        ("for: 1h", "for: 50m"),
        ("for: 1h", "for: 70m"),
        ("warning", "critical"),
    ),
    "CertbotJprsExpiresSoon": (
        ("< 7 * 86400", "<= 7 * 86400"),
        ("< 7 * 86400", "< 6 * 86400"),
        (") > 0", ") >= 0"),
        (") > 0", ") > 600"),
        ("critical", "warning"),
    ),
    "CertbotJprsExpired": (("<= 0", "< 0"), ("<= 0", "<= 600"), ("critical", "warning")),
    "CertbotJprsHeldTooLong": (
        ("> 3600", ">= 3600"),
        ("> 3600", "> 4200"),
        ("time() - ", ""),
        ("labels:\n", "for: 10m\n        labels:\n"),
    ),
    "CertbotJprsNotServed": (
        ("== 0", "!= 0"),
        ("for: 30m", "for: 20m"),
        ("for: 30m", "for: 40m"),
    ),
    "CertbotJprsRevoked": (
        ("== 1", "== 0"),
        ('{status="revoked"}', ""),
        ('"revoked"', '"unknown"'),
        ("labels:\n", "for: 10m\n        labels:\n"),
        ("critical", "warning"),
    ),
    "CertbotJprsOcspUnknown": (
        ("== 1", "== 0"),
        ('{status="unknown"}', '{status!="good"}'),
        ("for: 1h", "for: 50m"),
        ("for: 1h", "for: 70m"),
    ),
    "CertbotJprsRenewalFailed": (
        ("== 0", "== 1"),
        ("for: 13h", "for: 12h"),
        ("for: 13h", "for: 14h"),
    ),
    "CertbotJprsNoScheduler": (
        ("== 0", "== 2"),
        (" and on (job, instance) certbot_jprs_certificate_not_after_timestamp_seconds", ""),
        ("for: 1h", "for: 50m"),
        ("for: 1h", "for: 70m"),
    ),
    "CertbotJprsSeveralSchedulers": (
        ("> 1", "> 2"),
        ("> 1", ">= 1"),
        ("for: 1h", "for: 50m"),
        ("for: 1h", "for: 70m"),
    ),
    "CertbotJprsMetricsStale": (("> 3600", ">= 3600"), ("> 3600", "> 4200")),
    "CertbotJprsMetricsAbsent": (
        ("[3d:10m]", "[2d:10m]"),
        ("[3d:10m]", "[4d:10m]"),
        ("          and on (job, instance) up\n", ""),
        (
            "          unless on (job, instance) certbot_jprs_status_timestamp_seconds)",
            "          )",
        ),
        ("for: 30m", "for: 20m"),
        ("for: 30m", "for: 40m"),
    ),
    "CertbotJprsProblem": (
        ("> 0", ">= 0"),
        ("> 0", "> 1"),
        ("expires|expired", "expired"),
        ("no-scheduler|schedulers", "no-scheduler"),
        ("for: 1h", "for: 50m"),
        ("for: 1h", "for: 70m"),
    ),
}


def promtool(*args: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs promtool; its output and messages are in one."""
    return subprocess.run(
        ["promtool", *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def noticed(directory: Path, rules: str) -> set[str]:
    """Returns the alerts about which the packaged tests complain where there are other rules."""
    shutil.copytree(TESTS.parent, directory / "tests")
    (directory / RULES.name).write_text(rules, encoding="utf-8")
    checked = promtool("check", "rules", directory / RULES.name)
    assert checked.returncode == 0, checked.stdout
    done = promtool("test", "rules", directory / "tests" / TESTS.name)
    return set(
        re.findall(r'(?:alertname: |alertname=\\?")(\w+)(?:, time: |\\?", alertst)', done.stdout)
    )


def test_the_rules_are_right_and_pass_their_tests() -> None:
    checked = promtool("check", "rules", RULES)
    assert checked.returncode == 0, checked.stdout
    assert f"SUCCESS: {len(SABOTAGED)} rules found" in checked.stdout
    done = promtool("test", "rules", TESTS)
    assert done.returncode == 0, done.stdout
    assert "SUCCESS" in done.stdout


def test_each_alert_has_sabotaged_twins() -> None:
    assert list(SABOTAGED) == list(alerts(SHIPPED))


def test_an_alert_that_is_left_out_is_missed(tmp_path: Path) -> None:
    none = SHIPPED
    for text in alerts(SHIPPED).values():
        none = none.replace(text, "")
    none = none.replace("rules:\n", "rules: []\n")
    assert noticed(tmp_path, none) == set(SABOTAGED)


# Of each alert one sabotage at a time, of all alerts at once: promtool names those it is about.
@pytest.mark.parametrize("which", range(max(map(len, SABOTAGED.values()))))
def test_an_alert_that_is_wrong_is_noticed(tmp_path: Path, which: int) -> None:
    rules = SHIPPED
    sabotaged = {name: changes[which] for name, changes in SABOTAGED.items() if changes[which:]}
    for name, (old, new) in sabotaged.items():
        alert = alerts(SHIPPED)[name]
        head, _annotations, _texts = alert.partition("        annotations:")
        assert head.count(old) == 1, name
        rules = rules.replace(alert, alert.replace(old, new, 1))
    wrong = noticed(tmp_path, rules)
    assert wrong == set(sabotaged), {name: sabotaged.get(name) for name in wrong ^ set(sabotaged)}


def test_all_say_in_both_languages_what_is_wrong_and_what_to_do() -> None:
    for name, text in alerts(SHIPPED).items():
        said = dict(re.findall(r'^          (\w+): "(.*)"$', text, re.MULTILINE))
        assert set(said) == {"summary", "description", "summary_ja", "description_ja"}, name
        for key, words in said.items():
            assert bool(re.search("[ぁ-んァ-ヶ一-龠]", words)) == key.endswith("_ja"), words
        for key in ("summary", "description"):
            variables = re.findall(r"\{\{.*?\}\}", said[key])
            assert sorted(variables) == sorted(re.findall(r"\{\{.*?\}\}", said[f"{key}_ja"]))


def test_kinds_that_have_an_alert_of_their_own_are_kinds_of_problems() -> None:
    (left_out,) = re.findall(r'kind!~"([a-z|-]+)"', SHIPPED)
    assert set(left_out.split("|")) <= set(KINDS)


def test_in_the_lab_only_durations_are_shorter() -> None:
    before, after = SHIPPED.splitlines(), shortened(SHIPPED).splitlines()
    assert len(before) == len(after)
    changed = {old: new for old, new in zip(before, after) if old != new}
    waits = {line for line in before if line.startswith("        for: ")}
    (window,) = changed.keys() - waits
    assert {changed[wait] for wait in waits} == {"        for: 2s"}
    assert changed[window] == window.replace("[3d:10m]", "[5m:1s]")
