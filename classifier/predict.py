"""`python -m classifier.predict`: texts of images, as CSV or JSON lines."""

from __future__ import annotations

import sys
from itertools import chain
from pathlib import Path
from typing import get_args

import click

from classifier.reading.predictions import PredictionFormat
from synth_engine.cli.guard import main_guard
from synth_engine.cli.options import command, option, threads_option
from synth_engine.cli.progress import progress_bar
from synth_engine.errors import RealImagesError

STDIN = "-"


@command(
    epilog="Example: python -m classifier.predict --model runs/classifier/classifier.keras challenges --out texts.csv "
    "--min-confidence 0.9. Then look at texts-unsure.csv with classifier.review."
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(allow_dash=True))
@option("--model", group="Data", required=True, type=click.Path(), help="classifier.keras, with recipe.toml beside it.")
@option(
    "--out",
    group="Output",
    default="predictions.csv",
    show_default=True,
    type=click.Path(dir_okay=False),
    help="File to write.",
)
@option(
    "--format",
    "form",
    group="Output",
    type=click.Choice(get_args(PredictionFormat)),
    show_default="by the ending of --out, else csv",
    help="CSV with a header, or one JSON object a line.",
)
@option(
    "--details/--no-details",
    group="Output",
    default=None,
    show_default="only in jsonl",
    help="Also write the confidence, second choice and box of each character.",
)
@option(
    "--min-confidence",
    group="Output",
    type=click.FloatRange(0, 1),
    help="Write texts with less confidence to a second file beside --out, called NAME-unsure, for a person to check.",
)
@threads_option()
def predict(
    paths: tuple[str, ...],
    model: str,
    out: str,
    form: PredictionFormat | None,
    details: bool | None,
    min_confidence: float | None,
    threads: int | None,
) -> None:
    """Read all images in each PATH: a folder of images or challenge files, one such file, or - for paths on stdin.

    Writes the columns name (without its ending), text, and confidence. Confidence is the probability, from 0 to 1, that
    the whole text is right; classifier.calibrate fits it to real images. Damaged images and images of another size are
    named on stderr, counted, and left out.
    """
    from synth_engine.tensorflow_setup import prepare_tensorflow

    prepare_tensorflow(None, threads)
    from classifier.reading.prediction_files import PredictionOutput, iter_predictions
    from classifier.reading.reader import Reader
    from synth_engine.real import IntakeReport, iter_grey, iter_listed

    reader, report = Reader.load(model), IntakeReport()
    output = PredictionOutput.of(Path(out), form, details, min_confidence)
    found = [iter_listed(sys.stdin) if path == STDIN else iter_grey(path) for path in paths]
    with output.open() as files:
        with progress_bar("reading", "images") as bar:
            images = chain.from_iterable(found)
            for prediction in iter_predictions(reader, images, report, details=output.details, progress=bar):
                files.add(prediction)
        for note in report.lines(shown=None):
            click.echo(note, err=True)
        if not report.read:
            raise RealImagesError(
                f"expected images to read in {', '.join(paths)}, none could be read; the reasons are above"
            )
    click.echo(f"{out}: {files.sure} texts")
    if min_confidence is not None:
        click.echo(f"{output.unsure_path}: {files.unsure} texts below {min_confidence:g}")


if __name__ == "__main__":
    main_guard(predict)
