"""Networks in `.keras` files and the `recipe.toml` beside them: loaded in safe mode and checked to fit."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from synth_engine.errors import ModelError
from synth_engine.recipe import Recipe

if TYPE_CHECKING:
    import keras

    from synth_engine.training.refiner import Refiner

RECIPE = "recipe.toml"


def load_network(path: str | Path) -> keras.Model:
    """The Keras model in a ``.keras`` file, loaded in safe mode; raises ModelError saying what is wrong with it."""
    path = Path(path)
    _check_exists(path)
    if path.suffix != ".keras" or not zipfile.is_zipfile(path):
        raise ModelError(f"expected a Keras 3 file (.keras), but {path} is none or damaged; copy it again", path)
    import keras

    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises nearly everything on a damaged archive
        reason = (str(error).strip().splitlines() or [""])[0][:120]
        raise ModelError(f"{path} cannot be loaded ({type(error).__name__}: {reason}); copy it again", path) from error


def load_refiner(path: str | Path, recipe: Recipe) -> Refiner:
    """The refiner in a ``.keras`` file, frozen: a network from images (N, H, W, 1) of ``recipe`` to the same shape.

    Raises ModelError if the file is missing or damaged, or if the network takes or gives something else.
    """
    network = load_network(path)
    wanted = (None, *recipe.shape, 1)
    if (network.input_shape, network.output_shape) != (wanted, wanted):
        raise ModelError(
            f"{path} takes {network.input_shape} and gives {network.output_shape}, a refiner for recipe {recipe.name} "
            f"takes and gives {wanted}; train one with this recipe",
            path,
        )
    network.trainable = False
    from synth_engine.training.refiner import Refiner

    return Refiner(network, recipe.binarize.open_px)


def recipe_beside(path: str | Path) -> Recipe:
    """The recipe of the run that made the network in ``path``, from the `recipe.toml` beside it.

    Raises ModelError if either is missing, RecipeError if it cannot be read.
    """
    path = Path(path)
    _check_exists(path)
    beside = path.parent / RECIPE
    if not beside.is_file():
        raise ModelError(f"expected {RECIPE} beside {path}, found none; copy it from the run folder", beside)
    return Recipe.load(beside)


def _check_exists(path: Path) -> None:
    if not path.is_file():
        raise ModelError(f"expected a .keras file, but {path} does not exist; train one, or check the path", path)
