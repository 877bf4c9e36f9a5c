"""A refined image has one identity: `gan.refine` writes the very images that a classifier learns from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from synth_engine import Recipe

tf = pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")

from classifier.learning.batches import Source, open_batches  # noqa: E402
from classifier.learning.learner import Refinement, make_learner  # noqa: E402
from classifier.learning.settings import TrainingSettings  # noqa: E402
from classifier.networks.heads import build  # noqa: E402
from gan.refine import refine  # noqa: E402
from synth_engine.training.keras_files import load_refiner  # noqa: E402
from synth_engine.training.value_range import from_network  # noqa: E402

SEED, COUNT = 3, 96


@pytest.fixture(scope="module")
def refiner(tiny: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A refiner.keras that leaves about every third pixel to chance, with recipe.toml beside it."""
    folder = tmp_path_factory.mktemp("refiner")
    keras.utils.set_random_seed(0)
    image = keras.Input((*tiny.shape, 1))
    x = keras.layers.Conv2D(8, 3, padding="same", activation="relu")(image)
    change = keras.layers.Conv2D(1, 3, padding="same")(x)
    keras.Model(image, keras.layers.Activation("tanh")(keras.layers.Add()([image, change]))).save(folder / "r.keras")
    tiny.save(folder / "recipe.toml")
    return folder / "r.keras"


@pytest.fixture(scope="module")
def written(refiner: Path, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """What `gan.refine` writes of the first samples, (COUNT, H, W) uint8 0 and 255."""
    out = tmp_path_factory.mktemp("out") / "refined"
    options = ["--refiner", refiner, "--recipe", refiner.with_name("recipe.toml"), "--count", COUNT, "--seed", SEED]
    result = CliRunner().invoke(refine, [str(option) for option in (*options, "--out", out)])
    assert result.exception is None, result.output
    return np.stack([np.asarray(Image.open(path)) for path in sorted(out.glob("*.png"))])


@pytest.mark.parametrize(("share", "size", "start"), [(1.0, 32, 0), (0.5, 32, 1), (0.5, 12, 3), (0.5, 2, 20)])
def test_a_classifier_learns_from_the_images_that_refine_writes(
    tiny: Recipe, refiner: Path, written: np.ndarray, share: float, size: int, start: int
) -> None:
    settings = TrainingSettings(width=2, depth=2, batch_size=size, seed=SEED)
    refinement = Refinement(load_refiner(refiner, tiny), share)
    learner = make_learner(build("grid", tiny, width=2, depth=2), settings, refinement)
    gathered = tf.function(lambda batch: learner._gathered(batch)[0])
    refined = round(size * share)
    with open_batches(Source(recipe=tiny, seed=SEED), size, start, 2) as batches:
        for number, batch in enumerate(batches):
            first = (start + number) * size
            images = from_network(gathered(batch))
            np.testing.assert_array_equal(images[:refined], written[first : first + refined])
            np.testing.assert_array_equal(images[refined:], batch["images"][refined:] * np.uint8(255))


def test_the_images_are_refined_indeed(tiny: Recipe, written: np.ndarray) -> None:
    with open_batches(Source(recipe=tiny, seed=SEED), COUNT, 0, 1) as batches:
        raw = next(iter(batches))["images"].numpy() * np.uint8(255)
    assert 0.01 < (raw != written).mean() < 0.5
