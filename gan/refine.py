"""`python -m gan.refine`: apply a saved refiner to real images, or to those of a recipe.

The refiner may be any Keras file whose network says of images (N, H, W, 1) how likely each pixel is ink: see
`synth_engine.training.refiner`.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
import numpy.typing as npt
from PIL import Image

from synth_engine.cli.guard import main_guard
from synth_engine.recipe import Recipe
from synth_engine.synthesizer import Synthesizer
from synth_engine.training.keras_files import load_refiner, recipe_beside
from synth_engine.training.run_folder import new_folder
from synth_engine.training.value_range import from_network, to_network

if TYPE_CHECKING:
    from synth_engine.training.refiner import Refiner

Images = npt.NDArray[np.uint8]
BATCH = 256


def refine_images(refiner: Refiner, images: Images, seed: int, first: int = 0) -> Images:
    """Images (N, H, W) uint8 {0, 1} refined, as (N, H, W) uint8, ink 255 and ground 0.

    Image k is refined as sample ``first`` + k under ``seed``: see `Refiner`.
    """
    parts = []
    for start in range(0, len(images), BATCH):
        chunk = to_network(images[start : start + BATCH])
        parts.append(from_network(refiner.refine(chunk, seed, first + start)))
    return np.concatenate(parts)


@click.command(
    epilog="Example: python -m gan.refine --refiner runs/gan/refiner.keras --recipe hackmit --count 1000 --out refined"
)
@click.argument("path", required=False, type=click.Path())
@click.option("--refiner", required=True, type=click.Path(), help="A refiner.keras of a gan.train run.")
@click.option("--recipe", metavar="NAME|TOML", help="Refine images of this recipe instead of those in PATH.")
@click.option("--count", type=click.IntRange(1), help="Number of images; with --recipe.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Seed of all random numbers.")
@click.option("--out", required=True, type=click.Path(file_okay=False), help="New folder for the PNG files.")
def refine(path: str | None, refiner: str, recipe: str | None, count: int | None, seed: int, out: str) -> None:
    """Refine the images in PATH (a folder of images or challenge files), or COUNT images of a recipe.

    Writes PNG files, ink white, and for a recipe labels.csv (name,text). Images in PATH are binarised as recipe.toml
    beside the refiner says. With --recipe, image i is the one that classifier.train learns from under the same --seed.
    The folder appears once it is complete.
    """
    if (path is None) == (recipe is None) or (recipe is None) != (count is None):
        raise click.UsageError("give either PATH, or --recipe with --count")
    with new_folder(out, "--out") as folder:
        made = _refine_recipe(refiner, recipe, count, seed, folder) if recipe and count else None
        made = made or _refine_path(refiner, str(path), seed, folder)
    click.echo(f"{out}: {made}")


def _refine_recipe(file: str, name: str, count: int, seed: int, folder: Path) -> str:
    recipe = Recipe.resolve(name).require_binary()
    synthesizer = Synthesizer(recipe, seed)  # fonts fail here, before TensorFlow is loaded
    refiner = _load(file, recipe)
    rows = [("name", "text")]
    for start in range(0, count, BATCH):
        batch = synthesizer.batch(start, min(BATCH, count - start))
        names = [f"{i:08d}" for i in range(start, start + len(batch))]
        _write(folder, names, refine_images(refiner, batch.images, seed, start))
        rows += zip(names, batch.texts(), strict=True)
    with (folder / "labels.csv").open("w", newline="") as csv_file:
        csv.writer(csv_file, lineterminator="\n").writerows(rows)
    return f"{count} refined images and labels.csv"


def _refine_path(file: str, path: str, seed: int, folder: Path) -> str:
    from synth_engine.real import load_real_images

    recipe = recipe_beside(file)
    real = load_real_images(path, recipe)
    refiner = _load(file, recipe)
    for start in range(0, len(real.names), BATCH):
        part = slice(start, start + BATCH)
        _write(folder, real.names[part], refine_images(refiner, real.images[part], seed, start))
    return f"{len(real.names)} refined images; " + "\n".join(real.report.lines())


def _load(file: str, recipe: Recipe) -> Refiner:
    from synth_engine.tensorflow_setup import prepare_tensorflow

    prepare_tensorflow(None)
    return load_refiner(file, recipe)


def _write(folder: Path, names: Sequence[str], images: Images) -> None:
    for name, image in zip(names, images, strict=True):
        Image.fromarray(image).save(folder / f"{name}.png")


if __name__ == "__main__":
    main_guard(refine)
