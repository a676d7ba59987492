"""The two commands in a container and in a chroot, as on a machine that was installed a minute ago.

The container is one that ``docker run`` makes as it is: see ``confine``. Its hosts file and
``resolv.conf`` are mounts, as Docker makes them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from tests.packaging.userland import FRESH, ROOT, Machine

pytestmark = pytest.mark.timeout(3600)

CHECKOUT = "/root/certbot-jprs"
DEMO = f"cd {CHECKOUT} && exec make demo"
MOUNTED = """\
printf '127.0.0.1 localhost\\n' >/etc/hosts
for name in hosts resolv.conf; do
    cp /etc/$name /run/$name.mount && mount --bind /run/$name.mount /etc/$name || exit 1
done
"""
EVERYTHING = f"""\
find / /run -xdev \\( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /mnt \\
    -o -path {CHECKOUT} \\) -prune -o -type d -printf '%p %m %u %g\\n' \\
    -o -printf '%p %y %m %u %g %s %T@ %l\\n' | sort
sha256sum /etc/hosts /etc/resolv.conf /etc/apache2/ports.conf /etc/nginx/nginx.conf
ps -e -o stat=,comm= | sed -nE '/^Z/d; s/^\\S+ *(apache2|nginx|pebble|python)/\\1/p'
"""
"""Prints what a careless lab could leave: files, and programs that run."""


class Fresh(Machine):
    """A machine with nothing but git, make and Python, and a clone of this checkout."""

    packages = FRESH

    def __init__(self, suite: str, shared: Path, scratch: Path) -> None:
        """Starts it; the arguments are those of ``Machine``."""
        super().__init__(suite, shared, scratch)
        self("rm", "/usr/sbin/policy-rc.d")
        listed = ("git", "-C", str(ROOT), "ls-files", "-z", "-c", "-o", "--exclude-standard")
        for name in subprocess.check_output(listed, text=True).split("\0")[:-1]:
            if (ROOT / name).is_file():
                target = shared / "checkout" / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, target)
        self("cp", "-r", "/mnt/checkout", CHECKOUT)
        # Whoever this machine trusts: a proxy's authority, for example.
        shutil.copy("/etc/ssl/certs/ca-certificates.crt", shared / "trusted.pem")

    def shell(self, text: str, check: bool = True, **env: str) -> str:
        """Runs a shell command as its administrator does."""
        return self("sh", "-c", text, check=check, PIP_CERT="/mnt/trusted.pem", **env)


class Container(Fresh):
    """Such a machine, whose administrator is confined as in a container."""

    def __init__(self, suite: str, shared: Path, scratch: Path) -> None:
        """Starts it; the arguments are those of ``Machine``."""
        super().__init__(suite, shared, scratch)
        self.free(MOUNTED)

    def free(self, text: str) -> str:
        """Runs a shell command as the administrator of the machine around it."""
        return super().shell(text)

    def shell(self, text: str, check: bool = True, **env: str) -> str:
        """Runs a shell command as its administrator does."""
        words = [f"{CHECKOUT}/tests/packaging/confine", "sh", "-c", text]
        return self(*words, check=check, PIP_CERT="/mnt/trusted.pem", **env)


class Chroot(Fresh):
    """Such a machine's files, in a directory that is no mount: no namespaces there either."""

    kind = ("chroot",)


AnyFresh = TypeVar("AnyFresh", bound=Fresh)


def started(kind: type[AnyFresh], suite: str, directory: Path) -> AnyFresh:
    """Starts a machine with its directories below another."""
    for name in ("shared", "scratch"):
        (directory / name).mkdir()
    return kind(suite, directory / "shared", directory / "scratch")


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def container(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Container]:
    """A container in which the demonstration was run, as by a new user."""
    directory = tmp_path_factory.mktemp(request.param)
    with started(Container, request.param, directory) as made:
        began = time.monotonic()
        said = made.shell(DEMO)
        print(f"{request.param}: make demo, with all installing: {time.monotonic() - began:.0f} s")
        assert "All as promised" in said
        quiet = said.partition("A private world")[0].splitlines()
        assert "Installing with apt: apache2 nginx" in said
        assert len(quiet) <= 6, said
        yield made


def test_the_container_is_one(container: Container) -> None:
    for call in ("unshare --mount true", "unshare --user true", "mount -t tmpfs x /srv"):
        assert "ot permitted" in container.shell(call, check=False).replace(
            "denied", "not permitted"
        )
        container.free(call)  # the twin: what is refused is what confines
    container.free("umount /srv")
    assert "CapEff:\t00000000a80425fb" in container.shell("cat /proc/self/status")
    said = container.shell("rm /etc/hosts", check=False)
    assert "busy" in said
    assert container.shell("su -c id nobody -s /bin/sh").startswith("uid=65534")


def test_the_demonstration_leaves_nothing(container: Container) -> None:
    before, began = container.shell(EVERYTHING), time.monotonic()
    assert "This container itself" in container.shell(DEMO).replace("this", "This")
    print(f"make demo: {time.monotonic() - began:.0f} s")
    assert container.shell(EVERYTHING) == before


def test_it_leaves_nothing_when_it_is_killed(container: Container) -> None:
    before = container.shell(EVERYTHING)
    kill = "while ! pidof apache2; do sleep 0.1; done; kill -9 $(cat /tmp/demo)"
    background = "sh -c 'echo $$ >/tmp/demo; exec .venv/bin/python -m tests.lab.demo' &"
    said = container.shell(f"cd {CHECKOUT}; {background} {kill}; wait $! || echo ended with $?")
    assert "ended with 137" in said
    deadline = time.monotonic() + 60
    while (now := container.shell(EVERYTHING)) != before and time.monotonic() < deadline:
        time.sleep(0.5)
    assert now == before


def refused(container: Container, words: str) -> None:
    """Asserts that there is no demonstration, and that nothing was touched for that."""
    before = container.shell(EVERYTHING)
    said = container.shell(DEMO, check=False)
    assert words in said
    assert "Traceback" not in said
    assert container.shell(EVERYTHING) == before


def test_a_certbot_configuration_is_left_alone(container: Container) -> None:
    path = "/etc/letsencrypt/renewal/www.example.jp.conf"
    container.write(path, "server = https://example.jp/\n")
    refused(container, f"it has a Certbot configuration ({path})")
    container.shell("rm -r /etc/letsencrypt")


NGINX = "pid /tmp/server.pid; events {} http { server { listen 8080; } }"
SERVERS: dict[str, tuple[str, str]] = {
    "nginx": (
        f"echo '{NGINX}' >/tmp/nginx.conf; nginx -c /tmp/nginx.conf 2>/dev/null; "
        "until curl -s -o /tmp/page http://127.0.0.1:8080/; do sleep 0.1; done",
        "a web server runs in it (nginx",
    ),
    "a program": (
        "python3 -m http.server 80 --directory /srv >/dev/null 2>&1 & echo $! >/tmp/server.pid; "
        "until curl -s -o /tmp/page http://127.0.0.1/; do sleep 0.1; done",
        "127.0.0.3:80 is not free",
    ),
}


@pytest.mark.parametrize("which", SERVERS)
def test_a_running_web_server_is_left_alone(container: Container, which: str) -> None:
    command, words = SERVERS[which]
    container.shell(command)
    refused(container, words)
    container.shell("kill $(cat /tmp/server.pid)")  # it still ran
    container.shell("while pidof nginx; do sleep 0.1; done")


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_in_a_chroot(suite: str, tmp_path: Path) -> None:
    with started(Chroot, suite, tmp_path) as made:
        began = time.monotonic()
        assert "All as promised" in made.shell(DEMO)
        print(f"{suite}: make demo, with all installing: {time.monotonic() - began:.0f} s")
        before, began = made.shell(EVERYTHING), time.monotonic()
        assert "All as promised" in made.shell(DEMO)
        print(f"{suite}: make demo: {time.monotonic() - began:.0f} s")
        assert made.shell(EVERYTHING) == before


@pytest.mark.timeout(3 * 3600)
@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_everything(suite: str, tmp_path: Path) -> None:
    """``make test``, an hour; ``make container-test`` runs this one alone."""
    with started(Container, suite, tmp_path) as made:
        began = time.monotonic()
        said = made.shell(f"cd {CHECKOUT} && exec make test")
        print(f"{suite}: make test, with all installing: {time.monotonic() - began:.0f} s")
    summaries = re.findall(r"^(\d+) passed(?:, (\d+) skipped)?[^\n]* in .*$", said, re.MULTILINE)
    assert len(summaries) == 2, said  # unit and end to end
    reasons = re.findall(r"^SKIPPED \[(\d+)\] \S+: (.+)$", said, re.MULTILINE)
    print(*(f"{number} skipped: {why}" for number, why in reasons), sep="\n")
    skipped = [int(number or 0) for _passed, number in summaries]
    assert sum(int(number) for number, _why in reasons) == sum(skipped)
    for (passed, _), number in zip(summaries, skipped):
        assert number * 10 <= int(passed) + number
