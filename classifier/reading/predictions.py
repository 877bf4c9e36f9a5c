"""Predictions as rows of CSV or lines of JSON: name, text, confidence, and details of each character."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from classifier.networks.readings import to_texts
from synth_engine.errors import RealImagesError

if TYPE_CHECKING:
    from classifier.reading.reading_loop import ReadBatch

PredictionFormat = Literal["csv", "jsonl"]
COLUMNS = ("name", "text", "confidence")
DETAILS = ("confidences", "seconds", "second_confidences", "boxes")


class Prediction(msgspec.Struct, frozen=True):
    """What was read in one image.

    confidence: probability that the whole text is right; confidences: of each character; seconds: the second choice for
    each character; second_confidences: their probabilities; boxes: x0, y0, x1, y1 in px of each character, half-open,
    None where the network does not know them. All but the first three may be left out.
    """

    name: str
    text: str
    confidence: float
    confidences: list[float] = msgspec.field(default_factory=list)
    seconds: str = ""
    second_confidences: list[float] = msgspec.field(default_factory=list)
    boxes: list[list[int]] | None = None


def predictions(batch: ReadBatch, alphabet: str, boxes: NDArray[np.int16] | None) -> Iterator[Prediction]:
    """The batch image by image; ``boxes``: (N, L, 4) int16, or None."""
    readings = batch.readings
    texts = readings.texts(alphabet)
    codes, chances = readings.seconds()
    columns: list[Iterable[Any]] = [batch.names, texts, _rounded(readings.confidence()), _rounded(readings.certainty)]
    columns += [to_texts(codes, alphabet), _rounded(chances), [None] * len(texts) if boxes is None else boxes.tolist()]
    for name, text, confidence, certainty, second, chance, places in zip(*columns, strict=True):
        length = len(text)
        cut = None if places is None else places[:length]
        yield Prediction(name, text, confidence, certainty[:length], second, chance[:length], cut)


def header(form: PredictionFormat, details: bool) -> bytes:
    """The bytes before the first prediction."""
    return _csv_line([*COLUMNS, *(DETAILS if details else ())]) if form == "csv" else b""


def line(prediction: Prediction, form: PredictionFormat, details: bool) -> bytes:
    """One prediction in UTF-8, with its end of line.

    In CSV, spaces separate the elements of a list, and commas the numbers of a box. Names and texts are quoted where
    they must be.
    """
    if form == "jsonl":
        shown = prediction if details else {name: getattr(prediction, name) for name in COLUMNS}
        return msgspec.json.encode(shown) + b"\n"
    row = [prediction.name, prediction.text, f"{prediction.confidence:.4f}"]
    return _csv_line([*row, *_details(prediction)] if details else row)


def load(path: Path) -> list[Prediction]:
    """The predictions in a file of either format, whatever else it holds; RealImagesError for any other file."""
    try:
        content = path.read_bytes().decode("utf-8-sig")
        if content.lstrip().startswith("{"):
            return [msgspec.json.decode(row, type=Prediction) for row in content.splitlines() if row.strip()]
        rows = list(csv.DictReader(io.StringIO(content, newline="")))
        return [_from_cells(row) for row in rows]
    except OSError as error:
        raise RealImagesError(
            f"cannot read {path}: {error.strerror}; give a file that classifier.predict wrote"
        ) from error
    except (KeyError, TypeError, ValueError, csv.Error, msgspec.DecodeError) as error:
        raise RealImagesError(
            f"expected predictions (columns {','.join(COLUMNS)}, or JSON lines) in {path}, received something else "
            f"({error}); give a file that classifier.predict wrote",
            path,
        ) from error


def _from_cells(row: dict[str, str]) -> Prediction:
    certainty = [float(one) for one in (row.get("confidences") or "").split()]
    return Prediction(row["name"], row["text"], float(row["confidence"]), certainty, row.get("seconds") or "")


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
