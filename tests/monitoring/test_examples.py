"""The examples for Nagios, Icinga, Zabbix and Mackerel, with what Debian has of these."""

from __future__ import annotations

import json
import re
import shlex
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e.command import COMMAND
from tests.lab import Result, World, fleet
from tests.monitoring.rules import PACKAGED

NAME = "www.example.jp"
CRON = "0 */12 * * * root certbot -q renew\n"
PATH = "/usr/bin/certbot-jprs"
NAGIOS = str(PACKAGED.parents[1] / ".venv-nagios/usr/sbin/nagios4")

NAGIOS_BASE = """\
define host {
    host_name           www1
    address             192.0.2.1
    max_check_attempts  3
    contact_groups      admins
}
define contact {
    contact_name                   root
    host_notification_period       24x7
    service_notification_period    24x7
    host_notification_commands     none
    service_notification_commands  none
}
define command {
    command_name  none
    command_line  /bin/true
}
define contactgroup {
    contactgroup_name  admins
    members            root
}
define timeperiod {
    timeperiod_name  24x7
    alias            always
}
"""

ICINGA_BASE = """\
const PluginDir = "/usr/lib/nagios/plugins"
include <itl>
include <plugins>
object Host "www1" { check_command = "hostalive"; address = "192.0.2.1"; vars.jprs = "nrpe" }
object Host "www2" { check_command = "hostalive"; address = "192.0.2.4"; vars.jprs = "ssh" }
object Host "db1" { check_command = "hostalive"; address = "192.0.2.9" }
"""


def example(path: str) -> str:
    """Returns an example's text, with the command where the tests have it."""
    return (PACKAGED / path).read_text(encoding="utf-8").replace(PATH, COMMAND)


def let_in(world: World, user: str, sudoers: str) -> None:
    """Makes a host on which a daemon's user may run the one command as root, by sudo."""
    world.write("/etc/sudoers", "Defaults env_reset\n@includedir /etc/sudoers.d\n", 0o440)
    for old in world.path("/etc/sudoers.d").iterdir():
        old.unlink()
    world.write("/etc/sudoers.d/certbot-jprs", example(sudoers), 0o440)
    entries = [f"{each}:*:19000:0:99999:7:::\n" for each in ("root", user)]
    world.write("/etc/shadow", "".join(entries), 0o600)


def as_user(world: World, user: str, command: Sequence[str]) -> Result:
    """Runs a command as a daemon's user."""
    return world.run("setpriv", f"--reuid={user}", "--clear-groups", "--", *command)


def checked(world: World, plugin: str) -> Result:
    """Asks the host as the Nagios server's command does, by ``check_nrpe`` or ``check_by_ssh``."""
    (line,) = re.findall(rf"command_line +(\S+{plugin} .*)", example("nagios/objects.cfg"))
    return world.run(*shlex.split(line.replace("$HOSTADDRESS$", "192.0.2.1")))


def start_nrpe(world: World) -> None:
    """Starts Debian's NRPE on the host, with the packaged command."""
    let_in(world, "nagios", "nagios/sudoers")
    text = "server_port=5666\nserver_address=192.0.2.1\nnrpe_user=nagios\nnrpe_group=nagios\n"
    text += "allowed_hosts=127.0.0.1,192.0.2.1\ncommand_timeout=60\n"
    world.write("/run/nrpe/nrpe.cfg", text + example("nagios/nrpe.cfg"))
    world.spawn("/usr/sbin/nrpe", "-c", "/run/nrpe/nrpe.cfg", "-f")
    deadline = time.monotonic() + 60
    while not world.listening(5666):
        assert time.monotonic() < deadline, "NRPE does not listen"
        time.sleep(0.1)


SSHD = """\
ListenAddress 192.0.2.1
HostKey /run/ssh/host
AuthorizedKeysFile /run/ssh/nagios.pub
StrictModes no
UsePAM no
"""
SSH = """\
Host *
IdentityFile /run/ssh/nagios
UserKnownHostsFile /run/ssh/known
StrictHostKeyChecking accept-new
LogLevel ERROR
"""


def start_sshd(world: World) -> None:
    """Starts Debian's sshd on the host, and gives the account nagios a key and a shell."""
    let_in(world, "nagios", "nagios/sudoers")
    passwd = re.sub(r"(?m)^(nagios:.*):.*$", r"\1:/bin/sh", world.read("/etc/passwd"))
    world.write("/etc/passwd", passwd)
    world.write("/etc/ssh/sshd_config", SSHD)
    world.write("/etc/ssh/ssh_config", SSH)
    for path in ("/run/ssh", "/run/sshd"):
        world.path(path).mkdir()
    for name in ("host", "nagios"):
        world.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"/run/ssh/{name}").check()
    world.spawn("/usr/sbin/sshd", "-D", "-e").wait_for("listening on 192.0.2.1")


def test_nagios_gets_status_and_first_line_by_nrpe(world: World) -> None:
    world.write("/etc/cron.d/certbot", CRON)
    (issued,) = fleet.found(world, [NAME])
    start_nrpe(world)
    well = checked(world, "check_nrpe")
    assert (well.returncode, well.stdout.splitlines()[0]) == (
        0,
        "OK: 1 JPRS certificate(s), 0 with problems",
    ), f"{well}"
    world.ocsp.behave("revoked", serial=issued.serial)
    revoked = checked(world, "check_nrpe")
    assert revoked.returncode == 2, f"{revoked}"
    assert revoked.stdout.startswith("CRITICAL: 1 JPRS certificate(s), 1 with problems\n")
    world.ocsp.behave(None)
    world.path("/etc/cron.d/certbot").unlink()
    assert checked(world, "check_nrpe").stdout.startswith("WARNING: ")
    # What is not allowed is not run: unknown, not well.
    world.path("/etc/sudoers.d/certbot-jprs").unlink()
    refused = checked(world, "check_nrpe")
    assert refused.returncode not in (0, 1, 2), f"{refused}"


def test_nagios_gets_them_by_ssh(world: World) -> None:
    world.write("/etc/cron.d/certbot", CRON)
    fleet.found(world, [NAME])
    start_sshd(world)
    well = checked(world, "check_by_ssh")
    assert well.returncode == 0, f"{well}"
    assert well.stdout.startswith("OK: 1 JPRS certificate(s), 0 with problems\n")
    world.path("/etc/cron.d/certbot").unlink()
    warned = checked(world, "check_by_ssh")
    assert warned.returncode == 1, f"{warned}"
    assert warned.stdout.startswith("WARNING: ")
    world.path("/run/ssh/nagios.pub").unlink()
    refused = checked(world, "check_by_ssh")
    assert refused.returncode == 3, f"{refused}"


def test_the_objects_of_nagios_are_right(world: World) -> None:
    world.write("/run/nagios/base.cfg", NAGIOS_BASE)

    def verified(objects: str) -> Result:
        world.write("/run/nagios/objects.cfg", objects)
        files = "".join(f"cfg_file=/run/nagios/{each}.cfg\n" for each in ("base", "objects"))
        world.write(
            "/run/nagios/nagios.cfg",
            f"log_file=/run/nagios/log\ncheck_result_path=/run/tmp\n{files}",
        )
        return world.run(NAGIOS, "--verify-config", "/run/nagios/nagios.cfg")

    objects = example("nagios/objects.cfg")
    right = verified(objects)
    assert "Total Errors:   0" in right.output, f"{right}"
    assert right.returncode == 0
    assert "Checked 1 services." in right.output
    wrong = verified(objects.replace("check_certbot_jprs_by_nrpe\n", "check_another\n", 1))
    assert wrong.returncode != 0, f"{wrong}"


def test_the_objects_of_icinga_are_right(world: World) -> None:
    home = world.path("/run/icinga")
    home.mkdir()
    home.chmod(0o777)  # Icinga gives root's rights up

    def verified(text: str) -> Result:
        world.write("/run/icinga/icinga2.conf", ICINGA_BASE + text)
        names = ("DataDir", "CacheDir", "LogDir", "InitRunDir")
        definitions = [word for name in names for word in ("-D", f"{name}=/run/icinga")]
        checked = world.run(
            "icinga2", "daemon", "-C", "-c", "/run/icinga/icinga2.conf", *definitions
        )
        listed = world.run("icinga2", "object", "list", "-t", "Service", *definitions)
        return checked if checked.returncode else listed

    text = example("nagios/icinga2.conf")
    right = verified(text).check().stdout
    hosts = re.findall(r"Object '(\w+)!jprs-certificates' of type 'Service'", right)
    assert sorted(hosts) == ["www1", "www2"]
    assert "certbot-jprs status" in right
    assert 'check_command = "nrpe"' in right
    wrong = verified(text.replace('check_command = "nrpe"', 'check_command = "nrpes"'))
    assert wrong.returncode != 0
    assert "nrpes" in wrong.output


def test_the_agent_of_zabbix_gets_the_json(world: World) -> None:
    world.write("/etc/cron.d/certbot", CRON)
    fleet.found(world, [NAME])
    let_in(world, "zabbix", "zabbix/sudoers")
    text = "Server=127.0.0.1\nLogType=console\n" + example("zabbix/userparameter.conf")
    world.write("/run/zabbix/zabbix_agentd.conf", text)
    asked = ("zabbix_agentd", "-c", "/run/zabbix/zabbix_agentd.conf", "-t", "certbot_jprs.status")
    told = as_user(world, "zabbix", asked)
    found = re.search(r"^certbot_jprs\.status +\[t\|(.*)\]$", told.stdout, re.DOTALL)
    assert found is not None, f"{told}"
    said = json.loads(found[1])
    assert said["status"] == 0, said
    assert [each["name"] for each in said["certificates"]] == [NAME]
    world.path("/etc/sudoers.d/certbot-jprs").unlink()
    refused = as_user(world, "zabbix", asked)
    assert "sudo: a password is required" in refused.output, f"{refused}"


def test_the_configuration_of_mackerel_names_commands_that_work(world: World) -> None:
    """Mackerel's agent is not in Debian; what it reads and runs is looked at."""
    tomllib = pytest.importorskip("tomllib", reason="Python 3.11")
    world.write("/etc/cron.d/certbot", CRON)
    fleet.found(world, [NAME])
    plugins = tomllib.loads(example("mackerel/mackerel-agent.conf"))["plugin"]
    check = plugins["checks"]["certbot-jprs"]
    done = world.run(*check["command"], env=check["env"]).check()
    assert done.stdout.startswith("正常: ")
    assert done.seconds < check["timeout_seconds"]
    _python, script, _file = plugins["metrics"]["certbot-jprs"]["command"]
    assert (PACKAGED / "mackerel" / Path(script).name).is_file()
