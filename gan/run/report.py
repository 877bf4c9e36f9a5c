"""The report of a run, once it is over: lines for a terminal, assessment.json, report.html, sheets.gif."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from PIL import Image

from gan.settings.targets import helps, metric_targets
from synth_engine.atomic import write_bytes, write_with
from synth_engine.training import charts, html
from synth_engine.training.refinement_report import MetricTarget, RefinementReport, RefinerMetrics
from synth_engine.training.run_folder import RunFolder

SHEET, SHEETS, FILM, PAGE = "sheet.png", "sheets", "sheets.gif", "report.html"
FRAME_MS = 700
CHANGED_LEAST = 0.0005
REACHED = {True: "reached", False: "missed ", None: "unknown"}
CURVES = {  # of metrics.csv
    "Losses": ("refiner_adversarial", "discriminator_real", "discriminator_refined", "label_loss"),
    "Discriminator accuracy in training": ("accuracy_real", "accuracy_refined"),
    "Mean change of a pixel in training": ("mean_change",),
    "Synthetic images per second": ("images_per_s",),
    "Share of the time that steps waited for data": ("waited_share",),
}
ASSESSED_CURVES = {  # of assessment.csv
    "Two-sample accuracy": ("two_sample_accuracy", "two_sample_accuracy_raw"),
    "Kernel distance to real images": ("kernel_distance", "kernel_distance_raw"),
    "Label preservation": ("label_preservation", "label_preservation_worst"),
    "Discriminator accuracy without noise": ("accuracy_real", "accuracy_refined"),
    "Mean change of a pixel, and share of changed pixels": ("mean_change", "changed_pixels"),
    "Pixel deviation relative to raw": ("relative_deviation",),
}


def refinement_report(chosen: RefinerMetrics, last: RefinerMetrics, reason: str) -> RefinementReport:
    """What the ``chosen`` step's metrics amount to; ``last``: those of the last step assessed."""
    targets = metric_targets(chosen)
    return RefinementReport(helps=helps(chosen), reason=reason, chosen=chosen, last=last, targets=targets)


def report_lines(report: RefinementReport) -> Iterator[str]:
    """The chosen step, the targets, what follows for a reader, and what the refiner does, for the terminal."""
    yield f"chosen: step {report.chosen.step} of {report.last.step}: {report.reason}"
    for target in report.targets:
        yield f"{REACHED[target.reached]}  {target.name}: {target.received}, target {target.wanted}"
    yield f"a reader should learn from {'half refined' if report.helps else 'raw'} images"
    yield f"summary: {summary(report.chosen)}"


def summary(metrics: RefinerMetrics) -> str:
    """What a refiner with these ``metrics`` does, and what to try where that is too little or too much."""
    return (
        f"a pixel changes by {metrics.mean_change:.2%} of the range on average, and {metrics.changed_pixels:.2%} of "
        f"binary pixels change; the discriminator classifies {metrics.accuracy_real:.0%} of real and "
        f"{metrics.accuracy_refined:.0%} of refined images correctly{_advice(metrics)}"
    )


def _advice(metrics: RefinerMetrics) -> str:
    if metrics.changed_pixels < CHANGED_LEAST:
        return ": next to nothing was refined; train longer or lower --lambda"
    if metrics.mean_change > 0.15:
        return ": so large a change may erase characters; look at the sheet and raise --lambda"
    if min(metrics.accuracy_real, metrics.accuracy_refined) > 0.95:
        return ": refined and real images still differ; train longer, lower --lambda, or improve the recipe"
    return ""


def write_report(
    run: RunFolder, report: RefinementReport, assessed: Sequence[RefinerMetrics], rows: Sequence[Mapping[str, str]],
    title: str,
) -> None:  # fmt: skip
    """Write the files, each whole or not at all; ``rows`` are those of metrics.csv. Raises OSError.

    assessment.json comes last: where it is, all others are.
    """
    frames = sorted((run / SHEETS).glob("*.png"))
    if frames:
        write_with(run / FILM, lambda path: animate(frames, path))
    pictures = [path for path in (run / SHEET, run / FILM) if path.is_file()]
    write_bytes(run / PAGE, page_of(title, run.config, rows, report, assessed, pictures).encode())
    report.write(run.path)


def page_of(
    title: str, config: Mapping[str, Any], rows: Sequence[Mapping[str, str]], report: RefinementReport,
    assessed: Sequence[RefinerMetrics], pictures: Sequence[Path],
) -> str:  # fmt: skip
    """report.html: targets, curves, sheets and configuration; ``pictures`` are PNG or GIF files."""
    steps = [{name: str(value) for name, value in metrics.as_row().items()} for metrics in assessed]
    sections = {
        "Targets": _targets_table(report.targets),
        "Assessments": "".join(
            charts.line_chart(name, charts.series(steps, names)) for name, names in ASSESSED_CURVES.items()
        ),
        "Training": "".join(charts.line_chart(name, charts.series(rows, names)) for name, names in CURVES.items()),
        "Sheets": "".join(html.picture(path) for path in pictures),
        "Configuration": html.table(config.items()),
    }
    return html.page(title, f"Chosen: step {report.chosen.step}: {report.reason}.", sections)


def animate(frames: Sequence[Path], path: Path) -> None:
    """Write the pictures ``frames``, all of one size, as an animated GIF that starts over at its end."""
    first, *others = (Image.open(io.BytesIO(frame.read_bytes())) for frame in frames)
    first.save(path, save_all=True, append_images=others, duration=FRAME_MS, loop=0)


def _targets_table(targets: Sequence[MetricTarget]) -> str:
    marked = {True: '<span class="yes">reached</span>', False: '<span class="no">missed</span>', None: "not measured"}
    rows = (
        f"<tr><td>{escape(target.name)}<td>{escape(target.wanted)}<td>{target.received}<td>{marked[target.reached]}"
        for target in targets
    )
    return f"<table><tr><th>metric<th>target<th>value<th>{''.join(rows)}</table>"
