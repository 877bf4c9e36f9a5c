"""The end of a picture whose recipe asks for ``binary``: painted grey becomes ink as a real image's grey does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synth_engine.picture.kernels.stages.binarizing import finish
from synth_engine.recipe import Recipe


class Binarizer:
    """The recipe's `Binarize` rule, its pixel noise (sample i's flips are the fast path's), then its opening."""

    def __init__(self, recipe: Recipe) -> None:
        self._is_ink = recipe.binarize.is_ink(np.arange(256, dtype=np.uint8)).view(np.uint8)
        self._flip = round(recipe.noise.flip_probability * 2**16)
        self._open_px = recipe.binarize.open_px

    def finish(self, seed: int, start: int, images: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
        """Write ink {0, 1} of samples ``start`` … to ``out`` (B, H, W) from ``images`` (B, H, W, 1), 0–255.

        Both are uint8 and C-contiguous; the memory of one image is allocated a call.
        """
        finish(self._is_ink, self._flip, self._open_px, np.uint64(seed), start, images, out)
