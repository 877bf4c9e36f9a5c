"""Parts of report.html: a run on one page that needs nothing beside it. Text in, text out.

Curves are inline SVG, pictures lie in the page as base64. What a page says is left to those who make it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

Points = list[tuple[float, float]]
Series = dict[str, Points]

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 430, 190, 52, 10, 24
COLOURS = ("#1668b3", "#c2410c", "#3f7d20", "#7a3fb0")
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em; color: #222 }}
table {{ border-collapse: collapse }} td, th {{ padding: .2em .8em; border-bottom: 1px solid #ddd; text-align: left }}
figure {{ display: inline-block; margin: 0 1em 1em 0 }} figcaption {{ font-weight: 600 }} img {{ max-width: 100% }}
svg text {{ font: 11px system-ui, sans-serif }} .yes {{ color: #3f7d20 }} .no {{ color: #c2410c }}
</style>
<h1>{title}</h1>
<p>{lead}</p>
{sections}
</html>
"""


def page(title: str, lead: str, sections: Mapping[str, str]) -> str:
    """The whole page; ``title`` and ``lead`` are text, ``sections`` headings with HTML below."""
    parts = "\n".join(f"<h2>{escape(heading)}</h2>{content}" for heading, content in sections.items())
    return PAGE.format(title=escape(title), lead=escape(lead), sections=parts)


def table(rows: Iterable[Sequence[object]], head: Sequence[str] = ()) -> str:
    """Rows of cells, which are shown as text."""
    first = "".join(f"<th>{escape(cell)}" for cell in head)
    lines = ("".join(f"<td>{escape(str(cell))}" for cell in row) for row in rows)
    return f"<table>{first and '<tr>' + first}{''.join(f'<tr>{line}' for line in lines)}</table>"


def picture(path: Path) -> str:
    """A PNG or GIF file under its name."""
    data = base64.b64encode(path.read_bytes()).decode()
    kind = path.suffix[1:]
    return f'<p>{escape(path.name)}<br><img alt="{escape(path.stem)}" src="data:image/{kind};base64,{data}">'


def series(rows: Sequence[Mapping[str, str]], names: Sequence[str], x: str = "step") -> Series:
    """Points (x, value) of each column that has any."""
    found = {name: [(float(row[x]), float(row[name])) for row in rows if row.get(name)] for name in names}
    return {name: points for name, points in found.items() if points}


def curve(title: str, lines: Series) -> str:
    """A figure with one line a series, or nothing without any."""
    if not lines:
        return ""
    xs, ys = ([point[axis] for points in lines.values() for point in points] for axis in (0, 1))
    box = (min(xs), max(xs), min(*ys, 0.0), max(*ys, min(*ys, 0.0) + 1e-9))
    drawn = "".join(_line(k, name, points, box) for k, (name, points) in enumerate(lines.items()))
    return f'<figure><figcaption>{escape(title)}</figcaption><svg width="{WIDTH}" height="{HEIGHT + 18}">{_axes(box)}{drawn}</svg></figure>'  # noqa: E501


def _axes(box: tuple[float, float, float, float]) -> str:
    left, right, low, high = box
    bottom = HEIGHT - BOTTOM
    return (
        f'<path d="M{LEFT} {TOP}V{bottom}H{WIDTH - 8}" fill="none" stroke="#999"/>'
        f'<text x="{LEFT - 4}" y="{TOP + 8}" text-anchor="end">{high:.4g}</text>'
        f'<text x="{LEFT - 4}" y="{bottom}" text-anchor="end">{low:.4g}</text>'
        f'<text x="{LEFT}" y="{bottom + 14}">{left:.0f}</text>'
        f'<text x="{WIDTH - 8}" y="{bottom + 14}" text-anchor="end">step {right:.0f}</text>'
    )


def _line(k: int, name: str, points: Points, box: tuple[float, float, float, float]) -> str:
    left, right, low, high = box
    width, height = WIDTH - 8 - LEFT, HEIGHT - BOTTOM - TOP
    places = (
        f"{LEFT + (x - left) / max(right - left, 1e-9) * width:.1f},{TOP + (high - y) / (high - low) * height:.1f}"
        for x, y in points
    )
    colour, at = COLOURS[k % len(COLOURS)], LEFT + k * (WIDTH - LEFT) // 4
    return (
        f'<polyline points="{" ".join(places)}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
        f'<text x="{at}" y="{HEIGHT + 12}" fill="{colour}">{escape(name)}</text>'
    )
