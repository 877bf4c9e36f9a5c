"""`python -m classifier.evaluate`: a reader's accuracy on labelled images. The only command that opens labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from synth_engine.cli.guard import main_guard
from synth_engine.cli.options import command, option, threads_option
from synth_engine.json_files import write_json

if TYPE_CHECKING:
    from classifier.reading.reader import Reader
    from classifier.scoring.labelled import LabelledReadings
    from classifier.scoring.scores import AccuracyScore

MISTAKES_SHOWN = 48
NAMES_SHOWN = 5
SCORE, CONFUSION, MISTAKES = "score.json", "confusion.png", "mistakes.png"
KIND = "accuracy score"


@command(
    epilog="Example: python -m classifier.evaluate --model runs/classifier/classifier.keras --images challenges "
    "--labels labels.csv --out runs/score"
)
@option("--model", group="Data", required=True, type=click.Path(), help="classifier.keras, with recipe.toml beside it.")
@option(
    "--images",
    group="Data",
    required=True,
    type=click.Path(),
    help="Folder of images or challenge files, or one such file.",
)
@option(
    "--labels",
    group="Data",
    required=True,
    type=click.Path(),
    help="CSV file with the columns name and text; others are ignored.",
)
@option("--json", "json_path", group="Output", type=click.Path(dir_okay=False), help="File for the score as JSON.")
@option(
    "--out",
    group="Output",
    type=click.Path(file_okay=False),
    help=f"Folder for {SCORE}, {CONFUSION} and, if a text was read wrong, {MISTAKES}.",
)
@threads_option()
def evaluate(model: str, images: str, labels: str, json_path: str | None, out: str | None, threads: int | None) -> None:
    """Compare what the model reads with labels, and print accuracies with 95% intervals.

    A labelled image that is damaged or of another size counts as read wrong, and is named on stderr. So does a label
    of no image if some images are damaged, as the damage may have cost its name. Images without a label are ignored.
    """
    from synth_engine.tensorflow_setup import prepare_tensorflow

    prepare_tensorflow(None, threads)
    from classifier.reading.reader import Reader

    reader = Reader.load(model)
    if reader.calibration is None:
        click.echo("confidence is not calibrated; classifier.calibrate fits it to unlabelled real images", err=True)
    readings = read_with_notes(reader, Path(images), Path(labels))
    score = readings.score()
    click.echo(score.table())
    if json_path:
        write_json(Path(json_path), KIND, score.as_dict())
    if out:
        write_json(Path(out) / SCORE, KIND, score.as_dict())
        write_pictures(readings, score, reader.recipe.alphabet, Path(out))


def read_with_notes(reader: Reader, images: Path, labels_path: Path) -> LabelledReadings:
    """Read the labelled ones of ``images``, and say on stderr which of them could not be read."""
    from classifier.scoring.labelled import hidden_names, matched, read_labelled
    from classifier.scoring.labels import check_alphabet, read_labels
    from synth_engine.real import IntakeReport

    labels, report = read_labels(labels_path), IntakeReport()
    check_alphabet(labels_path, labels, reader.recipe.alphabet)
    read = read_labelled(reader, images, labels, report)
    for line in report.lines(shown=None):
        click.echo(line, err=True)
    if hidden := hidden_names(labels, report):
        names = ", ".join(hidden[:NAMES_SHOWN]) + (", …" if len(hidden) > NAMES_SHOWN else "")
        click.echo(
            f"warning: {len(hidden)} labels name no image ({names}); damage may hide it: counted as wrong", err=True
        )
    return matched(labels_path, labels, read, images, report)


def write_pictures(readings: LabelledReadings, score: AccuracyScore, alphabet: str, folder: Path) -> None:
    """Write the confusion matrix and, if there are mistakes, their sheet into ``folder``."""
    from classifier.scoring.charts import confusion_chart, mistakes_sheet
    from synth_engine.contact_sheet import save_picture

    save_picture(confusion_chart(score, alphabet), folder / CONFUSION)
    (folder / MISTAKES).unlink(missing_ok=True)  # of an earlier score
    worst = readings.worst(MISTAKES_SHOWN)
    if worst:
        captions = [f"{true} as {read.text} {read.confidence:.0%}" for true, read in worst]
        images = [read.grey for _, read in worst if read.grey is not None]
        save_picture(mistakes_sheet(images, captions), folder / MISTAKES)


if __name__ == "__main__":
    main_guard(evaluate)
