"""``certbot-jprs status --prometheus``: status as metrics for node_exporter's textfile collector.

Rules of this file:

- Names, units and labels do not change: others' alerts and dashboards rest on them.
- What is not known has no sample, never a guess.
- The help texts are English on every machine: a collector wants the same ones of all.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Sequence

from certbot_jprs.command import judging, output
from certbot_jprs.command.judging import Judgement
from certbot_jprs.command.levels import KINDS, Level
from certbot_jprs.command.survey import Entry
from certbot_jprs.ground.language import _
from certbot_jprs.holding.ending import UNASKED, Outcome
from certbot_jprs.lineage import durable
from certbot_jprs.ocsp.evaluation import Status

try:
    import prometheus_client
except ImportError:  # an extra
    prometheus_client = None  # type: ignore[assignment]

MODE = 0o644
"""node_exporter is not root."""

STATUSES = (*(status.value for status in Status), UNASKED)


def run(arguments: argparse.Namespace) -> int:
    """Prints or writes the metrics.

    Args:
        arguments: the parsed command line.

    Returns:
        The exit status: 0 where they were made, whatever they tell.
    """
    if prometheus_client is None:
        output.error(
            _(
                "--prometheus needs the Python package prometheus_client, which is not installed. "
                "Install it beside certbot-jprs: apt-get install python3-prometheus-client, or "
                "pip install 'certbot-jprs[prometheus]'"
            )
        )
        return int(Level.UNKNOWN)
    judgement = judging.judge(arguments)
    if judgement is None:
        return int(Level.UNKNOWN)
    text = metrics(judgement)
    if arguments.output is None:
        output.result(text.rstrip("\n"))
        return int(Level.OK)
    try:
        durable.write(os.path.abspath(arguments.output), text, MODE)
    except OSError as error:
        output.error(
            _(
                "The metrics could not be written ({reason}). Name a file in the directory of "
                "node_exporter's textfile collector, which has to exist, and run this as root."
            ).format(reason=output.why(error))
        )
        return int(Level.UNKNOWN)
    return int(Level.OK)


def metrics(judgement: Judgement) -> str:
    """Returns the metrics in Prometheus's text format.

    Args:
        judgement: what was found, and what is wrong.
    """
    made = _Gauges()
    entries = [entry for entry, _each in judgement.lineages]
    _certificates(made, entries)
    _renewals(made, entries)
    made.gauge("schedulers", "How many timers and cron jobs run `certbot renew`; 1 is right.").set(
        len(judgement.survey.found.schedulers)
    )
    problems = made.gauge("problems", "Problems, by kind as in `status --json`.", "kind")
    counted = Counter(dict.fromkeys(KINDS, 0))
    counted.update(finding.kind for finding in judgement.every)
    for kind, number in counted.items():
        problems.labels(kind).set(number)
    made.gauge("status_timestamp_seconds", "When all this was found out.").set(
        judgement.now.timestamp()
    )
    return made.text()


class _Gauges:
    """Gauges of our own, and none of this process."""

    def __init__(self) -> None:
        self._registry = prometheus_client.CollectorRegistry()

    def gauge(self, name: str, told: str, *labels: str) -> prometheus_client.Gauge:
        """Makes one."""
        return prometheus_client.Gauge(
            f"certbot_jprs_{name}", told, labels, registry=self._registry
        )

    def text(self) -> str:
        """Returns all of them."""
        return prometheus_client.generate_latest(self._registry).decode("utf-8")


def _certificates(made: _Gauges, entries: Sequence[Entry]) -> None:
    """What is so now."""
    ends = made.gauge(
        "certificate_not_after_timestamp_seconds",
        "When the certificate that live/ points to ends.",
        "lineage",
    )
    statuses = made.gauge(
        "ocsp_status",
        "1 for what the OCSP server says of the certificate that live/ points to, else 0.",
        "lineage",
        "status",
    )
    held = made.gauge(
        "held_since_timestamp_seconds",
        "When the version was saved that is held and not in service yet.",
        "lineage",
    )
    matches = made.gauge(
        "served_matches",
        "1 where port 443 serves the certificate that live/ points to, 0 where another.",
        "lineage",
    )
    for entry in entries:
        name = entry.lineage.name
        if entry.not_after is not None:
            ends.labels(name).set(entry.not_after.timestamp())
        answered = entry.answer.status.value if entry.answer is not None else UNASKED
        for status in STATUSES:
            statuses.labels(name, status).set(status == answered)
        if entry.record is not None:
            held.labels(name).set(entry.record.since)
        if entry.is_served is not None:
            matches.labels(name).set(entry.is_served)


def _renewals(made: _Gauges, entries: Sequence[Entry]) -> None:
    """What is known of the last renewal."""
    succeeded = made.gauge(
        "last_renewal_success",
        "1 where the last renewal came into service with its hooks and reload, 0 where not.",
        "lineage",
    )
    times = made.gauge("last_renewal_timestamp_seconds", "When the last renewal ended.", "lineage")
    lags = made.gauge(
        "ocsp_lag_seconds",
        "How long after it was saved the OCSP server knew the newest certificate, at most.",
        "lineage",
    )
    for entry in entries:
        if not entry.renewals:
            continue
        name, last = entry.lineage.name, entry.renewals[-1]
        succeeded.labels(name).set(last.outcome is Outcome.RELEASED)
        times.labels(name).set(last.ended)
        lag = next(
            (each.known_after for each in entry.renewals if each.version == entry.newest), None
        )
        if lag is not None:
            lags.labels(name).set(lag)
