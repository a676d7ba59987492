"""Turning a lineage set up by JPRS's manual into the plugin's, by editing its renewal file.

Why not Certbot's ``reconfigure``: it performs a dry run, which JPRS does not offer.

Rules of this file: the file is replaced atomically or not at all; its mode, owner and security
context stay; a backup is kept beside it; comments and unknown keys survive.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import shutil
from dataclasses import dataclass

import configobj

from certbot_jprs.ground.options import DEST
from certbot_jprs.internals.delegate import WebServer
from certbot_jprs.internals.delegates import APACHE, WEB_SERVERS
from certbot_jprs.internals.delegation import Roles, of_lineage
from certbot_jprs.lineage import durable, files
from certbot_jprs.lineage.files import Lineage

# Quoted or escaped text, variables and comments, in which the words of a hook are no commands.
_OPAQUE = re.compile(
    r"""'[^']*'|"(?:[^"\\]|\\.)*"|\\.|\$\{[^}]*\}|(?:^|(?<=\s))\#[^\n]*""", re.DOTALL
)

# Where more than a row of commands is written, a pause may mean something else: a loop that
# polls, a condition whose outcome is the sleep's.
_COMPOUND = re.compile(r"\b(?:if|elif|case|while|until|for|select|function)\b|[(){}`]|<<")

_SLEEPS = re.compile(
    r"\s*(?P<led>^|(?<!;);|&&|(?<![|<>&])&)"
    r"(?P<sleeps>(?:\s*(?:(?:/usr)?/bin/)?sleep(?:[ \t]+[0-9.]+[smhd]?)+"
    r"[ \t]*(?:;(?!;)|&&|\n|$))+)\s*"
)
_SEPARATOR = re.compile(r";|&&|\n")


def without_sleep(hook: str | None, server: WebServer | None = APACHE) -> str | None:
    """Removes from a deploy hook what the plugin does better.

    A ``sleep`` before the reload is what JPRS's manual prescribes; the plugin waits for the OCSP
    responder instead. If only a reload of the web server remains in which the plugin installs,
    that goes too: the plugin reloads it.
    Where a ``sleep`` may mean something else, as in quotes or in a loop, the hook stays as it is.

    Args:
        hook: the hook's shell command, or None.
        server: that web server; None where the plugin installs in none.

    Returns:
        What is left to run, or None where nothing is.
    """
    if hook is None:
        return None
    visible = _OPAQUE.sub(lambda match: "x" * len(match.group()), hook)
    sleeps = [] if _COMPOUND.search(visible) or "$?" in hook else [*_SLEEPS.finditer(visible)]
    if not sleeps:
        return hook
    left = hook
    for match in reversed(sleeps):
        left = left[: match.start()] + _in_place_of(match) + left[match.end() :]
    left = left.strip()
    return None if not left or (server is not None and server.reloads(left)) else left


def _in_place_of(sleeps: re.Match[str]) -> str:
    """Returns what separates the commands around ``sleeps``, once those are gone."""
    led = sleeps["led"]
    if sleeps.end() == len(sleeps.string):
        return " &" if led == "&" else ""
    if led == "&&":  # "a && sleep 1; b" runs b also where a fails
        ends = _SEPARATOR.findall(sleeps["sleeps"])
        led = next((end for end in ends if end != "&&"), " &&")
    return {"": "", "&": " & ", "\n": "\n"}.get(led, f"{led} ")


@dataclass(frozen=True)
class Change:
    """The change of one renewal file.

    Attributes:
        before: its lines as they are.
        after: its lines as they are to be.
    """

    before: list[str]
    after: list[str]


def plan(lineage: Lineage, roles: Roles) -> Change:
    """Works out the renewal file of a lineage that becomes the plugin's.

    Args:
        lineage: the lineage as it is.
        roles: the delegates through which the plugin shall validate and install its renewals;
            None leaves that to whom it is left now.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not a renewal file, or one that cannot be rewritten.
    """
    lines = files.load_lines(lineage.renewal_file)
    conf = files.parse(lines, lineage.renewal_file)
    params = conf.get("renewalparams")
    if not isinstance(params, configobj.Section):
        raise ValueError(f"{lineage.renewal_file} is not a renewal file")
    conf.indent_type = ""
    for key, comment in params.inline_comments.items():
        if comment:  # written as it is read, "#" would follow the value without a space
            params.inline_comments[key] = comment.lstrip("# ")
    written = _written(conf, lineage)
    _edit(params, roles)
    rewritten = _written(conf, lineage)
    for after in (_as_in_file(lines, written, rewritten), rewritten):
        if _reads_as(after, conf):  # ConfigObj misquotes some values of several lines
            return Change(lines, after)
    raise ValueError(f"{lineage.renewal_file} has a value that cannot be written back")


def _reads_as(lines: list[str], conf: configobj.ConfigObj) -> bool:
    try:
        return bool(files.parse(lines, "") == conf)
    except ValueError:
        return False


def _edit(params: configobj.Section, roles: Roles) -> None:
    """Makes the ``[renewalparams]`` of a lineage the plugin's."""
    for dest, value in roles.params().items():
        if value is not None:
            params[dest] = value
        else:
            params.pop(dest, None)
    if "key_type" in params or roles.authenticator is not None:
        params["key_type"] = "rsa"
    for key in ("renew_hook", "deploy_hook"):
        if isinstance(params.get(key), str):
            hook = without_sleep(params[key], roles.installer)
            if hook is None:
                del params[key]
            else:
                params[key] = hook
    for server in [each for each in WEB_SERVERS if each in (roles.authenticator, roles.installer)]:
        for key in [key for key in params if key.startswith(server.prefix)]:
            params.pop(DEST + key, None)  # of an earlier time with this plugin
            params.rename(key, DEST + key)


def _written(conf: configobj.ConfigObj, lineage: Lineage) -> list[str]:
    """Returns the lines that ConfigObj writes.

    Raises:
        ValueError: it cannot quote a value.
    """
    try:
        text = "\n".join(conf.write())
    except configobj.ConfigObjError as error:
        raise ValueError(f"{lineage.renewal_file}: {error}") from error
    return text.splitlines()  # a value may have several


def _as_in_file(lines: list[str], before: list[str], after: list[str]) -> list[str]:
    """Returns the lines after a change, as ConfigObj writes only those that differ.

    It loses blanks and quotes, and the space before a comment, of every other line too, and
    with a key the comment above it.

    Args:
        lines: the file's lines.
        before: the same as ConfigObj writes them.
        after: what ConfigObj writes after the change.
    """
    if len(lines) != len(before):
        return after
    result = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for operation, i1, i2, j1, j2 in matcher.get_opcodes():
        if operation == "equal":
            result += lines[i1:i2]
            continue
        result += after[j1:j2]
        result += [
            line
            for line in lines[i1:i2]
            if line.lstrip().startswith("#") and line not in after[j1:j2]
        ]
    return result


def hook_without_sleep(lineage: Lineage) -> str | None:
    """Returns a lineage's deploy hook without what the plugin does better.

    Args:
        lineage: the lineage.
    """
    return without_sleep(lineage.deploy_hook, of_lineage(lineage.params).installer)


def write(lineage: Lineage, change: Change) -> str | None:
    """Replaces the renewal file of a lineage.

    Args:
        lineage: whose file it is.
        change: what ``plan`` returned.

    Returns:
        The path of the backup, or None where there was nothing to change.

    Raises:
        OSError: it could not be written; then the old file is as it was.
    """
    if change.before == change.after:
        return None
    path = os.path.realpath(lineage.renewal_file)  # a link stays one
    backup = durable.unused(f"{lineage.renewal_file}.before-jprs")
    try:
        shutil.copy2(path, backup)
        durable.copy_attributes(path, backup)
        durable.write(path, "\n".join(change.after) + "\n")
    except BaseException:
        with contextlib.suppress(OSError):
            if files.load_lines(path) == change.before:  # else it is what the change took away
                os.unlink(backup)
        raise
    return backup
