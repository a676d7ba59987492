"""The units: systemd understands them, and they write what node_exporter reads."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "packaging" / "systemd"
NAMES = ("certbot-jprs-metrics.service", "certbot-jprs-metrics.timer")
INSTALLED = "/usr/bin/certbot-jprs "


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units where the command is not ``/usr/bin/certbot-jprs``, but the one of these tests."""
    command = Path(sys.executable).with_name("certbot-jprs")
    for name in NAMES:
        text = (UNITS / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace(INSTALLED, f"{command} "), encoding="utf-8")
    return tmp_path


def verify(units: Path) -> str:
    """Returns what systemd has to say of them."""
    paths = [str(units / name) for name in NAMES]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *paths],
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = (done.stdout + done.stderr).splitlines()
    return "\n".join(line for line in lines if "certbot-jprs" in line)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
@pytest.mark.parametrize(
    ("wrong", "name", "old", "new"),
    [
        ("", NAMES[0], "", ""),
        ("Failed to parse service type", NAMES[0], "=oneshot", "=once"),
        ("is not executable", NAMES[0], "certbot-jprs status", "certbot-jprs.gone status"),
        ("'ProtectsSystem' in section", NAMES[0], "ProtectSystem", "ProtectsSystem"),
        ("Failed to parse calendar", NAMES[1], "*:0/5", "*:0/x"),
    ],
)
def test_systemd_understands_them(units: Path, wrong: str, name: str, old: str, new: str) -> None:
    text = (units / name).read_text(encoding="utf-8")
    assert old in text
    (units / name).write_text(text.replace(old, new), encoding="utf-8")
    said = verify(units)
    assert wrong in said
    assert bool(said) == bool(wrong), said


def test_what_may_be_written_is_what_is_written() -> None:
    lines = (UNITS / NAMES[0]).read_text(encoding="utf-8").splitlines()
    values = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    directory = values["ReadWritePaths"]
    assert values["ConditionPathIsDirectory"] == directory
    output = values["ExecStart"].rpartition("--output ")[2]
    assert Path(output).parent == Path(directory)
    assert output.endswith(".prom")  # all that the collector reads
    assert values["ExecStart"].startswith(INSTALLED)
