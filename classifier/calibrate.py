"""`python -m classifier.calibrate`: fit a reader's confidence to unlabelled real images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from numpy.typing import NDArray

from classifier.learning.settings import Adaptation
from classifier.networks.decode import decode
from classifier.networks.readings import Readings, join
from classifier.reading.calibration import Calibration, Looks, fit
from synth_engine.cli.guard import main_guard
from synth_engine.synthesizer import Synthesizer

if TYPE_CHECKING:
    from classifier.reading.reader import Reader

LIMIT = 4096
SYNTHETIC = 2048
VIEWS = 2
SEED = 2**31 - 7  # of the synthetic images: none that a training run draws unless it is given this very seed


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
    from classifier.confidence.independent_readers import load_apart
    from synth_engine.real import load_real_images

    paths = [Path(one) for one in (model, second) if one]
    reader, *others = load_apart(paths, lambda line: click.echo(line, err=True), calibrated=False)
    target = load_real_images(path, reader.recipe, limit)
    calibrate(reader, target.images, Path(model), click.echo, *others)


def calibrate(
    reader: Reader,
    images: NDArray[np.uint8],
    model: Path,
    echo: Callable[[str], object],
    second: Reader | None = None,
) -> Path:
    """Write `calibration.json` beside ``model`` for images like ``images`` (N, H, W) uint8 {0, 1}.

    second: a reader of the same images that was trained from another seed.
    """
    from classifier.reading.reader import digest_of

    calibration = replace(calibration_for(reader, images, second=second), model=digest_of(model))
    path = calibration.save(model.parent)
    echo(f"{path}: {calibration.line()}")
    return path


def calibration_for(
    reader: Reader,
    images: NDArray[np.uint8],
    synthetic: int = SYNTHETIC,
    second: Reader | None = None,
) -> Calibration:
    """The calibration of ``reader`` for images like ``images`` (N, H, W) uint8 {0, 1}; the first `LIMIT` count."""
    from classifier.adaptation.self_training import expected_shares

    bare = replace(reader, calibration=None)
    batch = Synthesizer(bare.recipe, SEED).batch(0, synthetic)
    real, known = look(bare, images[:LIMIT], second), look(bare, batch.images, second)
    return fit(real, known, batch.labels, expected_shares(bare.recipe, SEED))


def look(reader: Reader, images: NDArray[np.uint8], second: Reader | None = None) -> Looks:
    """Read ``images`` as they are, in `VIEWS` views, warped as adaptation's second view is, and with ``second``."""
    return Looks(
        plain=reader.read(images),
        views=[read_warped(reader, images, salt) for salt in range(VIEWS)],
        second=second.read(images) if second else None,
    )


def read_warped(reader: Reader, images: NDArray[np.uint8], salt: int) -> Readings:
    """Read ``images`` warped at random, which ``salt`` decides."""
    from classifier.learning.learner import warped_view

    size, ranges, parts = reader.batch_size, Adaptation().view, []
    for start in range(0, len(images), size):
        warped, _ = warped_view(images[start : start + size], (salt, start), ranges)
        parts.append(decode(reader.scores(warped.numpy()), reader.recipe))
    return join(parts)


if __name__ == "__main__":
    main_guard(main)
