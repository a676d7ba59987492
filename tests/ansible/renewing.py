"""Renewal as the scheduler does it that the role leaves on a host."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.lab import Running
from tests.lab.site import Host

DUE = "10 years"
CRON = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "HOME": "/root", "LOGNAME": "root"}


def status(host: Host, command: str) -> dict[str, Any]:
    """Returns what ``certbot-jprs status --json`` tells of a host."""
    document: dict[str, Any] = json.loads(host.run(command, "status", "--json").stdout)
    return document


def make_due(host: Host, *names: str) -> None:
    """Makes certificates due, as if their end were near."""
    for name in names:
        host.lineage(name).set("renew_before_expiry", DUE, None)


def spawn(host: Host, scheduler: str) -> Running:
    """Starts what a line of ``/etc/cron.d`` runs, in cron's environment, without its delays.

    Args:
        host: where.
        scheduler: from the status: file and line number.
    """
    path, _colon, number = scheduler.rpartition(":")
    line = host.read(path).splitlines()[int(number) - 1]
    command = re.sub(r"^(\S+ +){5}root +", "", line).replace("rand(43200)", "1")
    if "--no-random-sleep-on-renew" not in command:
        command += " --no-random-sleep-on-renew"
    given = {**CRON, "REQUESTS_CA_BUNDLE": host.environment()["REQUESTS_CA_BUNDLE"]}
    words = [f"{key}={value}" for key, value in given.items()]
    return host.spawn("env", "-i", *words, "/bin/sh", "-c", command)
