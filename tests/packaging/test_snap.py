"""What can be checked of the snap without snapcraft: its commands, and what they lead to."""

from __future__ import annotations

import re
import shutil
import subprocess
import textwrap
from pathlib import Path

from tests.packaging.userland import ROOT

SNAPCRAFT = ROOT / "packaging" / "snap" / "snapcraft.yaml"
SITE = "lib/python3.12/site-packages"


def script(key: str) -> str:
    """Returns the shell script of a key of the snap's first part."""
    text = SNAPCRAFT.read_text(encoding="utf-8")
    found = re.search(rf"^( +){key}: \|\n((?:\1  .*\n)+)", text, re.MULTILINE)
    assert found, f"there is no {key}"
    return textwrap.dedent(found[2])


def shell(text: str, source: Path, **env: str) -> str:
    """Runs a script as snapcraft does, as far as that goes, and returns what it prints."""
    prelude = 'craftctl() { [ "$1" = default ] || echo "$*"; }\n'
    done = subprocess.run(
        ["sh", "-eu", "-c", prelude + text],
        cwd=source,
        env={"PATH": "/usr/bin:/bin", "HOME": "/root", **env},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_version_is_the_sdists() -> None:
    (sdist,) = (ROOT / "dist").glob("certbot_jprs-*.tar.gz")
    version = sdist.name.removeprefix("certbot_jprs-").removesuffix(".tar.gz")
    assert shell(script("override-pull"), ROOT) == f"set version={version}\n"


def test_certbot_finds_the_plugin_in_what_is_built(plain_certbot: Path, tmp_path: Path) -> None:
    source, built, home = (tmp_path / name for name in ("source", "built", "home"))
    left_out = shutil.ignore_patterns(".*", "*.mo", "*.egg-info", "__pycache__", "build", "dist")
    shutil.copytree(ROOT, source, ignore=left_out)
    shell(script("override-build"), source, CRAFT_PART_INSTALL=str(built))
    assert SITE in SNAPCRAFT.read_text(encoding="utf-8").partition("slots:")[2]
    assert not (built / SITE / "certbot").exists()
    command = [str(plain_certbot), "plugins"]
    dirs = [f"--{kind}-dir={home}/{kind}" for kind in ("config", "work", "logs")]
    found = {}
    for path in ("", str(built / SITE)):
        env = {"CERTBOT_PLUGIN_PATH": path} if path else {}
        done = subprocess.run(
            [*command, *dirs], env=env, capture_output=True, text=True, check=True
        )
        found[bool(path)] = "* certbot-jprs:http" in done.stdout
    assert found == {True: True, False: False}
