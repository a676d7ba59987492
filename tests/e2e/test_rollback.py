"""Apache's configuration after what went wrong: byte for byte what it was before."""

from __future__ import annotations

from tests.e2e.held import until
from tests.e2e.waiting import (
    NAME,
    NOT_AT_ALL,
    PATIENT,
    PLUGIN,
    first,
    serves_https,
)
from tests.lab import World

# Apache's control command; what is sabotaged fails once the certificate is configured.
CONTROL = """\
if [ -e /etc/sabotage/on ] && [ -e /etc/apache2/sites-enabled/{name}-le-ssl.conf ]; then
    case "$1" in {words}) {action};; esac
fi
exec /usr/sbin/apache2ctl "$@"
"""
FAIL = 'echo "AH00526: Syntax error (sabotage)" >&2; exit 1'


def control(world: World, words: str, action: str, *, sabotage: bool = True) -> tuple[str, str]:
    """Writes a control command and returns the option that has it used."""
    if sabotage:
        world.write("/etc/sabotage/on", "")
    script = CONTROL.format(name=NAME, words=words, action=action)
    return ("--apache-ctl", world.hook("/etc/sabotage/apachectl", script))


def prepared(world: World) -> dict[str, str]:
    """Returns the configuration of a server that can speak TLS but does not yet.

    The module is enabled beforehand: Certbot disables it again after a failure, but not those
    that Debian's a2enmod enabled with it.
    """
    world.vhost(NAME)
    world.apache.enable("ssl")
    world.apache.graceful()
    return world.apache.hashes()


def test_a_configuration_that_apache_refuses_is_taken_back(world: World) -> None:
    before = prepared(world)
    option = control(world, "configtest|graceful", FAIL)
    result = world.certbot(*first(world, *NOT_AT_ALL, *option))
    assert result.returncode == 1
    assert "sabotage" in result.output
    assert world.apache.hashes() == before
    assert world.lineage(NAME).versions() == [1]
    assert world.apache.running()
    assert NAME in world.http(NAME)


def test_the_same_without_sabotage_is_in_service(world: World) -> None:
    before = prepared(world)
    option = control(world, "configtest|graceful", FAIL, sabotage=False)
    world.certbot(*first(world, *NOT_AT_ALL, *option)).check()
    assert world.apache.hashes() != before
    assert world.served(NAME).serial == world.jprs.issued[-1].serial


def test_a_reload_that_fails_is_taken_back(world: World) -> None:
    before = prepared(world)
    option = control(world, "graceful|restart", FAIL)
    result = world.certbot(*first(world, *NOT_AT_ALL, *option))
    assert result.returncode == 1
    assert world.apache.hashes() == before
    assert world.lineage(NAME).versions() == [1]


def test_a_virtual_host_that_cannot_be_written_is_taken_back(world: World) -> None:
    prepared(world)
    # Root may write to any file; not to what is none.
    obstacle = world.path(f"/etc/apache2/sites-available/{NAME}-le-ssl.conf")
    (obstacle / "in the way").mkdir(parents=True)
    before = world.apache.hashes()
    result = world.certbot(*first(world, *PATIENT))
    assert result.returncode == 1
    assert world.apache.hashes() == before
    assert world.lineage(NAME).versions() == [1]
    assert not world.apache.configtest().returncode


def test_a_failed_deployment_can_be_made_up_for(world: World) -> None:
    prepared(world)
    option = control(world, "configtest|graceful", FAIL)
    failed = world.certbot(*first(world, *NOT_AT_ALL, *option))
    assert failed.returncode == 1
    world.path("/etc/sabotage/on").unlink()
    world.certbot("install", "-n", "-i", PLUGIN, "--cert-name", NAME, "-d", NAME).check()
    assert world.served(NAME).serial == world.jprs.issued[-1].serial
    assert len(world.jprs.issued) == 1


def test_rollback(world: World) -> None:
    before = prepared(world)
    world.certbot(*first(world, *NOT_AT_ALL, "--no-redirect")).check()
    assert world.apache.hashes() != before
    assert serves_https(world)
    world.certbot("rollback", "-n", "-i", PLUGIN).check()
    assert world.apache.hashes() == before


def test_rollback_where_mod_ssl_was_off_before(world: World) -> None:
    world.vhost(NAME)
    enabled = world.path("/etc/apache2/mods-enabled")
    before = world.apache.hashes()
    assert not (enabled / "ssl.load").is_symlink()
    world.certbot(*first(world, *NOT_AT_ALL, "--no-redirect")).check()
    assert serves_https(world)
    world.certbot("rollback", "-n", "-i", PLUGIN).check()
    after = world.apache.hashes()
    # Certbot leaves the modules to a2enmod, which enabled some with mod_ssl: nothing else is left.
    left = set(after) - set(before)
    assert all(name.startswith("mods-enabled/") for name in left), left
    assert {name: after.get(name) for name in before} == before
    assert not world.apache.configtest().returncode
    assert NAME in world.http(NAME)
    assert NAME not in world.read("/etc/apache2/ports.conf")
    # And from there all over again.
    world.certbot("install", "-n", "-i", PLUGIN, "--cert-name", NAME, "-d", NAME).check()
    assert world.served(NAME).serial == world.jprs.issued[-1].serial


def test_killed_while_waiting(world: World) -> None:
    before = prepared(world)
    world.ocsp.lag = 600
    with world.spawn_certbot(*first(world, *PATIENT)) as running:
        running.wait_for("Waiting for")
        running.kill()
    after = world.apache.hashes()
    after.pop(".certbot.lock")  # no configuration; whoever is killed leaves it behind
    assert after == before
    assert world.lineage(NAME).versions() == [1]
    world.ocsp.lag = 0
    world.certbot("run", "-n", "-a", PLUGIN, "-d", NAME).check()
    assert world.served(NAME).serial == world.jprs.issued[-1].serial
    assert len(world.jprs.issued) == 1


def test_killed_while_the_configuration_is_being_changed(world: World) -> None:
    before = prepared(world)
    # Certbot's own changes for http-01 are in place while Apache is reloaded for them.
    world.write("/etc/sabotage/on", "")
    action = "touch /etc/sabotage/hanging; sleep 600"
    script = (
        f'[ "$1" = graceful ] && [ -e /etc/sabotage/on ] && {{ {action}; }}\n'
        'exec /usr/sbin/apache2ctl "$@"'
    )
    option = ("--apache-ctl", world.hook("/etc/sabotage/apachectl", script))
    with world.spawn_certbot(*first(world, *NOT_AT_ALL, *option)) as running:
        until(world.path("/etc/sabotage/hanging").exists)
        running.kill()
    assert world.apache.hashes() != before
    world.path("/etc/sabotage/on").unlink()
    # Any later command that uses the plugin recovers first, and then does its own work.
    rolled_back = world.certbot("install", "-n", "-i", PLUGIN, "--cert-name", "none.example.jp")
    assert rolled_back.returncode == 1
    assert world.apache.hashes() == before
    world.certbot("run", "-n", "-a", PLUGIN, "-d", NAME).check()
    assert world.served(NAME).serial == world.jprs.issued[-1].serial
