"""``certbot-jprs status``: a fleet with one of each trouble, and one without any."""

from __future__ import annotations

import datetime as dt
import json
import re
import time
from collections.abc import Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from certbot_jprs.command.table import width
from certbot_jprs.holding.records import Record
from tests.e2e.command import MANUAL_HOOK, jprs
from tests.e2e.helpers import NAME, asked, certbot, forget, lets_encrypt
from tests.e2e.waiting import AT_ONCE
from tests.lab import SILENT, World, fleet, pki

CRON = "0 */12 * * * root certbot -q renew\n"
DOMAIN = "example.jp"


def status(world: World, *args: str) -> dict[str, Any]:
    """Returns what ``--json`` says; the exit status is in it, too."""
    result = jprs(world, "status", "--json", *args)
    said: dict[str, Any] = json.loads(result.stdout)
    assert said["format"] == 1
    assert said["status"] == result.returncode
    return said


def kinds(problems: Sequence[dict[str, str]]) -> set[tuple[str, str]]:
    return {(problem["level"], problem["kind"]) for problem in problems}


def old(world: World, name: str, days_left: int) -> None:
    """Makes a certificate of 90 days that ends in some days."""
    world.jprs.backdate = dt.timedelta(days=90 - days_left) - dt.timedelta(hours=1)
    fleet.kept(world, [name], installer=None)
    world.jprs.backdate = dt.timedelta(0)


def second_version(world: World, name: str, *, linked: bool = True) -> None:
    """Adds a version that Certbot has linked, or not, and that no server was told of."""
    lineage = world.lineage(name)
    pem = (lineage.archive / "privkey1.pem").read_bytes()
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    issued = world.jprs.mint(name, key=key)
    issuer = pki.pem(issued.issuer)
    texts = {"cert": issued.pem, "chain": issuer, "fullchain": issued.pem + issuer}
    texts["privkey"] = pem.decode()
    for kind, text in texts.items():
        (lineage.archive / f"{kind}2.pem").write_text(text, encoding="ascii")
        if linked:
            link = lineage.live / f"{kind}.pem"
            link.unlink()
            link.symlink_to(f"../../archive/{name}/{kind}2.pem")


def hold(world: World, name: str, since: float) -> None:
    record = Record(name, in_service=1, held=2, since=since, failure="it was a test")
    world.write(f"/etc/letsencrypt/certbot-jprs/held/{name}.json", record.to_json())


@pytest.mark.main_job
def test_one_of_each_trouble(world: World) -> None:
    world.write("/etc/cron.d/certbot", CRON)
    hook = f'0 0 * * * root certbot renew --deploy-hook "{MANUAL_HOOK}"\n'
    world.write("/etc/crontab", hook)
    fleet.found(world, [f"stale.{DOMAIN}"])
    second_version(world, f"stale.{DOMAIN}")
    plain = ("good", "revoked", "unknown", "undetermined", "held", "pending", "sleep")
    more = ("always", "ecdsa", "url", "other", "account", "nofile")
    # Nobody installs these, so that it is no trouble that Apache serves another one for them.
    fleet.kept(world, [f"{each}.{DOMAIN}" for each in (*plain, *more)], installer=None)
    fleet.kept(world, [f"elsewhere.{DOMAIN}"])
    for each, days in {"warn": 15, "crit": 6, "expired": -1}.items():
        old(world, f"{each}.{DOMAIN}", days)
    for each, behaviour in {"unknown": "unknown", "undetermined": "http500"}.items():
        world.ocsp.behave(behaviour, name=f"{each}.{DOMAIN}")
    world.ocsp.behave("revoked", name=f"revoked.{DOMAIN}")
    since = time.time() - 3600
    hold(world, f"held.{DOMAIN}", since)
    second_version(world, f"held.{DOMAIN}", linked=False)
    second_version(world, f"pending.{DOMAIN}", linked=False)
    for each, key, value, section in (
        ("sleep", "renew_hook", MANUAL_HOOK, "renewalparams"),
        ("always", "renew_before_expiry", "91 days", None),
        ("ecdsa", "key_type", "ecdsa", "renewalparams"),
        ("url", "server", f"https://{world.jprs.host}/directory", "renewalparams"),
        ("other", "server", "https://ca.example/directory", "renewalparams"),
        ("account", "account", "0" * 32, "renewalparams"),
    ):
        world.lineage(f"{each}.{DOMAIN}").set(key, value, section)
    (world.lineage(f"nofile.{DOMAIN}").archive / "cert1.pem").unlink()
    world.write("/etc/letsencrypt/renewal/torn.conf", "version = 5.8.0\n[renewal")
    forget(world)

    said = status(world)
    assert said["status"] == 2
    assert asked(world) == []
    found = {entry["name"].split(".")[0]: entry for entry in said["certificates"]}
    expected = {
        "good": set(),
        "stale": {("warning", "served-other")},
        "elsewhere": {("warning", "served-other")},
        "revoked": {("critical", "revoked")},
        "unknown": {("warning", "ocsp-unknown")},
        "undetermined": {("unknown", "ocsp-undetermined")},
        "held": {("warning", "held")},
        "pending": {("warning", "pending")},
        "sleep": {("warning", "sleep")},
        "always": {("warning", "renews-always")},
        "ecdsa": {("warning", "ecdsa")},
        "url": {("warning", "server-url"), ("warning", "account")},
        "other": {("warning", "other-server"), ("warning", "account")},
        "account": {("warning", "account")},
        "nofile": {("unknown", "unreadable")},
        "warn": {("warning", "expires")},
        "crit": {("critical", "expires")},
        "expired": {("critical", "expired")},
    }
    assert {name: kinds(entry["problems"]) for name, entry in found.items()} == expected
    assert kinds(said["problems"]) == {
        ("unknown", "unreadable"),
        ("warning", "sleep"),
        ("warning", "schedulers"),
    }
    assert said["schedulers"] == ["/etc/crontab:1", "/etc/cron.d/certbot:1"]
    assert said["sleeps"] == [
        {
            "path": "/etc/crontab",
            "line": 1,
            "text": hook.strip(),
            "instead": "0 0 * * * root certbot renew",
        }
    ]
    check_entries(world, found, since)
    check_table(jprs(world, "status").stdout, [entry["name"] for entry in said["certificates"]])


def check_entries(world: World, found: dict[str, Any], since: float) -> None:
    """Checks the facts beside the problems."""
    good = found["good"]
    lineage = world.lineage(good["name"])
    assert good == {
        "name": f"good.{DOMAIN}",
        "names": [f"good.{DOMAIN}"],
        "unicode_names": {},
        "serial": f"{lineage.serial:x}",
        "not_after": good["not_after"],
        "key": "RSA 2048 bits",
        "ocsp": "good",
        "version": 1,
        "newest": 1,
        "held": None,
        "served": {good["name"]: {"serial": f"{world.jprs.issued[0].serial:x}", "version": None}},
        "account": lineage.params["account"],
        "account_exists": True,
        "server": world.jprs.url,
        "authenticator": NAME,
        "installer": None,
        "renewals": [],
        "problems": [],
    }
    end = dt.datetime.fromisoformat(good["not_after"])
    assert end.tzinfo is not None
    assert 88 < (end - dt.datetime.now(dt.timezone.utc)).days < 91
    stale = found["stale"]
    assert stale["served"][stale["name"]]["version"] == 1
    assert stale["version"] == 2
    assert found["elsewhere"]["served"][f"elsewhere.{DOMAIN}"]["version"] is None
    held = found["held"]["held"]
    assert (held["version"], held["step"], held["failure"]) == (2, "held", "it was a test")
    at = dt.datetime.fromisoformat(held["since"]).timestamp()
    assert abs(at - since) < 0.001
    assert found["nofile"]["serial"] is None
    assert (found["pending"]["version"], found["pending"]["newest"]) == (1, 2)
    for name, words in {
        "sleep": f"certbot-jprs adopt sleep.{DOMAIN}",
        "url": "server = https://acme.amecert.jprs.jp/DV/getDirectory",
        "stale": "Reload the web server",
        "held": f"certbot renew --cert-name held.{DOMAIN}",
    }.items():
        assert any(words in each["message"] for each in found[name]["problems"]), found[name]


def check_table(said: str, names: list[str]) -> None:
    """Checks that each certificate has a line, and that columns begin where their titles do."""
    head, *rest = said.splitlines()
    assert head.startswith("CRITICAL: ")
    table = rest[1:]
    titles = table[0]
    start = titles.index("EXPIRES")
    for name, line in zip(names, table[1:]):
        assert line.startswith(name if "nofile" not in name else "nofile"), line
        assert line[start - 1] == " "
        assert line[start] in "2?"
    assert "WARNING: held." in said
    assert "UNKNOWN: " in said


def test_all_is_well(world: World) -> None:
    world.write("/etc/cron.d/certbot", CRON)
    names = [f"www.{DOMAIN}", "xn--wgv71a119e.jp"]
    fleet.found(world, names)
    said = status(world)
    assert said["status"] == 0, said
    assert said["problems"] == said["sleeps"] == []
    for entry in said["certificates"]:
        assert entry["problems"] == []
        assert entry["served"][entry["name"]] == {"serial": entry["serial"], "version": 1}
    assert said["certificates"][1]["unicode_names"] == {"xn--wgv71a119e.jp": "日本語.jp"}

    result = jprs(world, "status")
    assert result.returncode == 0
    head, _empty, titles, first, second, *rest = result.stdout.splitlines()
    assert rest == ["", "Automatic renewal: /etc/cron.d/certbot:1"]
    assert head.startswith("OK: 2 JPRS certificate(s)")
    assert second.startswith("日本語.jp (xn--wgv71a119e.jp)  2")
    column = titles.index("EXPIRES")
    assert first.index("20") == column
    assert width(second[: second.index("20")]) == column
    for line in (first, second):
        assert " good " in line
        assert " this" in line
        assert width(line) <= 80
    # Nothing is held, so there is no such column; a wide terminal has room for the rest.
    assert "HELD SINCE" not in titles
    wide = jprs(world, "status", env={"COLUMNS": "150"}).stdout.splitlines()[2]
    assert wide.split("  ")[-1].strip() == "RENEWED BY"
    assert "ACCOUNT" in wide
    assert "HELD SINCE" not in wide
    assert "日本語.jp" in json.dumps(said, ensure_ascii=False)


def test_in_japanese(world: World) -> None:
    world.write("/etc/cron.d/certbot", CRON)
    names = [f"www.{DOMAIN}", "xn--wgv71a119e.jp"]
    fleet.kept(world, names)
    world.lineage(names[0]).set("renew_hook", MANUAL_HOOK)
    result = jprs(world, "status", env={"LANG": "ja_JP.UTF-8"})
    assert result.returncode == 1
    head, _empty, titles, first, second, *rest = result.stdout.splitlines()
    for line in (head, titles, rest[-1]):
        assert re.search("[ぁ-んァ-ヶ一-龠]", line), line
    # Columns begin at the same place on a terminal, though not in Python's count.
    starts = {width(line[: line.index("20")]) for line in (first, second)}
    assert len(starts) == 1
    assert f"certbot-jprs adopt {names[0]}" in rest[-1]


def test_a_machine_without_any_certificate(world: World) -> None:
    for prepare in (
        lambda: None,
        lambda: certbot(world, "certificates").check(),
        lambda: lets_encrypt(world, "other.example.jp", f"--server {world.letsencrypt.url}"),
    ):
        prepare()
        result = jprs(world, "status")
        assert result.returncode == 3, f"{result}"
        head, *_rest, last = result.stdout.splitlines()
        assert head == "UNKNOWN: there is no JPRS certificate in /etc/letsencrypt"
        assert last.startswith("UNKNOWN: ")
        assert "root" not in result.output, f"{result}"
    assert "certbot run -a certbot-jprs:http" in last
    assert kinds(status(world)["problems"]) == {("unknown", "no-certificate")}
    assert jprs(world, "status", env={"LANG": "ja_JP.UTF-8"}).stdout.startswith(
        "不明: /etc/letsencrypt にJPRSの証明書はありません\n"
    )


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ((), 0),
        (("--warn-days", "100"), 1),
        (("--warn-days", "100", "--crit-days", "95"), 2),
        (("--config-dir", "/run/tmp/none"), 3),
        (("--warn-days", "some"), 3),
        (("--unknown",), 3),
    ],
)
def test_the_exit_statuses_of_monitoring(
    world: World, args: tuple[str, ...], expected: int
) -> None:
    world.write("/etc/cron.d/certbot", CRON)
    fleet.kept(world, [f"www.{DOMAIN}"])
    assert jprs(world, "status", *args).returncode == expected


def test_it_never_takes_long(world: World) -> None:
    world.write("/etc/cron.d/certbot", CRON)
    names = [f"{each}.{DOMAIN}" for each in ("www", "dead", "a", "b", "c", "d")]
    fleet.kept(world, names)
    for name in names:
        world.dns.set_a(name, SILENT)
    world.ocsp.behave("hang")
    result = jprs(world, "status")
    assert result.returncode == 3, f"{result}"
    # A query, a look at port 443, and Python on a busy machine; one by one it would be 60 and 30.
    assert result.seconds < 10 + 5 + AT_ONCE
    world.silence_dns()
    world.ocsp.behave(None)
    result = jprs(world, "status")
    assert result.returncode == 0, f"{result}"
    assert result.seconds < 5 + AT_ONCE


def test_a_terminal_without_japanese_letters(world: World) -> None:
    fleet.kept(world, ["xn--wgv71a119e.jp"])
    result = jprs(world, "status", env={"LANG": "C", "PYTHONIOENCODING": "ascii:strict"})
    assert "(xn--wgv71a119e.jp)" in result.stdout
    assert result.returncode == 1  # nothing renews it
