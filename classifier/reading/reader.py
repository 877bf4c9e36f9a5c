"""Reader: a saved network with the recipe that it reads, from and to files, and reading images with it.

A run folder holds `classifier.keras` and, beside it, `recipe.toml` with alphabet, canvas, length and binarising, and
`calibration.json` once its confidence is fitted to real images. The network consists of built-in layers, so that
loading runs no code of its own.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.networks.decode import PRESENCE_MIN, decode
from classifier.networks.readings import Readings, join
from classifier.reading.calibration import CALIBRATION, Calibration
from synth_engine.atomic import write_with
from synth_engine.errors import ModelError
from synth_engine.recipe import Recipe
from synth_engine.training.keras_files import RECIPE, load_network, recipe_beside
from synth_engine.training.precision import Precision, best_precision, in_precision
from synth_engine.training.run_folder import CONFIG
from synth_engine.training.value_range import to_network

MODEL = "classifier.keras"


@dataclass(frozen=True)
class Reader:
    """A network (`classifier.networks.build`), the recipe of its images and, if known, what its certainty is worth.

    It reads with the weights that the network has at the first image, in ``precision``; None: the fastest here.
    """

    network: Any
    recipe: Recipe
    batch_size: int = 256
    precision: Precision | None = None
    calibration: Calibration | None = None

    @classmethod
    def load(cls, path: str | Path, recipe: Recipe | None = None, *, calibrated: bool = True) -> Reader:
        """The network in a ``.keras`` file, with the `recipe.toml` beside it unless ``recipe`` is given.

        Without ``calibrated`` a `calibration.json` beside it is not looked at: one that is damaged can be made again.

        Raises ModelError if either is missing, damaged, or made for the other's canvas or alphabet, or if
        `calibration.json` is another model's.
        """
        path = Path(path)
        network = load_network(path)
        if recipe is None:
            recipe = recipe_beside(path)
            check_run(recipe, path)
        check_fit(network, recipe, path)
        return cls(network, recipe, calibration=calibration_beside(path, recipe) if calibrated else None)

    @property
    def knows_places(self) -> bool:
        """Whether the network's scores lie on a grid, and so tell where a character is."""
        return len(self.network.output_shape) == 4

    def save(self, folder: Path) -> Path:
        """Write `classifier.keras` and `recipe.toml` into ``folder``, each whole or not at all."""
        self.recipe.save(folder / RECIPE)
        (folder / CALIBRATION).unlink(missing_ok=True)
        write_with(folder / MODEL, in_precision(self.network, "float32").save)
        return folder / MODEL

    def scores(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores of up to ``batch_size`` images (N, H, W, 1) float32 in [-1, 1], filled up to avoid retracing."""
        missing = self.batch_size - len(images)
        padded = np.concatenate([images, np.repeat(images[:1], missing, axis=0)]) if missing > 0 else images
        return self.forward(padded).numpy()[: len(images)]

    def read(self, images: NDArray[np.uint8], *, presence_min: float = PRESENCE_MIN) -> Readings:
        """Read binary images (N, H, W) uint8 {0, 1}, N ≥ 1."""
        starts = range(0, len(images), self.batch_size)
        parts = (to_network(images[start : start + self.batch_size]) for start in starts)
        readings = join([decode(self.scores(part), self.recipe, presence_min=presence_min) for part in parts])
        return self.calibration.apply(readings) if self.calibration else readings

    @cached_property
    def forward(self) -> Any:
        """Scores (N, …) of images (N, H, W, 1) float32 in [-1, 1] as a tensor; compiled for each N."""
        import tensorflow as tf

        from classifier.networks.folding import folded

        network = folded(in_precision(self.network, self.precision or best_precision()))
        return tf.function(lambda images: network(images, training=False))


def digest_of(path: Path) -> str:
    """What tells a network's file from another."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def calibration_beside(path: Path, recipe: Recipe) -> Calibration | None:
    """The calibration of the network in ``path``, None if there is none; raises ModelError for another network's."""
    beside = path.parent / CALIBRATION
    if not beside.is_file():
        return None
    calibration = Calibration.load(beside)
    if calibration.model != digest_of(path) or len(calibration.ceilings) != len(recipe.alphabet):
        raise ModelError(
            f"{beside} is the calibration of another network than {path}; make it again with classifier.calibrate, or "
            "remove it",
            beside,
        )
    return calibration


def config_beside(path: Path) -> dict[str, Any]:
    """What `config.json` beside ``path`` says of the run that made it; nothing where there is no such file."""
    try:
        config = json.loads(path.with_name(CONFIG).read_bytes())
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def check_run(recipe: Recipe, path: Path) -> None:
    """Raise ModelError if `config.json` beside ``path``, where there is one, names another recipe."""
    key = config_beside(path).get("recipe_key")
    if key and key != recipe.key:
        raise ModelError(
            f"{path.with_name(RECIPE)} is recipe {recipe.name} ({recipe.key[:12]}), the run that made {path} had "
            f"{key[:12]}; copy recipe.toml from that run",
            recipe.key,
        )


def check_fit(network: Any, recipe: Recipe, path: Path) -> None:
    """Raise ModelError unless the network takes the recipe's images and scores its alphabet."""
    if tuple(network.input_shape[1:]) != (*recipe.shape, 1):
        raise ModelError(
            f"{path} takes images of shape {network.input_shape[1:]}, recipe {recipe.name} makes {(*recipe.shape, 1)}; "
            "use the recipe.toml of the run that made it",
            network.input_shape,
        )
    extra = 1 if len(network.output_shape) == 4 or network.name == "ctc" else 0
    if network.output_shape[-1] != len(recipe.alphabet) + extra:
        raise ModelError(
            f"{path} scores {network.output_shape[-1] - extra} characters, recipe {recipe.name} has "
            f"{len(recipe.alphabet)}; use the recipe.toml of the run that made it",
            network.output_shape,
        )
