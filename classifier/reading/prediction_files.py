"""Reading images into files of predictions: one file, or one for what is sure and one for what a person should see."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from classifier.reading.boxes import boxes_of, class_extents
from classifier.reading.predictions import Prediction, PredictionFormat, header, line, predictions
from classifier.reading.reader import Reader
from classifier.reading.reading_loop import read_found
from synth_engine.atomic import replacing
from synth_engine.real import Found, IntakeReport

JSONL_ENDINGS = (".jsonl", ".ndjson")


def iter_predictions(
    reader: Reader,
    found: Iterable[Found],
    report: IntakeReport,
    *,
    details: bool,
    progress: Callable[[int], object] = lambda _: None,
) -> Iterator[Prediction]:
    """Predictions of all images that can be read; what is left out is added to ``report``.

    ``details``: with boxes where the network knows places. ``progress`` is called with the number of images read.
    """
    recipe, done = reader.recipe, 0
    extents = class_extents(recipe) if details and reader.head.has_places else None
    for batch in read_found(reader, found, report):
        boxes = None if extents is None else boxes_of(batch.readings, extents, recipe.shape)
        yield from predictions(batch, recipe.alphabet, boxes)
        done += len(batch.names)
        progress(done)


@dataclass(frozen=True)
class PredictionOutput:
    """Where predictions go, and in which form.

    Those with a confidence below ``min_confidence``, if it is given, go to a second file beside ``path``.
    """

    path: Path
    form: PredictionFormat
    details: bool
    min_confidence: float | None = None

    @classmethod
    def of(
        cls, path: Path, form: PredictionFormat | None, details: bool | None, min_confidence: float | None
    ) -> PredictionOutput:
        """With what is None chosen: the form by the ending of ``path``, details in JSON lines."""
        form = form or ("jsonl" if path.suffix in JSONL_ENDINGS else "csv")
        return cls(path, form, form == "jsonl" if details is None else details, min_confidence)

    @property
    def unsure_path(self) -> Path:
        """The file for predictions below the least confidence."""
        return self.path.with_name(f"{self.path.stem}-unsure{self.path.suffix}")

    @contextmanager
    def open(self) -> Iterator[PredictionFiles]:
        """Open the file, or both; they appear whole at the end, or not at all."""
        paths = [self.path] if self.min_confidence is None else [self.path, self.unsure_path]
        with ExitStack() as stack:
            parts = [stack.enter_context(replacing(path)) for path in paths]
            files = tuple(stack.enter_context(part.open("wb")) for part in parts)
            for file in files:
                file.write(header(self.form, self.details))
            yield PredictionFiles(self, files)


@dataclass
class PredictionFiles:
    """The open files of an output, and how many predictions went to each."""

    output: PredictionOutput
    files: tuple[IO[bytes], ...]
    sure: int = 0
    unsure: int = 0

    def add(self, prediction: Prediction) -> None:
        """Write the prediction to the file that its confidence belongs to."""
        least = self.output.min_confidence
        below = least is not None and prediction.confidence < least
        self.files[below].write(line(prediction, self.output.form, self.output.details))
        self.unsure += below
        self.sure += not below
