"""After each reload: what this machine's own addresses really serve, and what is said of it."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.command import jprs
from tests.e2e.held import FORCE, NAME, RENEW, record, serials, served, waiting
from tests.e2e.helpers import CONTACT, QUICK, certbot
from tests.lab import SILENT, WEB, Running, World, apache, fleet
from tests.lab.place import CONFINED, at

PLUGIN = "certbot-jprs:http"
OTHER = "b.example.jp"
SECOND = "127.0.0.9" if CONFINED else "192.0.2.9"
IN_SERVICE = f"The new certificate of {NAME} is in service."
RELEASED = f"The new certificate of {NAME} is released, and the web server reloaded."
STILL = "seconds after the reload, port 443 of this machine"

NGINX = """\
pid /run/tmp/nginx.pid;
error_log /run/tmp/nginx.log;
events {{ }}
http {{
    access_log off;
    server {{
        listen {address}:443 ssl;
        server_name {name};
        ssl_certificate /etc/letsencrypt/live/{name}/fullchain.pem;
        ssl_certificate_key /etc/letsencrypt/live/{name}/privkey.pem;
    }}
}}
"""


def words(text: str) -> str:
    """Returns a text whose lines may be broken anywhere."""
    return " ".join(text.split())


def only_at(world: World, *addresses: str) -> None:
    """Has Apache listen for HTTPS at some addresses, instead of all."""
    listens = "".join(f"Listen {address}:443\n" for address in addresses)
    world.write("/etc/apache2/ports.conf", f"Listen {at(80)}\n{listens}")
    world.apache.stop()
    world.apache.start()


@contextmanager
def beside(world: World, address: str) -> Iterator[Running]:
    """Runs another web server at another address of this machine, which nobody reloads."""
    if not CONFINED:  # all of 127.0.0.0/8 is there
        world.run("ip", "address", "add", f"{address}/32", "dev", "lo").check()
    try:
        world.write("/run/tmp/nginx.conf", NGINX.format(address=address, name=NAME))
        running = world.spawn("nginx", "-c", "/run/tmp/nginx.conf", "-g", "daemon off;")
        deadline = time.monotonic() + 60
        while not world.listening(443, address):
            assert time.monotonic() < deadline, world.read("/run/tmp/nginx.log")
            time.sleep(0.05)
        yield running
        running.signal(signal.SIGTERM)  # with its workers
        running.wait()
    finally:
        if not CONFINED:
            world.run("ip", "address", "del", f"{address}/32", "dev", "lo").check()


def test_in_service_is_said_of_what_was_seen_whatever_the_names_lead_to(world: World) -> None:
    fleet.found(world, [NAME])
    world.ocsp.behave("unknown")
    with waiting(world) as running:
        # A load balancer's address, from everywhere: what is served there tells nothing.
        world.dns.set_a(NAME, SILENT)
        world.ocsp.behave(None)
        result = running.wait().check()
    said = words(result.output)
    assert IN_SERVICE in said, f"{result}"
    assert served(world) == 2


def test_an_older_version_served_beside_is_said_with_the_next_step(world: World) -> None:
    fleet.found(world, [NAME])
    only_at(world, WEB)
    with beside(world, SECOND):
        began = time.monotonic()
        result = world.certbot(*FORCE, "-q")
        assert time.monotonic() - began > 10
    said = words(result.output)
    assert result.returncode == 0, f"{result}"  # it is released, and nothing is left to do
    assert f"{STILL} ({SECOND}; {NAME}) still does not serve the new certificate" in said
    assert "ss -ltnp 'sport = :443'" in said
    assert IN_SERVICE not in said
    assert served(world) == 2
    assert record(world) is None


def test_where_nothing_answers_any_more_the_run_fails_and_the_next_mends_it(world: World) -> None:
    fleet.found(world, [NAME])
    world.ocsp.behave("unknown")
    reloads = world.apache.reloads()
    with waiting(world) as running:
        world.apache.idle(reloads + 2)
        # Whoever edits Apache's configuration meanwhile takes HTTPS away.
        site = world.read(f"/etc/apache2/sites-available/{NAME}.conf")
        without = site.split(f"<VirtualHost {apache.ADDRESS}:443>")[0]
        world.write(f"/etc/apache2/sites-available/{NAME}.conf", without)
        only = world.read("/etc/apache2/ports.conf")
        world.write("/etc/apache2/ports.conf", f"Listen {at(80)}\n")
        world.ocsp.behave(None)
        result = running.wait()
    assert result.returncode == 1, f"{result}"
    said = words(result.output)
    assert said.count("Nothing answers any more at port 443 of this machine") == 1
    assert WEB in said
    assert f"Not put into service, for the reasons given above: {NAME}" in said
    assert IN_SERVICE not in said
    kept = record(world)
    assert kept is not None
    assert kept["step"] == "hooked"
    assert "Nothing answers any more" in str(kept["failure"])
    status = jprs(world, "status")
    assert "Nothing answers any more" in words(status.stdout)
    # Mended, the next run has it reloaded.
    world.write(f"/etc/apache2/sites-available/{NAME}.conf", site)
    world.write("/etc/apache2/ports.conf", only)
    world.certbot(*RENEW).check()
    assert served(world) == 2
    assert record(world) is None


def test_a_name_that_another_server_serves_is_not_judged(world: World) -> None:
    fleet.found(world, [NAME, OTHER])
    # Apache serves OTHER's certificate for NAME: whoever terminates TLS does it elsewhere.
    site = f"/etc/apache2/sites-available/{NAME}.conf"
    world.write(site, world.read(site).replace(f"live/{NAME}/", f"live/{OTHER}/"))
    world.apache.graceful()
    result = world.certbot(*FORCE, "--cert-name", NAME).check()
    said = words(result.output)
    assert RELEASED in said
    for text in (IN_SERVICE, STILL, "Nothing answers"):
        assert text not in said
    assert record(world) is None
    # What is served for it is for `status` to say.
    assert f"port 443 of {NAME} serves another certificate" in words(jprs(world, "status").stdout)


def test_a_reissue_by_run_is_looked_at_too(world: World) -> None:
    fleet.found(world, [NAME])
    only_at(world, WEB)
    line = f"run -n -a {PLUGIN} -d {NAME} --force-renewal {QUICK}"
    with beside(world, SECOND):
        result = certbot(world, line).check()
    assert f"({SECOND}; {NAME}) still does not serve" in words(result.output)
    assert served(world) == 2
    result = certbot(world, line).check()
    assert "still does not serve" not in words(result.output)
    assert served(world) == 3
    assert record(world) is None


def test_a_wildcard_by_the_hosts_that_it_was_installed_for(world: World) -> None:
    world.vhost("www.example.jp")
    world.vhost("x.example.jp")
    world.vhost("www.other.jp")
    hooks = f"--manual-auth-hook {world.dns_hook} --manual-cleanup-hook {world.dns_hook}"
    line = (
        f"run -n -a manual {hooks} --preferred-challenges dns -i certbot-jprs:http "
        f"-d '*.example.jp' {CONTACT} {QUICK}"
    )
    certbot(world, line, *world.eab()).check()
    first = world.jprs.issued[-1].serial
    # Two hosts without HTTPS until now: both have it, and the configuration is whole.
    for name in ("www.example.jp", "x.example.jp"):
        assert world.served(name).serial == first
        assert " 301 " in world.http(name).splitlines()[0]
        assert name in world.https(name)
    assert not world.apache.configtest().returncode
    result = world.certbot(*FORCE).check()
    assert "The new certificate of example.jp is in service." in words(result.output)
    assert world.served("x.example.jp").serial == world.jprs.issued[-1].serial != first


@pytest.mark.parametrize("where", ["127.0.0.3", WEB])
def test_status_looks_at_this_machines_own_addresses(world: World, where: str) -> None:
    world.write("/etc/cron.d/certbot", "0 */12 * * * root certbot -q renew\n")
    fleet.found(world, [NAME])
    only_at(world, where)
    world.dns.set_a(NAME, SILENT)
    world.silence_dns()
    result = jprs(world, "status")
    assert result.returncode == 0, f"{result}"
    assert " this " in result.stdout
    assert len(serials(world)) == 1
