"""`python -m classifier.evaluate`: a recogniser's accuracy on labelled images. The one place that opens labels."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from classifier.labels import check_alphabet, check_names, read_labels
from classifier.scoring import Score, score
from synth_engine.atomic import write_bytes
from synth_engine.cli import main_guard

if TYPE_CHECKING:
    from classifier.files import Recogniser


@click.command(
    epilog="Example: python -m classifier.evaluate --model runs/classifier/classifier.keras --images challenges "
    "--labels labels.csv"
)
@click.option("--model", required=True, type=click.Path(), help="classifier.keras, recipe.toml beside it.")
@click.option("--images", required=True, type=click.Path(), help="Folder of images or challenge files, or one file.")
@click.option("--labels", required=True, type=click.Path(), help="CSV with columns name,text; others are ignored.")
@click.option("--json", "json_path", type=click.Path(dir_okay=False), help="Also write the score as JSON here.")
@click.option("--threads", type=click.IntRange(1), help="TensorFlow's threads.  [default: one a core]")
def evaluate(model: str, images: str, labels: str, json_path: str | None, threads: int | None) -> None:
    """Compare what the model reads with labels, and print shares with 95% intervals.

    A labelled image that is damaged or of another size counts as read wrong, and is named on stderr; so does a label
    of no image where some are damaged, as damage may have cost its name. Images without a label are passed over.
    """
    from synth_engine.runtime import prepare_tensorflow

    prepare_tensorflow(None, threads)
    from classifier.files import Recogniser

    result = evaluate_model(Recogniser.load(model), Path(images), Path(labels), warn)
    click.echo(result.table())
    if json_path:
        write_bytes(Path(json_path), (json.dumps(result.as_dict(), indent=2) + "\n").encode())


def warn(line: str) -> None:
    """Print a line to stderr."""
    click.echo(line, err=True)


def evaluate_model(recogniser: Recogniser, images: Path, labels_path: Path, echo: Callable[[str], object]) -> Score:
    """Score ``recogniser`` on the labelled ones of ``images``; ``echo`` gets a line on each that could not be read.

    Raises LabelError for labels that do not fit the images, unless damage may be the reason.
    """
    from classifier.reading import Account, read_paths

    account = Account()
    labels = read_labels(labels_path)
    check_alphabet(labels_path, labels, recogniser.recipe.alphabet)
    read = {reading.name: reading.text for reading in read_paths(recogniser, [images], account, labels)}
    for line in account.lines():
        echo(line)
    missing = [name for name in labels if name not in account.names]
    if missing and account.damaged:
        echo(f"warning: {len(missing)} labels name no image ({_shown(missing)}); damage may hide it: counted as wrong")
    else:
        check_names(labels_path, labels, account.names)
    return score([text for text, _ in labels.values()], [read.get(name, "") for name in labels])


def _shown(names: list[str], count: int = 5) -> str:
    return ", ".join(names[:count]) + (", …" if len(names) > count else "")


if __name__ == "__main__":
    main_guard(evaluate)
