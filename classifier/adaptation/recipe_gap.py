"""The gap between a recipe's images and the real ones, as a fresh network finds it before anything is trained."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from classifier.learning.settings import AUGMENTATIONS, Augmentation
from synth_engine.recipe import Recipe
from synth_engine.synthesizer import Synthesizer
from synth_engine.training.run_folder import read_config
from synth_engine.training.two_sample import TwoSampleTest
from synth_engine.training.value_range import to_network

SAMPLES = 2_048  # of each side; the test learns from half of them
STEPS = 150
FEWEST = 50  # real images; from fewer nothing is learnt
WIDE_MIN = 0.9  # told apart this often, images differ in more than traces


def augmentation_for(images: NDArray[np.uint8], recipe: Recipe, seed: int, resumed: Path | None) -> Augmentation:
    """How far to warp: as far as ``recipe`` is from real ``images`` (N, H, W) uint8 {0, 1}; says so on stdout.

    A run that is ``resumed`` warps as it did, since the test may come out otherwise on another machine.
    """
    before = _stored(resumed) if resumed else None
    if before is not None:
        return before
    if len(images) < FEWEST:
        click.echo(f"fewer than {FEWEST} real images do not tell how far the recipe is from them: warps are narrow")
        return AUGMENTATIONS["narrow"]
    share = told_apart(images, recipe, seed)
    name = "wide" if share >= WIDE_MIN else "narrow"
    click.echo(f"a fresh network tells real images from the recipe's {share:.0%} of the time: warps are {name}")
    return AUGMENTATIONS[name]


def _stored(run: Path) -> Augmentation | None:
    """That of a run's `config.json`; None where there is none to be read, which resuming says itself."""
    stored = read_config(run)
    try:
        return Augmentation(**stored["augmentation"]) if stored else None
    except (LookupError, TypeError):
        return None


def told_apart(real: NDArray[np.uint8], recipe: Recipe, seed: int) -> float:
    """Share of images, held out from it, that a small network tells apart: ``real`` ones and the ``recipe``'s.

    real: (N, H, W) uint8 {0, 1}, N ≥ 2. 0.5 where it finds no difference, 1 where it sees each. Takes some ten seconds.
    """
    some = real[np.unique(np.linspace(0, len(real) - 1, min(SAMPLES, len(real))).astype(int))]
    order = np.random.default_rng(seed).permutation(len(some))
    drawn = Synthesizer(recipe, seed).batch(0, SAMPLES).images
    return TwoSampleTest(recipe.shape, STEPS, seed).accuracy(to_network(drawn), to_network(some[order]))
