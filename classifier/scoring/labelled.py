"""Labelled images: what a reader reads in them, beside the texts that their labels give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifier.reading.reader import Reader
from classifier.reading.reading_loop import ReadBatch, read_paths
from classifier.scoring.labels import Labels, check_names
from classifier.scoring.scores import AccuracyScore, score_texts
from synth_engine.errors import RealImagesError
from synth_engine.real import IntakeReport


@dataclass(frozen=True)
class ImageReading:
    """What was read in one image, grey (H, W) uint8, and the probability that the text is right."""

    text: str
    confidence: float
    grey: NDArray[np.uint8] | None


UNREAD = ImageReading("", 0.0, None)


@dataclass(frozen=True)
class LabelledReadings:
    """True texts by the names of their images, and what was read there; `UNREAD` where nothing could be read."""

    true: Mapping[str, str]
    read: Mapping[str, ImageReading]

    def score(self) -> AccuracyScore:
        """How well the texts were read."""
        read = [self.read[name] for name in self.true]
        return score_texts(list(self.true.values()), [one.text for one in read], [one.confidence for one in read])

    def worst(self, count: int) -> list[tuple[str, ImageReading]]:
        """(true text, reading) of up to ``count`` images that were read wrong, the most confident first."""
        wrong = [(true, self.read[name]) for name, true in self.true.items() if self.read[name].text != true]
        shown = [pair for pair in wrong if pair[1].grey is not None]
        return sorted(shown, key=lambda pair: -pair[1].confidence)[:count]


def read_labelled(reader: Reader, images: Path, labels: Labels, report: IntakeReport) -> dict[str, ImageReading]:
    """Read the labelled images in ``images``; fills ``report``, also with damaged images that have no label."""
    read: dict[str, ImageReading] = {}
    for batch in read_paths(reader, [images], report, labels):
        read |= _each(batch, reader.recipe.alphabet)
    return read


def hidden_names(labels: Labels, report: IntakeReport) -> list[str]:
    """Labels of no image, where a damaged image may have lost its name."""
    return [name for name in labels if name not in report.names] if report.damaged else []


def matched(
    path: Path, labels: Labels, read: Mapping[str, ImageReading], images: Path, report: IntakeReport
) -> LabelledReadings:
    """The readings with the ``labels`` of the file ``path``; a label without a reading has `UNREAD`.

    Raises LabelError for labels of no image, unless damage may have cost the image its name, and RealImagesError if not
    one labelled image in ``images`` could be read.
    """
    if not hidden_names(labels, report):
        check_names(path, labels, report.names)
    if not read:
        raise RealImagesError(
            f"expected labelled images to read in {images}, none could be read: {'; '.join(report.lines())}"
        )
    true = {name: text for name, (text, _) in labels.items()}
    return LabelledReadings(true, {name: read.get(name, UNREAD) for name in labels})


def _each(batch: ReadBatch, alphabet: str) -> dict[str, ImageReading]:
    rows = zip(batch.readings.texts(alphabet), batch.readings.confidence().tolist(), batch.grey, strict=True)
    return {name: ImageReading(*row) for name, row in zip(batch.names, rows, strict=True)}
