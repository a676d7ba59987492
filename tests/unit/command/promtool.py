"""What Prometheus reads of metrics: their samples, and what its ``promtool`` has to say of them."""

from __future__ import annotations

import os
import shutil
import subprocess

from prometheus_client.parser import text_string_to_metric_families

GAUGES = {
    "certbot_jprs_certificate_not_after_timestamp_seconds": {"lineage"},
    "certbot_jprs_ocsp_status": {"lineage", "status"},
    "certbot_jprs_held_since_timestamp_seconds": {"lineage"},
    "certbot_jprs_served_matches": {"lineage"},
    "certbot_jprs_last_renewal_success": {"lineage"},
    "certbot_jprs_last_renewal_timestamp_seconds": {"lineage"},
    "certbot_jprs_ocsp_lag_seconds": {"lineage"},
    "certbot_jprs_schedulers": set(),
    "certbot_jprs_problems": {"kind"},
    "certbot_jprs_status_timestamp_seconds": set(),
}
"""What others' rules and dashboards rest on, with the labels."""

Samples = dict[tuple[str, ...], float]


def samples(text: str) -> Samples:
    """Returns the values by name and labels, as Prometheus's own library reads them."""
    return {
        (each.name.replace("certbot_jprs_", ""), *each.labels.values()): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
    }


def check(text: str) -> str:
    """Returns what ``promtool`` has to say of metrics."""
    promtool = shutil.which("promtool", path=f"{os.environ['PATH']}:/usr/bin")
    assert promtool is not None, "apt-get install prometheus"
    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert bool(said) == bool(done.returncode)
    return said
