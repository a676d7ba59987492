"""Tells mackerel-agent what `certbot-jprs status --prometheus --output FILE` wrote.

Usage: ``certbot-jprs-metrics.py FILE``. Prints a line for each value: name, value and time, with
tabs between. What is older than an hour is not told: the timer has stopped, and the graphs end.
With MACKEREL_AGENT_PLUGIN_META set, as mackerel-agent does once: the definitions of the graphs.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families

PREFIX = "certbot_jprs"
OLDEST = 3600  # seconds
DAY = 86400  # seconds

# The graphs: name, title, unit, and from which metric; seconds since the epoch count from now on.
GRAPHS = {
    "days_left": ("JPRSの証明書の残り日数", "float", "certificate_not_after_timestamp_seconds"),
    "held": ("JPRSの証明書の保留の経過時間", "seconds", "held_since_timestamp_seconds"),
    "ocsp_lag": ("OCSPサーバーへの情報登録にかかった時間", "seconds", "ocsp_lag_seconds"),
    "served": ("ポート443で使用中の証明書との一致", "integer", "served_matches"),
    "problems": ("certbot-jprs statusの問題の数", "integer", "problems"),
}


def definitions() -> str:
    """Returns what mackerel-agent asks once."""
    graphs = {
        f"{PREFIX}.{name}": {
            "label": title,
            "unit": unit,
            "metrics": [{"name": "*", "label": "%1"}],
        }
        for name, (title, unit, _metric) in GRAPHS.items()
    }
    return "# mackerel-agent-plugin\n" + json.dumps({"graphs": graphs}, ensure_ascii=False)


def values(text: str, now: float) -> Iterator[str]:
    """Yields a line for each value.

    Args:
        text: in Prometheus's text format.
        now: seconds since the epoch.
    """
    read = {
        family.name: [(sample.labels, sample.value) for sample in family.samples]
        for family in text_string_to_metric_families(text)
    }
    for name, (_title, _unit, metric) in GRAPHS.items():
        for labels, value in read.get(f"{PREFIX}_{metric}", []):
            if name == "days_left":
                shown = (value - now) / DAY
            else:
                shown = now - value if name == "held" else value
            # Mackerel's names have no dots of their own.
            of = re.sub("[^A-Za-z0-9_-]", "_", labels.get("lineage") or labels["kind"])
            yield f"{PREFIX}.{name}.{of}\t{shown:g}\t{now:.0f}"


def main() -> int:
    """Prints the values, or the definitions."""
    if os.environ.get("MACKEREL_AGENT_PLUGIN_META"):
        print(definitions())
        return 0
    now = time.time()
    with open(sys.argv[1], encoding="utf-8") as file:
        if now - os.fstat(file.fileno()).st_mtime > OLDEST:
            print(f"{sys.argv[1]} is older than an hour: nothing writes it", file=sys.stderr)
            return 1
        text = file.read()
    for line in values(text, now):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
