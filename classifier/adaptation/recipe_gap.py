"""How far a recipe's images are from the real ones, as a small network finds it before anything is trained."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifier.learning.settings import AUGMENTATIONS, Augmentation
from synth_engine.real.selection import evenly
from synth_engine.recipe import Recipe
from synth_engine.synthesizer import Synthesizer
from synth_engine.training.run_folder import read_config
from synth_engine.training.two_sample import TwoSampleTest
from synth_engine.training.value_range import to_network

SAMPLES = 2_048  # of each side; the test learns from half of them
STEPS = 150
FEWEST = 50  # real images; from fewer nothing is learnt
WIDE_MIN = 0.9  # two-sample accuracy from which the recipe counts as mismatched

log = logging.getLogger(__name__)


def augmentation_for(images: NDArray[np.uint8], recipe: Recipe, seed: int, resumed: Path | None) -> Augmentation:
    """Wide warps where ``recipe`` is mismatched with the real ``images``, else narrow ones; logs which and why.

    images: (N, H, W) uint8 {0, 1}. A run that is ``resumed`` keeps its warps: another machine may decide otherwise.
    """
    before = _stored(resumed) if resumed else None
    if before is not None:
        return before
    if len(images) < FEWEST:
        log.info("fewer than %d real images are too few to compare with the recipe: warps are narrow", FEWEST)
        return AUGMENTATIONS["narrow"]
    accuracy = two_sample_accuracy(images, recipe, seed)
    found = f"two-sample accuracy between real images and the recipe's is {accuracy:.0%}"
    if accuracy >= WIDE_MIN:
        log.info(f"{found}: the recipe is mismatched, so warps are wide")
        return AUGMENTATIONS["wide"]
    log.info(f"{found}: warps are narrow")
    return AUGMENTATIONS["narrow"]


def _stored(run: Path) -> Augmentation | None:
    """That of a run's `config.json`; None where it cannot be read, which resuming reports itself."""
    stored = read_config(run)
    try:
        return Augmentation(**stored["augmentation"]) if stored else None
    except (LookupError, TypeError):
        return None


def two_sample_accuracy(real: NDArray[np.uint8], recipe: Recipe, seed: int) -> float:
    """Accuracy, on held-out images, of a small network that separates ``real`` images from those of the ``recipe``.

    real: (N, H, W) uint8 {0, 1}, N ≥ 2. 0.5 where it finds no difference, 1 where it separates all. Takes about ten
    seconds.
    """
    some = real[evenly(len(real), SAMPLES)]
    order = np.random.default_rng(seed).permutation(len(some))
    synthetic = Synthesizer(recipe, seed).batch(0, SAMPLES).images
    return TwoSampleTest(recipe.shape, STEPS, seed).accuracy(to_network(synthetic), to_network(some[order]))
