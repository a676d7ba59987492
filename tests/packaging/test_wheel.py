"""Wheel and sdist as pip's users get them: outside this checkout, which they must not need.

They are the ones in ``dist/``: ``make dist`` builds them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.e2e.conftest import shared_world, world
from tests.e2e.helpers import CONTACT, NAME, QUICK, certbot, served
from tests.lab import World
from tests.packaging.userland import ROOT

__all__ = ["shared_world", "world"]

SUBSET = (
    "tests/e2e/test_first_certificate.py::test_one_flag_gets_a_certificate_and_waits_with_it",
    "tests/e2e/test_first_certificate.py::test_eab_secrets_are_kept_nowhere",
    "tests/e2e/test_fleet.py::test_five_lineages_cost_one_wait",
    "tests/e2e/test_languages.py::test_a_japanese_locale",
    "tests/e2e/test_rehearsal.py::test_all_is_well_and_then_it_is",
    "tests/e2e/test_status.py::test_in_japanese",
    "tests/e2e/test_wait_ocsp.py::test_good",
    "tests/e2e/test_wait_ocsp.py::test_as_a_module",
)
"""What shows that nothing is missing from the wheel: each room, both languages, the command."""

CRON = "0 0,12 * * * root {opt}/bin/certbot -q renew"
"""The line for /etc/crontab that README gives to pip's users, below their directory."""


def one(pattern: str) -> Path:
    """Returns the one file in ``dist/`` that a pattern matches."""
    found = list((ROOT / "dist").glob(pattern))
    assert len(found) == 1, f"no one {pattern} in dist/: run make dist"
    return found[0]


def run(
    *words: str | Path, cwd: Path, check: bool = True, **env: str
) -> subprocess.CompletedProcess[str]:
    """Runs a command with nothing of Python's in its environment."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env={**clean, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert not check or done.returncode == 0, done.stdout
    return done


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with Certbot and the wheel, as pip's users have it in /opt."""
    venv = tmp_path_factory.mktemp("opt") / "certbot"
    run(sys.executable, "-m", "venv", venv, cwd=venv.parent)
    pip = (venv / "bin" / "python", "-m", "pip", "install", "--quiet")
    run(*pip, "certbot", "certbot-apache", one("*.whl"), cwd=venv.parent)
    return venv


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """The sdist's content."""
    with tarfile.open(one("certbot_jprs-*.tar.gz")) as archive:
        if sys.version_info >= (3, 12):
            archive.extractall(tmp_path, filter="data")
        else:
            archive.extractall(tmp_path)  # noqa: S202
    (directory,) = tmp_path.glob("certbot_jprs-*")
    return directory


def test_the_sdists_tests_pass_with_the_installed_wheel(installed: Path, unpacked: Path) -> None:
    shutil.rmtree(unpacked / "certbot_jprs")
    python = installed / "bin" / "python"
    lines = (unpacked / "tests" / "requirements.txt").read_text().splitlines()
    wanted = [line for line in lines if line.startswith(("pytest", "hypothesis"))]
    run(python, "-m", "pip", "install", "--quiet", *wanted, cwd=unpacked)
    where = "import certbot_jprs; print(certbot_jprs.__file__)"
    found = run(python, "-c", where, cwd=unpacked).stdout
    assert found.startswith(str(installed))
    done = run(python, "-m", "pytest", "-q", "--timeout", "300", *SUBSET, cwd=unpacked)
    passed = re.search(r"^(\d+) passed in", done.stdout, re.MULTILINE)  # not one skipped
    assert passed, done.stdout
    assert int(passed[1]) >= len(SUBSET)


def test_pips_users_and_their_cron_job(installed: Path, world: World) -> None:
    site = "www.example.jp"
    world.vhost(site)
    line = f"run -n -a {NAME} -d {site} {CONTACT} {QUICK}"
    certbot(world, line, *world.eab(), venv=installed).check()
    lineage = world.lineage(site)
    lineage.set("renew_before_expiry", "10 years", None)
    _schedule, _user, command = CRON.format(opt=installed).rpartition(" root ")
    cron = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "HOME": "/root", "LOGNAME": "root"}
    cron["REQUESTS_CA_BUNDLE"] = world.environment()["REQUESTS_CA_BUNDLE"]
    given = [f"{key}={value}" for key, value in cron.items()]
    command += " --no-random-sleep-on-renew"
    world.run("env", "-i", *given, "/bin/sh", "-c", command, timeout=120).check()
    assert lineage.version() == 2
    assert served(world) == lineage.serial


def test_the_line_for_cron_is_the_one_that_readme_gives() -> None:
    for name in ("README.md", "README.ja.md"):
        assert CRON.format(opt="/opt/certbot") in (ROOT / name).read_text(encoding="utf-8")


def offline(venv: Path, directory: Path, *words: str | Path, check: bool = True) -> str:
    """Builds a wheel with no network at all, and nothing at hand but setuptools.

    Args:
        venv: whose pip.
        directory: where the wheel is put; the wheel of setuptools is in it already.
        words: what to build.
        check: whether it must succeed.

    Returns:
        What pip writes.
    """
    pip = (venv / "bin" / "python", "-m", "pip", "wheel", "--no-deps", "--no-index")
    places = ("--find-links", directory, "--wheel-dir", directory)
    return run("unshare", "--net", *pip, *places, *words, cwd=directory, check=check).stdout


@pytest.fixture
def shelf(installed: Path, tmp_path: Path) -> Path:
    """A directory with the wheel of setuptools and nothing else."""
    directory = tmp_path / "shelf"
    directory.mkdir()
    pip = (installed / "bin" / "python", "-m", "pip", "download", "--quiet", "--no-deps")
    run(*pip, "--dest", directory, "setuptools", cwd=directory)
    return directory


def test_the_sdist_builds_offline_to_the_same_wheel(installed: Path, shelf: Path) -> None:
    offline(installed, shelf, one("certbot_jprs-*.tar.gz"))
    (built,) = shelf.glob("certbot_jprs-*.whl")
    with zipfile.ZipFile(built) as ours, zipfile.ZipFile(one("*.whl")) as published:
        names = sorted(set(ours.namelist()) | set(published.namelist()))
        assert names == sorted(published.namelist()) == sorted(ours.namelist())
        assert [n for n in names if ours.read(n) != published.read(n)] == []


def test_a_checkout_needs_babel(installed: Path, shelf: Path, unpacked: Path) -> None:
    """The twin: without its compiled translations the sdist would not build offline."""
    for compiled in unpacked.glob("certbot_jprs/locale/*/LC_MESSAGES/*.mo"):
        compiled.unlink()
    assert "babel>=2.9" in offline(installed, shelf, unpacked, check=False)
