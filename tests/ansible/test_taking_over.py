"""One host that JPRS's manual set up, with a second scheduler, and what others wrote into its cron.

A story as in ``test_three_hosts``.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.ansible import renewing
from tests.ansible.ansible import ROOT, SHELF, Ansible, Played, one
from tests.docs.markdown import read
from tests.lab.site import Host, Site

NAME, HOST = "www.example.jp", "www"
JPRS = "https://acme.amecert.jprs.jp/DV/getDirectory"
HOOK = "sleep 10m;systemctl reload httpd"
MANUALS = f'0 0,12 * * * certbot renew --deploy-hook "{HOOK}"'
OURS = ["# root's own", "5 4 * * * /root/backup", "@daily /root/report"]
CRONTAB = "/var/spool/cron/crontabs/root"
SECOND = "/etc/cron.d/renewal"
MORE = "7 3 * * * root /root/backup && certbot -q renew"
LAG = 6


@dataclass
class Story:
    """What happened, in the order of the fields."""

    site: Site
    ansible: Ansible
    checked: Played
    unchanged: tuple[str, str, str]
    """Root's crontab, the second scheduler and the renewal file after the check."""
    refused: Played
    kept: str
    played: Played
    again: Played

    @property
    def host(self) -> Host:
        """The one host."""
        return self.site.hosts[HOST]


def manual(host: Host) -> None:
    """Sets a certificate up by JPRS's manual."""
    host.vhost(NAME)
    account = ("-m", "admin@example.jp", "--agree-tos", "-n", *host.eab())
    server = ("--key-type", "rsa", "--server", JPRS)
    host.certbot("run", "--apache", "-d", NAME, *server, *account).check()
    host.lineage(NAME).set("renew_hook", HOOK)
    host.write(CRONTAB, "\n".join([OURS[0], MANUALS, *OURS[1:]]) + "\n", 0o600)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Sets up by the manual; checks, plays, and plays again."""
    with Site(tmp_path_factory.mktemp("site"), SHELF, HOST) as site:
        host, ansible = site.hosts[HOST], Ansible(site)
        manual(host)
        ansible.variables(
            HOST,
            jprs_package=one("python3-certbot-jprs_*.deb"),
            jprs_certificates=[{"names": [NAME]}],
            jprs_options={"jprs-ocsp-interval": 1},
        )
        host.write(SECOND, MORE + "\n")
        refused = ansible.play()
        kept = host.read(SECOND)
        host.write(SECOND, "7 3 * * * root certbot -q renew\n")
        host.write(CRONTAB, "\n".join([OURS[0], MANUALS, *OURS[1:]]) + "\n", 0o600)
        checked = ansible.play("--check", "--diff")
        renewal = host.lineage(NAME).renewal.read_text(encoding="utf-8")
        unchanged = host.read(CRONTAB), host.read(SECOND), renewal
        played = ansible.play("--diff")
        again = ansible.play("--diff")
        yield Story(site, ansible, checked, unchanged, refused, kept, played, again)


def test_a_line_that_does_more_is_a_clear_failure_and_stays(story: Story) -> None:
    assert story.refused.returncode == 2
    assert f"{SECOND}:1 renews certificates, and something else does, too" in story.refused.output
    assert "it does more: /root/backup" in story.refused.output
    assert story.kept == MORE + "\n"


def test_check_mode_shows_what_would_change_and_changes_nothing(story: Story) -> None:
    output = story.checked.check().output
    assert f"-{MANUALS}" in output
    assert "-7 3 * * * root certbot -q renew" in output
    crontab, second, renewal = story.unchanged
    assert MANUALS in crontab
    assert "certbot -q renew" in second
    assert "authenticator = apache" in renewal
    assert re.search(r"^changed: \[www\]", output, re.MULTILINE)


def test_the_manuals_cron_line_and_the_second_scheduler_go(story: Story) -> None:
    story.played.check()
    assert story.host.read(CRONTAB).splitlines() == OURS
    assert "certbot" not in story.host.read(SECOND)
    assert story.host.path(CRONTAB).stat().st_mode & 0o777 == 0o600
    found = renewing.status(story.host, "certbot-jprs")
    assert [re.sub(r":\d+$", "", each) for each in found["schedulers"]] == ["/etc/cron.d/certbot"]
    assert found["sleeps"] == []


def test_what_the_manual_set_up_is_the_plugins_and_nothing_is_issued(story: Story) -> None:
    params = story.host.lineage(NAME).params
    assert params["authenticator"] == params["installer"] == "certbot-jprs:http"
    assert "renew_hook" not in params


def test_again_nothing_changes(story: Story) -> None:
    assert story.again.check().changed() == {HOST: 0}


def test_the_adopted_certificate_is_renewed_by_what_is_left(story: Story) -> None:
    host, lineage = story.host, story.host.lineage(NAME)
    old = lineage.serial
    assert [issued.serial for issued in host.jprs.issued] == [old]
    host.ocsp.lag = LAG
    renewing.make_due(host, NAME)
    (scheduler,) = renewing.status(host, "certbot-jprs")["schedulers"]
    with host.watch(NAME) as watcher:
        renewing.spawn(host, scheduler).wait().check()
    assert lineage.serial != old
    assert host.served(NAME).serial == lineage.serial
    first = watcher.first(lineage.serial)
    assert first is not None
    assert first >= host.ocsp.known_at(lineage.serial)


# A host that cannot be reached


@pytest.fixture
def gone(story: Story) -> Iterator[str]:
    """A host that nobody reaches, the first in the inventory."""
    variables = {"ansible_ssh_common_args": "-o 'ProxyCommand=false'"}
    path = story.ansible.write(
        "inventory/gone.json", json.dumps({"all": {"hosts": {"gone": variables}}})
    )
    yield "gone"
    path.unlink()


def documented() -> list[str]:
    """Returns the variables that the manual's chapter gives as examples."""
    text = (ROOT / "docs" / "en" / "ansible.md").read_text(encoding="utf-8")
    return ["\n".join(block.lines) for block in read(text).blocks if block.language == "yaml"]


def test_one_that_cannot_be_reached_stops_no_other(story: Story, gone: str) -> None:
    """And the variables in the manual are what the role takes."""
    files = story.ansible.directory / "inventory" / "files"
    files.mkdir()
    shutil.copy(one("python3-certbot-jprs_*.deb"), files)
    (story.ansible.directory / "manual.yml").write_text("\n".join(documented()))
    played = story.ansible.play("--check", "-e", "jprs_serial=1", "-e", "@manual.yml")
    assert played.returncode == 2
    assert played.recap[HOST]["failed"] == 0
    assert "Would rehearse and issue mail.example.jp (mail.example.jp)" in played.output
    said = played.output.rpartition("PLAY [What failed]")[2]
    assert re.search(rf"fatal: \[{gone}\].*It cannot be reached", said, re.DOTALL), said


def test_a_play_of_ones_own_ends_with_it(story: Story, gone: str) -> None:
    """The twin, which the manual warns of: by Ansible's own rule the second batch gets nothing."""
    tasks = [{"name": "Reach it", "ansible.builtin.command": "true"}]
    play = {"hosts": "all", "serial": 1, "gather_facts": False, "tasks": tasks}
    path = story.ansible.write("own.json", json.dumps([play]))
    played = story.ansible.command("ansible-playbook", path)
    assert played.recap[gone]["unreachable"] == 1
    assert HOST not in played.recap
