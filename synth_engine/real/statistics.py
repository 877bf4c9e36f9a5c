"""Likeness: how far real images lie from a recipe's, by plain figures of their ink, before anything is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synth_engine.errors import RealImagesError
from synth_engine.recipe import Recipe
from synth_engine.synthesizer import Synthesizer

Ink = npt.NDArray[np.uint8]
Figures = npt.NDArray[np.float64]

SAMPLES = 2_048  # of each side: equal distributions then differ by about 0.04
FAR = 0.5  # a distance to warn of
INK = "ink, %"


@dataclass(frozen=True)
class Difference:
    """One figure's Kolmogorov-Smirnov distance, 0 equal to 1 disjoint, with both sides' medians."""

    figure: str
    distance: float
    real: float
    synthetic: float

    def __str__(self) -> str:
        return f"{self.figure} {self.real:.3g} (recipe {self.synthetic:.3g}, distance {self.distance:.2f})"


def differences(real: Ink, recipe: Recipe, seed: int = 0) -> list[Difference]:
    """Between real binary images (N, H, W) uint8 {0, 1} and the ``recipe``'s, the greatest first.

    The distance is the greatest gap between the two cumulative distributions of a figure over images. Raises
    RealImagesError where ink and ground seem to have changed places: nothing can be read then.
    """
    some = real[np.unique(np.linspace(0, len(real) - 1, min(SAMPLES, len(real))).astype(int))]
    drawn = Synthesizer(recipe, seed).batch(0, SAMPLES).images
    found = {name: _difference(name, measure(some), measure(drawn)) for name, measure in MEASURES.items()}
    inverse = _difference(INK, 100.0 - _ink(some), _ink(drawn))
    if found[INK].distance >= FAR > inverse.distance:
        raise RealImagesError(
            f"ink and ground have changed places: {found[INK]}, inverted {inverse.distance:.2f}; set `ink` in the "
            f"[binarize] of recipe {recipe.name} to the other of dark and light",
            found[INK],
        )
    return sorted(found.values(), key=lambda each: -each.distance)


def warning_of(found: list[Difference]) -> str | None:
    """What to tell before training on a recipe whose images lie far from the real ones; None where they do not."""
    far = "; ".join(str(each) for each in found if each.distance >= FAR)
    if not far:
        return None
    return f"the images are unlike the recipe's in {far}; a recipe nearer to them would be read better"


def _difference(name: str, real: Figures, synthetic: Figures) -> Difference:
    values = np.sort(np.concatenate([real, synthetic]))
    shares = [np.searchsorted(np.sort(side), values, side="right") / len(side) for side in (real, synthetic)]
    distance = float(np.abs(shares[0] - shares[1]).max())
    return Difference(name, distance, float(np.median(real)), float(np.median(synthetic)))


def _ink(images: Ink) -> Figures:
    return np.asarray(100.0 * images.mean(axis=(1, 2)), np.float64)


def _run(images: Ink) -> Figures:
    """Inked pixels a run of ink in a row."""
    begun = images[:, :, 0].sum(axis=1, dtype=np.int64)
    begun += (images[:, :, 1:] > images[:, :, :-1]).sum(axis=(1, 2))
    return np.asarray(images.sum(axis=(1, 2)) / np.maximum(begun, 1), np.float64)


def _moment(images: Ink, axis: int, power: int) -> Figures:
    """Mean of (place of an inked pixel, px) ** ``power``, the sum over ``axis`` taken first; 0 without ink."""
    profile = images.sum(axis=axis, dtype=np.float64)
    places = np.arange(profile.shape[1], dtype=np.float64) ** power
    return np.asarray(profile @ places / np.maximum(profile.sum(axis=1), 1.0), np.float64)


def _spread(images: Ink, axis: int) -> Figures:
    variance = _moment(images, axis, 2) - np.square(_moment(images, axis, 1))
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)), np.float64)


MEASURES: dict[str, Callable[[Ink], Figures]] = {
    INK: _ink,
    "ink run, px": _run,
    "middle of the ink across, px": lambda images: _moment(images, 1, 1),
    "middle of the ink down, px": lambda images: _moment(images, 2, 1),
    "spread of the ink across, px": lambda images: _spread(images, 1),
    "spread of the ink down, px": lambda images: _spread(images, 2),
}
