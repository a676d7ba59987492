"""The lab itself: that it is what it says, and that it can fail."""

from __future__ import annotations

import contextlib
import os
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.e2e.held import until
from tests.e2e.needs import needs_namespace, needs_rhel_class, needs_words
from tests.lab import CA, REFUSING, SILENT, Missing, World, files, pki, place
from tests.lab.acme import ERROR

EMAIL = ("-m", "admin@example.jp", "--agree-tos", "-n")
REGISTER = ("register", *EMAIL)


def manual(world: World, *args: str) -> tuple[str, ...]:
    """Returns the command line of JPRS's manual."""
    return ("run", "--apache", "--server", world.jprs.url, "--key-type", "rsa", *EMAIL, *args)


def dns01(world: World, *args: str) -> tuple[str, ...]:
    """Returns the quickest command line that gets a certificate."""
    hooks = ("--manual-auth-hook", world.dns_hook, "--manual-cleanup-hook", world.dns_hook)
    way = ("certonly", "-a", "manual", "--preferred-challenges", "dns")
    return (*way, *hooks, "--server", world.jprs.url, *EMAIL, *args)


def test_a_certificate_is_issued_and_served(world: World) -> None:
    world.vhost("www.example.jp", "example.jp")
    world.ocsp.lag = 600
    with world.watch("www.example.jp") as watcher:
        names = ("-d", "www.example.jp", "-d", "example.jp")
        world.certbot(*manual(world, *world.eab(), *names)).check()
        served = world.served("example.jp")
        assert world.https("example.jp").startswith("HTTP/1.1 200 ")
        time.sleep(0.2)
    lineage = world.lineage("www.example.jp")
    issued = world.jprs.issued[-1]
    assert served.serial == lineage.serial == issued.serial
    assert lineage.key_type == "RSA 2048"
    assert issued.names == ("www.example.jp", "example.jp")
    lifetime = served.certificate.not_valid_after_utc - served.certificate.not_valid_before_utc
    assert lifetime.days == 90
    # The twin for the plugin's tests: alone, Certbot serves what the responder does not know.
    first = watcher.first(issued.serial)
    assert first is not None
    assert issued.issued_at < first < world.ocsp.known_at(issued.serial)
    assert world.ocsp.good_at(issued.serial) is None
    steps = world.jprs.steps()
    assert [steps.count(step) for step in ("newAccount", "newOrder", "finalize")] == [1, 1, 1]
    assert world.letsencrypt.requests == []


def test_apache_staples_an_early_unknown(world: World) -> None:
    world.vhost("www.example.jp")
    world.apache.staple()
    world.ocsp.lag = 600
    world.certbot(*manual(world, *world.eab(), "-d", "www.example.jp")).check()
    with world.watch("www.example.jp") as watcher:
        until(lambda: "unknown" in watcher.staples())
    # Once it has that answer, Apache keeps it although the responder knows better by now.
    world.ocsp.lag = 0
    assert ask(world, world.jprs.issued[-1].serial) == "good"
    assert world.served("www.example.jp").staple == "unknown"


@needs_rhel_class
def test_certbot_takes_the_machine_for_rhel(world: World) -> None:
    world.become_rhel()
    world.vhost("www.example.jp")
    before = world.apache.hashes()
    world.certbot(*manual(world, *world.eab(), "-d", "www.example.jp")).check()
    assert world.served("www.example.jp").serial == world.jprs.issued[-1].serial
    changed = {name for name, is_now in world.apache.hashes().items() if before.get(name) != is_now}
    assert "conf.d/www.example.jp-le-ssl.conf" in changed
    assert not world.path("/etc/apache2").exists()


def test_jprs_demands_eab(world: World) -> None:
    refused = world.certbot(*REGISTER, "--server", world.jprs.url)
    assert refused.returncode == 1
    kid = ("--eab-kid", "lab-0", "--eab-hmac-key")
    refused = world.certbot(*REGISTER, "--server", world.jprs.url, *kid, "YWJj")
    assert refused.returncode == 1
    assert "Unable to create account" in refused.output
    world.certbot(*REGISTER, "--server", world.jprs.url, *world.eab()).check()


@pytest.mark.parametrize(
    ("contacts", "accepted"),
    [
        ("a@a.jp", True),
        (",".join(f"{n}@a.jp" for n in range(6)), True),
        (",".join(f"{n}@a.jp" for n in range(7)), False),
        ("a@a.jp,a@a.jp", False),
    ],
)
def test_jprs_takes_one_to_six_contacts(world: World, contacts: str, accepted: bool) -> None:
    args = ("register", "--server", world.jprs.url, "-m", contacts, "--agree-tos", "-n")
    result = world.certbot(*args, *world.eab())
    assert (result.returncode == 0) is accepted
    assert ("The contact information is invalid:" in result.output) is not accepted


@needs_words
def test_jprs_refuses_ecdsa_and_lets_encrypt_does_not(world: World) -> None:
    command = dns01(world, "--key-type", "ecdsa", "-d", "*.example.jp", "-d", "example.jp")
    refused = world.certbot(*command, *world.eab())
    assert refused.returncode == 1
    assert "The CSR is unacceptable" in refused.output
    assert world.jprs.issued == []
    world.certbot(*command, "--server", world.letsencrypt.url).check()
    assert world.lineage("example.jp").key_type == "ECDSA"
    assert world.letsencrypt.issued[-1].issuer != world.jprs.mint("example.jp").issuer


def test_an_authorization_is_not_used_again_unasked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the Pebble that always does it: the second time passes, for Certbot asks again once."""
    world.jprs.reuses = True
    reusing = world.jprs.backend()
    monkeypatch.setattr(world.jprs, "backend", lambda: reusing)
    world.jprs.reuses = False
    args = dns01(world, "--key-type", "rsa", "-d", "example.jp", "--force-renewal")
    for _ in range(2):
        world.certbot(*args, *world.eab()).check()
    assert world.jprs.steps().count("newOrder") == 2
    assert world.certbot_log.count("Retrying request after error") == 1


@needs_words
def test_refusals_on_demand(world: World) -> None:
    words = "The server will not issue certificates for the identifier"
    world.jprs.refuse("newOrder", "rejectedIdentifier", 400, words, times=1, match="example.jp")
    args = dns01(world, "--key-type", "rsa", "-d", "example.jp")
    assert words in world.certbot(*args, *world.eab()).output
    assert [r.status for r in world.jprs.requests if r.step == "newOrder"] == [400]
    world.jprs.fail_validation("example.jp", "caa", 403, "CAA records forbid it")
    assert "CAA records forbid it" in world.certbot(*args).output
    assert world.jprs.issued == []


@needs_words
def test_revocation(world: World) -> None:
    args = dns01(world, "--key-type", "rsa", "-d", "example.jp")
    world.certbot(*args, *world.eab()).check()
    revoke = ("revoke", "--cert-name", "example.jp", "--server", world.jprs.url, "-n")
    world.certbot(*revoke, "--no-delete-after-revoke").check()
    assert ask(world, world.jprs.issued[-1].serial) == "revoked"
    again = world.certbot(*revoke, "--no-delete-after-revoke")
    assert "has already been revoked" in again.output


STARTS = 20
"""Seconds within which a query comes to the responder, if it does, on a busy machine."""


def ask(world: World, serial: int, timeout: float = 60, starts: float = STARTS) -> str:
    """Asks the responder as OpenSSL does and returns what that makes of the answer.

    Args:
        world: where.
        serial: the certificate's serial number.
        timeout: seconds until an answer is given up.
        starts: seconds within which the query comes to the responder, if it does.
    """
    issued = world.find(serial)
    assert issued is not None
    world.write("/run/tmp/cert.pem", issued.pem)
    world.write("/run/tmp/chain.pem", pki.pem(issued.issuer))
    files = ("-issuer", "/run/tmp/chain.pem", "-cert", "/run/tmp/cert.pem")
    trust = ("-CAfile", "/run/tmp/chain.pem", "-partial_chain")
    args = ("openssl", "ocsp", *files, *trust, "-url", world.jprs.DEFAULT_OCSP[0])
    before = len(world.ocsp.queries)
    running = world.spawn(*args)
    begun = time.monotonic()
    # Only what it waits for counts: not how long the machine takes to start it.
    while len(world.ocsp.queries) == before and time.monotonic() < begun + starts:
        if running.process.poll() is not None:
            break
        time.sleep(0.02)
    try:
        said = running.wait(timeout).output
    except AssertionError:
        return "time-out"
    verdict = said.partition("/run/tmp/cert.pem: ")[2].splitlines()
    plain = "Response verify OK" in said and "Status times invalid" not in said
    return verdict[0] if plain and verdict else said


@pytest.mark.parametrize(
    ("behaviour", "seen"),
    [
        ("good", "good"),
        ("delegated", "good"),
        ("delegated by key", "good"),
        ("unknown", "unknown"),
        ("revoked", "revoked"),
        ("stale", "Status times invalid"),
        ("future", "Status times invalid"),
        ("unauthorized", "unauthorized"),
        ("tryLater", "trylater"),
        ("other certificate", "No Status found"),
        ("other issuer", "No Status found"),
        ("other key", "signature failure"),
        ("delegated without EKU", "missing ocspsigning usage"),
        ("delegate out of date", "expired"),
        ("delegated by another", "error"),
        ("http500", "500"),
        ("redirect", "307"),
        ("garbage", "error"),
        ("empty", "error"),
        ("drop", "error"),
        ("hang", "time-out"),
        ("dribble", "time-out"),
        ("endless", "error"),
    ],
)
def test_the_responder_behaves_as_told(world: World, behaviour: str, seen: str) -> None:
    issued = world.jprs.mint("www.example.jp")
    other = world.jprs.mint("other.example.jp")
    world.ocsp.behave(behaviour, name="www.example.jp")
    timeout = 1 if seen == "time-out" else 60
    assert seen.lower() in ask(world, issued.serial, timeout).lower()
    assert ask(world, other.serial) == "good"
    assert [query.answer for query in world.ocsp.asked(issued.serial)] == [behaviour]


def test_the_ca_satisfies_a_strict_client(world: World) -> None:
    # Python 3.13 verifies so by itself (RFC 5280): key usage, authority key identifier.
    context = ssl.create_default_context(cadata=pki.pem(world.authority.certificate))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    plain = world.namespace.connect("web", (CA, 443))
    with context.wrap_socket(plain, server_hostname=world.jprs.host) as secured:
        assert secured.version()


def test_the_responder_knows_a_certificate_only_after_a_while(world: World) -> None:
    world.ocsp.lag = 600
    issued = world.jprs.mint("www.example.jp")
    assert ask(world, issued.serial) == "unknown"
    world.ocsp.early = "unauthorized"
    assert "unauthorized" in ask(world, issued.serial)
    world.ocsp.lag = time.time() - issued.issued_at + 1
    known_at = world.ocsp.known_at(issued.serial)
    until(lambda: ask(world, issued.serial) == "good")
    assert world.ocsp.good_at(issued.serial) == world.ocsp.queries[-1].time >= known_at
    assert {query.answer for query in world.ocsp.queries if query.time < known_at} == {
        *("unknown", "unauthorized")
    }


@pytest.mark.parametrize(
    ("address", "seen"),
    [(REFUSING, "refused"), (SILENT, "time-out"), (None, "time-out")],
)
def test_the_responder_is_out_of_reach(world: World, address: str | None, seen: str) -> None:
    issued = world.jprs.mint("www.example.jp")
    world.ocsp_address(address)
    world.silence_dns()
    timeout = 1 if seen == "time-out" else 60
    said = ask(world, issued.serial, timeout, starts=1).lower()
    assert seen in said + world.history[-1].output.lower()
    assert world.ocsp.queries == []


def test_ocsp_urls_are_what_they_are_set_to(world: World) -> None:
    urls = ("http://one.example.jp/", "http://two.example.jp/")
    world.jprs.ocsp_urls = urls
    access = world.jprs.mint("a.jp").certificate.extensions.get_extension_for_class(
        x509.AuthorityInformationAccess
    )
    assert tuple(each.access_location.value for each in access.value) == urls
    world.jprs.ocsp_urls = ()
    with pytest.raises(x509.ExtensionNotFound):
        world.jprs.mint("a.jp").certificate.extensions.get_extension_for_class(
            x509.AuthorityInformationAccess
        )


def test_signals_reach_certbot_itself(world: World) -> None:
    world.jprs.refuse("directory", "serverInternal", 500, "busy", times=0)
    hook = world.hook("/etc/letsencrypt/renewal-hooks/pre/wait", "sleep 600")
    args = dns01(world, "--key-type", "rsa", "-d", "example.jp", "--pre-hook", hook)
    with world.spawn_certbot(*args, *world.eab()) as running:
        running.wait_for("Requesting|Account registered")
        command = Path(f"/proc/{running.pid}/cmdline").read_bytes()
        assert b"certbot" in command
        assert b"nsenter" not in command
        running.signal(signal.SIGINT)
        result = running.wait()
    assert result.returncode != 0


def test_a_conversation_on_a_terminal(world: World) -> None:
    terminal = world.certbot_pty("register", "--agree-tos", "--server", world.letsencrypt.url)
    terminal.expect("Enter email address")
    terminal.send("admin@example.jp")
    terminal.expect("share your email")
    terminal.send("n")
    assert terminal.wait().returncode == 0
    terminal = world.certbot_pty("register", "--server", world.letsencrypt.url)
    terminal.expect("account|email")
    terminal.control_c()
    assert terminal.wait().returncode != 0


CRONTAB = "/var/spool/cron/crontabs/root"
"""Below a directory that a machine without cron lacks."""


def test_reset_leaves_nothing(world: World) -> None:
    world.vhost("www.example.jp")
    world.write("/etc/letsencrypt/renewal/x.conf", "")
    world.write("/etc/cron.d/x", "")
    world.write(CRONTAB, "")
    world.spawn("sleep", "60")
    world.reset()
    assert not world.apache.running()
    assert world.lineages() == []
    assert not world.path("/etc/cron.d/x").exists()
    assert not world.path(CRONTAB).exists()
    assert not world.path("/etc/apache2/sites-enabled/www.example.jp.conf").exists()
    processes = world.run("ps", "-e", "-o", "args=").output.splitlines()
    assert not [line for line in processes if line.startswith(("sleep", "/usr/sbin/apache2"))]
    assert [line for line in processes if line.startswith("pebble")]


OWN = (
    *("/etc/apache2", "/etc/letsencrypt", "/var/lib/letsencrypt", "/var/log/letsencrypt"),
    *("/var/log/apache2", "/var/lib/apache2", "/var/www", "/run/apache2", "/var/spool"),
)


def fingerprint() -> dict[str, object]:
    """Returns what a careless lab could change on the machine."""
    found: dict[str, object] = {}
    for root in OWN:
        path = Path(root)
        found[root] = files.hashes(path) if path.is_dir() else path.exists()
    for name in ("/etc/hosts", "/etc/resolv.conf", "/etc/passwd"):
        path = Path(name)
        found[name] = path.read_bytes() if path.exists() else None
    return found


@needs_namespace("two worlds side by side")
def test_the_machines_own_files_are_untouched(world: World) -> None:
    before = fingerprint()
    with World() as second:
        for each in (world, second):
            each.vhost("www.example.jp")
            each.write(CRONTAB, each.jprs.url)
        world.certbot(*manual(world, *world.eab(), "-d", "www.example.jp")).check()
        assert second.lineages() == []
        assert not second.listening(443)
        pid = second.namespace.pid
        assert fingerprint() == before
    assert not Path(f"/proc/{pid}").exists()
    assert fingerprint() == before


@needs_namespace("two worlds side by side")
def test_the_world_ends_with_whoever_made_it() -> None:
    script = "from tests.lab import World; w = World(); print(w.namespace.pid, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        process.kill()
        process.wait()
    until(lambda: not alive(pid))


def alive(pid: int) -> bool:
    """Tells whether a process runs; one that only waits to be collected does not."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    for tool in place.TOOLS:
        if tool not in {"pebble", "ip"}:
            os.symlink("/bin/true", tmp_path / tool)
    with pytest.raises(Missing, match=r"needs ip, pebble: apt-get install .* iproute2 pebble$"):
        place.check(str(tmp_path), root=True)
    with pytest.raises(Missing, match=r"newuidmap.* uidmap"):
        place.check(str(tmp_path), root=False)


@needs_namespace("is about namespaces")
def test_a_machine_without_namespaces_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing = tmp_path / "unshare"
    refusing.write_text("#!/bin/sh\necho 'unshare failed: not permitted' >&2\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setattr(place, "PATH", f"{tmp_path}:{place.PATH}")
    with pytest.raises(Missing, match=r"no namespaces here \(unshare failed: not permitted\)"):
        World()


def test_a_csr_of_an_old_certbot_is_understood() -> None:
    key = rsa.generate_private_key(65537, 2048)
    for each in (key, ec.generate_private_key(ec.SECP256R1())):
        request = x509.CertificateSigningRequestBuilder().subject_name(pki.name("example.jp"))
        der = request.sign(each, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
        old = der.replace(b"\x02\x01\x00", b"\x02\x01\x02", 1)
        assert pki.csr_public_key(old) == each.public_key()


def test_problems_are_what_rfc_8555_says(world: World) -> None:
    world.jprs.refuse("directory", "serverInternal", 500, "an internal error")
    result = world.certbot(*REGISTER, "--server", world.jprs.url)
    assert result.returncode == 1
    assert ERROR + "serverInternal" in world.certbot_log + result.output
