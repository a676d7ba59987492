"""Renews as this machine's own timer and cron job do; run on a machine, by packaging's lab.py.

A certificate is issued by the one flag; then what Debian's package of Certbot has put into
``certbot.service`` and ``/etc/cron.d/certbot`` is run with nothing but the environment that is
given there, and has to renew it.

Usage: scheduled.py [NAME=VALUE...]: what the administrator's shell has in its environment.
"""

from __future__ import annotations

import configparser
import re
import shlex
import sys
from pathlib import Path

from tests.lab import World

NAME = "www.example.jp"
UNIT = "lib/systemd/system/certbot.service"
DROP_INS = "etc/systemd/system/certbot.service.d"
CRON = "etc/cron.d/certbot"
SYSTEMD = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"}
"""What systemd gives a service on Debian, of what matters here."""


def service() -> tuple[dict[str, str], list[str]]:
    """Returns the environment and the command of the timer's service."""
    environment = dict(SYSTEMD)
    command: list[str] = []
    for path in (Path("/", UNIT), *sorted(Path("/", DROP_INS).glob("*.conf"))):
        unit = configparser.ConfigParser(interpolation=None, strict=False)
        unit.optionxform = str  # type: ignore[assignment,method-assign]
        unit.read(path)
        section = unit["Service"]
        command = shlex.split(section.get("ExecStart", "")) or command
        for word in shlex.split(section.get("Environment", "")):
            key, _, value = word.partition("=")
            environment[key] = value
    return environment, command


def cron() -> tuple[dict[str, str], list[str]]:
    """Returns the environment and the command of the cron job."""
    text = Path("/", CRON).read_text(encoding="utf-8")
    environment = dict(re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE))
    (line,) = re.findall(r"^(?:\S+ ){5}root (.*)$", text, re.MULTILINE)
    return environment, [environment["SHELL"], "-c", line.replace("rand(43200)", "1")]


def main() -> None:
    """Issues, and renews twice.

    Raises:
        AssertionError: a renewal did not take place.
    """
    shell = dict(word.split("=", 1) for word in sys.argv[1:])
    with World() as world:
        world.vhost(NAME)
        options = f"-m admin@example.jp --agree-tos --jprs-ocsp-interval 1 -d {NAME}"
        command = f"run -n -a certbot-jprs:http {options}".split()
        world.run("/usr/bin/certbot", *command, *world.eab(), env=shell).check()
        lineage = world.lineage(NAME)
        for title, (environment, words) in {"timer": service(), "cron": cron()}.items():
            lineage.set("renew_before_expiry", "10 years", None)
            before = lineage.version()
            bundle = f"REQUESTS_CA_BUNDLE={world.environment()['REQUESTS_CA_BUNDLE']}"
            given = [bundle, *(f"{key}={value}" for key, value in environment.items())]
            result = world.run("env", "-i", *given, *words)
            print(title, *given, *words)
            assert result.returncode == 0, f"{result}"
            assert lineage.version() == before + 1, f"{result}"
            assert world.served(NAME).serial == lineage.serial, "the old one is served"
    print("renewed by the timer and by cron")


if __name__ == "__main__":
    main()
