"""The queries of the Grafana dashboard, as Grafana sends them where every host is chosen."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.monitoring.rules import PACKAGED

DASHBOARD = PACKAGED / "grafana" / "certbot-jprs.json"

LABEL_VALUES = re.compile(r"label_values\((.+), (\w+)\)")


@dataclass(frozen=True)
class Query:
    """One query.

    Attributes:
        panel: the title of its panel.
        kind: the panel's kind, as ``timeseries``.
        expression: in PromQL, with all variables filled in.
        instant: whether it asks for one time only.
        legend: how each of its series is called, with labels in ``{{}}``; empty: by Grafana.
        unit: of the values.
        names: what values stand for.
    """

    panel: str
    kind: str
    expression: str
    instant: bool
    legend: str
    unit: str
    names: dict[float, str]

    def called(self, labels: dict[str, str]) -> str:
        """Returns how a series is called.

        Raises:
            KeyError: the legend names a label that the series has not.
        """
        return re.sub(r"\{\{(\w+)\}\}", lambda match: labels[match[1]], self.legend)


def load(text: str | None = None) -> dict[str, Any]:
    """Returns the dashboard, as it is packaged or of another text."""
    read: dict[str, Any] = json.loads(text or DASHBOARD.read_text(encoding="utf-8"))
    return read


def queries(dashboard: dict[str, Any]) -> list[Query]:
    """Returns all queries of its panels, in order."""
    return list(_queries(dashboard))


def _queries(dashboard: dict[str, Any]) -> Iterator[Query]:
    for panel in dashboard["panels"]:
        defaults = panel["fieldConfig"]["defaults"]
        mapped = [each["options"] for each in defaults.get("mappings", [])]
        for target in panel["targets"]:
            yield Query(
                panel["title"],
                panel["type"],
                filled(target["expr"]),
                bool(target.get("instant")),
                target.get("legendFormat", ""),
                defaults.get("unit", ""),
                {float(value): to["text"] for each in mapped for value, to in each.items()},
            )


def variables(dashboard: dict[str, Any]) -> list[tuple[str, str]]:
    """Returns where the values of its variables come from: selector and label."""
    found = []
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            match = LABEL_VALUES.fullmatch(variable["query"]["query"])
            assert match is not None, variable
            found.append((filled(match[1]), match[2]))
    return found


def filled(expression: str) -> str:
    """Puts in for each variable any value that there is, so that its label has to be there."""
    done = re.sub(r"\$(instance|lineage)\b", ".+", expression)
    assert "$" not in done, f"there is no such variable: {expression}"
    return done
