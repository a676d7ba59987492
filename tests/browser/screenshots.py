"""Makes the screenshots: three scenes in an English and a Japanese Firefox.

``python -m tests.browser.screenshots`` writes ``docs/pictures/firefox-SCENE.LANGUAGE.png``, and to
``firefox.json`` what was measured in each scene with this version; what was measured with others
stays there. With ``--firefox COMMAND`` another Firefox is measured, and no pictures are kept of it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.browser import scenes
from tests.browser.firefox import COMMAND, ENGLISH, JAPANESE, Firefox
from tests.browser.scenes import URL, told
from tests.lab import Missing, World
from tests.lab.measure import NAME

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
SCENES: Mapping[str, Callable[[World], None]] = {
    "early": scenes.early,
    "stapled-early": scenes.stapled_early,
    "deployed": scenes.deployed,
}
LANGUAGES = {"en": ENGLISH, "ja": JAPANESE}
COLOURS = 64
LARGEST = 80_000  # bytes


def small(png: bytes) -> bytes:
    """Returns the same picture with few colours.

    Raises:
        ValueError: it is not small all the same.
    """
    command = ("pngquant", "--strip", "--nofs", "--speed", "1", str(COLOURS), "-")
    done = subprocess.run(command, input=png, capture_output=True, check=True).stdout
    if len(done) > LARGEST:
        raise ValueError(f"{len(done)} bytes are too many for a picture")
    return done


def shown(
    world: World, suffix: str, command: str, picture: Path | None
) -> tuple[str, Mapping[str, object]]:
    """Has a Firefox visit the site, and takes the picture.

    Args:
        world: where.
        suffix: of the language.
        command: which Firefox.
        picture: where to keep the picture.

    Returns:
        The browser's version, and what was measured.
    """
    before = len(world.ocsp.queries)
    with Firefox(world, LANGUAGES[suffix], command=command) as firefox:
        page = firefox.open(URL)
        if picture is not None:
            picture.write_bytes(small(firefox.picture()))
        asks = firefox.setting("security.OCSP.enabled")
        version = firefox.version
    return version, {
        "address": re.sub(r"\?.*", "", page.uri),
        "heading": page.heading,
        "error": page.error or None,
        "buttons": page.buttons,
        "security.OCSP.enabled": asks,
        "asked the OCSP server and was told": told(world, before),
        "stapled": world.served(NAME).staple,
    }


def measured(command: str, *, keep: bool) -> tuple[str, Mapping[str, object]]:
    """Plays all scenes.

    Args:
        command: which Firefox.
        keep: whether pictures are kept.

    Returns:
        The browser's version, and what was measured.
    """
    version = ""
    found: dict[str, dict[str, object]] = {}
    with World() as world:
        for scene, play in SCENES.items():
            print(scene, flush=True)
            world.reset()
            play(world)
            found[scene] = {}
            for suffix in LANGUAGES if keep else ["en"]:
                picture = PICTURES / f"firefox-{scene}.{suffix}.png" if keep else None
                version, found[scene][suffix] = shown(world, suffix, command, picture)
    today = dt.datetime.now(dt.timezone.utc).date()
    return version, {"measured": f"{today}", "scenes": found}


def main() -> int:
    """Makes them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--firefox", metavar="COMMAND", help="measure this one instead")
    other = parser.parse_args().firefox
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / "firefox.json"
    try:
        version, found = measured(other or COMMAND, keep=other is None)
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    record = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    record = dict(sorted({**record, version: found}.items()))
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
