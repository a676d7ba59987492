"""http-01 through Apache: it goes on once its file is there, with few reloads, and leaves nothing.

Each test compares with before: every byte below the server's root, that its configuration test
passes, and what a request for the challenge path gets.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.held import FORCE, RENEW, serials, served, until
from tests.e2e.helpers import NAME, QUICK, certbot, first_run, lets_encrypt
from tests.e2e.needs import needs_ipv6, needs_namespace
from tests.lab import CA, WEB, WEB_TOO, World, apache, faults, fleet
from tests.lab.place import at

A, B, C = "a.example.jp", "b.example.jp", "c.example.jp"
PATH = "/.well-known/acme-challenge/of-another-client"
CAN, CANNOT = "The challenges can be fetched", "The challenges cannot be fetched"
V6, V6_CA = "2001:db8::1", "2001:db8::2"
BETWEEN = "/run/tmp/between"
OWN_HTTP = (
    "<VirtualHost {address}:80>\nServerName {name}\nDocumentRoot /var/www/html\n</VirtualHost>\n"
)

one_machine = needs_namespace("the CA's addresses, which answer on port 80, are this machine's too")


class Before:
    """Apache as it was before a run.

    Args:
        world: where it runs.
        names: of virtual hosts.
    """

    def __init__(self, world: World, *names: str) -> None:
        file = world.write(f"/var/www/html{PATH}", "another client's\n")
        os.utime(file, (0, 0))  # of a file of this second Apache's ETag is another one
        self._world, self._names = world, names
        self._hashes = world.apache.hashes()
        self._answers = self.answers()

    def answers(self) -> list[str]:
        """Returns what requests for the challenge path get, all but the time."""
        texts = []
        for name in self._names:
            try:
                lines = self._world.http(name, PATH).splitlines()
            except OSError as error:
                lines = [type(error).__name__]
            texts.append("\n".join(line for line in lines if not line.startswith("Date:")))
        return texts

    def changed(self) -> bool:
        """Tells whether requests for the challenge path get something else."""
        return self.answers() != self._answers

    def is_back(self, *edited: str) -> None:
        """Asserts that all is as it was.

        Args:
            edited: starts of paths below the server's root that others have changed.
        """
        world = self._world
        world.apache.configtest().check()
        now = world.apache.hashes()
        differing = {path for path, _hash in now.items() ^ self._hashes.items()}
        expected = (".certbot.lock", *edited)  # of a run that goes on, or was ended by a signal
        assert not {path for path in differing if not path.startswith(expected)}
        for path in now:
            text = world.read(f"{world.apache.root}/{path}")
            assert "http_01" not in text, path
            assert "http_challenges" not in text, path
        with contextlib.suppress(AssertionError):  # a graceful reload takes a moment
            until(lambda: not self.changed())
        assert self.answers() == self._answers


def everywhere(world: World) -> None:
    """A virtual host of all addresses, as most are."""


def one_address(world: World) -> None:
    """A virtual host that listens on one address only."""
    world.apache.install(A, OWN_HTTP.format(address=WEB, name=A) + world.apache.https_site(A))


def redirected(world: World) -> None:
    """A virtual host that sends everybody to HTTPS."""
    text = (
        f"<VirtualHost {apache.ADDRESS}:80>\nServerName {A}\n"
        f"Redirect permanent / https://{A}/\n</VirtualHost>\n"
    )
    world.apache.install(A, text + world.apache.https_site(A))


def only_443(world: World) -> None:
    """A name that has a virtual host on port 443 alone."""
    world.apache.install(A, world.apache.https_site(A))


def no_virtual_host(world: World) -> None:
    """A name without a virtual host."""
    world.path(f"{world.apache.root}/sites-enabled/{A}.conf").unlink()


def ipv6(world: World) -> None:
    """A name, and a virtual host, with an IPv6 address alone."""
    text = OWN_HTTP.format(address=f"[{V6}]", name=A)
    world.apache.install(A, text + world.apache.https_site(A))
    world.dns.set_a(A)
    world.dns.set_aaaa(A, V6)


@pytest.fixture
def network(world: World, shape: Callable[[World], None]) -> Iterator[None]:
    """IPv6 between the web server and the CA, while a test that needs it lasts."""
    if shape is not ipv6:
        yield
        return
    sides = (((), V6, "web0"), (("-netns", "ca"), V6_CA, "ca0"))
    for where, address, device in sides:
        change = ("addr", "add", f"{address}/64", "dev", device, "nodad")
        world.run("ip", *where, *change).check()
    yield
    for where, address, device in sides:
        world.run("ip", *where, "addr", "del", f"{address}/64", "dev", device).check()


def renewed_and_fetched(world: World, which: str) -> bool:
    """Renews the lineage by a plugin; tells whether its challenge was fetched back from here."""
    lineage = world.lineage(A)
    lineage.set("authenticator", which)
    lineage.set("installer", which)
    for _attempt in range(
        3 if which == NAME else 1
    ):  # on a busy machine 3 seconds may not be enough
        version = lineage.version()
        world.certbot(*FORCE).check()
        assert lineage.version() == version + 1
        if CAN in world.certbot_log:
            return True
    return False


SHAPES = (
    *(everywhere, one_address, redirected),
    *(pytest.param(each, marks=one_machine) for each in (only_443, no_virtual_host)),
    pytest.param(ipv6, marks=[needs_namespace("it gives the networks addresses"), needs_ipv6]),
)


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_each_is_validated_as_with_certbots_own_plugin(
    world: World, shape: Callable[[World], None]
) -> None:
    fleet.found(world, [A])
    shape(world)
    world.apache.stop()
    world.run("apachectl", "start").check()
    until(lambda: world.listening(443))
    before = Before(world, A)
    assert not renewed_and_fetched(world, "apache")
    before.is_back()
    assert renewed_and_fetched(world, NAME)
    before.is_back()


@one_machine
def test_an_apache_that_does_not_listen_on_port_80(world: World) -> None:
    """Certbot's plugin has it do so, and leaves that behind; no more and no less."""
    fleet.found(world, [A])
    only_443(world)
    ports, left = f"{world.apache.root}/ports.conf", []
    for which in ("apache", NAME):
        world.write(ports, f"Listen {at(443)}\n")
        world.apache.stop()
        world.apache.control("start").check()
        until(lambda: world.listening(443))
        assert not world.listening(80)
        assert renewed_and_fetched(world, which) == (which == NAME)
        left.append(world.apache.hashes())
    assert left[0] == left[1]


@needs_namespace("one network: all comes from one address")
def test_what_cannot_be_fetched_from_here_is_given_its_time(world: World) -> None:
    """The twin: where this machine itself is refused, as by a firewall."""
    fleet.found(world, [A])
    refuse = f"<If \"%{{REMOTE_ADDR}} != '{CA}'\">\nRequire all denied\n</If>\n</VirtualHost>"
    text = OWN_HTTP.format(address=apache.ADDRESS, name=A).replace("</VirtualHost>", refuse)
    world.apache.install(A, text + world.apache.https_site(A))
    world.apache.stop()
    world.apache.start()
    before = Before(world, A)
    world.certbot(*FORCE).check()
    assert CANNOT in world.certbot_log
    assert world.lineage(A).version() == 2
    before.is_back()


@pytest.mark.main_job
def test_a_run_costs_one_reload_for_each_lineage_and_few_more(world: World) -> None:
    names = [f"{letter}.example.jp" for letter in "abcde"]
    fleet.found(world, names)
    before, reloads = Before(world, *names), world.apache.reloads()
    world.certbot(*FORCE).check()
    assert len(names) + 1 <= world.apache.reloads() - reloads <= len(names) + 4
    assert [world.lineage(name).version() for name in names] == [2] * 5
    before.is_back()


def test_others_take_part_in_the_run(world: World) -> None:
    """Another CA's lineage between two of ours, an AutoHSTS step, a hook that edits and reloads."""
    first_run(world, A, "--auto-hsts")
    lets_encrypt(world, B)
    edit = f"echo '# edited' >> /etc/apache2/sites-available/{C}.conf && apachectl graceful"
    fleet.found(world, [C], renew_hook=repr(edit))
    storage = world.path("/etc/letsencrypt/.pluginstorage.json")
    state = json.loads(storage.read_text())
    (hsts,) = state["apache"]["autohsts"].values()
    hsts.update(laststep=0, timestamp=time.time() - 3 * 86400)
    storage.write_text(json.dumps(state))
    before = Before(world, A, B, C)
    world.certbot(*FORCE).check()
    assert [world.lineage(name).version() for name in (A, B, C)] == [2, 2, 2]
    ((step,),) = [json.loads(storage.read_text())["apache"]["autohsts"].values()]
    assert step["laststep"] == 1
    assert world.read(f"/etc/apache2/sites-available/{C}.conf").count("# edited") == 1
    for name in (A, B, C):
        assert world.served(name).serial == world.lineage(name).serial
    before.is_back(f"sites-available/{A}", f"sites-available/{C}")


def test_a_lineage_of_nginx_that_is_not_due_is_between_two_of_ours(world: World) -> None:
    """Certbot's plugins take back temporary changes, nginx's already when it is made."""
    world.write(f"{world.apache.root}/ports.conf", f"Listen {WEB}:80\nListen {WEB}:443\n")
    world.nginx.listens_on(WEB_TOO)
    fleet.found(world, [A, C])
    fleet.in_nginx(world, [B], installer="nginx", authenticator="nginx")
    for name in (A, C):
        world.lineage(name).set("renew_before_expiry", "9999 days", section=None)
    before, nginx = Before(world, A, C), world.nginx.hashes()
    world.certbot(*RENEW).check()
    assert [world.lineage(name).version() for name in (A, B, C)] == [2, 1, 2]
    before.is_back()
    assert world.nginx.hashes() == nginx


def test_an_nginx_that_listens_on_one_address(world: World) -> None:
    world.nginx.listens_on(WEB_TOO)
    fleet.in_nginx(world, [A])
    before = world.nginx.hashes()
    assert renewed_and_fetched(world, NAME)
    assert world.nginx.hashes() == before


def test_another_plugins_challenge_is_not_in_the_way_of_ours(world: World) -> None:
    """Another CA's lineage, validated by webroot through a virtual host that was ours just now."""
    fleet.found(world, [A, C])
    text = OWN_HTTP.format(address=apache.ADDRESS, name=f"{A}\nServerAlias {B}")
    world.apache.install(A, text + world.apache.https_site(A))
    world.dns.set_a(B, WEB)
    world.apache.graceful()
    more = "-m admin@example.jp --agree-tos"
    certbot(world, f"certonly -n --webroot -w /var/www/html -d {B} {more}").check()
    before = Before(world, A, B, C)
    world.certbot(*FORCE).check()
    assert [world.lineage(name).version() for name in (A, B, C)] == [2, 2, 2]
    before.is_back()


def test_a_ca_that_uses_an_authorization_again(world: World) -> None:
    """RFC 8555, section 7.1.3: without a challenge, Apache is reloaded for the end alone."""
    world.jprs.reuses = True
    first_run(world)
    steps, reloads = len(world.jprs.requests), world.apache.reloads()
    assert "challenge" in world.jprs.steps()
    world.certbot(*FORCE).check()
    assert "challenge" not in world.jprs.steps()[steps:]
    assert "finalize" in world.jprs.steps()[steps:]
    assert served(world) == 2
    assert world.apache.reloaded(reloads + 1) == reloads + 1


def between(world: World) -> Before:
    """Makes two lineages; at the second's pre-hook nothing happens for long."""
    fleet.found(world, [A])
    fleet.found(world, [B], pre_hook=repr(f"touch {BETWEEN}; exec sleep 300"))
    return Before(world, A, B)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_between_two_lineages(world: World, number: signal.Signals) -> None:
    before = between(world)
    with world.spawn_certbot(*FORCE) as running:
        until(world.path(BETWEEN).exists, 120)
        assert before.changed()  # in memory the challenge's rule is still there
        running.signal(number)
        assert running.wait().returncode != 0
    before.is_back()
    world.certbot(*RENEW).check()
    assert [len(serials(world, name)) for name in (A, B)] == [2, 1]
    assert world.served(A).serial == world.lineage(A).serial == serials(world, A)[1]
    before.is_back()


def test_sigkill_between_two_lineages_and_a_restart(world: World) -> None:
    before = between(world)
    with world.spawn_certbot(*FORCE) as running:
        until(world.path(BETWEEN).exists, 120)
        running.kill()
    assert before.changed()  # the twin: nobody reloads
    world.apache.stop()
    world.apache.start()
    before.is_back()
    world.certbot(*RENEW).check()
    assert world.served(A).serial == world.lineage(A).serial == serials(world, A)[1]
    before.is_back()


@pytest.mark.parametrize("installer", [NAME, "null"])
def test_nothing_is_left_while_a_certificate_waits(world: World, installer: str) -> None:
    """For the end of the run, and on the spot where another plugin installs."""
    fleet.found(world, [A], installer=installer)
    before = Before(world, A)
    world.ocsp.behave("unknown")
    with world.spawn_certbot(*FORCE) as running:
        running.wait_for("Waiting for the OCSP")
        before.is_back()
        world.ocsp.behave(None)
        running.wait().check()
    before.is_back()


@pytest.mark.parametrize("way", ["refused", "not installed", "certonly"])
def test_nothing_is_left_where_nothing_is_released(world: World, way: str) -> None:
    fleet.found(world, [A], installer=None if way == "not installed" else NAME)
    before = Before(world, A)
    if way == "refused":
        world.jprs.fail_validation(A, "unauthorized", 403, "Invalid response")
    if way == "certonly":
        line = f"certonly -n -a {NAME} --cert-name {A} -d {A} --force-renewal {QUICK}"
        certbot(world, line).check()
    else:
        assert world.certbot(*FORCE).returncode == (way == "refused")
    assert world.lineage(A).version() == (1 if way == "refused" else 2)
    before.is_back()


@pytest.mark.parametrize("waits", [True, False])
def test_a_reload_that_fails_is_told_once(world: World, *, waits: bool) -> None:
    """Between two lineages a hook breaks Apache's configuration."""
    fleet.found(world, [A], certbot_jprs__ocsp_timeout="1")
    fleet.found(world, [B], pre_hook=repr("echo Broken >> /etc/apache2/apache2.conf"))
    world.ocsp.behave("unknown" if waits else None)
    result = world.certbot(*FORCE)
    assert result.returncode == 1
    assert result.output.count("could not be reloaded after the validation") == waits
    assert result.output.count("could not be reloaded with the new certificates") == (not waits)


@pytest.mark.parametrize("waits", [True, False])
def test_only_a_wait_costs_a_reload_that_takes_challenges_away(
    world: World, *, waits: bool
) -> None:
    """Else no server is told to reload, and may be reading its files, right before links move."""
    fleet.found(world, [A, B])
    reloads = world.apache.reloads()
    world.ocsp.behave("unknown" if waits else None)
    with world.spawn_certbot(*FORCE, env=faults.patience(world)) as running:
        if waits:
            running.wait_for("Waiting for the OCSP")
            assert world.apache.reloaded(reloads + 3) == reloads + 3
            world.ocsp.behave(None)
        running.wait().check()
    assert world.apache.reloaded(reloads + 3 + waits) == reloads + 3 + waits
    assert [served(world, name) for name in (A, B)] == [2, 2]
