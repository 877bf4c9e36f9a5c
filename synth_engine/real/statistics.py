"""How far real images are from a recipe's, by simple statistics of their ink, before anything is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synth_engine.errors import RealImagesError
from synth_engine.real.intake import polarity_problem
from synth_engine.real.selection import evenly
from synth_engine.recipe import Recipe
from synth_engine.synthesizer import Synthesizer

Ink = npt.NDArray[np.uint8]
Values = npt.NDArray[np.float64]

SAMPLES = 2_048  # images of each side; equal distributions then differ by about 0.04
FAR = 0.5  # distance from which on to warn
INK = "ink, %"


@dataclass(frozen=True)
class InkDifference:
    """Kolmogorov-Smirnov distance of one statistic, from 0 (equal) to 1 (disjoint), with the medians of both sides."""

    statistic: str
    distance: float
    real: float
    synthetic: float

    def __str__(self) -> str:
        return f"{self.statistic} {self.real:.3g} (recipe {self.synthetic:.3g}, distance {self.distance:.2f})"


def ink_differences(real: Ink, recipe: Recipe, seed: int = 0) -> list[InkDifference]:
    """Between real binary images (N, H, W) uint8 {0, 1} and those of ``recipe``, the greatest first.

    The distance is the greatest gap between the two cumulative distributions of a statistic over images. Raises
    RealImagesError if ink and ground are exchanged (`polarity_problem`).
    """
    some = real[evenly(len(real), SAMPLES)]
    samples = Synthesizer(recipe, seed).batch(0, SAMPLES).images
    if problem := polarity_problem(some, recipe, samples):
        raise RealImagesError(problem)
    found = [_difference(name, measure(some), measure(samples)) for name, measure in MEASURES.items()]
    return sorted(found, key=lambda each: -each.distance)


def mismatch_warning(found: list[InkDifference]) -> str | None:
    """A warning for a recipe whose images are far from the real ones; None where they are not."""
    far = "; ".join(str(each) for each in found if each.distance >= FAR)
    if not far:
        return None
    return f"the real images differ from the recipe's in {far}; a better matching recipe gives a better reader"


def _difference(name: str, real: Values, synthetic: Values) -> InkDifference:
    values = np.sort(np.concatenate([real, synthetic]))
    shares = [np.searchsorted(np.sort(side), values, side="right") / len(side) for side in (real, synthetic)]
    distance = float(np.abs(shares[0] - shares[1]).max())
    return InkDifference(name, distance, float(np.median(real)), float(np.median(synthetic)))


def _ink(images: Ink) -> Values:
    return np.asarray(100.0 * images.mean(axis=(1, 2)), np.float64)


def _run(images: Ink) -> Values:
    """Mean length of the horizontal runs of ink, px."""
    begun = images[:, :, 0].sum(axis=1, dtype=np.int64)
    begun += (images[:, :, 1:] > images[:, :, :-1]).sum(axis=(1, 2))
    return np.asarray(images.sum(axis=(1, 2)) / np.maximum(begun, 1), np.float64)


def _moment(images: Ink, axis: int, power: int) -> Values:
    """Mean of (coordinate of an inked pixel, px) ** ``power``, images summed over ``axis`` first; 0 without ink."""
    profile = images.sum(axis=axis, dtype=np.float64)
    places = np.arange(profile.shape[1], dtype=np.float64) ** power
    return np.asarray(profile @ places / np.maximum(profile.sum(axis=1), 1.0), np.float64)


def _spread(images: Ink, axis: int) -> Values:
    variance = _moment(images, axis, 2) - np.square(_moment(images, axis, 1))
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)), np.float64)


MEASURES: dict[str, Callable[[Ink], Values]] = {
    INK: _ink,
    "ink run, px": _run,
    "middle of the ink across, px": lambda images: _moment(images, 1, 1),
    "middle of the ink down, px": lambda images: _moment(images, 2, 1),
    "spread of the ink across, px": lambda images: _spread(images, 1),
    "spread of the ink down, px": lambda images: _spread(images, 2),
}
