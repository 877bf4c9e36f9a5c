"""`python -m classifier.calibrate`: fit a reader's confidence to unlabelled real images."""

from __future__ import annotations

from pathlib import Path

import click

from synth_engine.cli.guard import main_guard

LIMIT = 4096


@click.command(epilog="Example: python -m classifier.calibrate --model runs/classifier/classifier.keras challenges")
@click.argument("path", type=click.Path())
@click.option("--model", required=True, type=click.Path(), help="classifier.keras, recipe.toml beside it.")
@click.option("--second", type=click.Path(), help="A reader trained from another seed, recipe.toml beside it.")
@click.option("--limit", default=LIMIT, show_default=True, type=click.IntRange(64), help="Real images to look at.")
@click.option("--threads", type=click.IntRange(1), help="TensorFlow's threads.  [default: one a core]")
def main(path: str, model: str, second: str | None, limit: int, threads: int | None) -> None:
    """Fit the model's confidence to the unlabelled images in PATH and write calibration.json beside the model.

    predict and evaluate use it from then on. Texts stay what they are; only their confidence changes. --second adds
    what two seeds read differently to what two views do: it lowers confidence or leaves it, and never raises it.
    """
    from synth_engine.tensorflow_setup import prepare_tensorflow

    prepare_tensorflow(None, threads)
    from classifier.confidence.calibrating import calibrate
    from classifier.confidence.independent_readers import load_apart
    from classifier.reading.calibration import CALIBRATION
    from synth_engine.real import load_real_images

    paths = [Path(one) for one in (model, second) if one]
    reader, *others = load_apart(paths, lambda line: click.echo(line, err=True), calibrated=False)
    target = load_real_images(path, reader.recipe, limit)
    calibration = calibrate(reader, target.images, paths[0], *others)
    click.echo(f"{paths[0].with_name(CALIBRATION)}: {calibration.line()}")


if __name__ == "__main__":
    main_guard(main)
