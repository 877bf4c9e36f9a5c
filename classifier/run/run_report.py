"""What a run writes about the real images, without labels: predictions, scores, a sheet, and a page with all."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from classifier.adaptation.keep_better import AdaptationDecision, decision_of
from classifier.adaptation.pseudo_labels import RoundScores
from classifier.adaptation.refiner_run import RefinerDecision
from classifier.adaptation.self_training import rounds_of
from classifier.confidence.agreement import class_distance
from classifier.confidence.calibrating import calibrate
from classifier.learning.phase import METRICS
from classifier.networks.readings import Readings
from classifier.reading.calibration import CALIBRATION
from classifier.reading.class_shares import class_shares, expected_shares
from classifier.reading.predictions import header, line, predictions
from classifier.reading.reader import Reader
from classifier.reading.reading_loop import ReadBatch
from synth_engine.atomic import write_bytes
from synth_engine.contact_sheet import labelled_sheet, save_picture
from synth_engine.json_files import write_json
from synth_engine.real import RealImages, evenly
from synth_engine.training import charts, html
from synth_engine.training.metrics import read_rows
from synth_engine.training.run_folder import RunFolder

PREDICTIONS, SCORES, SHEET, REPORT = "predictions.csv", "scores.json", "sheet.png", "report.html"
SCORES_KIND = "scores without labels"
CALIBRATED_ON = 4096  # real images at most, the first ones
COVERAGE = 0.8  # share of the images, the most confident ones
SHOWN = 48
CURVES = {
    "Loss": ("loss",),
    "Accuracy on training characters": ("characters",),
    "Learning rate": ("learning_rate",),
}

log = logging.getLogger(__name__)


def write_report(model: Path, real: RealImages, run: RunFolder) -> None:
    """Read ``real`` with ``model`` and write predictions.csv, scores.json, sheet.png and report.html into ``run``.

    Confidence is calibrated first (calibration.json), so that the mean confidence of the texts estimates the share of
    them that is right. The scores also say what became of a refiner, if the run trained one, and whether adaptation
    was kept, if there was any.
    """
    calibration = calibrate(Reader.load(model), real.images[:CALIBRATED_ON], model)
    log.info(f"{run / CALIBRATION}: {calibration.line()}")
    reader = Reader.load(model)
    readings = reader.read(real.images)
    alphabet = reader.recipe.alphabet
    batch = ReadBatch(real.names, real.images, readings)
    rows = (line(prediction, "csv", False) for prediction in predictions(batch, alphabet, None))
    write_bytes(run / PREDICTIONS, header("csv", False) + b"".join(rows))
    refiner = RefinerDecision.of(run.path) if run.config.get("refine") else None
    decision = decision_of(run.path)
    scores = scores_of(readings, reader, run.config.get("seed", 0))
    became = {"refiner": refiner and refiner.as_dict(), "adaptation": decision and decision.as_dict()}
    write_json(run / SCORES, SCORES_KIND, scores | became)
    save_picture(_sheet(real, readings, alphabet), run / SHEET)
    sections = {
        "Training": _curves(run / METRICS),
        **_refiner(refiner),
        **_adaptation(decision, rounds_of(run.path), alphabet),
    }
    write_bytes(run / REPORT, _report(run, scores, sections).encode())
    log.info(f"{scores['images']} real images read, {scores['expected_right']:.1%} of them right by its own confidence")
    log.info(f"{run / PREDICTIONS} holds the texts, {run / REPORT} shows the run")


def scores_of(readings: Readings, reader: Reader, seed: int) -> dict[str, Any]:
    """What can be said without labels, as JSON values.

    expected_right: mean confidence, which estimates the share of texts that is right; expected_right_at_80_coverage:
    the same of the 80% most confident images; agreement: share of texts that a warped view reads alike;
    class_distance: total variation between the classes read and the recipe's; classes: each one's share over its
    expected one.
    """
    expected = expected_shares(reader.recipe, seed)
    shares = class_shares(readings.codes, len(expected)).astype(np.float32)
    confidence = np.sort(readings.confidence())[::-1]
    covered = confidence[: max(1, round(COVERAGE * len(confidence)))]
    return {
        "images": len(readings),
        "expected_right": round(float(confidence.mean()), 4),
        "expected_right_at_80_coverage": round(float(covered.mean()), 4),
        "agreement": reader.calibration.agreement if reader.calibration else None,
        "class_distance": round(class_distance(readings.codes, expected).found, 4),
        "classes": dict(
            zip(reader.recipe.alphabet, np.round((shares / expected).astype(np.float64), 3).tolist(), strict=True)
        ),
    }


def _sheet(real: RealImages, readings: Readings, alphabet: str) -> Image.Image:
    """The least confident images, then as many spread over all."""
    confidence = readings.confidence()
    order = np.argsort(confidence, kind="stable")
    spread = order[evenly(len(order), SHOWN)]
    picked = np.concatenate([order[:SHOWN], spread])
    texts = readings.texts(alphabet)
    return labelled_sheet(real.images[picked], [f"{texts[k]} {confidence[k]:.0%}" for k in picked])


def _report(run: RunFolder, scores: Mapping[str, Any], sections: Mapping[str, str]) -> str:
    lead = f"{scores['expected_right']:.1%} of {scores['images']} real texts are right, by the reader's own confidence."
    known = {
        "Images read": scores["images"],
        "Expected accuracy": f"{scores['expected_right']:.1%}",
        "Expected accuracy at 80% coverage": f"{scores['expected_right_at_80_coverage']:.1%}",
        "Texts that a warped view reads alike": _share(scores["agreement"]),
        "Distance between the classes read and the recipe's": _share(scores["class_distance"]),
    }
    return html.page(
        f"Reader of {run.config.get('recipe', '')}",
        lead,
        {
            "Scores without labels": html.table(known.items()),
            "Classes": charts.bar_chart("Share of each class, read over expected", scores["classes"], level=1.0),
            **sections,
            "The least confident images, then some of all": html.picture(run / SHEET),
            "Configuration": html.table(html.flat(run.config).items()),
        },
    )


def _share(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.1%}"


def _adaptation(decision: AdaptationDecision | None, rounds: list[RoundScores], alphabet: str) -> dict[str, str]:
    if decision is None:
        return {}
    scores = [
        (when, _share(score.agreement), _share(score.distance))
        for when, score in (("before", decision.before), ("after", decision.after))
    ]
    compared = html.table(scores, ("", "texts that a warped view reads alike", "distance of the classes read"))
    lines = html.table(((k, score.line(alphabet)) for k, score in enumerate(rounds, 1)), ("round", "pseudo-labels"))
    return {"Self-training": f"<p>The {decision.kept} network is kept.</p>{compared}{lines}"}


def _refiner(decision: RefinerDecision | None) -> dict[str, str]:
    if decision is None:
        return {}
    metrics = html.table(decision.rows(), ("metric", "value", "target", ""))
    return {"Refiner": html.table([[decision.line()]]) + metrics}


def _curves(path: Path) -> str:
    rows = read_rows(path)
    phases = list(dict.fromkeys(row["phase"] for row in rows))
    return "".join(
        charts.line_chart(f"{title}: {phase}", charts.series([row for row in rows if row["phase"] == phase], names))
        for phase in phases
        for title, names in CURVES.items()
    )
