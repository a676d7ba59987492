"""Three hosts at once, each set up another way, one of them with a broken Apache.

One story, told once by a fixture; each test is about one thing that it shows.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.ansible import renewing
from tests.ansible.ansible import SHELF, Ansible, Played, one
from tests.ansible.secrets import Watch, in_files, on_host
from tests.lab.client import Watcher
from tests.lab.site import Site

BROKEN, DEB, PIP = "www1", "www2", "www3"
GOOD = (DEB, PIP)
LAG = 8
"""Seconds until the OCSP server knows a renewed certificate."""
BREAKS = "/etc/apache2/conf-enabled/broken.conf"
HOOK = "/run/home/hook-ran"
SERVED = {name: f"{name}.example.jp" for name in (BROKEN, DEB, PIP)}


def describe(site: Site, ansible: Ansible) -> None:
    """Writes down what the hosts are to have."""
    wheel, deb = one("*.whl"), one("python3-certbot-jprs_*.deb")
    options = {"jprs-ocsp-interval": 1, "jprs-language": "en"}
    ansible.variables("all", jprs_contact=["admin@example.jp"], jprs_options=options)
    ways = {
        BROKEN: {"jprs_install": "apt", "jprs_package": wheel},
        DEB: {"jprs_install": "apt", "jprs_package": deb},
        PIP: {"jprs_install": "pip", "jprs_package": wheel},
    }
    for name, host in site.hosts.items():
        certificates: list[dict[str, Any]] = [{"names": [SERVED[name], f"{name}.example.com"]}]
        if name == PIP:
            root, hook = "/var/www/mail.example.jp", ["--deploy-hook", f"touch {HOOK}"]
            mail = {"installer": "webroot", "webroot": root, "options": hook}
            certificates.append({"names": ["mail.example.jp"], **mail})
        ansible.variables(name, jprs_certificates=certificates, **ways[name])
        kid = "lab-1"
        ansible.vault(name, jprs_eab_kid=kid, jprs_eab_hmac_key=host.jprs.eab[kid])
        host.vhost(SERVED[name], f"{name}.example.com")
        host.vhost("mail.example.jp")
    site.hosts[BROKEN].write(BREAKS, "SSLCertificateFile /nowhere\nThis is no directive\n")


def secrets(site: Site) -> list[str]:
    """Returns the EAB keys of all hosts."""
    return [host.jprs.eab["lab-1"] for host in site.hosts.values()]


@dataclass
class Story:
    """What happened, in the order of the fields."""

    site: Site
    ansible: Ansible
    before: Played
    orders_before: dict[str, int]
    first: Played
    watched: Watch
    issued: dict[str, list[int]]
    found: list[str]
    """Where an EAB key was found after the first run, which showed diffs and all details."""
    after: Played
    second: Played
    orders: dict[str, int]
    mended: Played


def orders(site: Site) -> dict[str, int]:
    """Returns how many orders each host has placed."""
    return {name: host.jprs.steps().count("newOrder") for name, host in site.hosts.items()}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Checks, sets up, checks and sets up again; then the broken host is mended and set up."""
    directory = tmp_path_factory.mktemp("site")
    with Site(directory, SHELF, BROKEN, DEB, PIP) as site:
        ansible = Ansible(site)
        describe(site, ansible)
        before = ansible.play("--check", "--diff")
        orders_before = orders(site)
        with Watch(secrets(site)) as watched:
            first = ansible.play("-vvv", "--diff", "-e", "jprs_serial=1", pipelining=False)
        issued = {
            name: [each.serial for each in host.jprs.issued] for name, host in site.hosts.items()
        }
        (directory / "printed").write_text(first.output, encoding="utf-8")
        found = search(site)
        after = ansible.play("--check", "--diff")
        second = ansible.play("--diff")
        ordered = orders(site)
        site.hosts[BROKEN].path(BREAKS).unlink()
        mended = ansible.play("--limit", BROKEN)
        yield Story(
            *(site, ansible, before, orders_before, first, watched, issued, found),
            *(after, second, ordered, mended),
        )


def search(site: Site) -> list[str]:
    """Looks for the EAB keys at the administrator's and on all hosts."""
    found = []
    for secret in secrets(site):
        found += in_files(secret, [site.directory])
        found += [f"{h.name}: {where}" for h in site.hosts.values() for where in on_host(secret, h)]
    return found


def test_check_mode_before_says_what_would_be_issued(story: Story) -> None:
    output = story.before.check().output
    for name in story.site.hosts:
        assert f"{SERVED[name]} ({SERVED[name]}, {name}.example.com)" in output
    assert "Would register an ACME account, rehearse and issue" in output
    assert all(changed > 0 for changed in story.before.changed().values())


def test_check_mode_before_orders_and_installs_nothing(story: Story) -> None:
    assert set(story.orders_before.values()) == {0}


def test_two_get_certificates(story: Story) -> None:
    assert len(story.issued[DEB]) == 1
    assert len(story.issued[PIP]) == 2
    for name in GOOD:
        host = story.site.hosts[name]
        assert host.served(SERVED[name]).serial in story.issued[name]
        assert host.lineage(SERVED[name]).params["authenticator"] == "certbot-jprs:http"


def test_the_third_is_a_clear_failure_and_stops_no_other(story: Story) -> None:
    """It is the first batch, and alone in it: by itself Ansible would end the play with it."""
    assert story.issued[BROKEN] == []
    assert story.first.returncode == 2
    failed = {host for host, counts in story.first.recap.items() if counts["failed"]}
    assert failed == {BROKEN}
    said = story.first.output.rpartition("PLAY [What failed]")[2]
    assert re.search(rf"fatal: \[{BROKEN}\].*FAIL.*[Cc]onfiguration", said, re.DOTALL), said


def test_not_more_than_serial_hosts_order_at_a_time(story: Story) -> None:
    times = {
        name: [r.time for r in story.site.hosts[name].jprs.requests if r.step == "newOrder"]
        for name in GOOD
    }
    assert max(times[DEB][:1]) < min(times[PIP][:2])


def test_no_eab_key_is_printed_or_stored(story: Story) -> None:
    assert story.found == []


def test_no_eab_key_is_in_ps(story: Story) -> None:
    assert story.watched.certbots > 0
    assert story.watched.seen == set()


def test_the_system_log_was_there_to_be_searched(story: Story) -> None:
    for host in story.site.hosts.values():
        assert b"Invoked with" in host.syslog


def test_the_search_finds_keys_that_are_there(story: Story, tmp_path: Path) -> None:
    """The twin: in clear text on the controller, on a host, in the system log and in ps."""
    secret = secrets(story.site)[0]
    host = story.site.hosts[DEB]
    for name in ("plain", "encoded"):
        shutil.copytree(story.site.directory / "inventory", tmp_path / name, dirs_exist_ok=True)
    (tmp_path / "plain" / "vars.json").write_text(json.dumps({"jprs_eab_hmac_key": secret}))
    assert in_files(secret, [tmp_path]) == [str(tmp_path / "plain" / "vars.json")]
    with Watch([secret]) as watched:
        story.ansible.command(
            *("ansible", DEB, "-m", "ansible.builtin.command"),
            *("-a", f"sh -c 'sleep 1; echo {secret} > /var/log/eab'"),
        ).check()
    assert watched.seen
    assert {"syslog"} < set(on_host(secret, host))
    assert any(where.endswith("/var/log/eab") for where in on_host(secret, host))


def test_run_again_nothing_changes(story: Story) -> None:
    assert set(story.second.changed().values()) == {0}, story.second.output
    assert {name: story.after.changed()[name] for name in GOOD} == dict.fromkeys(GOOD, 0)
    for played in (story.after, story.second):
        assert {h for h, counts in played.recap.items() if counts["failed"]} <= {BROKEN}
    assert story.orders == {BROKEN: 0, DEB: 1, PIP: 2}


def test_check_mode_after_says_what_is_still_missing(story: Story) -> None:
    ok = [line for line in story.after.output.splitlines() if "rehearse and issue" in line]
    assert ok
    assert all(SERVED[BROKEN] in line for line in ok)


def test_the_broken_one_gets_its_certificate_once_it_is_mended(story: Story) -> None:
    story.mended.check()
    host = story.site.hosts[BROKEN]
    assert host.served(SERVED[BROKEN]).serial == host.lineage(SERVED[BROKEN]).serial


COMMANDS = {
    BROKEN: "/usr/local/bin/certbot-jprs",
    DEB: "/usr/bin/certbot-jprs",
    PIP: "/opt/certbot/bin/certbot-jprs",
}


@pytest.fixture(scope="module")
def renewed(story: Story) -> Iterator[dict[str, Watcher]]:
    """All three renew at once, by what the role left to do it, while OCSP is late."""
    story.mended.check()
    with ExitStack() as watching:
        running, watchers = [], {}
        for name, host in story.site.hosts.items():
            host.ocsp.lag = LAG
            renewing.make_due(host, SERVED[name])
            watchers[name] = watching.enter_context(host.watch(SERVED[name]))
            (scheduler,) = renewing.status(host, COMMANDS[name])["schedulers"]
            running.append(renewing.spawn(host, scheduler))
        for each in running:
            each.wait().check()
        yield watchers


def test_then_all_three_renew_at_a_lag(story: Story, renewed: dict[str, Watcher]) -> None:
    for name, host in story.site.hosts.items():
        lineage = host.lineage(SERVED[name])
        assert lineage.version() == 2
        assert host.served(SERVED[name]).serial == lineage.serial
        first = renewed[name].first(lineage.serial)
        assert first is not None
        assert first >= host.ocsp.known_at(lineage.serial)


def test_and_the_facts_say_so(story: Story, renewed: dict[str, Watcher]) -> None:
    assert set(renewed) == set(story.site.hosts)
    played = story.ansible.play(playbook="status").check()
    assert set(played.changed().values()) == {0}
    for name, host in story.site.hosts.items():
        document = story.ansible.fact(name, "jprs_status")
        assert len(document["schedulers"]) == 1
        (www,) = (each for each in document["certificates"] if each["name"] == SERVED[name])
        assert www["serial"] == f"{host.lineage(SERVED[name]).serial:x}"
        assert (www["ocsp"], www["held"], www["version"]) == ("good", None, 2)


def test_the_deploy_hook_among_the_options_ran(story: Story) -> None:
    assert story.site.hosts[PIP].path(HOOK).exists()
