"""``--jprs-check``: it finds each fault, changes nothing, and does not lie.

Every fault is tried both ways: where the rehearsal says FAIL the same command without the option
fails, too, and where it does not, that succeeds.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from tests.e2e.held import until
from tests.e2e.helpers import (
    CONTACT,
    NAME,
    QUICK,
    asked,
    certbot,
    first_run,
    forget,
    lets_encrypt,
    refused,
)
from tests.e2e.needs import needs_namespace, needs_rhel_class
from tests.lab import CA, REFUSING, SILENT, WEB, Result, World
from tests.lab.place import CONFINED, at

WWW = "www.example.jp"
RUN = f"run -n -a {NAME} -d {WWW} {CONTACT} {QUICK}"
CHECK = "--jprs-check"
CRON = "0 */12 * * * root certbot -q renew\n"
PATIENCE = 120


OF_A_CONTAINER = ("Another program (python) listens on TCP port 443", f"resolves here to {WEB},")
"""What is true besides where the CA and its ports are this machine's, and all is loopback."""

strange_in_a_container = needs_namespace("the CA's ports are its own too, as the rehearsal says")


def lines(result: Result, level: str) -> list[str]:
    """Returns the findings of a level, each in one line."""
    joined = result.output.replace("\n      ", " ")
    found = [line for line in joined.splitlines() if line.startswith(f"{level:<4}  ")]
    if CONFINED:
        found = [line for line in found if not any(each in line for each in OF_A_CONTAINER)]
    return found


def rehearse(world: World, line: str, *more: str, env: Mapping[str, str] | None = None) -> Result:
    """Rehearses a command; asserts that the CA and Apache's configuration were left alone."""
    forget(world)
    before = world.apache.hashes()
    result = certbot(world, f"{line} {CHECK}", *more, env=env)
    beyond = [each for each in asked(world) if "unknown" not in each]  # a mistyped directory
    assert beyond == [], f"{result}"
    assert world.apache.hashes() == before, f"{result}"
    assert "Traceback" not in result.output, f"{result}"
    assert "Ask for help" not in result.output, f"{result}"
    assert "unexpected error" not in result.output, f"{result}"
    assert CONFINED or (result.returncode == 1) is bool(lines(result, "FAIL")), f"{result}"
    assert result.returncode in (0, 1), f"{result}"
    return result


@strange_in_a_container
@pytest.mark.main_job
def test_all_is_well_and_then_it_is(world: World) -> None:
    world.vhost(WWW)
    world.write("/etc/cron.d/certbot", CRON)
    result = rehearse(world, RUN, *world.eab())
    assert result.returncode == 0, f"{result}"
    assert lines(result, "FAIL") == lines(result, "warn") == [], f"{result}"
    for words in (
        "getDirectory is reachable",
        f"{WWW} resolves to {WEB}",
        "no CAA record",
        "syntax of Apache's configuration is right",
        f"virtual host for {WWW}",
        f"challenge of {WWW} is served and can be fetched",
        "EAB credentials are given",
        "renewed regularly",
    ):
        assert any(words in line for line in lines(result, "ok")), f"{words}: {result}"
    assert re.search(r"acme\.amecert\.jprs\.jp, TCP\s+port 443", result.output)
    assert "registered, and paid for" in result.output
    assert world.lineages() == []
    assert not list(world.path("/etc/letsencrypt/accounts").rglob("regr.json"))
    # It was Apache that served the challenge, and it took it in and out by two reloads.
    assert world.apache.reloads() >= 2
    assert not list(world.path("/var/lib/letsencrypt/http_challenges").iterdir())
    certbot(world, RUN, *world.eab()).check()


@dataclass(frozen=True)
class Fault:
    """Something that is wrong.

    Attributes:
        prepare: makes it so.
        level: what the rehearsal says.
        words: what that line contains, each.
        line: the command.
        eab: whether EAB credentials are given.
        env: added to the environment.
        succeeds: whether the real command does.
    """

    prepare: Callable[[World], object]
    level: str
    words: tuple[str, ...]
    line: str = RUN
    eab: bool = True
    env: Mapping[str, str] = field(default_factory=dict)
    succeeds: bool = False


def nothing(_world: World) -> None:
    """The fault is in the command."""


def unreachable(world: World) -> None:
    hosts = world.read("/etc/hosts").replace(
        f"{CA} {world.jprs.host}", f"{REFUSING} {world.jprs.host}"
    )
    world.write("/etc/hosts", hosts)


def untrusted(world: World) -> None:
    world.write("/run/tmp/empty.pem", world.read("/etc/ssl/certs/ca-certificates.crt"))


def no_virtual_host(world: World) -> None:
    world.vhost("a.example.jp")
    world.vhost("b.example.jp")
    world.dns.set_a("c.example.jp", WEB)


def one_virtual_host(world: World) -> None:
    world.path("/etc/apache2/sites-enabled/000-default.conf").unlink()
    world.dns.set_a("c.example.jp", WEB)


def redirected(world: World) -> None:
    extra = '<Location "/.well-known">\nRedirect 302 "http://elsewhere.example.jp/"\n</Location>'
    world.vhost(WWW, extra=extra)


def answered_by_an_application(world: World) -> None:
    world.vhost(WWW, extra='<Location "/.well-known">\nRedirect 404\n</Location>')


def on_another_port(world: World) -> None:
    world.write("/etc/apache2/ports.conf", f"Listen {at(81)}\n")


def closed(world: World) -> None:
    world.write("/etc/apache2/ports.conf", "Listen 127.0.0.1:80\n")
    world.apache.stop()
    world.apache.control("start").check()


FAULTS = {
    "JPRS unreachable": Fault(unreachable, "FAIL", ("cannot be reached", "refused", "port 443")),
    "TLS of JPRS": Fault(
        untrusted,
        "FAIL",
        ("cannot be verified", "ca-certificates"),
        env={"REQUESTS_CA_BUNDLE": "/run/tmp/empty.pem"},
    ),
    "server mistyped": Fault(
        nothing,
        "FAIL",
        ("no ACME directory", "404", "/DV/getDirectory"),
        line=f"{RUN} --server https://acme.amecert.jprs.jp/DV/getdirectory",
    ),
    "no account, no EAB": Fault(nothing, "FAIL", ("EAB", "--eab-kid"), eab=False),
    "HMAC key mistyped": Fault(
        nothing,
        "FAIL",
        ("--eab-hmac-key", "base64url"),
        line=f"{RUN} --eab-kid lab-0 --eab-hmac-key not!base64",
        eab=False,
    ),
    "no contact": Fault(
        nothing, "FAIL", ("contact", "-m "), line=RUN.replace(CONTACT, "--agree-tos")
    ),
    "wildcard by http-01": Fault(
        nothing, "FAIL", ("dns-01", f"-i {NAME}"), line=RUN.replace(WWW, "'*.example.jp'")
    ),
    "no address": Fault(
        lambda world: world.dns.set_a(WWW),
        "FAIL",
        (WWW, "neither an A nor an AAAA record", "DNS provider"),
    ),
    "name server fails": Fault(
        lambda world: world.dns.set_servfail(WWW), "FAIL", (WWW, "SERVFAIL", "fixed")
    ),
    "CAA forbids": Fault(
        lambda world: world.dns.set_caa(WWW, "letsencrypt.org"),
        "FAIL",
        ("letsencrypt.org, not JPRS", f'{WWW}. CAA 0 issue "jprs.jp"'),
    ),
    "CAA at a parent": Fault(
        lambda world: world.dns.set_caa("example.jp", "letsencrypt.org"),
        "FAIL",
        ("CAA records of example.jp", 'CAA 0 issue "jprs.jp"'),
    ),
    "CAA look-up fails": Fault(
        lambda world: world.dns.set_servfail("example.jp"),
        "FAIL",
        ("CAA", "cannot be looked up", "SERVFAIL"),
    ),
    "Apache's configuration": Fault(
        lambda world: world.apache.conf("broken", "Nonsense on\n"),
        "FAIL",
        ("configuration test fails", "Nonsense", "apachectl configtest"),
    ),
    "no virtual host": Fault(
        no_virtual_host,
        "FAIL",
        ("c.example.jp", "not installed", "ServerAlias"),
        line=RUN.replace(WWW, "c.example.jp"),
    ),
    "redirect": Fault(
        redirected, "FAIL", ("is redirected to http://elsewhere.example.jp", "Exclude")
    ),
    "another answer": Fault(
        answered_by_an_application, "FAIL", ("another answer", "404", "exclude that path")
    ),
    "port 80 closed": Fault(closed, "FAIL", ("connection refused", "Listen 80", "firewall")),
    "ECDSA in cli.ini": Fault(
        lambda world: world.cli_ini("key-type = ecdsa\n"),
        "warn",
        ("RSA",),
        succeeds=True,
    ),
    "Apache stopped": Fault(
        lambda world: world.apache.stop(),
        "warn",
        ("not running", "starts it", "apachectl start"),
        succeeds=True,
    ),
    "several names": Fault(
        lambda world: world.vhost(WWW, "example.jp"),
        "warn",
        ("2 names", "period"),
        line=RUN.replace(WWW, f"{WWW},example.jp"),
        succeeds=True,
    ),
    "one other virtual host": Fault(
        one_virtual_host,
        "warn",
        ("c.example.jp", "ServerAlias"),
        line=RUN.replace(WWW, "c.example.jp"),
        succeeds=True,
    ),
    "two schedulers": Fault(
        lambda world: world.write("/etc/crontab", "0 0,12 * * * root certbot renew\n"),
        "warn",
        ("more than one", "/etc/crontab:1", "Keep one"),
        succeeds=True,
    ),
    "no scheduler": Fault(
        lambda world: world.path("/etc/cron.d/certbot").unlink(),
        "warn",
        ("No timer or cron job", "systemctl enable"),
        succeeds=True,
    ),
}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(
            fault, id=name, marks=[strange_in_a_container] if name == "Apache stopped" else []
        )
        for name, fault in FAULTS.items()
    ],
)
def test_a_fault_is_found_and_the_rehearsal_does_not_lie(world: World, fault: Fault) -> None:
    world.vhost(WWW)
    world.write("/etc/cron.d/certbot", CRON)
    fault.prepare(world)
    eab = world.eab() if fault.eab else ()
    result = rehearse(world, fault.line, *eab, env=fault.env)
    (found,) = lines(result, fault.level)
    for words in fault.words:
        assert words in found, f"{words!r} is missing: {result}"
    other = "warn" if fault.level == "FAIL" else "FAIL"
    assert lines(result, other) == [], f"{result}"
    real = certbot(world, fault.line, *eab, env=fault.env)
    assert (real.returncode == 0) is fault.succeeds, f"{real}"


@strange_in_a_container
@pytest.mark.parametrize(
    ("spoil", "level", "words"),
    [
        (lambda _world: None, "ok", "served and can be fetched"),
        (redirected, "FAIL", "is redirected to"),
        (answered_by_an_application, "FAIL", "another answer"),
        # Certbot adds the line that is missing, for the rehearsal only as long as that takes.
        (
            lambda world: world.write("/etc/apache2/ports.conf", f"Listen {at(81)}\n"),
            "ok",
            "is served",
        ),
    ],
    ids=["well", "redirect", "another answer", "another port"],
)
def test_without_dns_http_01_is_rehearsed_at_this_servers_own_addresses(
    world: World, spoil: Callable[[World], object], level: str, words: str
) -> None:
    world.vhost(WWW)
    world.silence_dns()
    spoil(world)
    world.apache.control("graceful").check()
    result = rehearse(world, RUN, *world.eab())
    assert "own addresses instead" in result.output, f"{result}"
    assert any(words in line for line in lines(result, level)), f"{result}"
    assert bool(lines(result, "FAIL")) is (level == "FAIL"), f"{result}"
    real = certbot(world, RUN, *world.eab())
    assert (real.returncode == 0) is (level == "ok"), f"{real}"


@strange_in_a_container
def test_a_name_that_leads_to_another_machine_is_a_matter_of_doubt(world: World) -> None:
    world.vhost(WWW)
    world.dns.set_a(WWW, CA)
    result = rehearse(world, RUN, *world.eab())
    (found,) = (line for line in lines(result, "warn") if WWW in line)
    assert "another answer" in found
    assert "not this machine's" in found
    assert "proxy" in found


def test_apache_stopped_and_its_port_taken(world: World) -> None:
    world.vhost(WWW)
    world.apache.stop()
    with world.namespace.listen("web", (WEB if CONFINED else "0.0.0.0", 80)):
        result = rehearse(world, RUN, *world.eab())
        (found,) = lines(result, "FAIL")
        assert "another program listens" in found
        assert "ss -ltnp" in found
        assert certbot(world, RUN, *world.eab()).returncode != 0


@strange_in_a_container
def test_the_port_of_https_taken(world: World) -> None:
    world.vhost(WWW)
    bound = ("--bind", WEB) if CONFINED else ()
    server = world.spawn("python3", "-m", "http.server", "443", *bound)
    deadline = time.monotonic() + PATIENCE
    while not world.listening(443):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    result = rehearse(world, RUN, *world.eab())
    (found,) = lines(result, "FAIL")
    assert "(python3) listens on TCP port 443" in found
    assert "certonly" in found
    assert certbot(world, RUN, *world.eab()).returncode != 0
    # It is no matter for `certonly`, nor is an Apache that listens there already.
    assert lines(rehearse(world, RUN.replace("run", "certonly", 1)), "FAIL") == []
    server.kill()
    certbot(world, RUN).check()
    assert lines(rehearse(world, RUN), "FAIL") == []


@strange_in_a_container
def test_caa_that_allows_jprs(world: World) -> None:
    world.vhost(WWW)
    world.dns.set_caa("example.jp", "jprs.jp", "letsencrypt.org")
    result = rehearse(world, RUN, *world.eab())
    assert result.returncode == 0, f"{result}"
    assert "CAA records of example.jp allow JPRS" in result.output
    certbot(world, RUN, *world.eab()).check()


@contextlib.contextmanager
def connect_proxy(world: World) -> Iterator[str]:
    """Runs an HTTPS proxy on the CA's host, that leads every host to the CA."""
    listener = world.namespace.listen("ca", (CA, 3128))

    def copy(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def serve(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            head = b""
            while not head.endswith(b"\r\n\r\n") and len(head) < 4096:
                head += client.recv(4096)
            with world.namespace.connect("ca", (CA, 443), PATIENCE) as server:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=copy, args=(server, client), daemon=True)
                back.start()
                copy(client, server)
                back.join(PATIENCE)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://user:hush@{CA}:3128"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def test_a_proxy_that_only_the_shell_has(world: World) -> None:
    world.vhost(WWW)
    world.write("/etc/cron.d/certbot", CRON)
    unreachable(world)
    with connect_proxy(world) as proxy:
        env = {"https_proxy": proxy}
        result = rehearse(world, RUN, *world.eab(), env=env)
        (found,) = lines(result, "warn")
        assert "https_proxy" in found
        assert "automatic renewal will fail" in found
        assert "systemctl edit" in found
        assert "hush" not in result.output
        # Its sabotaged twin: what renews certificates has it, too.
        world.write("/etc/cron.d/certbot", f"https_proxy={proxy}\n{CRON}")
        result = rehearse(world, RUN, *world.eab(), env=env)
        assert lines(result, "warn") == lines(result, "FAIL") == [], f"{result}"
        certbot(world, RUN, *world.eab(), env=env).check()


# An existing certificate


def test_the_renewal_of_an_existing_certificate(world: World) -> None:
    first_run(world)
    world.write("/etc/cron.d/certbot", CRON)
    again = f"certonly -n -a {NAME} --cert-name {WWW}"
    result = rehearse(world, again)
    assert lines(result, "warn") == lines(result, "FAIL") == [], f"{result}"
    for words in ("There is an account", "OCSP server answers", "renewal file", "is served and"):
        assert any(words in line for line in lines(result, "ok")), f"{words}: {result}"
    assert "ocsp.amecert.jprs.jp, TCP port 80" in result.output
    assert world.lineage(WWW).version() == 1
    certbot(world, f"{again} --force-renewal {QUICK}").check()


def test_what_troubles_later_renewals(world: World) -> None:
    first_run(world)
    world.write("/etc/cron.d/certbot", CRON)
    lineage = world.lineage(WWW)
    lineage.set("renew_hook", "sleep 10m;systemctl reload httpd")
    lineage.set("pre_hook", "service postfix stop")
    lineage.set("post_hook", "/usr/local/bin/not-there now")
    lineage.set("renew_before_expiry", "91 days", None)
    world.write("/etc/letsencrypt/renewal-hooks/deploy/reload", "#!/bin/sh\n", mode=0o644)
    world.write(
        "/etc/crontab",
        '0 0 * * * root certbot renew --deploy-hook "sleep 10m;systemctl reload httpd"\n',
    )
    world.ocsp_address(REFUSING)
    result = rehearse(world, f"certonly -n -a {NAME} --cert-name {WWW}")
    assert result.returncode == 0, f"{result}"
    warnings = lines(result, "warn")
    for words in (
        ("OCSP server gives no usable answer", "firewall"),
        ("sleep 10m;systemctl reload httpd", f"certbot-jprs adopt {WWW}"),
        ("/etc/crontab:1 sleeps", "Write instead: 0 0 * * * root certbot renew"),
        ("pre-hook stops a service", "remove it"),
        ("/usr/local/bin/not-there", "chmod +x"),
        ("renewal-hooks/deploy/reload is not executable", "chmod +x"),
        ("renew_before_expiry = 91 days", "Remove that line"),
        ("more than one", "/etc/crontab:1"),
    ):
        assert any(all(word in line for word in words) for line in warnings), f"{words}: {result}"
    assert len(warnings) == 8, f"{result}"


def test_a_held_certificate_stays_held(world: World) -> None:
    first_run(world)
    world.ocsp.behave("unknown")
    certbot(world, "renew --no-random-sleep-on-renew --force-renewal --jprs-ocsp-timeout 1")
    lineage = world.lineage(WWW)
    assert lineage.version() == 1
    assert lineage.versions() == [1, 2]
    world.ocsp.behave(None)
    result = rehearse(world, f"run -n -a {NAME} -d {WWW}")
    assert any("has been waiting since" in line for line in lines(result, "warn")), f"{result}"
    assert lineage.version() == 1


def test_a_lineage_of_the_manuals_is_not_taken_over_by_a_rehearsal(world: World) -> None:
    world.vhost(WWW)
    server = "--key-type rsa --server https://acme.amecert.jprs.jp/DV/getDirectory"
    line = f"run -n --apache -d {WWW} {CONTACT} {server}"
    certbot(world, line, *world.eab()).check()
    lineage = world.lineage(WWW)
    lineage.set("renew_hook", "sleep 10m;systemctl reload httpd")
    before = lineage.renewal.read_bytes()
    result = rehearse(world, f"run -n -a {NAME} -d {WWW}")
    assert any("sleep 10m" in each for each in lines(result, "warn")), f"{result}"
    assert result.returncode == 0
    assert lineage.renewal.read_bytes() == before
    certbot(world, f"run -n -a {NAME} -d {WWW}").check()
    assert b"sleep" not in lineage.renewal.read_bytes()


def test_an_ocsp_responder_that_cannot_be_reached(world: World) -> None:
    first_run(world)
    world.ocsp_address(REFUSING)
    again = f"certonly -n -a {NAME} --cert-name {WWW} --jprs-ocsp-timeout 1"
    result = rehearse(world, again)
    assert result.returncode == 0, f"{result}"
    assert any("no usable answer" in each for each in lines(result, "warn")), f"{result}"
    certbot(world, f"{again} --force-renewal").check()
    assert world.lineage(WWW).version() == 2


def test_a_move_from_another_ca_is_not_made_by_a_rehearsal(world: World) -> None:
    lets_encrypt(world)
    before = world.lineage(WWW).renewal.read_bytes()
    result = rehearse(world, f"run -n -a {NAME} -d {WWW} {CONTACT}", *world.eab())
    assert result.returncode == 0, f"{result}"
    (found,) = (line for line in lines(result, "warn") if "moves from" in line)
    assert result.output.count("moves from") == 1
    assert world.lineage(WWW).renewal.read_bytes() == before
    assert world.lineage(WWW).version() == 1
    assert world.letsencrypt.url in found


def test_names_that_certbot_would_ask_about(world: World) -> None:
    first_run(world)
    world.vhost("example.jp")
    line = RUN.replace(WWW, f"{WWW},example.jp")
    (found,) = lines(rehearse(world, line), "FAIL")
    assert f"certificate {WWW} has some of these names" in found
    assert "--expand" in found
    assert certbot(world, line).returncode != 0
    assert lines(rehearse(world, f"{line} --expand"), "FAIL") == []
    certbot(world, f"{line} --expand").check()


def test_addresses_that_nobody_reaches(world: World) -> None:
    world.vhost(WWW)
    world.dns.set_a(WWW, "127.0.0.1")
    result = rehearse(world, RUN, *world.eab())
    assert any("nobody reaches" in line for line in lines(result, "warn")), f"{result}"


@strange_in_a_container
def test_eab_credentials_from_a_file(world: World) -> None:
    world.vhost(WWW)
    world.write("/run/tmp/eab", "\n".join(world.eab()[1::2]) + "\n", mode=0o600)
    line = f"{RUN} --jprs-eab-file /run/tmp/eab"
    result = rehearse(world, line)
    assert result.returncode == 0, f"{result}"
    assert world.eab()[3] not in result.output + world.certbot_log
    certbot(world, line).check()


def test_a_csr(world: World) -> None:
    world.vhost(WWW)
    request = ("-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "/run/tmp/key.pem")
    names = ("-subj", f"/CN={WWW}", "-addext", f"subjectAltName=DNS:{WWW}")
    world.run("openssl", "req", *request, *names, "-out", "/run/tmp/csr.pem").check()
    line = f"certonly -n -a {NAME} --csr /run/tmp/csr.pem {CONTACT} {QUICK}"
    result = rehearse(world, line, *world.eab())
    assert result.returncode == 0, f"{result}"
    assert f"Rehearsal for {WWW}:" in result.output
    certbot(world, line, *world.eab()).check()


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("account", "0" * 32, "names the account"),
        ("authenticator", "dns-none", "plugin dns-none"),
        ("key_type", "ecdsa", "key_type = rsa"),
    ],
)
def test_a_renewal_file_that_timers_will_stumble_over(
    world: World, key: str, value: str, words: str
) -> None:
    first_run(world)
    world.lineage(WWW).set(key, value)
    result = rehearse(world, f"certonly -n -a {NAME} --cert-name {WWW}")
    assert result.returncode == 0, f"{result}"
    assert any(words in line for line in lines(result, "warn")), f"{result}"


def test_a_certificate_name_that_does_not_exist(world: World) -> None:
    line = f"certonly -n -a {NAME} --cert-name nowhere.example.jp {CONTACT}"
    result = rehearse(world, line, *world.eab())
    assert any("so the names are not known" in each for each in lines(result, "FAIL")), f"{result}"
    assert certbot(world, line, *world.eab()).returncode != 0


# It changes nothing


def while_it_is_served(world: World, before: Mapping[str, str], reloads: int = 1) -> None:
    """Waits until a challenge is in Apache's configuration, and Apache was reloaded with it."""
    already = world.apache.reloads()
    deadline = time.monotonic() + PATIENCE
    while world.apache.hashes() == before or world.apache.reloads() < already + reloads:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_apache_as_it_was(world: World, number: signal.Signals) -> None:
    world.vhost(WWW)
    world.dns.set_a(WWW, SILENT)  # the fetch hangs, with the challenge in Apache's configuration
    before = world.apache.hashes()
    forget(world)
    running = world.spawn_certbot(*shlex.split(RUN), CHECK, *world.eab())
    while_it_is_served(world, before)
    reloads = world.apache.reloads()
    running.signal(number)
    result = running.wait(PATIENCE)
    assert result.returncode == 1, f"{result}"
    assert "A signal ended the rehearsal" in result.output
    assert "everything is as it was" in result.output
    assert "Traceback" not in result.output
    assert world.apache.hashes() == before
    assert world.apache.reloaded(reloads + 1) > reloads
    assert asked(world) == []
    world.dns.set_a(WWW, WEB)
    certbot(world, RUN, *world.eab()).check()


@pytest.mark.parametrize("reloads", [0, 1], ids=["while Apache is read", "while it is served"])
def test_control_c_on_a_terminal_leaves_apache_as_it_was(world: World, reloads: int) -> None:
    world.vhost(WWW)
    world.dns.set_a(WWW, SILENT)
    before = world.apache.hashes()
    terminal = world.certbot_pty(*shlex.split(RUN), CHECK, *world.eab())
    while_it_is_served(world, before, reloads)
    terminal.control_c()
    terminal.control_c()  # the second one is heard with the first
    result = terminal.wait(PATIENCE)
    assert result.returncode == 1, f"{result}"
    assert "everything is as it was" in result.output
    assert world.apache.hashes() == before


def test_control_c_ends_nothing_that_puts_apache_back(world: World) -> None:
    """A terminal's Ctrl-C reaches Certbot's children, too."""
    world.vhost(WWW)
    world.dns.set_a(WWW, SILENT)
    world.write(
        "/usr/local/sbin/a2dismod",
        '#!/bin/sh\necho now >/run/undoing\nsleep 1\nexec /usr/sbin/a2dismod "$@"\n',
        mode=0o755,
    )
    before = world.apache.hashes()
    terminal = world.certbot_pty(*shlex.split(RUN), CHECK, *world.eab())
    while_it_is_served(world, before)
    terminal.control_c()
    until(world.path("/run/undoing").exists)
    terminal.control_c()
    result = terminal.wait(PATIENCE)
    assert result.returncode == 1, f"{result}"
    assert "everything is as it was" in result.output
    assert world.apache.hashes() == before


@strange_in_a_container
def test_on_a_terminal_nothing_is_asked(world: World) -> None:
    world.vhost(WWW)
    before = world.apache.hashes()
    forget(world)
    # Neither contact nor terms: the real command asks for both.
    terminal = world.certbot_pty("run", "-a", NAME, "-d", WWW, CHECK, *world.eab())
    result = terminal.wait(PATIENCE)
    assert result.returncode == 0, f"{result}"
    assert lines(result, "FAIL") == [], f"{result}"
    assert asked(world) == []
    assert world.apache.hashes() == before


@strange_in_a_container
def test_in_japanese(world: World) -> None:
    world.vhost(WWW)
    world.dns.set_caa(WWW, "letsencrypt.org")
    result = rehearse(world, f"{RUN} --jprs-language ja", *world.eab())
    found = [line for level in ("ok", "warn", "FAIL") for line in lines(result, level)]
    assert len(found) > 5
    for line in found:
        assert re.search("[ぁ-んァ-ヶ]", line), line
    assert "事前確認" in result.output


@strange_in_a_container
def test_quietly_only_failures_are_said(world: World) -> None:
    world.vhost(WWW)
    assert rehearse(world, f"{RUN} -q", *world.eab()).output == ""
    world.dns.set_a(WWW)
    result = rehearse(world, f"{RUN} -q", *world.eab())
    assert len(result.output.splitlines()) == 1, f"{result}"


def test_a_wildcard_by_dns_01(world: World) -> None:
    world.vhost(WWW)
    world.write("/etc/cron.d/certbot", CRON)
    world.dns.set_caa("example.jp", "jprs.jp")
    hooks = f"--manual-auth-hook {world.dns_hook} --manual-cleanup-hook {world.dns_hook}"
    line = (
        f"certonly -n -a manual {hooks} --preferred-challenges dns -i {NAME} "
        f"-d '*.example.jp' {CONTACT} {QUICK}"
    )
    result = rehearse(world, line, *world.eab())
    assert lines(result, "FAIL") == [], f"{result}"
    assert "that manual can prove control" in result.output
    assert "for *.example.jp" in result.output
    certbot(world, line, *world.eab()).check()

    # `run` installs it, for every host that it covers.
    line = line.replace("certonly -n", "run -n") + " --force-renewal"
    result = rehearse(world, line)
    assert f"virtual hosts of {WWW} would use *.example.jp" in result.output, f"{result}"
    certbot(world, line).check()


def test_a_wildcard_that_no_host_would_use(world: World) -> None:
    world.vhost("www.example.com")
    hooks = f"--manual-auth-hook {world.dns_hook} --manual-cleanup-hook {world.dns_hook}"
    line = (
        f"run -n -a manual {hooks} --preferred-challenges dns -i {NAME} "
        f"-d '*.example.jp' {CONTACT} {QUICK}"
    )
    (found,) = lines(rehearse(world, line, *world.eab()), "FAIL")
    assert "no name that *.example.jp covers" in found
    assert "certonly" in found
    assert certbot(world, line, *world.eab()).returncode != 0


def test_certonly_needs_no_virtual_host(world: World) -> None:
    no_virtual_host(world)
    line = RUN.replace("run ", "certonly ", 1).replace(WWW, "c.example.jp")
    result = rehearse(world, line, *world.eab())
    assert result.returncode == 0, f"{result}"
    certbot(world, line, *world.eab()).check()


@pytest.mark.parametrize(
    "line",
    [
        f"run -n --apache -d {WWW} {CONTACT} {CHECK}",
        f"renew {CHECK}",
        f"register -n -a {NAME} {CONTACT} {CHECK}",
        f"run -n -a {NAME} -d {WWW} {CONTACT} {CHECK} "
        "--server https://acme-v02.api.letsencrypt.org/directory",
    ],
)
def test_nothing_is_issued_instead_of_rehearsed(world: World, line: str) -> None:
    world.vhost(WWW)
    eab = () if "letsencrypt" in line or "--apache" in line or "renew" in line else world.eab()
    refused(world, certbot(world, line, *eab), CHECK, "nothing was done")


@needs_rhel_class
def test_a_host_like_rhel(world: World) -> None:
    world.become_rhel()
    world.vhost(WWW)
    world.write("/etc/cron.d/certbot", CRON)
    result = rehearse(world, RUN, *world.eab())
    assert lines(result, "warn") == lines(result, "FAIL") == [], f"{result}"


@needs_rhel_class
def test_a_host_like_rhel_without_mod_ssl(world: World) -> None:
    world.become_rhel()
    world.vhost(WWW)
    for name in ("conf.modules.d/00-ssl.conf", "conf.d/ssl.conf"):
        world.path(f"{world.apache.root}/{name}").unlink()
    world.apache.stop()
    world.apache.start()
    (found,) = lines(rehearse(world, RUN, *world.eab()), "FAIL")
    assert "dnf install mod_ssl" in found
    assert certbot(world, RUN, *world.eab()).returncode != 0
    certonly = RUN.replace("run", "certonly", 1)
    assert lines(rehearse(world, certonly), "FAIL") == []
