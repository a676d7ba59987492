"""Hooks: whether they can be run, stop what should run, or sleep."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from typing import Any

from certbot_jprs.check.case import Case
from certbot_jprs.check.report import Report
from certbot_jprs.ground.language import _
from certbot_jprs.lineage.adoption import without_sleep
from certbot_jprs.machine.schedulers import HOOK_DIRECTORIES, Found

HOOKS = ("pre_hook", "renew_hook", "deploy_hook", "post_hook")

# A word that the shell itself understands needs no program.
_SHELL = {
    *("!", ".", ":", "[", "{", "(", "case", "cd", "command", "echo", "eval", "exec", "export"),
    *("false", "for", "if", "printf", "set", "test", "trap", "true", "umask", "unset", "until"),
    "while",
}
_STOPS = re.compile(
    r"""(?:^|[;&|(]|\bsudo\s)\s*(?:/\S*/)?(?:
        systemctl\s+(?:-\S+\s+)*stop
      | (?:service|rc-service|/etc/init\.d/)\S*\s+\S+\s+stop | \S*/?init\.d/\S+\s+stop
      | (?:apachectl|apache2ctl|httpd|apache2|nginx)\s+(?:-k\s+|-s\s+)?(?:stop|graceful-stop|quit)
      | (?:docker|podman)\s+(?:\S+\s+)*(?:stop|kill)
    )\b""",
    re.VERBOSE | re.MULTILINE,
)


def check(report: Report, case: Case, found: Found) -> None:
    """Checks the hooks of the command, or of the lineage, and those of every lineage.

    Args:
        report: where to write.
        case: the command.
        found: the sleeps outside the renewal file.
    """
    _check_hooks(report, case)
    _check_sleeps(report, case, found)


def _hooks(case: Case) -> dict[str, str]:
    """Returns the hooks of the command, or else of the lineage, by Certbot's names."""
    stored: Any = case.lineage.params if case.lineage is not None else {}
    found = {}
    for kind in HOOKS:
        value = getattr(case.config, kind, None) or stored.get(kind)
        if isinstance(value, str) and value not in ("", "None"):
            found[kind] = value
    return found


def _check_hooks(report: Report, case: Case) -> None:
    hooks = _hooks(case)
    for kind, command in hooks.items():
        program = missing_program(command)
        if program:
            report.warn(
                _(
                    "The {kind} runs {program}, which is not there or not executable. Correct its "
                    "path, or make it executable: chmod +x {program}"
                ).format(kind=kind.replace("_", "-"), program=program)
            )
    if stops(hooks.get("pre_hook", "")):
        _warn_of_stop(report, "pre-hook")
    for kind in HOOK_DIRECTORIES:
        _check_directory(report, os.path.join(case.config_dir, "renewal-hooks", kind))


def stops(command: str) -> bool:
    """Tells whether a hook stops a service.

    Args:
        command: the shell's command, or a script.
    """
    return _STOPS.search(command) is not None


def missing_program(command: str) -> str:
    """Returns the first word of a command if that cannot be run, else nothing.

    Args:
        command: the shell's command.
    """
    try:
        word = (shlex.split(command) or [""])[0].rstrip(";")
    except ValueError:  # an open quotation mark: the shell will say so
        return ""
    if not word or word in _SHELL or "=" in word or "$" in word or "`" in word:
        return ""
    path = ":".join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/sbin"])
    return "" if shutil.which(word, path=path) else word


def _check_directory(report: Report, directory: str) -> None:
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return
    for name in names:
        path = os.path.join(directory, name)
        if not os.path.isfile(path) or name.endswith("~"):  # Certbot's own rule
            continue
        if not os.access(path, os.X_OK):
            report.warn(
                _(
                    "{path} is not executable, so Certbot passes it over. Run: chmod +x {path}"
                ).format(path=path)
            )
        elif os.path.basename(directory) == "pre" and stops(_read(path)):
            _warn_of_stop(report, path)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 16)
    except OSError:
        return ""


def _warn_of_stop(report: Report, where: str) -> None:
    report.warn(
        _(
            "{where} stops a service, which would stay stopped until the post-hook, during the "
            "whole wait for the OCSP server (about 10 minutes). http-01 by Apache, nginx or "
            "--webroot needs no stop: remove it."
        ).format(where=where)
    )


def _check_sleeps(report: Report, case: Case, found: Found) -> None:
    for kind, command in _hooks(case).items():
        if kind != "pre_hook" and without_sleep(command, case.installs) != command:
            name = case.lineage.name if case.lineage is not None else "NAME"
            report.warn(
                _(
                    "The {kind} `{command}` sleeps. The plugin waits for the OCSP server itself. "
                    "To have the sleep removed: certbot-jprs adopt {name}"
                ).format(kind=kind.replace("_", "-"), command=command, name=name)
                if case.lineage is not None and case.lineage.params.get(kind) == command
                else _(
                    "The {kind} `{command}` sleeps. The plugin waits for the OCSP server itself: "
                    "leave the sleep out."
                ).format(kind=kind.replace("_", "-"), command=command)
            )
    for sleep in found.sleeps:
        report.warn(sleep.explain())
