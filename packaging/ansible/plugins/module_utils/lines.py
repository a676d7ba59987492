"""What a line of cron's does besides running ``certbot renew``.

Rules of this file: the standard library alone; what is not understood counts as something else.
"""

from __future__ import annotations

import os
import re
import shlex

FIELDS = r"\s*(?:@\w+|\S+(?:\s+\S+){4})\s+"
SCHEDULES = (  # what stands before the command, by where the file is
    (r"/etc/crontab|/etc/cron\.d/.*", FIELDS + r"\S+\s+"),
    (r"/var/spool/cron/.*", FIELDS),
    (r"/etc/anacrontab", r"\s*(?:\S+\s+){3}"),
)
SEPARATORS = {";", "&&", "||", "|", "&"}
HOOKS = ("--deploy-hook", "--renew-hook", "--post-hook", "--pre-hook")
DELAYS = {"[", "sleep", "test"}
CONTROLS = {"apachectl", "apache2ctl", "httpd", "nginx"}
MANAGERS = {"service", "systemctl"}
RELOADS = {"graceful", "reload", "reload-or-restart", "restart", "try-reload-or-restart"}
WEB_SERVERS = {"apache2", "httpd", "nginx"}


def _commands(text: str) -> list[list[str]]:
    """Returns the simple commands of a shell command line, each as its words.

    Raises:
        ValueError: a quotation that does not end.
    """
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    found: list[list[str]] = [[]]
    for word in lexer:
        if word in SEPARATORS:
            found.append([])
        else:
            found[-1].append(word)
    return [each for each in found if each]


def _without_assignments(words: list[str]) -> list[str]:
    """Returns a simple command without the variables that are set for it."""
    while words and re.match(r"\w+=", words[0]):
        words = words[1:]
    return words


def command_of(path: str, line: str) -> str:
    """Returns the command in a line, without the times and the user before it."""
    for place, schedule in SCHEDULES:
        if re.fullmatch(place, path):
            return re.sub(schedule, "", line, count=1)
    return line


def besides(command: str) -> list[str]:
    """Returns what a command line does besides waiting and renewing; empty where that is all."""
    try:
        every = _commands(command)
        return [found for each in every for found in _of_command(_without_assignments(each))]
    except ValueError:
        return [command.strip()]


def _of_command(words: list[str]) -> list[str]:
    if not words:
        return []
    first = os.path.basename(words[0])
    if first in DELAYS or (re.match("perl|python", first) and "sleep" in " ".join(words)):
        return []
    if _reloads(words):
        return []
    if first in {"certbot", "certbot-auto"} and "renew" in words:
        return [hook for hook in _hooks(words) if not _only_reloads(hook)]
    return [" ".join(words)]


def _hooks(words: list[str]) -> list[str]:
    """Returns the hooks that a Certbot command line has."""
    found = []
    for at, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option in HOOKS:
            found.append(value if equals else " ".join(words[at + 1 : at + 2]))
    return found


def _only_reloads(hook: str) -> bool:
    return all(_reloads(words) for words in map(_without_assignments, _commands(hook)) if words)


def _reloads(words: list[str]) -> bool:
    """Tells whether a command is what the plugin does better: a wait, or a web server's reload."""
    first = os.path.basename(words[0])
    if first in MANAGERS:
        servers = {word.partition(".")[0] for word in words}
        return bool(RELOADS & set(words) and WEB_SERVERS & servers)
    return first == "sleep" or (first in CONTROLS and bool((RELOADS | {"-s", "-k"}) & set(words)))
