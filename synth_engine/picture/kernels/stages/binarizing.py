"""Ink of grey pictures: the rule's levels, then what all binary ink goes through."""

from __future__ import annotations

import numpy as np
from numba import uint64

from synth_engine.njit.bits import read_pixels, write_pixels
from synth_engine.njit.finishing import PAD, flip_and_open
from synth_engine.njit.jit import entry
from synth_engine.njit.random import NOISE, mix, sample_key


@entry
def binarize_images(levels, flip, side, seed, start, grey, height, width, canvas, ink):
    """Fill ``ink`` (B·H·W,) uint8 {0, 1} from ``grey`` (B·H·W,) uint8, samples ``start`` … of ``seed``.

    levels: (lowest, highest, zero) uint8, a pixel is ink where lowest ≤ level ≤ highest, or where it is 0 and ``zero``
    is 1; flip: a pixel's probability to flip × 2¹⁶; side: px of the opening's square, under 2 = none; canvas: a
    `finishing.new_canvas`.
    """
    lowest, highest, zero = levels
    for p in range(uint64(ink.size)):
        level = grey[p]
        ink[p] = ((level >= lowest) & (level <= highest)) | ((level == np.uint8(0)) & (zero > np.uint8(0)))
    if flip or side > 1:
        size = uint64(height * width)
        for i in range(uint64(ink.size) // size):
            read_pixels(ink, i * size, height, width, canvas, PAD)
            key = mix(sample_key(seed, uint64(start) + i) ^ NOISE)
            flip_and_open(canvas, PAD, height, width, key, flip, side)
            write_pixels(canvas, PAD, height, width, ink, i * size)
