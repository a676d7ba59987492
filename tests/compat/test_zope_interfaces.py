"""Certbot 1.x checked plugins with zope.interface: ours satisfies it, in names and signatures.

Run with a Certbot 1.x as the lab's subject, and by nobody else: later ones do not have it.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.e2e.helpers import copy_package
from tests.lab import subject

SCRIPT = Path(__file__).with_name("zope_interfaces.py")


def verify(tmp_path: Path, *spoil: str) -> subprocess.CompletedProcess[str]:
    """Verifies the plugin with Certbot 1.21, some methods spoilt."""
    site = tmp_path / "site"
    site.mkdir()
    copy_package(site)
    command: list[str | Path] = [subject.PYTHON, "-W", "ignore", SCRIPT, tmp_path, *spoil]
    return subprocess.run(
        command, env={"PYTHONPATH": str(site)}, capture_output=True, text=True, check=False
    )


@pytest.mark.main_job
def test_satisfies(tmp_path: Path) -> None:
    done = verify(tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "certbot.interfaces IPlugin 0",
        "certbot.interfaces IAuthenticator 0",
        "certbot.interfaces IInstaller 0",
        "__main__ IPlugin 3",
        "__main__ IAuthenticator 6",
        "__main__ IInstaller 12",
    ]


@pytest.mark.main_job
@pytest.mark.parametrize(
    ("method", "interface"),
    [("prepare", "IPlugin"), ("perform", "IAuthenticator"), ("deploy_cert", "IInstaller")],
)
def test_a_wrong_signature_is_noticed(tmp_path: Path, method: str, interface: str) -> None:
    done = verify(tmp_path, method)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "BrokenMethodImplementation" in last
    assert f"__main__.{interface}.{method}(" in last
    assert "requires too many arguments" in last
