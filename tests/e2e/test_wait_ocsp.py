"""``certbot-jprs wait-ocsp``: the wait for other servers than Apache, and any Certbot set-up."""

from __future__ import annotations

import signal
import time

import pytest

from tests.e2e.command import COMMAND, QUICK, jprs
from tests.e2e.held import until
from tests.e2e.helpers import CONTACT, certbot, waited
from tests.e2e.needs import STANDALONE
from tests.e2e.waiting import AT_ONCE
from tests.lab import WEB, World, fleet, pki, subject
from tests.lab.acme import Issued
from tests.lab.place import at

WWW = "www.example.jp"
HOME = "/run/tmp/nginx"
RELOAD = f"nginx -c {HOME}/nginx.conf -s reload"
RENEW = "renew --no-random-sleep-on-renew --force-renewal"
STANDALONE = f"certonly -n {STANDALONE} --key-type rsa -d {WWW} {CONTACT} --server"
NGINX = f"""\
user www-data;
pid {HOME}/pid;
error_log {HOME}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {HOME}/body;
    proxy_temp_path {HOME}/proxy;
    fastcgi_temp_path {HOME}/fastcgi;
    uwsgi_temp_path {HOME}/uwsgi;
    scgi_temp_path {HOME}/scgi;
    server {{
        listen {at(443)} ssl;
        server_name {WWW};
        ssl_certificate /etc/letsencrypt/live/{WWW}/fullchain.pem;
        ssl_certificate_key /etc/letsencrypt/live/{WWW}/privkey.pem;
    }}
}}
"""


def start_nginx(world: World) -> None:
    """Has nginx serve the lineage's certificate; it lives and dies in the world."""
    world.write(f"{HOME}/nginx.conf", NGINX)
    world.run("nginx", "-c", f"{HOME}/nginx.conf").check()


def first_certificate(world: World) -> int:
    """Gets a certificate without Apache and without this plugin; returns its serial number."""
    world.dns.set_a(WWW, WEB)
    certbot(world, f"{STANDALONE} {world.jprs.url}", *world.eab()).check()
    start_nginx(world)
    serial = world.jprs.issued[-1].serial
    assert world.served(WWW).serial == serial
    return serial


@pytest.mark.parametrize(
    "hook",
    [
        ("--deploy-hook", f"{COMMAND} wait-ocsp --interval 1 && {RELOAD}"),
        ("--post-hook", f"{COMMAND} wait-ocsp --all --interval 1 && {RELOAD}"),
    ],
    ids=["deploy hook", "post hook"],
)
def test_nginx_reloads_once_the_responder_knows(world: World, hook: tuple[str, str]) -> None:
    old = first_certificate(world)
    world.ocsp.lag = 3
    with world.watch(WWW) as watcher:
        certbot(world, RENEW, *hook).check()
        new = world.jprs.issued[-1].serial
        until(lambda: watcher.serials()[-1] == new)
    seen = watcher.serials()  # while nginx reloads, workers old and new take turns
    assert list(dict.fromkeys(seen)) == [old, new]
    waited(world, watcher, new)
    # Its sabotaged twin: the hook without the wait reloads too early.
    world.ocsp.lag = 600
    with world.watch(WWW) as watcher:
        running = world.spawn_certbot(*RENEW.split(), "--deploy-hook", RELOAD)
        until(lambda: world.jprs.issued[-1].serial != new)
        early = world.jprs.issued[-1]
        until(lambda: watcher.first(early.serial) is not None)
        assert world.ocsp.decide(early, time.time()) == "unknown"
        world.ocsp.lag = 0  # the post-hook of before waits
        running.wait().check()


def test_what_is_revoked_is_not_reloaded(world: World) -> None:
    old = first_certificate(world)
    world.ocsp.behave("revoked", name=WWW)
    hook = f"{COMMAND} wait-ocsp --interval 1 && {RELOAD}"
    result = certbot(world, RENEW, "--deploy-hook", hook)
    assert "is revoked" in result.output
    assert world.served(WWW).serial == old


# Exit statuses


def mint(world: World, name: str = WWW) -> tuple[Issued, tuple[str, ...]]:
    """Issues a certificate; returns it and the options that name its files."""
    issued = world.jprs.mint(name)
    world.write(f"/run/tmp/{name}.pem", issued.pem)
    world.write("/run/tmp/chain.pem", pki.pem(issued.issuer))
    return issued, ("--cert", f"/run/tmp/{name}.pem", "--chain", "/run/tmp/chain.pem")


@pytest.mark.main_job
def test_good(world: World) -> None:
    world.ocsp.lag = 2
    issued, files = mint(world)
    result = jprs(world, "wait-ocsp", *files, *QUICK)
    assert result.returncode == 0, f"{result}"
    assert "says good" in result.output
    good_at = world.ocsp.good_at(issued.serial)
    assert good_at is not None
    assert good_at <= result.ended


@pytest.mark.parametrize("how", ["option", "option with a slash", "hook's environment"])
def test_a_lineage(world: World, how: str) -> None:
    world.ocsp.lag = 2
    (issued,) = fleet.kept(world, [WWW])
    live = f"/etc/letsencrypt/live/{WWW}"
    args: tuple[str, ...] = ("--lineage", live + ("/" if "slash" in how else ""))
    env = None
    if how.startswith("hook"):
        args, env = (), {"RENEWED_LINEAGE": live}
    result = jprs(world, "wait-ocsp", *args, *QUICK, env=env)
    assert result.returncode == 0, f"{result}"
    assert f"{WWW}: the OCSP" in result.output
    assert "says good" in result.output
    good_at = world.ocsp.good_at(issued.serial)
    assert good_at is not None
    assert good_at <= result.ended


def test_nothing_to_wait_for(world: World) -> None:
    world.jprs.ocsp_urls = ()
    _issued, files = mint(world)
    result = jprs(world, "wait-ocsp", *files)
    assert result.returncode == 0, f"{result}"
    assert "nothing to wait for" in result.output


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [("unknown", "still does not know"), ("http500", "gave no usable answer")],
)
@pytest.mark.parametrize(("strict", "status"), [((), 0), (("--strict",), 3)])
def test_time_is_up(
    world: World, behaviour: str, words: str, strict: tuple[str, ...], status: int
) -> None:
    world.ocsp.behave(behaviour)
    _issued, files = mint(world)
    result = jprs(world, "wait-ocsp", *files, *QUICK, "--timeout", "2", *strict)
    assert result.returncode == status, f"{result}"
    assert words in result.stderr
    saved = world.path(f"/run/tmp/{WWW}.pem").stat().st_mtime
    assert saved + 2 < result.ended < saved + 2 + AT_ONCE


def test_revoked(world: World) -> None:
    world.ocsp.behave("revoked")
    _issued, files = mint(world)
    result = jprs(world, "wait-ocsp", *files)
    assert result.returncode == 2, f"{result}"
    assert "is revoked" in result.stderr
    assert "designated reseller" in result.stderr


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), ("RENEWED_LINEAGE", "--all")),
        (("--lineage", "/run/tmp/none"), ("/run/tmp/none/cert.pem", "No such file")),
        (("--cert", "/run/tmp/text"), ("--chain",)),
        (("--chain", "/run/tmp/text"), ("--cert",)),
        (("--cert", "/run/tmp/text", "--chain", "/run/tmp/text"), ("no certificate",)),
        (("--cert", f"/run/tmp/{WWW}.pem", "--chain", "/run/tmp/text"), ("lacks", "issuer")),
        (("--all", "--config-dir", "/run/tmp/none"), ("/run/tmp/none", "No such file")),
        (("--all", "--cert", "/run/tmp/text"), ("not allowed", "--help")),
        (("--interval", "0"), ("'0'", "--help")),
        (("--timeout", "soon"), ("'soon'", "--help")),
    ],
)
def test_wrong_use(world: World, args: tuple[str, ...], words: tuple[str, ...]) -> None:
    mint(world)
    world.write("/run/tmp/text", "no certificate here\n")
    result = jprs(world, "wait-ocsp", *args)
    assert result.returncode == 1, f"{result}"
    assert result.stdout == ""
    for word in words:
        assert word in result.stderr, f"{result}"
    assert world.ocsp.queries == []


def test_a_signal_ends_the_wait(world: World) -> None:
    world.ocsp.lag = 600
    _issued, files = mint(world)
    running = world.spawn(COMMAND, "wait-ocsp", *files, *QUICK)
    running.wait_for("Waiting for the OCSP")
    at = running.signal(signal.SIGTERM)
    result = running.wait()
    assert result.returncode == 1, f"{result}"
    assert "SIGTERM" in result.output
    assert result.ended - at < AT_ONCE


def test_as_a_module(world: World) -> None:
    result = world.run(subject.PYTHON, "-m", "certbot_jprs", "wait-ocsp")
    assert result.returncode == 1
    assert "RENEWED_LINEAGE" in result.output


# A fleet


def test_twenty_lineages_are_waited_for_at_once(world: World) -> None:
    names = [f"n{number}.example.jp" for number in range(20)]
    world.ocsp.lag = 4
    issued = fleet.kept(world, names, authenticator="standalone", installer=None)
    fleet.kept(world, ["other.example.jp"])
    world.lineage("other.example.jp").set("server", world.letsencrypt.url)
    result = jprs(world, "wait-ocsp", "--all", *QUICK)
    assert result.returncode == 0, f"{result}"
    assert result.output.count("says good") == 20
    assert "other.example.jp" not in result.output
    every = [world.ocsp.good_at(each.serial) for each in issued]
    good = [at for at in every if at is not None]
    assert len(good) == 20
    # The time of one wait, not of twenty.
    assert max(good) - min(good) < 4 + AT_ONCE
    assert result.seconds < 4 + AT_ONCE


def test_of_several_the_worst_counts_and_each_is_waited_for(world: World) -> None:
    names = ["a.example.jp", "b.example.jp", "c.example.jp"]
    fleet.kept(world, names)
    world.ocsp.behave("unknown", name="b.example.jp")
    args = ("wait-ocsp", "--all", *QUICK, "--timeout", "2", "--strict")
    assert jprs(world, *args).returncode == 3
    world.lineage("a.example.jp").live.joinpath("chain.pem").unlink()
    result = jprs(world, *args)
    assert result.returncode == 1, f"{result}"
    assert "c.example.jp: the OCSP server says good" in result.output
    world.ocsp.behave("revoked", name="c.example.jp")
    assert jprs(world, *args).returncode == 2
