"""`python -m classifier.export`: a reader in other formats, with what is needed to read without this package."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click

from classifier.reading.export_formats import FormatName
from synth_engine.cli.guard import main_guard
from synth_engine.cli.options import command, option, threads_option


@command(
    epilog="Example: python -m classifier.export --model runs/classifier/classifier.keras --format onnx --out exported"
)
@option("--model", group="Data", required=True, type=click.Path(), help="classifier.keras, with recipe.toml beside it.")
@option(
    "--images",
    group="Data",
    type=click.Path(),
    show_default="synthetic images",
    help="Real images on which both files must read the same texts.",
)
@option(
    "--count",
    group="Data",
    default=1000,
    show_default=True,
    type=click.IntRange(1),
    help="Number of these images.",
)
@option(
    "--format", "form", group="Output", required=True, type=click.Choice(get_args(FormatName)), help="Format to write."
)
@option(
    "--out",
    group="Output",
    default="exported",
    show_default=True,
    type=click.Path(file_okay=False),
    help="New folder for the files.",
)
@threads_option()
def main(model: str, form: FormatName, out: str, images: str | None, count: int, threads: int | None) -> None:
    """Write the network as reader.FORMAT, and beside it reader.json (alphabet, scaling, decoding) and recipe.toml.

    Nothing is written unless the new file reads --count images to the same texts. The format onnx needs the extra
    `onnx`.
    """
    from synth_engine.tensorflow_setup import prepare_tensorflow

    prepare_tensorflow(None, threads)
    from classifier.reading.exporting import export, samples
    from classifier.reading.reader import Reader
    from synth_engine.real import load_real_images

    reader = Reader.load(model)
    if images:
        real = load_real_images(images, reader.recipe, count)
        for line in real.report.lines():
            click.echo(line, err=True)
        shown = real.images
    else:
        shown = samples(reader, count)
    path, difference = export(reader, form, Path(out), shown)
    click.echo(f"{path}: reads {len(shown)} images to the same texts; scores differ by at most {difference:.1e}")


if __name__ == "__main__":
    main_guard(main)
