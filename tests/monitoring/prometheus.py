"""Debian's Prometheus and node_exporter on the lab's host, and what Prometheus knows."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from tests.lab import WEB, World
from tests.monitoring.rules import RULES, shortened

HOME = "/run/prometheus"
TEXTFILES = "/var/lib/prometheus/node-exporter"
"""Where Debian's node_exporter looks by itself."""
METRICS = f"{TEXTFILES}/certbot-jprs.prom"
NODE_EXPORTER = f"{WEB}:9100"
STATUS_TIME = "certbot_jprs_status_timestamp_seconds"

CONFIGURATION = f"""\
global:
  scrape_interval: 1s
  evaluation_interval: 1s
rule_files:
  - {HOME}/{RULES.name}
scrape_configs:
  - job_name: node
    static_configs:
      - targets: ["{NODE_EXPORTER}"]
"""

Series = Mapping[str, Any]


class Prometheus:
    """A running Prometheus that scrapes a running node_exporter every second."""

    def __init__(self, world: World) -> None:
        """Starts both, with the packaged rules, which wait less, and waits until they answer."""
        self._world = world
        world.write(f"{HOME}/prometheus.yml", CONFIGURATION)
        world.write(f"{HOME}/{RULES.name}", shortened(RULES.read_text(encoding="utf-8")))
        world.spawn(
            "prometheus-node-exporter",
            f"--web.listen-address={NODE_EXPORTER}",
            "--collector.disable-defaults",
            "--collector.textfile",
        )
        self._server = world.spawn(
            "prometheus",
            f"--config.file={HOME}/prometheus.yml",
            f"--storage.tsdb.path={HOME}/data",
            f"--web.listen-address={WEB}:9090",
        )
        self._server.wait_for("Server is ready to receive web requests")
        self.until(self.is_scraped, "node_exporter is not scraped")

    def until(self, holds: Callable[[], object], otherwise: str, timeout: float = 300) -> None:
        """Waits for something.

        Raises:
            AssertionError: it does not happen; ``otherwise`` says what is wrong then.
        """
        deadline = time.monotonic() + timeout
        while not holds():
            assert time.monotonic() < deadline, f"{otherwise}\n{self._server.output[-1000:]}"
            time.sleep(0.2)

    def ask(self, path: str, **parameters: object) -> Any:
        """Asks its HTTP API.

        Args:
            path: below ``/api/v1/``.
            parameters: of the query; ``match`` stands for ``match[]``.

        Returns:
            The ``data`` of the answer.
        """
        named = {"match[]" if name == "match" else name: v for name, v in parameters.items()}
        connection = http.client.HTTPConnection(WEB, 9090)
        connection.sock = self._world.namespace.connect("web", (WEB, 9090), 30)
        try:
            connection.request("GET", f"/api/v1/{path}?{urlencode(named)}")
            answer = json.load(connection.getresponse())
        finally:
            connection.close()
        assert answer["status"] == "success", f"{path} {parameters}: {answer}"
        return answer["data"]

    def query(self, expression: str, at: float | None = None) -> list[Series]:
        """Returns the series of an expression at one time, by default now."""
        when = {} if at is None else {"time": at}
        found: list[Series] = self.ask("query", query=expression, **when)["result"]
        return found

    def query_range(self, expression: str, start: float, end: float) -> list[Series]:
        """Returns the series of an expression, second by second, between two times."""
        found: list[Series] = self.ask(
            "query_range", query=expression, start=start, end=end, step=1
        )["result"]
        return found

    def is_scraped(self) -> bool:
        """Tells whether node_exporter answered when it was asked last."""
        return bool(self.query("up{job='node'} == 1"))

    def alerts(self) -> list[Series]:
        """Returns the alerts that are firing."""
        found: list[Series] = self.ask("alerts")["alerts"]
        return [alert for alert in found if alert["state"] == "firing"]

    def evaluated_since(self, since: float) -> bool:
        """Tells whether all rules were evaluated after a time, in seconds since the epoch."""
        (group,) = self.ask("rules")["groups"]
        # Nanoseconds are more than Python reads.
        text = re.sub(r"\.\d+", "", group["lastEvaluation"]).replace("Z", "+00:00")
        return datetime.fromisoformat(text).timestamp() > since
