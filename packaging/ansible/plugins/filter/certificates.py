"""Filters of the role: which certificates are missing, and how Certbot is asked for them.

Rules of this file: it runs on the controller, with the standard library alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

PLUGIN = "certbot-jprs:http"

# What an installer adds to Certbot's command line; `run` installs, `certonly` does not.
INSTALLERS = {
    "apache": ["run"],
    "nginx": ["run", "--nginx"],
    "webroot": ["certonly", "--webroot"],
    "standalone": ["certonly", "--standalone"],
    "none": ["certonly"],
}


def name_of(certificate: Mapping[str, Any]) -> str:
    """Returns what Certbot calls a certificate."""
    return str(certificate.get("name") or certificate["names"][0])


def title(certificate: Mapping[str, Any]) -> str:
    """Returns a certificate's name with the names in it, for people."""
    return f"{name_of(certificate)} ({', '.join(certificate['names'])})"


def missing(
    certificates: Iterable[Mapping[str, Any]], status: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """Returns the certificates that a host does not have, or has with other names.

    Args:
        certificates: those that it shall have.
        status: what ``certbot-jprs status --json`` says of it.
    """
    there = {each["name"]: set(each["names"]) for each in status["certificates"]}
    return [
        each
        for each in certificates
        if there.get(name_of(each)) != {name.lower() for name in each["names"]}
    ]


def words(certificate: Mapping[str, Any]) -> list[str]:
    """Returns the words of Certbot's command line for a certificate.

    Raises:
        ValueError: a webroot without a directory, or an installer that there is not.
    """
    installer = certificate.get("installer") or "apache"
    if installer not in INSTALLERS:
        raise ValueError(f"{title(certificate)}: there is no installer {installer!r}")
    if installer == "webroot" and not certificate.get("webroot"):
        raise ValueError(f"{title(certificate)}: with the installer webroot, give webroot, too")
    verb, *how = INSTALLERS[installer]
    if installer == "webroot":
        how += ["--webroot-path", certificate["webroot"]]
    authenticator = certificate.get("authenticator")
    who = ["-a", authenticator, "-i", PLUGIN] if authenticator else ["-a", PLUGIN]
    named = ["--cert-name", name_of(certificate)]
    named += [word for name in certificate["names"] for word in ("-d", name)]
    options = [str(option) for option in certificate.get("options") or ()]
    return [verb, *how, "-n", *who, *named, *options]


def failures(results: Iterable[Mapping[str, Any]]) -> str:
    """Returns what rehearsals found that would fail; empty where they found nothing.

    Args:
        results: of the commands, one for each certificate.
    """
    found = []
    for result in results:
        if result.get("rc") == 0:
            continue
        said = [*result.get("stdout_lines", ()), *result.get("stderr_lines", ())]
        failed = [line for line in said if line.startswith("FAIL")]
        what = failed or said or [str(result.get("msg", "it could not be run"))]
        found.append(f"{title(result['jprs_item'])}: " + "\n".join(what))
    return "\n".join(found)


def reason(result: Mapping[str, Any]) -> str:
    """Returns why a task failed: for one that is a loop, what its items say.

    Args:
        result: ``ansible_failed_result``.
    """
    results = result.get("results")
    if isinstance(results, Sequence) and not isinstance(results, str):
        failed = [reason(each) for each in results if each.get("failed")]
        if failed:
            return "\n".join(failed)
    said = [str(result.get(key) or "") for key in ("msg", "stderr", "stdout")]
    return "\n".join(text for text in said if text)


def surplus(schedulers: Iterable[str], kept: str) -> list[str]:
    """Returns what renews beside the one that stays, the last line of each file first.

    Args:
        schedulers: from ``certbot-jprs status --json``: timers, or files and line numbers.
        kept: the timer or the file that stays.
    """

    def order(scheduler: str) -> tuple[str, int]:
        path, _colon, number = scheduler.rpartition(":")
        return path or scheduler, -int(number) if number.isdigit() else 0

    others = (each for each in schedulers if each.rpartition(":")[0] != kept and each != kept)
    return sorted(others, key=order)


def problems(status: Mapping[str, Any]) -> list[str]:
    """Returns what a status says is wrong, a line each."""
    found = [
        (str(each["name"]), problem)
        for each in status["certificates"]
        for problem in each["problems"]
    ]
    found += [("host", problem) for problem in status["problems"]]
    return [f"{each['level']}: {where}: {each['message']}" for where, each in found]


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Any]:
        """Returns the filters by name."""
        every = (failures, missing, problems, reason, surplus, title, words)
        return {each.__name__: each for each in every}
