"""`python -m classifier.evaluate`: a reader's accuracy on labelled images. The one place that opens labels."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from numpy.typing import NDArray

from classifier.scoring.labels import check_alphabet, check_names, read_labels
from classifier.scoring.scores import Score, score
from synth_engine.atomic import write_bytes
from synth_engine.cli.guard import main_guard
from synth_engine.errors import RealImagesError

if TYPE_CHECKING:
    from classifier.reading.paths import ReadBatch
    from classifier.reading.reader import Reader

SHEET = 48
SCORE, CONFUSION, MISTAKES = "score.json", "confusion.png", "mistakes.png"


@click.command(
    epilog="Example: python -m classifier.evaluate --model runs/classifier/classifier.keras --images challenges "
    "--labels labels.csv --out runs/score"
)
@click.option("--model", required=True, type=click.Path(), help="classifier.keras, recipe.toml beside it.")
@click.option("--images", required=True, type=click.Path(), help="Folder of images or challenge files, or one file.")
@click.option("--labels", required=True, type=click.Path(), help="CSV with columns name,text; others are ignored.")
@click.option("--json", "json_path", type=click.Path(dir_okay=False), help="Also write the score as JSON here.")
@click.option(
    "--out",
    type=click.Path(file_okay=False),
    help=f"Also write {SCORE}, {CONFUSION} and, where something was read wrong, {MISTAKES} into this folder.",
)
@click.option("--threads", type=click.IntRange(1), help="TensorFlow's threads.  [default: one a core]")
def evaluate(model: str, images: str, labels: str, json_path: str | None, out: str | None, threads: int | None) -> None:
    """Compare what the model reads with labels, and print shares with 95% intervals.

    A labelled image that is damaged or of another size counts as read wrong, and is named on stderr; so does a label
    of no image where some are damaged, as damage may have cost its name. Images without a label are passed over.
    """
    from synth_engine.tensorflow_setup import prepare_tensorflow

    prepare_tensorflow(None, threads)
    from classifier.reading.reader import Reader

    reader = Reader.load(model)
    if reader.calibration is None:
        warn("confidence is the network's own; classifier.calibrate fits it to unlabelled real images")
    compared = compare(reader, Path(images), Path(labels), warn)
    result = compared.score()
    click.echo(result.table())
    content = (json.dumps(result.as_dict(), indent=2) + "\n").encode()
    if json_path:
        write_bytes(Path(json_path), content)
    if out:
        write_bytes(Path(out) / SCORE, content)
        write_pictures(compared, result, reader.recipe.alphabet, Path(out))


def warn(line: str) -> None:
    """Print a line to stderr."""
    click.echo(line, err=True)


@dataclass(frozen=True)
class Read:
    """What was read in one image (grey (H, W) uint8), and how sure the network is."""

    text: str
    confidence: float
    grey: NDArray[np.uint8] | None


UNREAD = Read("", 0.0, None)


@dataclass(frozen=True)
class Compared:
    """True texts by name, and what was read of them; what could not be read is `UNREAD`."""

    true: dict[str, str]
    read: dict[str, Read]

    def score(self) -> Score:
        """Both compared."""
        read = [self.read[name] for name in self.true]
        return score(list(self.true.values()), [one.text for one in read], [one.confidence for one in read])

    def worst(self, count: int) -> list[tuple[str, Read]]:
        """(true text, what was read) of up to ``count`` images that were read wrong, the surest first."""
        wrong = [(true, self.read[name]) for name, true in self.true.items() if self.read[name].text != true]
        shown = [pair for pair in wrong if pair[1].grey is not None]
        return sorted(shown, key=lambda pair: -pair[1].confidence)[:count]


def compare(reader: Reader, images: Path, labels_path: Path, echo: Callable[[str], object]) -> Compared:
    """Read the labelled ones of ``images``; ``echo`` gets a line on each that could not be read.

    Raises LabelError for labels that do not fit the images, unless damage may be the reason, and RealImagesError if
    not one labelled image can be read.
    """
    from classifier.reading.paths import read_paths
    from synth_engine.real import IntakeReport

    report = IntakeReport()
    labels = read_labels(labels_path)
    check_alphabet(labels_path, labels, reader.recipe.alphabet)
    read: dict[str, Read] = {}
    for batch in read_paths(reader, [images], report, labels):
        read |= _each(batch, reader.recipe.alphabet)
    for line in report.lines(shown=None):
        echo(line)
    missing = [name for name in labels if name not in report.names]
    if missing and report.damaged:
        echo(f"warning: {len(missing)} labels name no image ({_shown(missing)}); damage may hide it: counted as wrong")
    else:
        check_names(labels_path, labels, report.names)
    if not read:
        raise RealImagesError(
            f"expected labelled images to read in {images}, none could be read: {'; '.join(report.lines())}"
        )
    true = {name: text for name, (text, _) in labels.items()}
    return Compared(true, {name: read.get(name, UNREAD) for name in labels})


def write_pictures(compared: Compared, result: Score, alphabet: str, folder: Path) -> None:
    """Write the confusion matrix and the sheet of mistakes, if there are any, into ``folder``."""
    from classifier.scoring.charts import draw_confusion, draw_mistakes
    from synth_engine.contact_sheet import save_picture

    save_picture(draw_confusion(result, alphabet), folder / CONFUSION)
    worst = compared.worst(SHEET)
    if worst:
        captions = [f"{true} as {read.text} {read.confidence:.0%}" for true, read in worst]
        images = [read.grey for _, read in worst if read.grey is not None]
        save_picture(draw_mistakes(images, captions), folder / MISTAKES)


def _each(batch: ReadBatch, alphabet: str) -> dict[str, Read]:
    rows = zip(batch.readings.texts(alphabet), batch.readings.confidence().tolist(), batch.grey, strict=True)
    return {name: Read(*row) for name, row in zip(batch.names, rows, strict=True)}


def _shown(names: list[str], count: int = 5) -> str:
    return ", ".join(names[:count]) + (", …" if len(names) > count else "")


if __name__ == "__main__":
    main_guard(evaluate)
