"""What the tests of the ``certbot-jprs`` command share."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from tests.e2e.helpers import CONTACT, NAME, RENEW, certbot, waited
from tests.lab import Result, World, subject

COMMAND = subject.COMMAND
"""The console script that ``pip install`` made, as hooks call it."""

QUICK = ("--interval", "1")

MANUAL_HOOK = "sleep 10m;systemctl reload httpd"
"""The deploy hook of JPRS's manual."""


def jprs(
    world: World, *args: str, env: Mapping[str, str] | None = None, stdin: str | None = None
) -> Result:
    """Runs ``certbot-jprs``; whatever it did, it did not crash.

    Args:
        world: where.
        args: the words after the command's name.
        env: added to the environment.
        stdin: what it can read there.
    """
    result = world.run(COMMAND, *args, env=env, input=stdin)
    assert "Traceback" not in result.output, f"{result}"
    return result


def adopted(world: World, plain: Callable[[str], Result]) -> None:
    """Asserts that what JPRS's manual set up with a Certbot is adopted and renewed with the same.

    Args:
        world: where.
        plain: runs that Certbot without the plugin, given a command line.
    """
    name = "www.example.jp"
    world.vhost(name)
    lineage = world.lineage(name)
    server = f"--server {world.jprs.url}"
    hook = "sleep 1;systemctl reload httpd"  # the manual's, with less of a pause
    eab = " ".join(world.eab())
    plain(f"register -n {CONTACT} {eab} {server}").check()
    plain(f"run -n --apache -d {name} --key-type rsa {server}").check()
    plain(f"{RENEW} --force-renewal --deploy-hook '{hook}'").check()
    written = lineage.renewal.read_text(encoding="utf-8")
    assert lineage.params["authenticator"] == lineage.params["installer"] == "apache"
    assert lineage.params["renew_hook"] == hook
    issued = len(world.jprs.issued)

    result = jprs(world, "adopt", name, "--yes")
    assert result.returncode == 0, f"{result}"
    assert len(world.jprs.issued) == issued
    backup = lineage.renewal.with_name(f"{name}.conf.before-jprs")
    assert backup.read_text(encoding="utf-8") == written
    now = lineage.renewal.read_text(encoding="utf-8")
    assert "sleep" not in now
    assert lineage.params["authenticator"] == lineage.params["installer"] == NAME
    gone = {line.partition(" ")[0] for line in written.splitlines() if line not in now.splitlines()}
    assert gone == {"authenticator", "installer", "renew_hook"}

    world.ocsp.lag = 2
    with world.watch(name) as watcher:
        certbot(world, f"{RENEW} --force-renewal --jprs-ocsp-interval 1").check()
        time.sleep(0.2)
    waited(world, watcher, world.jprs.issued[-1].serial)
    assert lineage.version() == 3
    renewed = lineage.renewal.read_text(encoding="utf-8")
    assert "sleep" not in renewed
    assert lineage.params["authenticator"] == lineage.params["installer"] == NAME
    version = next(line for line in written.splitlines() if line.startswith("version"))
    assert version in renewed.splitlines()  # by that same Certbot
