"""The end-to-end tests with every Certbot that people have: ``make compat``.

One session is one Certbot; ``tests/compat`` says what it is made of. The plugin is installed beside
it as a wheel, and the lab runs with the project's own Python (``tests/lab/subject.py``). With
``COMPAT=main_job`` only the tests that are marked so run. The last session prints the table.

Where a Python or root's rights lack, a session is skipped, and the table says so; it fails where
``CI`` is set.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox

HERE = Path(__file__).parent
PROJECT = str(HERE / ".venv" / "bin" / "python")
NEEDS = HERE / "tests" / "compat"
RESULTS = HERE / ".nox" / "results"
WHEELS = HERE / ".nox" / "wheel"

PYTHONS = {
    "certbot-1.21.0": "3.10",
    "certbot-2.9.0": "3.12",
    "certbot-2.11.0": "3.9",
    "newest-oldest-python": "3.10",
    "newest-newest-python": "3.13",
}
MORE = {"certbot-1.21.0": ("tests/compat/test_zope_interfaces.py",)}
DEBIAN = {"debian-12": "bookworm", "debian-13": "trixie"}

WHICH = """\
from tests.lab import subject
print(subject.certbot_version(), subject.python_version())
"""
LAID_OUT = """\
import sys
from tests.packaging.userland import laid_out
print(laid_out(sys.argv[1]))
"""
MARKER = os.environ.get("COMPAT", "")
WORKERS = os.environ.get("WORKERS", "4")
IN_CI = bool(os.environ.get("CI"))
MEASURED = "COVERAGE_PROCESS_START" in os.environ

nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = IN_CI


def interpreter(version: str) -> str:
    """Returns pyenv's Python of a version, which its shims hide, or the version, for the PATH."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = sorted(root.glob(f"versions/{version}.*/bin/python{version}"))
    return str(found[-1]) if found else version


@nox.session(python=False)
def wheel(session: nox.Session) -> None:
    """Builds the plugin's wheel; what is in ``build`` of earlier ones would get into it."""
    for directory in (HERE / "build", WHEELS, RESULTS):
        shutil.rmtree(directory, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    build = ("-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(WHEELS))
    session.run(PROJECT, *build, str(HERE), external=True)


def built() -> str:
    """Returns the path of the wheel."""
    (path,) = WHEELS.glob("*.whl")
    return str(path)


def run_tests(session: nox.Session, name: str, **env: str) -> None:
    """Runs the tests with what the environment names."""
    tests = ("tests/e2e", *MORE.get(name, ()))
    said = session.run(PROJECT, "-c", WHICH, env=env, silent=True, external=True)
    (RESULTS / f"{name}.which").write_text(str(said), encoding="utf-8")
    marker = ("-m", MARKER) if MARKER else ()
    session.run(
        *(PROJECT, "-m", "pytest", "-q", *tests, *marker),
        *("-n", WORKERS, "--dist", "worksteal", "--timeout", "900"),
        *(f"--junit-xml={RESULTS / name}.xml", *session.posargs),
        env=env,
        external=True,
    )


def by_pip(name: str, python: str) -> None:
    """Adds the session of a Certbot in a virtual environment."""

    @nox.session(name=name, python=interpreter(python))
    def with_pip(session: nox.Session) -> None:
        session.install("--quiet", "--requirement", str(NEEDS / f"{name}.txt"), built())
        session.install("--quiet", "--force-reinstall", "--no-deps", built())
        if MEASURED:  # by make coverage; which version, depends on the Python
            session.install("--quiet", "coverage[toml]")
        run_tests(session, name, LAB_BIN=str(Path(session.virtualenv.location) / "bin"))


def by_apt(name: str, suite: str) -> None:
    """Adds the session of a Debian release's own Certbot."""

    @nox.session(name=name, python=False)
    def with_apt(session: nox.Session) -> None:
        if os.geteuid() != 0 or not shutil.which("debootstrap"):
            give_up = session.error if IN_CI else session.skip
            give_up("it takes root and debootstrap to lay out a Debian release")
        userland = HERE / ".nox" / name
        lines = (NEEDS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        packages = [line for line in lines if not line.startswith("#")]
        base = session.run(PROJECT, "-c", LAID_OUT, suite, silent=True, external=True)
        command = [NEEDS / "userland", str(base).strip(), userland, built(), *packages]
        with open(RESULTS / f"{name}.log", "wb") as log:
            session.run(*map(str, command), stdout=log, stderr=log, external=True)
        run_tests(session, name, LAB_USERLAND=str(userland))


for each, which in PYTHONS.items():
    by_pip(each, which)
for each, which in DEBIAN.items():
    by_apt(each, which)


@nox.session(python=False)
def table(session: nox.Session) -> None:
    """Prints what came of it; fails where anything did."""
    names = (*PYTHONS, *DEBIAN)
    session.run(PROJECT, "-m", "tests.compat.table", str(RESULTS), *names, external=True)
