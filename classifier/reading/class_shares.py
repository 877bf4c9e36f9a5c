"""Class shares: how often each character of an alphabet occurs, in what was read and in what a recipe makes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synth_engine.recipe import Recipe
from synth_engine.synthesizer import Synthesizer

SAMPLES = 8192  # of a recipe, whose characters are counted


def class_shares(codes: NDArray[np.uint8], classes: int) -> NDArray[np.float64]:
    """(classes,) share of each class among ``codes``, uint8 of any shape; all 0 where none is counted.

    Codes of ``classes`` and above are not counted, so padding (255) is only counted if ``classes`` is 256.
    """
    counted = codes[codes < classes]
    return np.bincount(counted, minlength=classes) / max(1, len(counted))


def expected_shares(recipe: Recipe, seed: int) -> NDArray[np.float32]:
    """(alphabet,) share of each class among the characters of `SAMPLES` images of ``recipe``, never 0.

    The characters of real images are taken to follow these shares. One is added to each count (Laplace smoothing).
    """
    labels = Synthesizer(recipe, seed).batch(0, SAMPLES).labels
    classes = len(recipe.alphabet)
    counts = np.bincount(labels[labels < classes], minlength=classes) + 1.0
    return (counts / counts.sum()).astype(np.float32)
