"""Ink levels, sampled for an image or for each of its characters."""

from __future__ import annotations

from numba import njit

from synth_engine.njit.random import FREE_WORD
from synth_engine.picture.kernels.sampling import unit


@njit(cache=True, nogil=True)
def sample_ink_levels(keys, low, high, each, levels, units):
    """Write ``levels`` (B, L, C) float64, 0–255, and ``units`` (B, L) float64, uniform in [0, 1).

    ``keys`` (B,) uint64; ``low`` and ``high`` (1 or C,) float64: one range for all channels, or one each; ``each``: for
    each character, which reads words 64 + 4k …, or one for an image.
    """
    for i in range(keys.size):
        for k in range(levels.shape[1]):
            first = FREE_WORD + (4 * k if each else 0)
            units[i, k] = unit(keys[i], first + 3)
            for c in range(levels.shape[2]):
                column = c if low.size > 1 else 0
                levels[i, k, c] = low[column] + (high[column] - low[column]) * unit(keys[i], first + column)
