"""A real Prometheus and node_exporter see one host through all of its troubles."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import pytest

from tests.lab import World
from tests.monitoring import dashboard
from tests.monitoring.prometheus import METRICS
from tests.monitoring.rules import PACKAGED, RULES, alerts
from tests.monitoring.story import BLOG, ENDING, SHOP, WWW, Story


def unanswered(story: Story, board: dict[str, Any]) -> list[str]:
    """Returns the queries of a dashboard that get no answer, or series that have no name."""
    start, end = story.stages[0].start, story.stages[-1].end
    found = []
    for query in dashboard.queries(board):
        series = (
            story.prometheus.query(query.expression, end)
            if query.instant
            else story.prometheus.query_range(query.expression, start, end)
        )
        called = [query.called(each["metric"]) for each in series]
        if not series or (query.legend and len(set(called)) < len(called)):
            found.append(query.expression)
    for selector, label in dashboard.variables(board):
        if not story.prometheus.ask(f"label/{label}/values", match=selector):
            found.append(f"{label} of {selector}")
    return found


@pytest.mark.timeout(1800)  # two minutes, but for a machine that has other work
def test_one_host_through_its_troubles(world: World) -> None:
    story = Story(world)
    story.tell()
    shipped = alerts(RULES.read_text(encoding="utf-8"))
    # The story checks each alert's coming and going; none was left out, and all could be put
    # into words.
    assert set(story.said) == set(shipped)
    for name, texts in story.said.items():
        assert len(texts) == 4, name
        assert not re.search("<error|<no value>", str(texts)), texts
    assert story.stages[-1].firing == frozenset()

    board = dashboard.load()
    assert unanswered(story, board) == []
    text = json.dumps(board)
    for right, wrong in (
        ("certbot_jprs_ocsp_lag_seconds", "certbot_jprs_ocsp_lag"),
        ("certbot_jprs_schedulers", "certbot_jprs_scheduler"),
        ('status=\\"revoked\\"', 'status=\\"rewoked\\"'),
        ("instance=~", "host=~"),
    ):
        assert unanswered(story, json.loads(text.replace(right, wrong))), wrong
    check_mackerel(world)


def check_mackerel(world: World) -> None:
    """Checks what Mackerel's agent would get of the same file."""
    script = str(PACKAGED / "mackerel" / "certbot-jprs-metrics.py")
    told = world.run(sys.executable, script, METRICS).check().stdout
    rows = [line.split("\t") for line in told.splitlines()]
    values = {name: float(value) for name, value, _time in rows}
    for name in (WWW, SHOP, BLOG, *ENDING):
        assert 88 < values[f"certbot_jprs.days_left.{name.replace('.', '_')}"] < 91
    assert values["certbot_jprs.served.www_example_jp"] == 1
    assert values["certbot_jprs.problems.held"] == 0
    assert 0 <= values["certbot_jprs.ocsp_lag.www_example_jp"] < 300
    meta = world.run(sys.executable, script, METRICS, env={"MACKEREL_AGENT_PLUGIN_META": "1"})
    head, _newline, text = meta.check().stdout.partition("\n")
    assert head == "# mackerel-agent-plugin"
    graphs = set(json.loads(text)["graphs"])
    assert {name.rpartition(".")[0] for name in values} <= graphs
    world.run("touch", "-d", "2 hours ago", METRICS).check()
    old = world.run(sys.executable, script, METRICS)
    assert (old.returncode, old.stdout) == (1, "")
    assert "older than an hour" in old.stderr
