"""`python -m classifier.calibrate`: fit a reader's confidence to unlabelled real images."""

from __future__ import annotations

from pathlib import Path

import click

from synth_engine.cli.guard import main_guard
from synth_engine.cli.options import command, option, threads_option

LIMIT = 4096


@command(epilog="Example: python -m classifier.calibrate --model runs/classifier/classifier.keras challenges")
@click.argument("path", type=click.Path())
@option(
    "--model",
    group="Data",
    required=True,
    type=click.Path(),
    help="classifier.keras to calibrate, with recipe.toml beside it.",
)
@option(
    "--second",
    group="Data",
    type=click.Path(),
    help="classifier.keras of the same recipe, trained from another seed, with recipe.toml beside it.",
)
@option(
    "--limit",
    group="Data",
    default=LIMIT,
    show_default=True,
    type=click.IntRange(64),
    help="Largest number of real images.",
)
@threads_option()
def main(path: str, model: str, second: str | None, limit: int, threads: int | None) -> None:
    """Fit the confidence of a reader to the unlabelled images in PATH, and write calibration.json beside the model.

    From then on predict and evaluate use it. Texts stay the same, only their confidence changes. With --second,
    disagreement of the two readers counts as well as disagreement of two views: confidence may fall, but never rises.
    """
    from synth_engine.tensorflow_setup import prepare_tensorflow

    prepare_tensorflow(None, threads)
    from classifier.confidence.calibrating import calibrate
    from classifier.confidence.independent_readers import load_independent
    from classifier.reading.calibration import CALIBRATION
    from synth_engine.real import load_real_images

    paths = [Path(one) for one in (model, second) if one]
    reader, *others = load_independent(paths, calibrated=False)
    real = load_real_images(path, reader.recipe, limit)
    for line in real.report.lines():
        click.echo(line, err=True)
    calibration = calibrate(reader, real.images, paths[0], *others)
    click.echo(f"{paths[0].with_name(CALIBRATION)}: {calibration.line()}")


if __name__ == "__main__":
    main_guard(main)
