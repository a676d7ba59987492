"""Draws what the dashboard's queries return in the lab: ``python -m tests.monitoring.picture``.

Rules of this file: each strip is one query of the dashboard, as Prometheus answered it; below them
are the alerts that fired. This is no picture of Grafana.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from tests.lab import World
from tests.monitoring import dashboard
from tests.monitoring.dashboard import Query
from tests.monitoring.story import Story

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"

WIDTH, LEFT, RIGHT = 900, 170, 880
PLOT, LANE, SPACE = 62, 15, 34
GAP = 12  # pixels without a value that interrupt a line

# Colours that the colour-blind tell apart (Okabe, Ito).
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7f7f7f", "#8c564b")
GOOD, BAD, OTHER = "#009e73", "#d55e00", "#e6c35c"
COLOURS = {"good": GOOD, "this": GOOD, "unknown": OTHER, "undetermined": OTHER, "unasked": OTHER}
STYLE = """\
:root { --ground: #fff; --ink: #1f2328; --faint: #59636e; --line: #d1d9e0; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0d1117; --ink: #f0f6fc; --faint: #9198a1; --line: #3d444d; } }
text { font: 12px system-ui, "Noto Sans JP", "Noto Sans CJK JP", "Hiragino Sans", "Yu Gothic UI",
  Meiryo, sans-serif; fill: var(--ink); }
.title { font-size: 15px; font-weight: 600; }
.head { font-weight: 600; paint-order: stroke; stroke: var(--ground); stroke-width: 3px; }
.faint { fill: var(--faint); font-size: 11px; }
.end { text-anchor: end; }
.ground { fill: var(--ground); stroke: var(--line); }
.line { stroke: var(--line); }
.series { fill: none; stroke-width: 2; stroke-linejoin: round; }
"""

TITLE = {
    "en": "What the dashboard's queries return: one host of the lab, and its troubles",
    "ja": "ダッシュボードのクエリーの結果: 検証環境のサーバー1台で順に発生させた問題",
}
ALERTS = {"en": "Alerts that fire", "ja": "発報中のアラート"}
NOTE = {
    "en": "From the lab's Prometheus; alerts wait for 2 s in place of hours. This is not Grafana.",
    "ja": "検証環境のPrometheusの値。アラートの待機時間は2秒に短縮。Grafanaの画面ではありません。",
}
STAGES = {
    "all well": "正常",
    "held": "保留",
    "held for two hours": "2時間保留",
    "released": "適用",
    "revoked": "失効",
    "replaced": "再発行",
    "not served": "未使用",
    "reloaded": "再読み込み",
    "all the rest": "その他すべて",
    "settled": "解消",
    "two schedulers": "自動更新が2件",
    "timer stopped": "タイマー停止",
    "file gone": "ファイルなし",
    "all well again": "正常",
}

Points = list[tuple[float, float]]


@dataclass
class Seen:
    """What was seen of a story.

    Attributes:
        start: of the time axis, in seconds since the epoch.
        end: likewise.
        stages: title and beginning of each.
        strips: each query that has a course in time, with its series by name.
        alerts: when each alert fired, by alert and what it is about.
    """

    start: float
    end: float
    stages: Sequence[tuple[str, float]]
    strips: list[tuple[Query, dict[str, Points]]] = field(default_factory=list)
    alerts: dict[str, Points] = field(default_factory=dict)


def see(story: Story) -> Seen:
    """Asks Prometheus what the dashboard would ask."""
    start, end = story.stages[0].start, story.stages[-1].end
    seen = Seen(start, end, [(stage.title, stage.start) for stage in story.stages])
    for query in dashboard.queries(dashboard.load()):
        if query.legend:
            found = story.prometheus.query_range(query.expression, start, end)
            seen.strips.append(
                (query, {_named(query, each["metric"]): _points(each) for each in found})
            )
    for each in story.prometheus.query_range('ALERTS{alertstate="firing"}', start, end):
        labels = each["metric"]
        about = labels.get("lineage") or labels.get("kind") or ""
        name = f"{labels['alertname'].removeprefix('CertbotJprs')} {about}".strip()
        seen.alerts[name] = _points(each)
    return seen


def _points(series: Mapping[str, Sequence[tuple[float, str]]]) -> Points:
    return [(float(at), float(value)) for at, value in series["values"]]


def _named(query: Query, labels: Mapping[str, str]) -> str:
    """Names a series without the host: there is one only."""
    called = query.called(dict(labels)).replace(labels["instance"], "").strip()
    return called.removesuffix(".example.jp") or "host"


class Picture:
    """One picture in one language."""

    def __init__(self, seen: Seen, language: str) -> None:
        """Draws it."""
        self._seen, self._language = seen, language
        self._parts: list[str] = []
        self._y = 106.0
        for query, found in seen.strips:
            self._strip(query, found)
        self._alerts()
        bottom = self._y + 6
        self._y = bottom + 18
        self._words(LEFT, bottom + 4, NOTE[language], "faint")
        self._frame(bottom - 14)

    def __str__(self) -> str:
        title = escape(TITLE[self._language])
        return "\n".join(
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{self._y:.0f}" '
                f'viewBox="0 0 {WIDTH} {self._y:.0f}" role="img">',
                f"<title>{title}</title>",
                f"<style>{STYLE}</style>",
                f'<rect class="ground" x=".5" y=".5" width="{WIDTH - 1}" '
                f'height="{self._y - 1:.0f}" rx="6"/>',
                *self._parts,
                "</svg>\n",
            )
        )

    def _x(self, at: float) -> float:
        seen = self._seen
        return LEFT + (at - seen.start) / (seen.end - seen.start) * (RIGHT - LEFT)

    def _words(self, x: float, y: float, words: str, kind: str = "", more: str = "") -> None:
        self._parts.append(
            f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}"{more}>{escape(words)}</text>'
        )

    def _frame(self, bottom: float) -> None:
        """Writes the title and marks where each stage begins."""
        self._words(16, 26, TITLE[self._language], "title")
        for number, (title, start) in enumerate(self._seen.stages):
            words = STAGES[title] if self._language == "ja" else title
            x, y = self._x(start), 48 + 13 * (number % 4)
            self._parts.append(f'<path class="line" d="M{x:.1f} {y - 9}V{bottom:.0f}"/>')
            if x > RIGHT - 60:
                self._words(x - 3, y, words, "faint end")
            else:
                self._words(x + 3, y, words, "faint")

    def _head(self, query: Query) -> None:
        english, _slash, japanese = query.panel.partition(" / ")
        self._words(16, self._y + 4, japanese if self._language == "ja" else english, "head")

    def _strip(self, query: Query, found: Mapping[str, Points]) -> None:
        self._head(query)
        self._y += 12
        if query.kind == "state-timeline":
            for name, points in found.items():
                self._lane(name, points, lambda value: query.names[value])
        else:
            self._plot(query, found)
        self._y += SPACE - 12

    def _lane(self, name: str, points: Points, called: Callable[[float], str]) -> None:
        self._words(LEFT - 8, self._y + 11, name, "faint end")
        for start, end, value in _runs(points):
            words = called(value)
            x, width = self._x(start), max(self._x(end) - self._x(start), 1)
            colour = COLOURS.get(words, BAD)
            self._parts.append(
                f'<rect x="{x:.1f}" y="{self._y:.1f}" width="{width:.1f}" height="{LANE - 3}" '
                f'fill="{colour}"><title>{escape(words)}</title></rect>'
            )
        self._y += LANE

    def _plot(self, query: Query, found: Mapping[str, Points]) -> None:
        values = [value for points in found.values() for _at, value in points]
        low, high = min(0.0, *values), max(0.0, *values) or 1.0

        def height(value: float) -> float:
            return self._y + PLOT * (high - value) / (high - low)

        for value in sorted({low if high < -9 * low else 0.0, 0.0, high}):
            y = height(value)
            self._parts.append(f'<path class="line" d="M{LEFT} {y:.1f}H{RIGHT}"/>')
            self._words(LEFT - 8, y + 4, _short(value, query.unit), "faint end")
        colours = dict(zip(found, SERIES * len(found)))
        for name, points in found.items():
            self._parts.append(
                f'<path class="series" stroke="{colours[name]}" '
                f'd="{_path([(self._x(at), height(value)) for at, value in points])}">'
                f"<title>{escape(name)}</title></path>"
            )
        self._y += PLOT + 14
        x = float(LEFT)
        for name in found:
            self._words(x, self._y, name, "faint", f' style="fill:{colours[name]}"')
            x += 14 + 6.2 * len(name)

    def _alerts(self) -> None:
        self._words(16, self._y + 4, ALERTS[self._language], "head")
        self._y += 12
        for name, points in self._seen.alerts.items():
            self._lane(name.removesuffix(".example.jp"), points, lambda _value: "fires")


def _runs(points: Points) -> list[tuple[float, float, float]]:
    """Returns from when to when there was which value; seconds without one end a run."""
    runs: list[tuple[float, float, float]] = []
    for at, value in points:
        if runs and runs[-1][2] == value and at - runs[-1][1] < 1.5:
            runs[-1] = (runs[-1][0], at, value)
        else:
            runs.append((at, at, value))
    return [(start, end + 1, value) for start, end, value in runs]


def _path(points: Points) -> str:
    """Returns a line through points, in steps; seconds without one interrupt it."""
    parts: list[str] = []
    last: tuple[float, float] | None = None
    for x, y in points:
        if last is None or x - last[0] > GAP:
            parts.append(f"{f'H{last[0]:.1f}' if last else ''}M{x:.1f} {y:.1f}")
        elif abs(y - last[1]) >= 0.05:
            parts.append(f"H{x:.1f}V{y:.1f}")
        last = (x, y)
    return "".join(parts) + (f"H{last[0]:.1f}" if last else "")


def _short(value: float, unit: str) -> str:
    """Writes a value as short as it can be."""
    if unit != "s":
        return f"{value:g}"
    for size, letter in ((86400, "d"), (3600, "h"), (60, "min")):
        if abs(value) >= size:
            return f"{value / size:.0f} {letter}"
    return f"{value:.0f} s"


def main() -> int:
    """Lets the story happen, and draws it in both languages."""
    with World() as world:
        story = Story(world)
        story.tell()
        seen = see(story)
    save(seen)
    return 0


def save(seen: Seen) -> None:
    """Writes the pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for language in TITLE:
        text = re.sub(r"\.0(?=[ \"LMHV])", "", str(Picture(seen, language)))
        (PICTURES / f"monitoring.{language}.svg").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
