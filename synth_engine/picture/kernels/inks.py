"""Ink levels, drawn for an image or for each of its characters."""

from __future__ import annotations

from numba import njit

from synth_engine.picture.kernels.draws import unit

FIRST_WORD = 64


@njit(cache=True, nogil=True)
def draw_inks(keys, counts, low, high, each, levels):
    """Write ``levels`` (B, L, C): drawn for each character, or the first one's for all of an image."""
    for i in range(counts.size):
        for k in range(levels.shape[1]):
            for c in range(levels.shape[2]):
                column = c if low.size > 1 else 0
                word = FIRST_WORD + (4 * k if each else 0) + column
                levels[i, k, c] = low[column] + (high[column] - low[column]) * unit(keys[i], word)
