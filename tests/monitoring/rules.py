"""The alert rules as text, one alert at a time; and the same with shorter waits, for the lab."""

from __future__ import annotations

import re
from pathlib import Path

PACKAGED = Path(__file__).parents[2] / "packaging" / "monitoring"
RULES = PACKAGED / "prometheus" / "certbot-jprs.rules.yml"
TESTS = PACKAGED / "prometheus" / "tests" / "certbot-jprs.test.yml"

BLOCK = re.compile(r"^      - alert: (\w+)\n(?:        .*\n)+", re.MULTILINE)


def alerts(text: str) -> dict[str, str]:
    """Returns the alerts of a file of rules: each one's lines, by its name."""
    found = {match[1]: match[0] for match in BLOCK.finditer(text)}
    assert list(found) == re.findall(r"alert: *(\w+)", text), "laid out otherwise"
    return found


def shortened(text: str) -> str:
    """Returns rules that are the same but for shorter waits.

    What has to last minutes or hours (``for:``) lasts two seconds then, and what was there within
    days, looked at every ten minutes, was there within minutes, looked at every second. Limits
    stay as they are: what counts as older than an hour is older than an hour in the lab, too.

    Args:
        text: the rules.
    """
    text = re.sub(r"^(        for: )\w+$", r"\g<1>2s", text, flags=re.MULTILINE)
    return text.replace("[3d:10m]", "[5m:1s]")
