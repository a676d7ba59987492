"""What renews certificates on this machine, and the sleeps in it: timers, cron, hooks.

JPRS's manual has customers write ``sleep 10m`` into root's crontab; others write it into
``cli.ini``, systemd units or ``renewal-hooks/``. Nothing of that is changed here: the exact line
to write instead is worked out, and the administrator writes it.

Rules of this file: it reads only; what cannot be read is passed over. Scripts that cron or a
timer calls are not followed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from certbot_jprs.ground.language import _
from certbot_jprs.lineage.adoption import without_sleep

WAIT = "certbot-jprs wait-ocsp"

UNIT_DIRECTORIES = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
CRON_FILES = ("/etc/crontab", "/etc/anacrontab")
CRON_DIRECTORIES = ("/etc/cron.d", "/var/spool/cron", "/var/spool/cron/crontabs")
SCRIPT_DIRECTORIES = tuple(f"/etc/cron.{each}" for each in ("hourly", "daily", "weekly", "monthly"))
MANAGER_FILES = ("/etc/systemd/system.conf", "/etc/systemd/system.conf.d")
# What RHEL's certbot-renew.service, and some Debian units, take their options from.
ENVIRONMENT_FILES = ("/etc/sysconfig/certbot", "/etc/default/certbot")
HOOK_DIRECTORIES = ("pre", "deploy", "post")

_CERTBOT = re.compile(r"(?<![\w-])certbot(?:-auto)?(?![\w-])")
_RENEW = re.compile(r"(?<![\w-])(?:renew|certbot\.renew)(?![\w-])")
_HOOK_OPTION = re.compile(
    r"""\s*--(?P<hook>deploy-hook|renew-hook|post-hook)(?:=|\s+)
    (?P<quote>["'])(?P<command>(?:(?!(?P=quote))[^\\]|\\.)*)(?P=quote)""",
    re.VERBOSE,
)
_INI_HOOK = re.compile(
    r"\s*(?P<hook>deploy-hook|renew-hook|post-hook)\s*[=:]\s*(?P<command>\S.*?)\s*"
)
_UNIT_SLEEP = re.compile(r"Exec\w+\s*=\s*[-@:+!]*(?:/usr)?/?(?:bin/)?sleep\b.*")


@dataclass(frozen=True)
class Sleep:
    """A sleep that the wait for the OCSP responder replaces.

    Attributes:
        path: the file.
        line: the line's number, from 1.
        text: the line as it is.
        instead: the line to write; empty where it is to be deleted.
    """

    path: str
    line: int
    text: str
    instead: str

    def explain(self) -> str:
        """Says what to write instead of the line."""
        message = (
            _("{path}:{line} sleeps: `{text}`. Write instead: {instead}")
            if self.instead
            else _("{path}:{line} sleeps: `{text}`. Delete that line.")
        )
        return message.format(**vars(self))


@dataclass(frozen=True)
class Scheduler:
    """Something that runs ``certbot renew`` regularly.

    Attributes:
        where: a timer's name, or a file and the line's number.
        sets_proxy: whether its definition sets a proxy for what it runs.
    """

    where: str
    sets_proxy: bool


@dataclass
class Found:
    """What was found on a machine."""

    schedulers: list[Scheduler] = field(default_factory=list)
    sleeps: list[Sleep] = field(default_factory=list)


def find(config_dir: str, root: str = "") -> Found:
    """Looks for what renews certificates, and for sleeps in it.

    Args:
        config_dir: Certbot's configuration directory.
        root: where the machine's files are, for tests.
    """
    found = Found()
    _find_timers(found, root)
    _find_cron(found, root)
    ini = os.path.join(config_dir, "cli.ini")
    for number, line in _lines(ini):
        match = _INI_HOOK.fullmatch(line)
        if match is not None:
            instead = _replacement(match["command"], match["hook"])
            if instead is not None:
                new = f"{match['hook']} = {instead}" if instead else ""
                found.sleeps.append(Sleep(ini, number, line, new))
    for kind in HOOK_DIRECTORIES:
        for path in _files(os.path.join(config_dir, "renewal-hooks", kind)):
            for number, line in _lines(path):
                left = without_sleep(line.strip())
                if left != line.strip():
                    found.sleeps.append(Sleep(path, number, line.strip(), left or ""))
    return found


# systemd


def _find_timers(found: Found, root: str) -> None:
    environments = [root + path for path in ENVIRONMENT_FILES]
    for path in environments:
        for number, line in _lines(path):
            _find_sleep_in_command(found, path, number, line)
    managed = _sets_proxy([*environments, *(root + path for path in MANAGER_FILES)])
    runs = os.path.isdir(root + "/run/systemd/system")
    seen: set[str] = set()
    for directory in UNIT_DIRECTORIES:
        for path in _files(root + directory):
            unit = os.path.basename(path)
            if unit.endswith(".service") and unit not in seen:
                seen.add(unit)
                parts = [path, *_drop_ins(root, unit)]
                if not any(_runs_renew(line) for part in parts for _n, line in _lines(part)):
                    continue
                for part in parts:
                    _find_unit_sleeps(found, part)
                timer = unit[: -len(".service")] + ".timer"
                if runs and _is_enabled(root, timer):
                    found.schedulers.append(Scheduler(timer, managed or _sets_proxy(parts)))


def _drop_ins(root: str, unit: str) -> list[str]:
    found: list[str] = []
    for directory in UNIT_DIRECTORIES:
        found += [path for path in _files(f"{root}{directory}/{unit}.d") if path.endswith(".conf")]
    return found


def _is_enabled(root: str, timer: str) -> bool:
    """Tells whether a timer is wanted by anything, and not masked."""
    for directory in UNIT_DIRECTORIES[:2]:
        if os.path.realpath(f"{root}{directory}/{timer}") == "/dev/null":
            return False
    for directory in UNIT_DIRECTORIES:
        try:
            entries = os.listdir(root + directory)
        except OSError:
            continue
        for entry in entries:
            wants = entry.endswith((".wants", ".requires"))
            if wants and os.path.lexists(f"{root}{directory}/{entry}/{timer}"):
                return True
    return False


def _find_unit_sleeps(found: Found, path: str) -> None:
    for number, line in _lines(path):
        if _UNIT_SLEEP.fullmatch(line.strip()):
            found.sleeps.append(Sleep(path, number, line.strip(), ""))
        else:
            _find_sleep_in_command(found, path, number, line)


# cron


def _find_cron(found: Found, root: str) -> None:
    tables = [root + path for path in CRON_FILES]
    for directory in CRON_DIRECTORIES:
        tables += _files(root + directory)
    for path in tables:
        sets_proxy = _sets_proxy([path])
        for number, line in _lines(path):
            if _runs_renew(line):
                _find_sleep_in_command(found, path, number, line)
                if not _only_without_systemd(line, root):
                    found.schedulers.append(Scheduler(f"{path}:{number}", sets_proxy))
    for directory in SCRIPT_DIRECTORIES:
        for path in _files(root + directory):
            for number, line in _lines(path):
                if _runs_renew(line):
                    _find_sleep_in_command(found, path, number, line)
                    if os.access(path, os.X_OK) and not _only_without_systemd(line, root):
                        found.schedulers.append(Scheduler(f"{path}:{number}", _sets_proxy([path])))


def _only_without_systemd(line: str, root: str) -> bool:
    """Tells whether a line does nothing here, as that of Debian's package where systemd runs."""
    return "-d /run/systemd/system" in line and os.path.isdir(root + "/run/systemd/system")


# Lines


def _runs_renew(line: str) -> bool:
    return bool(_CERTBOT.search(line) and _RENEW.search(line))


def _find_sleep_in_command(found: Found, path: str, number: int, line: str) -> None:
    """Looks for a sleep in the hooks that a command line gives to Certbot."""
    new = line
    for match in reversed(list(_HOOK_OPTION.finditer(line))):
        instead = _replacement(match["command"], match["hook"])
        if instead is not None:
            quote = match["quote"]
            option = f" --{match['hook']} {quote}{instead}{quote}" if instead else ""
            new = new[: match.start()] + option + new[match.end() :]
    if new != line:
        found.sleeps.append(Sleep(path, number, line.strip(), new.strip()))


def _replacement(command: str, hook: str) -> str | None:
    """Returns the hook to write instead; empty for none, None where it has no sleep."""
    left = without_sleep(command)
    if left == command:
        return None
    if left is None:
        return ""
    # A hook given to all lineages may be for one that is not this plugin's, which waits itself.
    return f"{WAIT} --all && {left}" if hook == "post-hook" else f"{WAIT} && {left}"


def _sets_proxy(paths: list[str]) -> bool:
    every: list[str] = []
    for path in paths:
        every += _files(path) if os.path.isdir(path) else [path]
    return any(
        re.search(r"https?_proxy\s*=", line, re.IGNORECASE)
        for path in every
        for _number, line in _lines(path)
    )


def _files(directory: str) -> list[str]:
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return []
    paths = [os.path.join(directory, name) for name in names if not name.startswith(".")]
    return [path for path in paths if os.path.isfile(path)]


def _lines(path: str) -> Iterator[tuple[int, str]]:
    """Yields the lines of a file with their numbers, comments left out, continued ones joined."""
    if not os.path.isfile(path):
        return
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read(1 << 20)
    except OSError:
        return
    begun, number = "", 0
    for at, line in enumerate(text.splitlines(), 1):
        number = number or at
        if line.endswith("\\"):
            begun += line[:-1] + " "
            continue
        whole, begun = begun + line, ""
        if whole.strip() and not whole.lstrip().startswith(("#", ";")):
            yield number, whole
        number = 0
    if begun.strip():
        yield number, begun
