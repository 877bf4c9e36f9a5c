"""`python -m classifier.predict`: texts of images, as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synth_engine.atomic import write_bytes
from synth_engine.cli import main_guard
from synth_engine.errors import TargetError

if TYPE_CHECKING:
    from classifier.reading import Reading

COLUMNS = ("name", "text", "confidence")


@click.command(
    epilog="Example: python -m classifier.predict --model runs/classifier/classifier.keras challenges --out texts.csv"
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path())
@click.option("--model", required=True, type=click.Path(), help="classifier.keras, recipe.toml beside it.")
@click.option(
    "--out", default="predictions.csv", show_default=True, type=click.Path(dir_okay=False), help="CSV to write."
)
@click.option("--threads", type=click.IntRange(1), help="TensorFlow's threads.  [default: one a core]")
def predict(paths: tuple[str, ...], model: str, out: str, threads: int | None) -> None:
    """Read all images in each PATH: a folder of images, a folder of challenge files, or one file.

    Writes the columns name (without its ending), text, and confidence (probability, 0 to 1, that all of the text is
    right). Damaged images and images of another size are named on stderr, counted, and left out.
    """
    from synth_engine.runtime import prepare_tensorflow

    prepare_tensorflow(None, threads)
    from classifier.files import Recogniser
    from classifier.reading import Account, read_paths

    account = Account()
    content = to_csv(read_paths(Recogniser.load(model), paths, account))
    for line in account.lines():
        click.echo(line, err=True)
    if not account.read:
        raise TargetError(f"expected images to read in {', '.join(paths)}, none could be read; see above for reasons")
    write_bytes(Path(out), content)
    click.echo(f"{out}: {account.read} texts")


def to_csv(readings: Iterable[Reading]) -> bytes:
    """The readings as a CSV file in UTF-8 with a header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((reading.name, reading.text, f"{reading.confidence:.4f}") for reading in readings)
    return text.getvalue().encode()


if __name__ == "__main__":
    main_guard(predict)
