"""The gap between a recipe's images and the real ones, as a fresh network finds it before anything is trained."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synth_engine.recipe import Recipe
from synth_engine.scaling import to_network
from synth_engine.synthesizer import Synthesizer
from synth_engine.training.two_sample import TwoSampleTest

SAMPLES = 2_048  # of each side; the test learns from half of them
STEPS = 150
FEWEST = 100  # real images; from fewer nothing is learnt
WIDE_MIN = 0.9  # told apart this often, images differ in more than traces


def told_apart(real: NDArray[np.uint8], recipe: Recipe, seed: int) -> float:
    """Share of images, held out from it, that a small network tells apart: ``real`` ones and the ``recipe``'s.

    real: (N, H, W) uint8 {0, 1}, N ≥ 2. 0.5 where it finds no difference, 1 where it sees each. Takes some ten seconds.
    """
    some = real[np.unique(np.linspace(0, len(real) - 1, min(SAMPLES, len(real))).astype(int))]
    order = np.random.default_rng(seed).permutation(len(some))
    drawn = Synthesizer(recipe, seed).batch(0, SAMPLES).images
    return TwoSampleTest(recipe.shape, STEPS, seed).accuracy(to_network(drawn), to_network(some[order]))
