"""`python -m classifier.predict`: texts of images, as CSV or JSON lines."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, get_args

import click

from classifier.reading.predictions import Format, Prediction, header, line, predictions
from synth_engine.atomic import replacing
from synth_engine.cli.guard import main_guard
from synth_engine.errors import RealImagesError

if TYPE_CHECKING:
    from classifier.reading.reader import Reader
    from synth_engine.real import IntakeReport

STDIN = "-"


@click.command(
    epilog="Example: python -m classifier.predict --model runs/classifier/classifier.keras challenges --out texts.csv "
    "--min-confidence 0.9. Then look at texts-unsure.csv with classifier.review."
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(allow_dash=True))
@click.option("--model", required=True, type=click.Path(), help="classifier.keras, recipe.toml beside it.")
@click.option(
    "--out", default="predictions.csv", show_default=True, type=click.Path(dir_okay=False), help="File to write."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(get_args(Format)),
    help="CSV with a header, or a JSON object a line.  [default: by the ending of --out, else csv]",
)
@click.option(
    "--details/--no-details",
    default=None,
    help="Also each character's confidence, second choice and box.  [default: in jsonl]",
)
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    help="Leave what is less sure to a person: write it to a file of its own, beside --out, called NAME-unsure.",
)
@click.option("--threads", type=click.IntRange(1), help="TensorFlow's threads.  [default: one a core]")
def predict(
    paths: tuple[str, ...],
    model: str,
    out: str,
    form: Format | None,
    details: bool | None,
    min_confidence: float | None,
    threads: int | None,
) -> None:
    """Read all images in each PATH: a folder of images, a folder of challenge files, one file, or - for paths on stdin.

    Writes the columns name (without its ending), text, and confidence (probability, 0 to 1, that all of the text is
    right; fitted to real images by classifier.calibrate, else the network's own). Damaged images and images of another
    size are named on stderr, counted, and left out.
    """
    from synth_engine.tensorflow_setup import prepare_tensorflow

    prepare_tensorflow(None, threads)
    from classifier.reading.reader import Reader
    from synth_engine.real import IntakeReport

    reader, report, path = Reader.load(model), IntakeReport(), Path(out)
    form = form or ("jsonl" if path.suffix in (".jsonl", ".ndjson") else "csv")
    details = form == "jsonl" if details is None else details
    with writing(path, form, details, min_confidence) as files:
        for prediction in read(reader, paths, report, details):
            files.add(prediction)
        for note in report.lines(shown=None):
            click.echo(note, err=True)
        if not report.read:
            raise RealImagesError(
                f"expected images to read in {', '.join(paths)}, none could be read; reasons are above"
            )
    click.echo(f"{out}: {files.sure} texts")
    if min_confidence is not None:
        click.echo(f"{unsure_path(path)}: {files.unsure} texts below {min_confidence:g}")


def read(reader: Reader, paths: tuple[str, ...], report: IntakeReport, details: bool) -> Iterator[Prediction]:
    """Predictions of all images in ``paths``; ``details``: with boxes where the network knows places."""
    from classifier.reading.boxes import boxes_of, class_extents
    from classifier.reading.paths import read_found
    from synth_engine.cli.progress import progress_bar
    from synth_engine.real import iter_grey, iter_listed

    recipe = reader.recipe
    found = [iter_listed(sys.stdin) if path == STDIN else iter_grey(path) for path in paths]
    extents = class_extents(recipe) if details and reader.head.has_places else None
    done = 0
    with progress_bar("reading", "images") as bar:
        for batch in read_found(reader, chain.from_iterable(found), report):
            boxes = None if extents is None else boxes_of(batch.readings, extents, recipe.shape)
            yield from predictions(batch, recipe.alphabet, boxes)
            done += len(batch.names)
            bar(done)


@dataclass
class Files:
    """The open files, and how many predictions went to each."""

    form: Format
    details: bool
    least: float
    files: tuple[IO[bytes], ...]
    sure: int = 0
    unsure: int = 0

    def add(self, prediction: Prediction) -> None:
        """Write the prediction where its confidence sends it."""
        below = len(self.files) > 1 and prediction.confidence < self.least
        self.files[below].write(line(prediction, self.form, self.details))
        self.unsure += below
        self.sure += not below


@contextmanager
def writing(path: Path, form: Format, details: bool, min_confidence: float | None) -> Iterator[Files]:
    """Open the file, or two with ``min_confidence``; they appear whole at the end, or not at all."""
    if min_confidence is None:
        with replacing(path) as whole, whole.open("wb") as file:
            file.write(header(form, details))
            yield Files(form, details, 0.0, (file,))
        return
    with (
        replacing(path) as whole,
        replacing(unsure_path(path)) as rest,
        whole.open("wb") as file,
        rest.open("wb") as other,
    ):
        for one in (file, other):
            one.write(header(form, details))
        yield Files(form, details, min_confidence, (file, other))


def unsure_path(path: Path) -> Path:
    """Where predictions below the least confidence go."""
    return path.with_name(f"{path.stem}-unsure{path.suffix}")


if __name__ == "__main__":
    main_guard(predict)
