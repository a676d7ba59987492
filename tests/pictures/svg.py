"""Drawings in SVG: legible on light and dark, whatever surrounds them."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"

# Colours that the colour-blind tell apart (Okabe, Ito); what is too early is hatched besides.
STYLE = """\
:root { --ground: #fff; --ink: #1f2328; --faint: #59636e; --line: #d1d9e0;
  --old: #afb8c1; --good: #009e73; --early: #d55e00; --sleep: #e6c35c; --wait: #9cc9ea; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0d1117; --ink: #f0f6fc; --faint: #9198a1; --line: #3d444d;
    --old: #656c76; --good: #1fb58c; --early: #f0803c; --sleep: #a8862a; --wait: #3a78a8; } }
text { font: 13px system-ui, "Noto Sans JP", "Noto Sans CJK JP", "Hiragino Sans", "Yu Gothic UI",
  Meiryo, sans-serif; fill: var(--ink); }
.title { font-size: 15px; font-weight: 600; }
.head { font-weight: 600; }
.faint { fill: var(--faint); }
.small { font-size: 12px; }
.code { font-family: ui-monospace, "SFMono-Regular", Menlo, Consolas, monospace; }
.rim { paint-order: stroke; stroke: var(--ground); stroke-width: 3px; stroke-linejoin: round; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
.ground { fill: var(--ground); stroke: var(--line); }
.line { stroke: var(--line); fill: none; }
.mark { fill: var(--ink); }
.tick { stroke: var(--ink); stroke-width: 1; }
.old { fill: var(--old); }
.good { fill: var(--good); }
.sleep { fill: var(--sleep); }
.wait { fill: var(--wait); }
.early { fill: url(#hatched); }
"""
HATCHED = (
    '<defs><pattern id="hatched" width="8" height="8" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect width="8" height="8" fill="var(--early)"/>'
    '<rect width="2.5" height="8" fill="var(--ground)" opacity=".55"/></pattern></defs>'
)


def _short(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


class Drawing:
    """One picture in the making; lengths are in pixels, from the top left."""

    def __init__(self, width: int, title: str, description: str) -> None:
        """Begins.

        Args:
            width: of the whole.
            title: what is said to those who do not see it, in a word.
            description: the same, in full.
        """
        self._width = width
        self._title, self._description = title, description
        self._parts: list[str] = []

    def _add(self, tag: str, kind: str, inside: str = "", **values: float | str) -> None:
        said = "".join(f" {name}={quoteattr(_short(value))}" for name, value in values.items())
        end = f">{inside}</{tag}>" if inside else "/>"
        self._parts.append(f'<{tag} class="{kind}"{said}{end}')

    def text(self, x: float, y: float, words: str, kind: str = "") -> None:
        """Writes a line; y is its baseline."""
        self._add("text", kind, escape(words), x=x, y=y)

    def box(self, x: float, y: float, width: float, height: float, kind: str) -> None:
        """Fills a rectangle."""
        self._add("rect", kind, x=x, y=y, width=max(width, 1), height=height)

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str = "line") -> None:
        """Draws a line."""
        self._add("line", kind, x1=x1, y1=y1, x2=x2, y2=y2)

    def behind(self, x: float, y1: float, y2: float) -> None:
        """Draws an upright line of a grid, behind everything that was drawn."""
        self.line(x, y1, x, y2)
        self._parts.insert(0, self._parts.pop())

    def arrow(self, x: float, y: float) -> None:
        """Marks a point in time, by a triangle that points down to it."""
        self._add("path", "mark", d=f"M{x:.1f} {y:.1f}l-5 -8h10z")

    def diamond(self, x: float, y: float) -> None:
        """Marks another kind of point in time."""
        self._add("path", "mark", d=f"M{x:.1f} {y - 7:.1f}l6 7l-6 7l-6 -7z")

    def label(self, x: float, y: float, words: str) -> None:
        """Writes on a bar, with a rim in the colour of the ground that keeps it legible."""
        self.text(x, y, words, "small rim")

    def save(self, path: Path, height: float) -> None:
        """Writes the picture."""
        size = f'width="{self._width}" height="{height:g}"'
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {self._width} {height:g}"'
            ' role="img" aria-labelledby="title description">'
        )
        ground = (
            f'<rect class="ground" x=".5" y=".5" width="{self._width - 1}" '
            f'height="{height - 1:g}" rx="6"/>'
        )
        lines = [
            head,
            f'<title id="title">{escape(self._title)}</title>',
            f'<desc id="description">{escape(self._description)}</desc>',
            f"<style>{STYLE}</style>",
            HATCHED,
            ground,
            *self._parts,
            "</svg>",
        ]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
