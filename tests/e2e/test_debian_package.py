"""Debian 12's own Certbot package: 2.1.0 with Python 3.11, which loses what JPRS says.

The packages are unpacked beside this checkout, not installed: ``certbot``, on which the Apache
plugin's package depends, brings a timer that would run on this machine.
"""

from __future__ import annotations

import fcntl
import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.command import adopted
from tests.e2e.helpers import (
    CONTACT,
    NAME,
    QUICK,
    RENEW,
    certbot,
    copy_package,
    costs_one_reload_for_each,
    served,
    waited,
)
from tests.e2e.refusals import (
    ENGLISH,
    JAPANESE,
    ORDER,
    REGISTER,
    ROWS,
    SITE,
    Accounts,
    Refusal,
    expected,
    explained,
    is_japanese,
)
from tests.lab import Result, World

ROOT = Path(__file__).parents[2]
UNPACKED = ROOT / ".venv-debian-12"
WANTED = ("python3-certbot-apache", "python3-certbot-nginx", "python3-tqdm")

LAUNCHER = """\
#!/usr/bin/python3
import sys
sys.path.insert(1, "{packages}/usr/lib/python3/dist-packages")
from certbot.main import main
sys.argv[0] = "certbot"
sys.exit(main())
"""


@pytest.fixture(scope="session")
def packages() -> Path:
    """The directory in which Debian 12's packages are unpacked; downloaded the first time."""
    release = Path("/etc/os-release")
    lines = release.read_text().splitlines() if release.exists() else []
    if not {"ID=debian", 'VERSION_ID="12"'} <= set(lines):
        pytest.fail(
            "these tests need Debian 12's packages and its /usr/bin/python3: run them there"
        )
    ready = UNPACKED / "ready"
    with open(ROOT / ".venv-debian-12.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # pytest's workers come at the same time
        if not ready.exists():
            UNPACKED.mkdir(exist_ok=True)
            plan = apt("install", "--simulate", "--no-install-recommends", *WANTED)
            apt("download", *re.findall(r"^Inst (\S+)", plan, re.MULTILINE))
            for package in UNPACKED.glob("*.deb"):
                subprocess.run(("dpkg-deb", "--extract", package, UNPACKED), check=True)
            ready.touch()
    return UNPACKED


def apt(*words: str) -> str:
    """Runs apt-get where the packages are to be, and returns what it writes."""
    command = ("apt-get", "-q", *words)
    done = subprocess.run(command, cwd=UNPACKED, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(
            f"Debian 12's Certbot cannot be had: apt-get {' '.join(words)}\n{done.stderr}"
            "Run `apt-get update`, and let this machine reach Debian's mirrors."
        )
    return done.stdout


class Debian:
    """Debian's Certbot, with and without the plugin.

    Args:
        directory: an empty directory.
        packages: where Debian's packages are.
    """

    def __init__(self, directory: Path, packages: Path) -> None:
        self._packages = packages
        self._launcher = directory / "certbot"
        self._launcher.write_text(LAUNCHER.format(packages=packages))
        self._launcher.chmod(0o755)
        self._site = directory / "plugins"
        self._site.mkdir()
        copy_package(self._site)

    def plain(self, world: World, line: str) -> Result:
        """Runs a command without the plugin."""
        return certbot(world, line, venv=self._launcher)

    def __call__(
        self, world: World, line: str, *more: str, env: Mapping[str, str] | None = None
    ) -> Result:
        """Runs a command with the plugin, found as Debian's users have it found."""
        env = {**(env or {}), "CERTBOT_PLUGIN_PATH": str(self._site)}
        return certbot(world, line, *more, env=env, venv=self._launcher)

    def jprs(self, world: World, *words: str) -> Result:
        """Runs ``certbot-jprs`` with Debian's Python and Certbot."""
        path = f"{self._packages}/usr/lib/python3/dist-packages:{self._site}"
        python = ("/usr/bin/python3", "-m", "certbot_jprs")
        return world.run(*python, *words, env={"PYTHONPATH": path})


@pytest.fixture(scope="session")
def debian(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Debian:
    """Debian's Certbot."""
    return Debian(tmp_path_factory.mktemp("debian"), packages)


@pytest.fixture(scope="session")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Accounts:
    """An account at JPRS, for tests that are about what comes later."""
    return Accounts(tmp_path_factory.mktemp("accounts") / "kept")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_row(
    world: World,
    accounts: Accounts,
    debian: Debian,
    monkeypatch: pytest.MonkeyPatch,
    row: Refusal,
) -> None:
    more = world.eab() if row.command == REGISTER else ()
    if row.command != REGISTER:
        accounts.put(world)
    row.arrange(world, monkeypatch)
    for env, code in ((ENGLISH, "en"), (JAPANESE, "ja")):
        explained(row, debian(world, row.command, *more, env=env), code)


def test_without_the_plugin_it_loses_what_jprs_says(
    world: World, accounts: Accounts, debian: Debian
) -> None:
    """The twin: why the plugin repeats the server's words."""
    accounts.put(world)
    (row,) = (row for row in ROWS if row.kind == "rejectedIdentifier")
    world.jprs.refuse(row.step, row.kind, row.status, row.detail)
    line = f"certonly -n --apache -d {SITE} --server {world.jprs.url}"
    assert "certbot 2.1.0" in debian.plain(world, "--version").output
    result = debian.plain(world, line)
    assert result.returncode == 1
    assert row.detail not in result.output
    assert "AttributeError" in result.stderr


def test_the_one_flag_and_a_renewal_that_is_refused(world: World, debian: Debian) -> None:
    world.vhost(SITE)
    line = f"run -n -a {NAME} -d {SITE} {CONTACT} {QUICK} --jprs-language ja"
    result = debian(world, line, *world.eab()).check()
    assert served(world) == world.jprs.issued[-1].serial
    assert is_japanese(result.output)
    (row,) = (row for row in ROWS if row.kind == "rejectedIdentifier")
    world.jprs.refuse(row.step, row.kind, row.status, row.detail)
    result = debian(world, f"{RENEW} -q --force-renewal")
    assert result.returncode == 1
    record, meaning, step, *_end = result.stderr.splitlines()
    assert f"Failed to renew certificate {SITE}" in record
    assert row.detail in record
    assert expected(row, "ja").meaning in meaning
    assert expected(row, "ja").step in step


def test_http01_costs_one_reload_for_each_lineage(world: World, debian: Debian) -> None:
    costs_one_reload_for_each(world, lambda line: debian(world, line))


def test_debug_shows_it_too(world: World, accounts: Accounts, debian: Debian) -> None:
    accounts.put(world)
    (row,) = (row for row in ROWS if row.kind == "rejectedIdentifier")
    world.jprs.refuse(row.step, row.kind, row.status, row.detail)
    result = debian(world, f"{ORDER} --debug")
    assert result.returncode == 1
    assert result.stderr.count(expected(row, "en").meaning) == 1


def test_nginx_by_its_own_package(world: World, debian: Debian) -> None:
    world.nginx.vhost(SITE)
    world.ocsp.lag = 1
    lineage = world.lineage(SITE)
    with world.watch(SITE) as watcher:
        line = f"run -n --nginx -a {NAME} -d {SITE} {CONTACT} {QUICK}"
        debian(world, line, *world.eab()).check()
        first = lineage.serial
        debian(world, f"{RENEW} --force-renewal").check()
        time.sleep(0.2)
    assert watcher.serials() == [first, lineage.serial]
    for serial in (first, lineage.serial):
        waited(world, watcher, serial)
    assert lineage.params["certbot_jprs:http_installer"] == "nginx"


def test_what_it_wrote_by_the_manual_is_adopted(world: World, debian: Debian) -> None:
    adopted(
        world,
        lambda line: debian.plain(world, line),
        lambda line: debian(world, line),
        lambda *words: debian.jprs(world, *words),
    )
