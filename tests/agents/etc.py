"""The /etc that every test starts with: the machine's, with the servers as Debian leaves them."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess

# What Debian's packages enable by themselves; the machine's own choice must not matter.
MODULES = (
    *("access_compat", "alias", "auth_basic", "authn_core", "authn_file", "authz_core"),
    *("authz_host", "authz_user", "autoindex", "deflate", "dir", "env", "filter", "mime"),
    *("mpm_event", "negotiation", "reqtimeout", "setenvif", "status"),
)
CONFS = ("charset", "localized-error-pages", "other-vhosts-access-log", "security", "serve-cgi-bin")
PASSWORDS = {"shadow", "shadow-", "gshadow", "gshadow-"}
SECRET = {"letsencrypt", "apache2", *PASSWORDS}

CERTBOTS = ("apache2/.certbot.lock", "nginx/.certbot.lock", "cron.d/certbot")
"""What the machine's own Certbot, if it has one, leaves there."""

HOSTS = """\
127.0.0.1 localhost
127.0.1.1 web.lab.invalid web
"""
NSSWITCH = """\
passwd: files
group: files
shadow: files
hosts: files dns
networks: files
protocols: files
services: files
"""


def run(*argv: str, text: str = "") -> None:
    """Runs a command and raises with its own words if it fails."""
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(argv)}: {done.stderr.strip() or done.returncode}")


def write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)


def read(path: str) -> str:
    with open(path, encoding="utf-8") as stream:
        return stream.read()


def pristine(target: str, ca: str) -> None:
    """Builds the /etc that every test starts with, as the world's root's own.

    Args:
        target: where; what cannot be read is left out.
        ca: the address of the world's name server.
    """
    os.makedirs(target)
    entries = ["/etc/" + name for name in os.listdir("/etc") if name not in SECRET]
    subprocess.run(
        ["cp", "-r", "-P", "--preserve=mode,timestamps", *entries, "/etc/apache2", target],
        stderr=subprocess.DEVNULL,
        check=False,
    )
    as_installed(target)
    os.makedirs(target + "/letsencrypt")
    for name in ("hosts", "nsswitch.conf", "resolv.conf", "hostname"):
        if os.path.lexists(f"{target}/{name}"):
            os.unlink(f"{target}/{name}")
    write(target + "/hosts", HOSTS)
    write(target + "/nsswitch.conf", NSSWITCH)
    write(target + "/resolv.conf", f"nameserver {ca}\n")
    write(target + "/hostname", "web\n")


def as_installed(etc: str) -> None:
    """Makes of an /etc one in which Apache and nginx were installed and Certbot was not.

    What Debian's packages enable is enabled; nginx's log tells more than by default.
    """
    for name in CERTBOTS:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{etc}/{name}")
    apache = etc + "/apache2"
    for kind, names in (("mods", MODULES), ("conf", CONFS), ("sites", ("000-default",))):
        enabled = f"{apache}/{kind}-enabled"
        shutil.rmtree(enabled, ignore_errors=True)
        os.makedirs(enabled)
        for name in names:
            for suffix in (".load", ".conf"):
                if os.path.exists(f"{apache}/{kind}-available/{name}{suffix}"):
                    os.symlink(f"../{kind}-available/{name}{suffix}", f"{enabled}/{name}{suffix}")
    nginx = etc + "/nginx"
    for directory, keep in (("sites-enabled", {"default"}), ("conf.d", set[str]())):
        for name in os.listdir(f"{nginx}/{directory}"):
            if name not in keep:
                os.unlink(f"{nginx}/{directory}/{name}")
    path = nginx + "/nginx.conf"
    write(path, read(path).replace("/error.log;", "/error.log notice;"))


def listen_at(etc: str, address: str) -> None:
    """Has Apache and nginx listen on one address instead of on all."""
    path = etc + "/apache2/ports.conf"
    write(path, re.sub(r"(?m)^(\s*Listen )(\d+)", rf"\g<1>{address}:\2", read(path)))
    path = etc + "/nginx/sites-available/default"
    text = re.sub(r"(?m)^(\s*listen )(\d+)", rf"\g<1>{address}:\2", read(path))
    write(path, re.sub(r"(?m)^\s*listen \[::\].*\n", "", text))
