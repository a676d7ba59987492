"""``certbot-jprs adopt``: what JPRS's manual set up becomes the plugin's, and nothing is lost."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import time
from pathlib import Path

import pytest

from tests.e2e.command import COMMAND, MANUAL_HOOK, adopted, jprs
from tests.e2e.held import until
from tests.e2e.helpers import CONTACT, NAME, PACKAGE, RENEW, certbot, forget, waited
from tests.e2e.test_not_selected import Installation
from tests.lab import World, fleet

WWW = "www.example.jp"
JPRS = "https://acme.amecert.jprs.jp/DV/getDirectory"
PLUGIN_LINES = {f"authenticator = {NAME}", f"installer = {NAME}"}

# What each version writes for the manual's commands, its own lines aside.
HEAD = """\
version = {version}
archive_dir = /etc/letsencrypt/archive/{name}
cert = /etc/letsencrypt/live/{name}/cert.pem
privkey = /etc/letsencrypt/live/{name}/privkey.pem
chain = /etc/letsencrypt/live/{name}/chain.pem
fullchain = /etc/letsencrypt/live/{name}/fullchain.pem
"""
PARAMS = """\
[renewalparams]
account = {account}
key_type = rsa
server = {server}
authenticator = apache
installer = apache
renew_hook = {hook}
"""
OLD = f"# renew_before_expiry = 30 days\n{HEAD}\n# Options used in the renewal process\n{PARAMS}"
LAYOUTS = {"1.21.0": OLD, "2.1.0": OLD, "5.8.0": HEAD + PARAMS}


def manual(world: World, version: str = "5.8.0", name: str = WWW) -> None:
    """Sets a certificate up by JPRS's manual, with a renewal file as that version writes it."""
    world.vhost(name)
    line = f"run -n --apache -d {name} --key-type rsa --server {JPRS} {CONTACT}"
    certbot(world, line, *world.eab()).check()
    write(world, version, name)


def write(world: World, version: str, name: str = WWW) -> None:
    """Writes the renewal file as a version does, with the manual's deploy hook."""
    text = LAYOUTS[version].format(
        version=version,
        name=name,
        account=world.lineage(name).params["account"],
        server=JPRS,
        hook=MANUAL_HOOK,
    )
    world.lineage(name).renewal.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("version", LAYOUTS)
def test_then_renewals_are_the_plugins(world: World, version: str) -> None:
    manual(world, version)
    lineage = world.lineage(WWW)
    before = lineage.renewal.read_text(encoding="utf-8")
    lineage.renewal.chmod(0o640)
    os.chown(lineage.renewal, 0, 7)
    forget(world)

    result = jprs(world, "adopt", WWW, "--yes")
    assert result.returncode == 0, f"{result}"
    removed = {line[1:] for line in result.stdout.splitlines() if line.startswith("-")}
    added = {line[1:] for line in result.stdout.splitlines() if line.startswith("+")}
    assert {"authenticator = apache", f"renew_hook = {MANUAL_HOOK}"} < removed
    assert added >= PLUGIN_LINES
    text = lineage.renewal.read_text(encoding="utf-8")
    assert "sleep" not in text
    changed = set(before.splitlines()) ^ set(text.splitlines())
    assert changed == (removed | added) - {f"-- {lineage_path()}", f"++ {lineage_path()}"}
    status = lineage.renewal.stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (0o640, 0, 7)
    assert all(not service.requests for service in world.services)
    assert not world.path("/etc/letsencrypt/.certbot.lock").exists()

    backup = lineage.renewal.with_name(f"{WWW}.conf.before-jprs")
    assert f"mv /etc/letsencrypt/renewal/{backup.name} {lineage_path()}" in result.stdout
    assert backup.read_text(encoding="utf-8") == before

    world.ocsp.lag = 2
    with world.watch(WWW) as watcher:
        certbot(world, f"{RENEW} --force-renewal --jprs-ocsp-interval 1").check()
        time.sleep(0.2)
    waited(world, watcher, world.jprs.issued[-1].serial)
    assert lineage.version() == 2
    assert "sleep" not in lineage.renewal.read_text(encoding="utf-8")
    # As the command says, it can be undone.
    os.replace(backup, lineage.renewal)
    assert lineage.params["authenticator"] == "apache"


def lineage_path() -> str:
    return f"/etc/letsencrypt/renewal/{WWW}.conf"


@pytest.mark.main_job
def test_what_this_certbot_wrote_by_the_manual_is_adopted(world: World, tmp_path: Path) -> None:
    plain = Installation(tmp_path, without=(PACKAGE.name,)).certbot
    adopted(world, lambda line: certbot(world, line, venv=plain))


def test_all_of_a_fleet_and_no_other(world: World) -> None:
    names = ["a.example.jp", "b.example.jp", "c.example.jp", "other.example.jp", "dns.example.jp"]
    fleet.kept(world, names)
    for name in names[:2]:
        write(world, "2.1.0", name)
    world.lineage("other.example.jp").set("server", world.letsencrypt.url)
    world.lineage("other.example.jp").set("authenticator", "apache")
    world.lineage("dns.example.jp").set("authenticator", "dns-x")
    world.lineage("dns.example.jp").set("installer", "apache")
    before = {name: world.lineage(name).renewal.read_bytes() for name in names}
    result = jprs(world, "adopt", "--all", "--yes")
    assert result.returncode == 0, f"{result}"
    changed = {name for name in names if world.lineage(name).renewal.read_bytes() != before[name]}
    assert changed == {"a.example.jp", "b.example.jp", "dns.example.jp"}
    assert world.lineage("dns.example.jp").params["authenticator"] == "dns-x"
    assert world.lineage("dns.example.jp").params["installer"] == NAME
    again = jprs(world, "adopt", "--all", "--yes")
    assert again.returncode == 0
    assert "no certificate here" in again.stdout


def test_what_cannot_be_adopted_is_said(world: World) -> None:
    fleet.kept(world, ["le.example.jp", "web.example.jp", "mine.example.jp"])
    world.lineage("le.example.jp").set("server", world.letsencrypt.url)
    for key in ("authenticator", "installer"):
        world.lineage("web.example.jp").set(key, "other")
    world.write("/etc/letsencrypt/renewal/torn.conf", "version = 5.8.0\n[renewal")
    for name, words in {
        "le.example.jp": ("another CA", "certbot run -a certbot-jprs:http"),
        "web.example.jp": ("by other", "certbot-jprs wait-ocsp"),
        "torn": ("that can be read", "certbot certificates"),
        "none.example.jp": ("none.example.jp", "certbot certificates"),
    }.items():
        result = jprs(world, "adopt", name, "--yes")
        assert result.returncode == 1, f"{result}"
        for word in words:
            assert word in result.stderr, f"{result}"
    result = jprs(world, "adopt", "mine.example.jp", "--yes")
    assert result.returncode == 0
    assert "nothing to do" in result.stdout
    assert jprs(world, "adopt").returncode == 1
    assert jprs(world, "adopt", "--all", WWW).returncode == 1


def test_asks_first(world: World) -> None:
    fleet.kept(world, [WWW])
    write(world, "5.8.0")
    lineage = world.lineage(WWW)
    before = lineage.renewal.read_bytes()
    result = jprs(world, "adopt", WWW)  # nobody there to ask
    assert result.returncode == 1, f"{result}"
    assert "--yes" in result.stderr
    assert lineage.renewal.read_bytes() == before

    for answer, status in (("", 1), ("n", 1), ("y", 0)):
        terminal = world.certbot_pty("adopt", WWW, venv=COMMAND)
        terminal.expect(r"\[y/N\]")
        terminal.send(answer)
        assert terminal.wait().returncode == status
        assert (lineage.renewal.read_bytes() == before) is (status == 1)


def test_what_changed_while_it_asked_is_not_overwritten(world: World) -> None:
    fleet.kept(world, [WWW])
    write(world, "5.8.0")
    terminal = world.certbot_pty("adopt", WWW, venv=COMMAND)
    terminal.expect(r"\[y/N\]")
    lineage = world.lineage(WWW)
    lineage.set("rsa_key_size", "3072")
    before = lineage.renewal.read_bytes()
    terminal.send("y")
    result = terminal.wait()
    assert result.returncode == 1, f"{result}"
    assert "changed meanwhile" in result.output
    assert lineage.renewal.read_bytes() == before


def test_not_while_another_certbot_runs(world: World) -> None:
    fleet.kept(world, [WWW])
    write(world, "5.8.0")
    lineage = world.lineage(WWW)
    before = lineage.renewal.read_bytes()
    hook = world.hook("/run/tmp/slow", "sleep 600")
    world.vhost("a.example.jp")
    running = world.spawn_certbot(
        *("certonly", "-n", "--webroot", "-w", "/var/www/html", "-d", "a.example.jp"),
        *("--pre-hook", f"touch /run/tmp/begun; {hook}", "--server", JPRS),
    )
    until(world.path("/run/tmp/begun").exists)
    result = jprs(world, "adopt", WWW, "--yes")
    running.kill()
    assert result.returncode == 1, f"{result}"
    assert "Another Certbot is running" in result.stderr
    assert lineage.renewal.read_bytes() == before
    # That one was killed; what it left behind is no lock.
    assert jprs(world, "adopt", WWW, "--yes").returncode == 0


def test_killed_at_any_point_the_file_is_the_old_or_the_new_one(world: World) -> None:
    fleet.kept(world, [WWW])
    write(world, "5.8.0")
    lineage = world.lineage(WWW)
    before = lineage.renewal.read_bytes()
    whole = jprs(world, "adopt", WWW, "--yes")
    assert whole.returncode == 0
    after = lineage.renewal.read_bytes()
    seen = set()
    # At once, and at the end; most of the time it starts, and acts in the last part.
    for part in (0, *(0.5 + 0.05 * each for each in range(12)), None):
        lineage.renewal.write_bytes(before)
        running = world.spawn(COMMAND, "adopt", WWW, "--yes")
        if part is not None:
            time.sleep(whole.seconds * part)
            with contextlib.suppress(ProcessLookupError):  # it has ended
                running.signal(signal.SIGKILL)
        running.wait()
        seen.add(lineage.renewal.read_bytes())
    assert seen == {before, after}


def test_sleeps_elsewhere_are_named_and_left_alone(world: World) -> None:
    fleet.kept(world, [WWW])
    write(world, "5.8.0")
    line = f'0 0,12 * * * root certbot renew --deploy-hook "{MANUAL_HOOK}"\n'
    world.write("/etc/crontab", line)
    world.cli_ini("post-hook = sleep 600; systemctl reload nginx\n")
    result = jprs(world, "adopt", WWW, "--yes")
    assert result.returncode == 0, f"{result}"
    assert "/etc/crontab:1" in result.stderr
    assert "Write instead: 0 0,12 * * * root certbot renew\n" in result.stderr
    instead = "Write instead: post-hook = certbot-jprs wait-ocsp --all && systemctl reload nginx"
    assert instead in result.stderr
    assert world.read("/etc/crontab") == line
