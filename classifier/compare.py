"""`python -m classifier.compare`: where readers trained independently differ on unlabelled images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from synth_engine.cli.guard import main_guard
from synth_engine.cli.options import command, option, threads_option
from synth_engine.json_files import write_json

if TYPE_CHECKING:
    from classifier.confidence.reader_comparison import ReaderComparison
    from synth_engine.real import RealImages

COMPARISON, SHEET = "compare.json", "disputed.png"
KIND = "reader comparison"
LIMIT = 4096


@command(
    epilog="Example: python -m classifier.compare --model runs/seed0/classifier.keras --model "
    "runs/seed1/classifier.keras challenges --out runs/compared"
)
@click.argument("path", type=click.Path())
@option(
    "--model",
    "models",
    group="Data",
    required=True,
    multiple=True,
    type=click.Path(),
    help="classifier.keras, with recipe.toml beside it; once for each reader, two or more.",
)
@option(
    "--limit", group="Data", default=LIMIT, show_default=True, type=click.IntRange(1), help="Largest number of images."
)
@option(
    "--out",
    group="Output",
    type=click.Path(file_okay=False),
    help=f"Folder for {COMPARISON} and, if readers differ, {SHEET} with the images on which they are most confident.",
)
@threads_option()
def main(path: str, models: tuple[str, ...], limit: int, out: str | None, threads: int | None) -> None:
    """Read the unlabelled images in PATH with readers trained from different seeds, and show where they differ.

    For each two readers, it prints the shares of texts and characters that both read alike, and the characters on which
    they differ most. For each reader, it prints how far the classes read are from those of its recipe, and the
    estimated share of texts that it reads right (Jiang et al. 2022: two runs differ about as often as each is wrong).
    Errors that all readers share are not seen, so the estimates are upper bounds of accuracy.
    """
    from classifier.confidence.reader_comparison import check_count
    from synth_engine.tensorflow_setup import prepare_tensorflow

    check_count(models)
    prepare_tensorflow(None, threads)
    from classifier.confidence.independent_readers import load_independent
    from classifier.confidence.reader_comparison import ReaderComparison
    from synth_engine.real import load_real_images

    readers = load_independent([Path(model) for model in models])
    real = load_real_images(path, readers[0].recipe, limit)
    for line in real.report.lines():
        click.echo(line, err=True)
    comparison = ReaderComparison.of(models, readers, real.images)
    click.echo("\n".join(comparison.lines()))
    if out:
        save(comparison, real, Path(out))


def save(comparison: ReaderComparison, real: RealImages, folder: Path) -> None:
    """Write compare.json and, if readers differ, the sheet of the images on which they are most confident."""
    from synth_engine.contact_sheet import labelled_sheet, save_picture

    write_json(folder / COMPARISON, KIND, comparison.as_dict(real.names))
    (folder / SHEET).unlink(missing_ok=True)
    picked = [k for k, _ in comparison.most_certain_disputes()]
    if picked:
        captions = ["  ".join(f"{letter}: {text}" for letter, text in comparison.texts_of(k).items()) for k in picked]
        save_picture(labelled_sheet(real.images[picked], captions), folder / SHEET)


if __name__ == "__main__":
    main_guard(main)
