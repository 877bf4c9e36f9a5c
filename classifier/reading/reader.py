"""Reader: a saved network with the recipe that it reads, from and to files, and reading images with it.

A run folder holds `classifier.keras` and, beside it, `recipe.toml` with alphabet, canvas, length and binarising, and
`calibration.json` once its confidence is fitted to real images. The network consists of built-in layers, so that
loading runs no code of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from classifier.networks.head import PRESENCE_MIN, Head
from classifier.networks.heads import head_of
from classifier.networks.readings import Readings, join
from classifier.reading.calibration import CALIBRATION, Calibration
from synth_engine.atomic import write_with
from synth_engine.errors import ModelError
from synth_engine.recipe import Recipe
from synth_engine.training.keras_files import RECIPE, load_network, recipe_beside
from synth_engine.training.precision import Precision, best_precision, in_precision
from synth_engine.training.run_folder import read_config
from synth_engine.training.value_range import to_network

MODEL = "classifier.keras"
BATCH_SIZE = 256
Scorer = Callable[[NDArray[np.float32]], Any]


@dataclass(frozen=True, eq=False)
class Reader:
    """A network, the recipe of the images that it reads, and a calibration of its certainty, if one is fitted.

    `Reader.of` and `Reader.load` make one. It reads with the weights that the network has at that moment.

    network: Keras model that `head_of` knows; forward: scores of images (N, H, W, 1) float32 in [-1, 1], a tensor,
    compiled once for each N; batch_size: images that go through the network at once.
    """

    network: Any
    recipe: Recipe
    forward: Scorer
    batch_size: int = BATCH_SIZE
    calibration: Calibration | None = None

    @classmethod
    def of(
        cls,
        network: Any,
        recipe: Recipe,
        *,
        precision: Precision | None = None,
        batch_size: int = BATCH_SIZE,
        calibration: Calibration | None = None,
    ) -> Reader:
        """A reader of ``network`` as it is now, computing in ``precision``; None: the fastest on this machine."""
        return cls(network, recipe, compiled(network, precision), batch_size, calibration)

    @classmethod
    def load(cls, path: str | Path, recipe: Recipe | None = None, *, calibrated: bool = True) -> Reader:
        """The network in a ``.keras`` file, with the `recipe.toml` beside it unless ``recipe`` is given.

        Without ``calibrated`` a `calibration.json` beside it is not looked at: one that is damaged can be made again.

        Raises ModelError if either is missing, damaged, or made for the other's canvas or alphabet, or if
        `calibration.json` is another model's.
        """
        path = Path(path)
        network, recipe = load_fitting(path, recipe)
        return cls.of(network, recipe, calibration=calibration_beside(path, recipe) if calibrated else None)

    @property
    def head(self) -> Head:
        """What the network's kind decides."""
        return head_of(self.network)

    def save(self, folder: Path) -> Path:
        """See `save_reader`; the calibration is not written."""
        return save_reader(self.network, self.recipe, folder)

    def scores(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores of up to ``batch_size`` images (N, H, W, 1) float32 in [-1, 1], filled up to avoid retracing."""
        missing = self.batch_size - len(images)
        padded = np.concatenate([images, np.repeat(images[:1], missing, axis=0)]) if missing > 0 else images
        return np.asarray(self.forward(padded))[: len(images)]

    def read_scaled(self, images: NDArray[np.float32], *, presence_min: float = PRESENCE_MIN) -> Readings:
        """Read up to ``batch_size`` images (N, H, W, 1) float32 in [-1, 1]; certainty is the network's own."""
        return self.head.decode(self.scores(images), self.recipe, presence_min=presence_min)

    def read(self, images: NDArray[np.uint8], *, presence_min: float = PRESENCE_MIN) -> Readings:
        """Read binary images (N, H, W) uint8 {0, 1}, N ≥ 1; certainty is calibrated, if there is a calibration."""
        starts = range(0, len(images), self.batch_size)
        parts = (to_network(images[start : start + self.batch_size]) for start in starts)
        readings = join([self.read_scaled(part, presence_min=presence_min) for part in parts])
        return self.calibration.apply(readings) if self.calibration else readings


def compiled(network: Any, precision: Precision | None = None) -> Scorer:
    """Scores of images (N, H, W, 1) float32 in [-1, 1] by a copy of ``network``, made for reading alone."""
    import tensorflow as tf

    from classifier.networks.folding import folded

    copy = folded(in_precision(network, precision or best_precision()))
    return cast("Scorer", tf.function(lambda images: copy(images, training=False)))


def save_reader(network: Any, recipe: Recipe, folder: Path) -> Path:
    """Write `classifier.keras` and `recipe.toml` into ``folder``, each whole or not at all; returns the former's path.

    The network is written in float32. A `calibration.json` there is removed, as it was another network's.
    """
    recipe.save(folder / RECIPE)
    (folder / CALIBRATION).unlink(missing_ok=True)
    write_with(folder / MODEL, in_precision(network, "float32").save)
    return folder / MODEL


def load_fitting(path: Path, recipe: Recipe | None = None) -> tuple[Any, Recipe]:
    """The network in a ``.keras`` file and its recipe, ``recipe`` or that of the `recipe.toml` beside it.

    Raises ModelError if either is missing, damaged, or made for the other's canvas or alphabet.
    """
    network = load_network(path)
    if recipe is None:
        recipe = recipe_beside(path)
        check_run(recipe, path)
    check_fit(network, recipe, path)
    return network, recipe


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
    """The configuration of the run that made the network in ``path``; empty without one that can be read."""
    return read_config(path.parent) or {}


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
    characters = head_of(network).characters(network)
    if characters != len(recipe.alphabet):
        raise ModelError(
            f"{path} scores {characters} characters, recipe {recipe.name} has {len(recipe.alphabet)}; use the "
            "recipe.toml of the run that made it",
            network.output_shape,
        )
