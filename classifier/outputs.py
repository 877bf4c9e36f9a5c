"""Predictions as rows of CSV or lines of JSON: name, text, confidence, and what is known of each character."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from classifier.reading import Batch
from classifier.readings import to_texts

Format = Literal["csv", "jsonl"]
COLUMNS = ("name", "text", "confidence")
DETAILS = ("confidences", "seconds", "second_confidences", "boxes")


class Prediction(msgspec.Struct, frozen=True):
    """What was read in one image.

    confidence: probability that all of the text is right; confidences: of each character; seconds: second choices, a
    character each, and second_confidences their probability; boxes: x0, y0, x1, y1 in px of each character, half-open,
    None where the network does not know them.
    """

    name: str
    text: str
    confidence: float
    confidences: list[float]
    seconds: str
    second_confidences: list[float]
    boxes: list[list[int]] | None


def predictions(batch: Batch, alphabet: str, boxes: NDArray[np.int16] | None) -> Iterator[Prediction]:
    """The batch image by image; ``boxes``: (N, L, 4) or None."""
    readings = batch.readings
    texts = readings.texts(alphabet)
    codes, chances = readings.seconds()
    columns: list[Iterable[Any]] = [batch.names, texts, _rounded(readings.confidence()), _rounded(readings.certainty)]
    columns += [to_texts(codes, alphabet), _rounded(chances), [None] * len(texts) if boxes is None else boxes.tolist()]
    for name, text, confidence, certainty, second, chance, places in zip(*columns, strict=True):
        length = len(text)
        cut = None if places is None else places[:length]
        yield Prediction(name, text, confidence, certainty[:length], second, chance[:length], cut)


def header(form: Format, details: bool) -> bytes:
    """What stands before all predictions."""
    return _csv_line([*COLUMNS, *(DETAILS if details else ())]) if form == "csv" else b""


def line(prediction: Prediction, form: Format, details: bool) -> bytes:
    """One prediction in UTF-8, with its end of line.

    In CSV, lists are words with spaces between, boxes numbers with commas between; names and texts are quoted where
    they must be.
    """
    if form == "jsonl":
        shown = prediction if details else {name: getattr(prediction, name) for name in COLUMNS}
        return msgspec.json.encode(shown) + b"\n"
    row = [prediction.name, prediction.text, f"{prediction.confidence:.4f}"]
    return _csv_line([*row, *_details(prediction)] if details else row)


def _details(prediction: Prediction) -> list[str]:
    numbers = [" ".join(f"{x:.4f}" for x in row) for row in (prediction.confidences, prediction.second_confidences)]
    boxes = " ".join(",".join(map(str, box)) for box in prediction.boxes or ())
    return [numbers[0], prediction.seconds, numbers[1], boxes]


def _csv_line(row: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(row)
    return text.getvalue().encode()


def _rounded(values: NDArray[np.float32]) -> list[Any]:
    return values.astype(np.float64).round(4).tolist()
