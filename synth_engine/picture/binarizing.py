"""The end of a picture whose recipe asks for ``binary``: painted grey becomes ink as a real image's grey does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synth_engine.njit.finishing import new_canvas
from synth_engine.picture.kernels.stages.binarizing import binarize_images
from synth_engine.recipe import Binarize, Recipe


class Binarizer:
    """The recipe's `Binarize` rule, its pixel noise (sample i's flips are the fast path's), then its opening."""

    def __init__(self, recipe: Recipe) -> None:
        self._levels = _ink_levels(recipe.binarize)
        self._flip = round(recipe.noise.flip_probability * 2**16)
        self._open_px = recipe.binarize.open_px

    def binarize(self, seed: int, start: int, images: NDArray[np.uint8], ink: NDArray[np.uint8]) -> None:
        """Write {0, 1} of samples ``start`` … to ``ink`` (B, H, W) from ``images`` (B, H, W, 1), 0–255.

        Both are uint8 and C-contiguous; the memory of one image is allocated a call.
        """
        _, height, width = ink.shape
        binarize_images(
            self._levels, self._flip, self._open_px, np.uint64(seed), start, images.reshape(-1), height, width,
            new_canvas(height, width), ink.reshape(-1),
        )  # fmt: skip


def _ink_levels(rule: Binarize) -> tuple[np.uint8, np.uint8, np.uint8]:
    """(lowest, highest) of the levels from 1 on that are ink, which lie together, and whether 0 is ink."""
    is_ink = rule.is_ink(np.arange(256, dtype=np.uint8))
    inked = 1 + np.flatnonzero(is_ink[1:])
    lowest, highest = (inked[0], inked[-1]) if inked.size else (1, 0)
    return np.uint8(lowest), np.uint8(highest), np.uint8(is_ink[0])
