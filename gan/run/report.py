"""report.html: a run on one page: marks, curves, sheets, configuration. Text in, text out."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from gan.settings.metrics import Figures, marks
from synth_engine.training import charts, html

FRAME_MS = 700
CURVES = {  # of metrics.csv
    "Losses": ("refiner_adversarial", "discriminator_real", "discriminator_refined", "labels"),
    "Accuracy of the discriminator in training": ("accuracy_real", "accuracy_refined"),
    "Mean change of a pixel in training": ("mean_change",),
    "Synthetic images a second": ("images_per_s",),
    "Share of the time that steps waited for data": ("waited_share",),
}
ASSESSED = {  # of assessment.csv
    "Told apart by a fresh classifier": ("two_sample", "two_sample_raw"),
    "Kernel distance to real": ("kernel", "kernel_raw"),
    "Labels kept": ("kept", "kept_worst"),
    "Accuracy of the discriminator, no noise": ("accuracy_real", "accuracy_refined"),
    "Mean change of a pixel, and share of drawn pixels that differ": ("mean_change", "drawn_change"),
    "Spread over raw": ("spread",),
}  # fmt: skip


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
    assessed = [{name: str(value) for name, value in f.as_row().items()} for f in outcome.figures]
    sections = {
        "Marks": _marks_table(outcome.chosen),
        "Assessments": "".join(
            charts.line_chart(name, charts.series(assessed, names)) for name, names in ASSESSED.items()
        ),
        "Training": "".join(charts.line_chart(name, charts.series(metrics, names)) for name, names in CURVES.items()),
        "Sheets": "".join(html.picture(path) for path in pictures),
        "Configuration": html.table(config.items()),
    }
    return html.page(title, f"Chosen: step {outcome.chosen.step}, {outcome.reason}.", sections)


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
