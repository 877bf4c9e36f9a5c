"""What a run leaves of the real images, no label read: predictions, scores, a sheet, and all on one page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from classifier.adaptation.keep_better import choice_of
from classifier.adaptation.pseudo_labels import RoundScores
from classifier.adaptation.refiner_run import Verdict
from classifier.adaptation.self_training import rounds_of
from classifier.confidence.agreement import class_distance
from classifier.confidence.calibrating import calibrate
from classifier.learning.phase import METRICS
from classifier.networks.readings import Readings
from classifier.reading.calibration import CALIBRATION
from classifier.reading.class_shares import class_shares, expected_shares
from classifier.reading.paths import Batch
from classifier.reading.predictions import header, line, predictions
from classifier.reading.reader import Reader
from synth_engine.atomic import write_bytes
from synth_engine.contact_sheet import labelled_sheet, save_picture
from synth_engine.json_files import write_json
from synth_engine.real import RealImages
from synth_engine.training import html
from synth_engine.training.metrics import read_rows
from synth_engine.training.run_folder import RunFolder

PREDICTIONS, SCORES, SHEET, REPORT = "predictions.csv", "scores.json", "sheet.png", "report.html"
SHOWN = 48
CURVES = {"Loss": ("loss",), "Characters read right, as taught": ("characters",), "Learning rate": ("learning_rate",)}


def write_outcome(model: Path, target: RealImages, run: RunFolder, echo: Callable[[str], object]) -> None:
    """Read ``target`` with ``model`` and write predictions.csv, scores.json, sheet.png and report.html into ``run``.

    The model's certainty is fitted to the target first (calibration.json), so that the mean confidence of the texts
    estimates the share of them that is right. To the scores come what became of a refiner, if the run trained one, and
    whether adaptation was kept, if there was any.
    """
    calibration = calibrate(Reader.load(model), target.images, model)
    echo(f"{run / CALIBRATION}: {calibration.line()}")
    reader = Reader.load(model)
    readings = reader.read(target.images)
    alphabet = reader.recipe.alphabet
    batch = Batch(target.names, target.images, readings)
    rows = (line(prediction, "csv", False) for prediction in predictions(batch, alphabet, None))
    write_bytes(run / PREDICTIONS, header("csv", False) + b"".join(rows))
    refiner = Verdict.of(run.path) if run.config.get("refine") else None
    scores = scores_of(readings, reader, run.config.get("seed", 0))
    choice = choice_of(run.path)
    found = scores | {"refiner": refiner and refiner.as_dict(), "adaptation": choice}
    write_json(run / SCORES, "scores without labels", found)
    save_picture(_sheet(target, readings, alphabet), run / SHEET)
    sections = _training(run) | _refiner(refiner) | _adaptation(choice, rounds_of(run.path), alphabet)
    write_bytes(run / REPORT, _report(run, scores, sections).encode())
    echo(f"{scores['images']} real images read, {scores['expected_right']:.1%} of them right by its own confidence")
    echo(f"{run / PREDICTIONS} holds the texts, {run / REPORT} shows the run")


def scores_of(readings: Readings, reader: Reader, seed: int) -> dict[str, Any]:
    """What can be said without labels, as JSON values.

    expected_right: mean confidence of the texts; surest_80: the same of the surest 80% of images; agreement: share of
    texts that a warped view reads alike; class_distance: total variation between the classes read and the recipe's;
    classes: each one's share over its expected one.
    """
    expected = expected_shares(reader.recipe, seed)
    shares = class_shares(readings.codes, len(expected)).astype(np.float32)
    confidence = np.sort(readings.confidence())[::-1]
    return {
        "images": len(readings),
        "expected_right": round(float(confidence.mean()), 4),
        "surest_80": round(float(confidence[: max(1, round(0.8 * len(confidence)))].mean()), 4),
        "agreement": reader.calibration.agreement if reader.calibration else None,
        "class_distance": round(class_distance(readings.codes, expected).found, 4),
        "classes": dict(
            zip(reader.recipe.alphabet, np.round((shares / expected).astype(np.float64), 3).tolist(), strict=True)
        ),
    }


def _sheet(target: RealImages, readings: Readings, alphabet: str) -> Any:
    """The images that are least sure, and as many spread over all."""
    confidence = readings.confidence()
    order = np.argsort(confidence, kind="stable")
    spread = order[np.linspace(0, len(order) - 1, min(SHOWN, len(order))).astype(int)]
    picked = np.concatenate([order[:SHOWN], spread])
    texts = readings.texts(alphabet)
    return labelled_sheet(target.images[picked], [f"{texts[k]} {confidence[k]:.0%}" for k in picked])


def _report(run: RunFolder, scores: Mapping[str, Any], training: Mapping[str, str]) -> str:
    lead = f"{scores['expected_right']:.1%} of {scores['images']} real texts are right by the reader's own confidence."
    figures = [(name, value) for name, value in scores.items() if name != "classes"]
    off = sorted(scores["classes"].items(), key=lambda item: item[1])
    sections = {
        "Without labels": html.table(figures),
        "Classes, read over expected": html.table([[f"{name!r} {ratio:.2f}" for name, ratio in off]]),
        **training,
        "The least sure images, then some of all": html.picture(run / SHEET),
        "Configuration": html.table(run.config.items()),
    }
    return html.page(f"Reader of {run.config.get('recipe', '')}", lead, sections)


def _training(run: RunFolder) -> dict[str, str]:
    return {"Training": _curves(run / METRICS)}


def _adaptation(choice: Mapping[str, Any] | None, rounds: list[RoundScores], alphabet: str) -> dict[str, str]:
    lines = html.table([(k, score.line(alphabet)) for k, score in enumerate(rounds, 1)], ("round", ""))
    return {"Self-training": html.table((choice or {}).items()) + lines}


def _refiner(verdict: Verdict | None) -> dict[str, str]:
    if verdict is None:
        return {}
    marks = html.table(verdict.rows(), ("what refined images must show", "", "wanted", ""))
    return {"Refiner": html.table([[verdict.line()]]) + marks}


def _curves(path: Path) -> str:
    rows = read_rows(path)
    phases = list(dict.fromkeys(row["phase"] for row in rows))
    return "".join(
        html.curve(f"{title}: {phase}", html.series([row for row in rows if row["phase"] == phase], names))
        for phase in phases
        for title, names in CURVES.items()
    )
