"""report.html: a run on one page that needs nothing beside it: marks, curves, sheets, configuration. Text in, text out.

Curves are inline SVG, pictures lie in the page as base64.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from gan.assessment.figures import Figures, marks

Points = list[tuple[float, float]]
Series = dict[str, Points]

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 430, 190, 52, 10, 24
COLOURS = ("#1668b3", "#c2410c", "#3f7d20", "#7a3fb0")
FRAME_MS = 700
CURVES = {  # of metrics.csv
    "Losses": ("refiner_adversarial", "discriminator_real", "discriminator_refined", "labels"),
    "Accuracy of the discriminator in training": ("accuracy_real", "accuracy_refined"),
    "Mean change of a pixel in training": ("mean_change",),
}
ASSESSED = {  # of assessment.csv
    "Told apart by a fresh classifier": tuple(f"two_sample{which}" for which in ("", "_raw", "_grey", "_grey_raw")),
    "Kernel distance to real": ("kernel", "kernel_raw"),
    "Labels kept": ("kept", "kept_worst"),
    "Accuracy of the discriminator, no noise": ("accuracy_real", "accuracy_refined"),
    "Mean change of a pixel": ("mean_change",),
    "Spread over raw": ("spread",),
}  # fmt: skip
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
<h2>Marks</h2>{marks}
<h2>Assessments</h2>{assessed}
<h2>Training</h2>{curves}
<h2>Sheets</h2>{pictures}
<h2>Configuration</h2>{config}
</html>
"""


class Outcome(NamedTuple):
    """What a run came to: figures at all assessed steps, the chosen one, and why it was chosen."""

    figures: Sequence[Figures]
    chosen: Figures
    reason: str


def draw_report(
    title: str,
    config: Mapping[str, Any],
    metrics: Sequence[Mapping[str, str]],
    outcome: Outcome,
    pictures: Sequence[Path],
) -> str:
    """The page; ``metrics`` are rows of metrics.csv, ``pictures`` paths of PNG or GIF files."""
    assessed = [{name: str(value or "") for name, value in f.as_dict().items()} for f in outcome.figures]
    return PAGE.format(
        title=escape(title),
        lead=escape(f"Chosen: step {outcome.chosen.step}, {outcome.reason}."),
        marks=_marks_table(outcome.chosen),
        assessed="".join(_curve(name, _series(assessed, names)) for name, names in ASSESSED.items()),
        curves="".join(_curve(name, _series(metrics, names)) for name, names in CURVES.items()),
        pictures="".join(_picture(path) for path in pictures),
        config=_table((name, str(value)) for name, value in config.items()),
    )


def animate(frames: Sequence[Path], path: Path) -> None:
    """Write the pictures ``frames``, all of one size, as an animated GIF that starts over at its end."""
    first, *others = (Image.open(io.BytesIO(frame.read_bytes())) for frame in frames)
    first.save(path, save_all=True, append_images=others, duration=FRAME_MS, loop=0)


def _marks_table(chosen: Figures) -> str:
    verdicts = {True: '<span class="yes">reached</span>', False: '<span class="no">missed</span>', None: "not measured"}
    rows = (
        f"<tr><td>{escape(mark.name)}<td>{escape(mark.wanted)}<td>{mark.received}<td>{verdicts[mark.reached]}"
        for mark in marks(chosen)
    )
    return f"<table><tr><th>figure<th>must reach<th>received<th>{''.join(rows)}</table>"


def _table(rows: Any) -> str:
    return f"<table>{''.join(f'<tr><td>{escape(name)}<td>{escape(value)}' for name, value in rows)}</table>"


def _picture(path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    kind = path.suffix[1:]
    return f'<p>{escape(path.name)}<br><img alt="{escape(path.stem)}" src="data:image/{kind};base64,{data}">'


def _series(rows: Sequence[Mapping[str, str]], names: Sequence[str]) -> Series:
    """Points (step, value) of each column that has any."""
    found = {name: [(float(row["step"]), float(row[name])) for row in rows if row.get(name)] for name in names}
    return {name: points for name, points in found.items() if points}


def _curve(title: str, series: Series) -> str:
    """A figure with one line a series, or nothing without any."""
    if not series:
        return ""
    xs, ys = ([point[axis] for points in series.values() for point in points] for axis in (0, 1))
    box = (min(xs), max(xs), min(*ys, 0.0), max(*ys, min(*ys, 0.0) + 1e-9))
    lines = "".join(_line(k, name, points, box) for k, (name, points) in enumerate(series.items()))
    return f'<figure><figcaption>{escape(title)}</figcaption><svg width="{WIDTH}" height="{HEIGHT + 18}">{_axes(box)}{lines}</svg></figure>'  # noqa: E501


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
