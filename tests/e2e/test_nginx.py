"""nginx instead of Apache: the flag is added to ``certbot --nginx``, and all else is the same."""

from __future__ import annotations

import shlex
import signal
import time

import pytest

from tests.e2e import held
from tests.e2e.held import FORCE, hook, hooked, log_hooks, never_early, record, waiting
from tests.e2e.helpers import (
    CONTACT,
    NAME,
    QUICK,
    RENEW,
    certbot,
    forget,
    refused,
    served,
    waited,
)
from tests.e2e.needs import needs_namespace
from tests.lab import WEB, WEB_TOO, World, faults, fleet, subject

FIVE = tuple(f"{letter}.example.jp" for letter in "abcde")
WWW = "www.example.jp"
OURS = {
    "authenticator": NAME,
    "installer": NAME,
    "certbot_jprs:http_authenticator": "nginx",
    "certbot_jprs:http_installer": "nginx",
}


@pytest.mark.parametrize(
    "flag",
    [pytest.param(f"--nginx -a {NAME}", marks=pytest.mark.main_job), f"-a {NAME} -i nginx"],
)
def test_a_first_certificate_and_its_renewal(world: World, flag: str) -> None:
    world.nginx.vhost(WWW, "example.jp")
    world.ocsp.lag = 3
    lineage = world.lineage(WWW)
    with world.watch(WWW, "example.jp") as watcher:
        line = f"run -n {flag} -d {WWW},example.jp {CONTACT} {QUICK} --nginx-sleep-seconds 2"
        certbot(world, line, *world.eab()).check()
        first = lineage.serial
        assert {key: lineage.params.get(key) for key in OURS} == OURS
        assert lineage.params["certbot_jprs:http_nginx_sleep_seconds"] == "2"
        certbot(world, f"{RENEW} --force-renewal").check()
        time.sleep(0.2)
    assert lineage.version() == 2
    assert lineage.key_type == "RSA 2048"
    assert lineage.params["server"] == world.jprs.url
    for name in (WWW, "example.jp"):
        seen = watcher.serials(name)  # while nginx reloads, workers old and new take turns
        assert list(dict.fromkeys(seen)) == [first, lineage.serial]
        for serial in (first, lineage.serial):
            waited(world, watcher, serial, name)
    assert " 301 " in world.http(WWW).splitlines()[0]
    assert {key: lineage.params.get(key) for key in OURS} == OURS
    assert lineage.params["certbot_jprs:http_nginx_sleep_seconds"] == "2"
    assert not world.apache.log()


def test_held_while_visitors_watch_and_others_reload(world: World) -> None:
    fleet.in_nginx(world, [WWW], renew_hook=repr(hook("own")))
    log_hooks(world, "deploy")
    world.ocsp.behave("unknown")
    with world.watch(WWW) as watcher:
        with waiting(world) as running:
            world.nginx.graceful()
            time.sleep(1)
            assert held.served(world) == 1
            assert hooked(world) == []
            world.ocsp.behave(None)
            running.wait().check()
        time.sleep(0.5)
    never_early(world, watcher)
    assert held.served(world) == 2
    assert sorted((word, version) for word, _at, _name, version in hooked(world)) == [
        ("deploy", 2),
        ("own", 2),
    ]
    assert record(world) is None


def test_five_lineages_cost_one_wait_and_one_reload(world: World) -> None:
    fleet.in_nginx(world, FIVE)
    reloads = world.nginx.reloads()
    with world.watch(*FIVE) as watcher:
        result = world.certbot(*FORCE, env=faults.patience(world)).check()
        time.sleep(0.5)
    # One for each http-01, one for all that were ready together, which takes the last one away.
    expected = reloads + len(FIVE) + 1
    assert world.nginx.reloaded(expected) == expected, world.nginx.log()
    assert result.output.count("Waiting for the OCSP") == 1
    never_early(world, watcher)
    assert [held.served(world, name) for name in FIVE] == [2] * 5


def test_a_broken_configuration_is_told_and_the_next_run_goes_on(world: World) -> None:
    fleet.in_nginx(world, [WWW])
    world.ocsp.behave("unknown")
    reloads = world.nginx.reloads()
    with waiting(world) as running:
        world.nginx.idle(reloads + 2)
        world.nginx.conf("broken", "nonsense on;\n")
        world.ocsp.behave(None)
        result = running.wait()
    assert result.returncode == 1
    said = " ".join(result.output.split())
    assert "nginx could not be reloaded" in said
    assert "nginx -t" in said
    assert "nonsense" in said
    assert "Apache" not in said
    assert held.served(world) == 1
    assert record(world) is not None
    world.path("/etc/nginx/conf.d/broken.conf").unlink()
    count = len(world.jprs.issued)
    world.certbot(*held.RENEW).check()
    assert held.served(world) == 2
    assert record(world) is None
    assert len(world.jprs.issued) == count


def test_killed_while_it_waits(world: World) -> None:
    fleet.in_nginx(world, [WWW], renew_hook=repr(hook("own")))
    world.ocsp.behave("unknown")
    with world.watch(WWW) as watcher:
        with waiting(world) as running:
            running.signal(signal.SIGKILL)
        world.nginx.graceful()
        assert held.served(world) == 1
        assert hooked(world) == []
        world.ocsp.behave(None)
        count = len(world.jprs.issued)
        world.certbot(*held.RENEW).check()
        time.sleep(0.5)
    never_early(world, watcher)
    assert held.served(world) == 2
    assert len(world.jprs.issued) == count
    assert [version for _word, _at, _name, version in hooked(world)] == [2]


@pytest.mark.parametrize("flag", [f"--nginx -a {NAME}", f"-a {NAME}"])
def test_a_lineage_of_lets_encrypt_moves(world: World, flag: str) -> None:
    world.nginx.vhost(WWW)
    certbot(world, f"run -n --nginx -d {WWW} {CONTACT} --nginx-sleep-seconds 2").check()
    lineage = world.lineage(WWW)
    old = lineage.serial
    world.ocsp.lag = 1
    with world.watch(WWW) as watcher:
        line = f"run -n {flag} -d {WWW} {CONTACT} {QUICK}"
        result = certbot(world, line, *world.eab()).check()
        time.sleep(0.2)
    assert "moves from" in result.output
    assert lineage.version() == 2
    assert lineage.key_type == "RSA 2048"
    assert lineage.params["server"] == world.jprs.url
    assert {key: lineage.params.get(key) for key in OURS} == OURS
    assert list(dict.fromkeys(watcher.serials())) == [old, lineage.serial]
    waited(world, watcher, lineage.serial)


@pytest.mark.parametrize("way", [f"run -n --nginx -a {NAME}", f"run -n -a {NAME}", "adopt"])
def test_what_the_manual_set_up_is_taken_over(world: World, way: str) -> None:
    world.nginx.vhost(WWW)
    line = f"run -n --nginx -d {WWW} --key-type rsa --server {world.jprs.url} {CONTACT}"
    certbot(world, f"{line} --nginx-sleep-seconds 2", *world.eab()).check()
    lineage = world.lineage(WWW)
    lineage.set("renew_hook", "sleep 10m;systemctl reload nginx")
    before = lineage.renewal.read_text()
    forget(world)
    if way == "adopt":
        world.run(subject.COMMAND, "adopt", "--all", "--yes").check()
    else:
        certbot(world, f"{way} -d {WWW}").check()
    assert "newOrder" not in world.jprs.steps()
    assert {key: lineage.params.get(key) for key in OURS} == OURS
    assert "renew_hook" not in lineage.params
    assert lineage.params["certbot_jprs:http_nginx_sleep_seconds"] == "2"
    (backup,) = lineage.renewal.parent.glob(f"{WWW}.conf.*")
    assert backup.read_text() == before
    if way != "adopt":
        return
    world.ocsp.lag = 1
    certbot(world, f"{RENEW} --force-renewal").check()
    assert served(world) == lineage.serial
    assert lineage.version() == 2
    assert world.ocsp.asked(lineage.serial)


def test_a_file_of_today_that_names_nginx_itself(world: World) -> None:
    fleet.in_nginx(
        world,
        [WWW],
        installer="nginx",
        certbot_jprs__authenticator=None,
        certbot_jprs__installer=None,
    )
    world.ocsp.behave("unknown")
    with world.watch(WWW) as watcher:
        with waiting(world) as running:
            assert held.served(world) == 1
            world.ocsp.behave(None)
            running.wait().check()
        time.sleep(0.5)
    never_early(world, watcher)
    assert held.served(world) == 2
    assert not world.apache.log()


def test_both_servers_of_one_host_in_one_run(world: World) -> None:
    other = "nginx.example.jp"
    world.write("/etc/apache2/ports.conf", f"Listen {WEB}:80\nListen {WEB}:443\n")
    world.nginx.listens_on(WEB_TOO)
    fleet.found(world, [WWW, "b.example.jp"])
    fleet.in_nginx(world, [other, "c.example.jp"])
    names = (WWW, "b.example.jp", other, "c.example.jp")
    before = world.apache.reloads(), world.nginx.reloads()
    with world.watch(*names) as watcher:
        world.certbot(*FORCE, env=faults.patience(world)).check()
        time.sleep(0.5)
    never_early(world, watcher)
    # One for each http-01, one that takes it away before the other server's turn (b | c, nginx |
    # www), and one for the two that each serves.
    expected = (before[0] + 4, before[1] + 4)
    found = (world.apache.reloaded(expected[0]), world.nginx.reloaded(expected[1]))
    assert found == expected, world.nginx.log()
    assert [held.served(world, name) for name in names] == [2] * 4


CONTROL = """\
if [ -e /etc/sabotage/on ] && grep -q ssl_certificate /etc/nginx/sites-enabled/{name}; then
    case "$*" in *-t|*-V) ;; *) echo "nginx: sabotage" >&2; exit 1;; esac
fi
exec /usr/sbin/nginx "$@"
"""


def test_a_configuration_that_cannot_be_loaded_is_taken_back(world: World) -> None:
    world.nginx.vhost(WWW)
    before = world.nginx.hashes()
    control = world.hook("/etc/sabotage/nginx", CONTROL.format(name=WWW))
    world.write("/etc/sabotage/on", "")
    line = f"run -n --nginx -a {NAME} -d {WWW} {CONTACT} {QUICK} --nginx-ctl {control}"
    result = certbot(world, line, *world.eab())
    assert result.returncode == 1
    assert "sabotage" in result.output
    assert world.nginx.hashes() == before
    assert WWW in world.http(WWW)
    # The twin, without sabotage: what was issued is installed.
    world.path("/etc/sabotage/on").unlink()
    count = len(world.jprs.issued)
    certbot(world, line, *world.eab()).check()
    assert len(world.jprs.issued) == count
    assert served(world) == world.lineage(WWW).serial


@pytest.mark.parametrize("order", ["--auto-hsts --nginx", "-i nginx --auto-hsts"])
def test_autohsts_is_refused_before_an_order(world: World, order: str) -> None:
    world.nginx.vhost(WWW)
    result = certbot(world, f"run -n -a {NAME} {order} -d {WWW} {CONTACT}", *world.eab())
    refused(world, result, "nginx", "--auto-hsts")


def test_flags_that_contradict_each_other(world: World) -> None:
    line = f"run -n -a {NAME} --nginx --webroot -w /var/www/html -d {WWW} {CONTACT}"
    refused(world, certbot(world, line, *world.eab()), "--nginx, --webroot", "-i nginx")


@needs_namespace("it mounts")
@pytest.mark.parametrize("check", ["", "--jprs-check"])
def test_without_apache_nginx_is_named(world: World, check: str) -> None:
    world.nginx.vhost(WWW)
    nothing = str(world.write("/run/lab/nothing", "")).partition("/root")[2]
    programs = ["/usr/sbin/apache2ctl", "/usr/sbin/apachectl"]
    for program in programs:
        world.run("mount", "--bind", nothing, program).check()
    try:
        line = f"run -n -a {NAME} -d {WWW} {CONTACT} {check}"
        refused(world, certbot(world, line, *world.eab()), "Apache was not found", "--nginx")
    finally:
        for program in programs:
            world.run("umount", program).check()


def test_a_first_certificate_that_a_kill_interrupted_is_installed(world: World) -> None:
    world.nginx.vhost(WWW)
    world.ocsp.behave("unknown")
    line = f"run -n --nginx -a {NAME} -d {WWW} {CONTACT} {QUICK}"
    with waiting(world, *shlex.split(line), *world.eab()) as running:
        running.signal(signal.SIGKILL)
    assert "ssl_certificate" not in world.read(f"/etc/nginx/sites-available/{WWW}")
    world.ocsp.behave(None)
    world.certbot(*held.RENEW).check()
    assert served(world) == world.lineage(WWW).serial
    assert len(world.jprs.issued) == 1
    assert " 301 " in world.http(WWW).splitlines()[0]
    assert record(world) is None
    assert not world.apache.log()
