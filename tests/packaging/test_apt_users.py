"""Debian's own Certbot, and the plugin without its Debian package.

Each way also has to reach what runs ``certbot renew`` by itself: the timer, or the cron job.
The wheel is the one in ``dist/``: ``make dist`` builds it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packaging.test_deb import CERTBOT
from tests.packaging.userland import ROOT, Machine

APT = ("apt-get", "install", "-q", "-y", "--no-install-recommends")
NEEDED = ("python3-certbot-apache", "python3-tqdm", "python3-dnspython")
FOLDER = "/opt/certbot-jprs"
DROP_IN = "/etc/systemd/system/certbot.service.d/certbot-jprs.conf"


@pytest.fixture(params=sorted(CERTBOT))
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    """A machine with the release's Certbot and what the plugin needs; the wheel is in /mnt."""
    wheels = list((ROOT / "dist").glob("*.whl"))
    assert len(wheels) == 1, "no one wheel in dist/: run make dist"
    shared, scratch = tmp_path / "shared", tmp_path / "scratch"
    shared.mkdir()
    scratch.mkdir()
    shutil.copy(wheels[0], shared)
    shutil.copytree(ROOT / "tests", shared / "outside" / "tests")
    shutil.copy(ROOT / "packaging" / "debian" / "tests" / "lab.py", shared / "outside")
    with Machine(str(request.param), shared, scratch) as made:
        made("apt-get", "update", "-q")
        made(*APT, *NEEDED)
        yield made


def scheduled(machine: Machine, *shell: str, check: bool = True) -> str:
    """Issues a certificate and renews it as the machine's timer and its cron job do.

    Args:
        machine: where.
        shell: what the administrator's shell has in its environment.
        check: whether that has to succeed.
    """
    words = " ".join(["python3 lab.py tests.packaging.scheduled", *shell])
    return machine("sh", "-c", f"cd /mnt/outside && {words}", check=check)


def test_by_pip_into_usr_local(machine: Machine) -> None:
    machine(*APT, "python3-pip")
    install = "pip install --break-system-packages --no-deps /mnt/*.whl"
    machine("sh", "-c", install)
    assert "wait-ocsp" in machine("certbot-jprs", "--help")
    assert "renewed by the timer and by cron" in scheduled(machine)
    machine("pip", "uninstall", "-y", "--break-system-packages", "certbot-jprs")
    assert "certbot-jprs" not in machine("certbot", "plugins")


def unpack(machine: Machine) -> None:
    """Lays the plugin into a folder: a wheel is a zip archive, and needs no pip."""
    machine("sh", "-c", f"umask 022; python3 -m zipfile -e /mnt/*.whl {FOLDER}")


def test_in_a_folder_that_certbot_is_told_of(machine: Machine) -> None:
    unpack(machine)
    machine.write(DROP_IN, (ROOT / "packaging" / "systemd" / "certbot-jprs.conf").read_text())
    machine("sed", "-i", f"/^PATH=/a CERTBOT_PLUGIN_PATH={FOLDER}", "/etc/cron.d/certbot")
    said = machine("python3", "-m", "certbot_jprs", "--help", PYTHONPATH=FOLDER)
    assert "wait-ocsp" in said
    assert "renewed by the timer and by cron" in scheduled(machine, f"CERTBOT_PLUGIN_PATH={FOLDER}")


def test_a_folder_that_the_timer_is_not_told_of(machine: Machine) -> None:
    """The twin: what the shell finds, the timer does not."""
    unpack(machine)
    said = scheduled(machine, f"CERTBOT_PLUGIN_PATH={FOLDER}", check=False)
    assert "timer REQUESTS_CA_BUNDLE" in said
    assert re.search("plugin does not appear to be installed|no attribute 'certbot_jprs:http", said)
