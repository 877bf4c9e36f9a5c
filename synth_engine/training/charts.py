"""Charts of a run's tables, as pictures inside report.html."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Points = list[tuple[float, float]]
Series = dict[str, Points]

SIZE_IN = (5.6, 3.0)
DPI = 144  # of the picture; the page shows it at two thirds, so that it stays sharp
WIDTH_PX = 540
COLOURS = ("#1668b3", "#c2410c", "#3f7d20", "#7a3fb0", "#8a6d00", "#00818a")
MARKED_MAX = 40  # a line of at most so many points marks each of them
LEGEND_COLUMNS = 3


def series(rows: Sequence[Mapping[str, str]], names: Sequence[str], x: str = "step") -> Series:
    """Points (x, value) of each of the columns ``names`` that has values in ``rows``, the rows of a CSV table."""
    found = {name: [(float(row[x]), float(row[name])) for row in rows if row.get(name)] for name in names}
    return {name: points for name, points in found.items() if points}


def line_chart(title: str, lines: Series, x: str = "step") -> str:
    """A chart with one line for each of ``lines``, as HTML; nothing without any.

    The vertical axis includes zero. Underscores in names are shown as spaces.
    """
    if not lines:
        return ""
    return _figure(f"{title}: {', '.join(lines)} by {x}", chart_png(title, lines, x))


def bar_chart(title: str, values: Mapping[str, float], level: float) -> str:
    """A chart with one bar for each of ``values`` and a line at ``level``, as HTML; nothing without any."""
    if not values:
        return ""
    return _figure(
        f"{title}: {', '.join(f'{name} {value:.2f}' for name, value in values.items())}", bar_png(title, values, level)
    )


def bar_png(title: str, values: Mapping[str, float], level: float) -> bytes:
    """The picture of `bar_chart`, a PNG file."""
    figure, axes = _axes(title)
    axes.bar(range(len(values)), list(values.values()), color=COLOURS[0], width=0.7)
    axes.axhline(level, color=COLOURS[1], linewidth=1)
    axes.set_xticks(range(len(values)), list(values))
    axes.set_xlim(-0.6, len(values) - 0.4)
    axes.grid(visible=False, axis="x")
    return _png(figure)


def chart_png(title: str, lines: Series, x: str = "step") -> bytes:
    """The picture of `line_chart`, a PNG file."""
    figure, axes = _axes(title)
    for k, (name, points) in enumerate(lines.items()):
        marker = "o" if len(points) <= MARKED_MAX else None
        label, colour = name.replace("_", " "), COLOURS[k % len(COLOURS)]
        axes.plot(*zip(*points, strict=True), label=label, color=colour, linewidth=1.5, marker=marker, markersize=3)
    axes.set_xlabel(x, fontsize=9)
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]) if _least(lines) < 0 else 0.0)
    if len(lines) > 1:  # below the axes, where it hides no line
        figure.legend(loc="outside lower center", ncols=LEGEND_COLUMNS, fontsize=8, frameon=False)
    return _png(figure)


def _axes(title: str) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure  # slow to import, and most processes draw no chart

    figure = Figure(SIZE_IN, dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold")
    axes.tick_params(labelsize=8)
    axes.grid(color="#e4e4e4", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _figure(description: str, png: bytes) -> str:
    data = base64.b64encode(png).decode()
    return f'<figure><img width="{WIDTH_PX}" alt="{escape(description)}" src="data:image/png;base64,{data}"></figure>'


def _least(lines: Series) -> float:
    return min(value for points in lines.values() for _, value in points)
