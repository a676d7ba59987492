"""The Ansible collection's own Python: filters, and what a line of cron's does besides renewing."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
COLLECTION = ROOT / "packaging" / "ansible"


def load(path: str) -> ModuleType:
    """Imports a file of the collection, which is no package here."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, COLLECTION / "plugins" / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


filters = load("filter/certificates.py")
lines = load("module_utils/lines.py")

WWW: dict[str, Any] = {"names": ["www.example.jp", "example.jp"]}
THERE = {"name": "www.example.jp", "names": ["example.jp", "www.example.jp"]}


def test_the_collection_has_the_plugins_version() -> None:
    galaxy = (COLLECTION / "galaxy.yml").read_text(encoding="utf-8")
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    (version,) = re.findall(r'^    version="(.*)",$', setup, re.MULTILINE)
    assert re.search(rf"^version: {re.escape(version)}\b", galaxy, re.MULTILINE)


# Certificates


@pytest.mark.parametrize(
    ("there", "is_missing"),
    [
        ([], True),
        ([THERE], False),
        ([{**THERE, "names": ["www.example.jp"]}], True),
        ([{**THERE, "names": [*THERE["names"], "more.example.jp"]}], True),
        ([{**THERE, "name": "www.example.jp-0001"}], True),
    ],
)
def test_what_is_missing(there: list[dict[str, Any]], is_missing: bool) -> None:
    assert filters.missing([WWW], {"certificates": there}) == ([WWW] if is_missing else [])


def test_names_are_compared_as_dns_does() -> None:
    shouted = {"names": ["WWW.example.jp", "Example.JP"], "name": "www.example.jp"}
    assert filters.missing([shouted], {"certificates": [THERE]}) == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "run -n -a certbot-jprs:http"),
        ({"installer": "apache"}, "run -n -a certbot-jprs:http"),
        ({"installer": "nginx"}, "run --nginx -n -a certbot-jprs:http"),
        (
            {"installer": "webroot", "webroot": "/srv/www"},
            "certonly --webroot --webroot-path /srv/www -n -a certbot-jprs:http",
        ),
        ({"installer": "standalone"}, "certonly --standalone -n -a certbot-jprs:http"),
        ({"installer": "none"}, "certonly -n -a certbot-jprs:http"),
        ({"authenticator": "dns-route53"}, "run -n -a dns-route53 -i certbot-jprs:http"),
    ],
)
def test_how_certbot_is_asked(more: dict[str, Any], words: str) -> None:
    named = "--cert-name www.example.jp -d www.example.jp -d example.jp"
    assert filters.words({**WWW, **more}) == f"{words} {named}".split()


def test_options_come_last_as_they_are() -> None:
    options = ["--deploy-hook", "systemctl reload postfix", "--rsa-key-size", 4096]
    asked = filters.words({**WWW, "name": "web", "options": options})
    assert asked[3:5] == ["certbot-jprs:http", "--cert-name"]
    assert asked[5] == "web"
    assert asked[-4:] == ["--deploy-hook", "systemctl reload postfix", "--rsa-key-size", "4096"]


@pytest.mark.parametrize("wrong", [{"installer": "webroot"}, {"installer": "iis"}])
def test_what_cannot_be_asked_for(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=wrong["installer"]):
        filters.words({**WWW, **wrong})


def test_failures_of_rehearsals() -> None:
    good = {"rc": 0, "stdout_lines": ["ok    all"], "jprs_item": WWW}
    bad = {"rc": 1, "stdout_lines": ["ok    a", "FAIL  b", "1 FAIL, …"], "jprs_item": WWW}
    worse = {"rc": 2, "stdout_lines": [], "stderr_lines": ["no such option"], "jprs_item": WWW}
    assert filters.failures([good]) == ""
    assert filters.failures([good, bad]) == "www.example.jp (www.example.jp, example.jp): FAIL  b"
    assert filters.failures([worse]).endswith(": no such option")


# Schedulers


def test_what_renews_beside_the_one_that_stays() -> None:
    cron, root = "/etc/cron.d/certbot", "/var/spool/cron/crontabs/root"
    found = ["certbot.timer", f"{cron}:11", f"{root}:2", f"{root}:10"]
    assert filters.surplus(found, "certbot.timer") == [f"{cron}:11", f"{root}:10", f"{root}:2"]
    assert filters.surplus(found, cron) == [f"{root}:10", f"{root}:2", "certbot.timer"]
    assert filters.surplus([f"{cron}-jprs:3"], f"{cron}-jprs") == []


DEBIANS = (
    r"0 */12 * * * root test -x /usr/bin/certbot -a \! -d /run/systemd/system && "
    "perl -e 'sleep int(rand(43200))' && certbot -q renew"
)
SPOOL = "/var/spool/cron/crontabs/root"
RENEWALS = [
    (SPOOL, '0 0,12 * * * certbot renew --deploy-hook "sleep 10m;systemctl reload httpd"'),
    ("/etc/cron.d/certbot", DEBIANS),
    ("/etc/crontab", "@daily root /opt/certbot/bin/certbot renew -q >/dev/null 2>&1"),
    (SPOOL, "7 3 * * * PATH=/usr/bin certbot renew && systemctl reload apache2"),
    ("/etc/anacrontab", "1 5 certbot.daily certbot renew --post-hook='nginx -s reload'"),
    ("/etc/cron.daily/certbot", "certbot renew --quiet"),
    ("/etc/crontab", "0 0 * * * root python3 -c 'import time; time.sleep(9)'; certbot renew"),
]
MORE = [
    ("/root/backup && certbot renew", "/root/backup"),
    ("certbot renew; /usr/local/bin/report", "/usr/local/bin/report"),
    ('certbot renew --deploy-hook "systemctl reload postfix"', "systemctl reload postfix"),
    ("certbot renew --post-hook /root/copy-to-proxy", "/root/copy-to-proxy"),
    ('certbot renew --pre-hook "systemctl stop apache2"', "systemctl stop apache2"),
    ("certbot renew | mail -s certbot root", "mail -s certbot root"),
    ("perl /root/sum && certbot renew", "perl /root/sum"),
    ("certbot renew 'without an end", "certbot renew 'without an end"),
]


@pytest.mark.parametrize(("path", "line"), RENEWALS)
def test_a_line_that_does_nothing_besides(path: str, line: str) -> None:
    assert lines.besides(lines.command_of(path, line)) == []


@pytest.mark.parametrize(("command", "more"), MORE)
def test_a_line_that_does_more(command: str, more: str) -> None:
    """The twin: such a line is not taken away."""
    line = f"0 0 * * * root {command}"
    assert lines.besides(lines.command_of("/etc/cron.d/certbot", line)) == [more]
