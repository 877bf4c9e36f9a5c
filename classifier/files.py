"""Recogniser: a saved network with the recipe that it reads, from and to files, and reading images with it.

A run folder holds `classifier.keras` and, beside it, `recipe.toml` with alphabet, canvas, length and binarising. The
network consists of built-in layers, so that loading runs no code of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.decode import PRESENCE_MIN, Readings, decode, join
from synth_engine.atomic import write_with
from synth_engine.errors import ModelError
from synth_engine.recipe import Recipe
from synth_engine.scaling import to_network
from synth_engine.training.networks import RECIPE, load_network, recipe_beside
from synth_engine.training.precision import Precision, best_precision, in_precision

MODEL = "classifier.keras"


@dataclass(frozen=True)
class Recogniser:
    """A network (`classifier.networks`) and the recipe whose images it reads.

    It reads with the weights that the network has at the first image, in ``precision``; None: the fastest here.
    """

    network: Any
    recipe: Recipe
    batch_size: int = 256
    precision: Precision | None = None

    @classmethod
    def load(cls, path: str | Path, recipe: Recipe | None = None) -> Recogniser:
        """The network in a ``.keras`` file, with the `recipe.toml` beside it unless ``recipe`` is given.

        Raises ModelError if either is missing, damaged, or made for the other's canvas or alphabet.
        """
        path = Path(path)
        network = load_network(path)
        if recipe is None:
            recipe = recipe_beside(path)
        check_fit(network, recipe, path)
        return cls(network, recipe)

    def save(self, folder: Path) -> Path:
        """Write `classifier.keras` and `recipe.toml` into ``folder``, each whole or not at all."""
        self.recipe.save(folder / RECIPE)
        write_with(folder / MODEL, in_precision(self.network, "float32").save)
        return folder / MODEL

    def scores(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores of up to ``batch_size`` images (N, H, W, 1) float32 in [-1, 1], filled up to avoid retracing."""
        missing = self.batch_size - len(images)
        padded = np.concatenate([images, np.repeat(images[:1], missing, axis=0)]) if missing > 0 else images
        return self._forward(padded).numpy()[: len(images)]

    def read(self, images: NDArray[np.uint8], *, presence_min: float = PRESENCE_MIN) -> Readings:
        """Read binary images (N, H, W) uint8 {0, 1}, N ≥ 1."""
        starts = range(0, len(images), self.batch_size)
        parts = (to_network(images[start : start + self.batch_size]) for start in starts)
        return join([decode(self.scores(part), self.recipe, presence_min=presence_min) for part in parts])

    @cached_property
    def _forward(self) -> Any:
        import tensorflow as tf

        from classifier.folding import folded

        network = folded(in_precision(self.network, self.precision or best_precision()))
        return tf.function(lambda images: network(images, training=False))


def check_fit(network: Any, recipe: Recipe, path: Path) -> None:
    """Raise ModelError unless the network takes the recipe's images and scores its alphabet."""
    if tuple(network.input_shape[1:]) != (*recipe.shape, 1):
        raise ModelError(
            f"{path} takes images of shape {network.input_shape[1:]}, recipe {recipe.name} makes {(*recipe.shape, 1)}; "
            "use the recipe.toml of the run that made it",
            network.input_shape,
        )
    extra = 1 if len(network.output_shape) == 4 else 0
    if network.output_shape[-1] != len(recipe.alphabet) + extra:
        raise ModelError(
            f"{path} scores {network.output_shape[-1] - extra} characters, recipe {recipe.name} has "
            f"{len(recipe.alphabet)}; use the recipe.toml of the run that made it",
            network.output_shape,
        )
