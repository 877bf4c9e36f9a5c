"""What binary ink goes through last: pixel noise, then an opening.

Both renderers and real images share it, so that real and synthetic ink are cleaned by the same code. A canvas is as
`bits` says. Source of the opening: Serra, "Image Analysis and Mathematical Morphology", 1982.
"""

from __future__ import annotations

import numpy as np
from numba import uint64
from numpy.typing import NDArray

from synth_engine.njit.bits import bernoulli, clear_guards, clear_outside, read_pixels, write_pixels
from synth_engine.njit.jit import entry, inlined

PAD = 1  # guard planes that a canvas needs here on either side


def new_canvas(height: int, width: int) -> NDArray[np.uint64]:
    """A canvas for `open_images` on images of ``height`` × ``width`` px: (PAD + ceil(W / 64) + PAD, H), zeros."""
    return np.zeros((PAD + (width + 63) // 64 + PAD, height), np.uint64)


@entry
def open_images(images, height, width, side, canvas):
    """Open every image of ``images`` in place, as `open_ink` does.

    ``images`` (N·H·W,) uint8 {0, 1}, contiguous; ``height`` and ``width`` in px, at least 1; ``side`` 1–64 px;
    ``canvas``: a `new_canvas`.
    """
    size, words = uint64(height * width), (width + 63) >> 6
    for i in range(uint64(images.size) // size):
        read_pixels(images, i * size, height, width, canvas, PAD)
        open_ink(canvas, PAD, words, height, side)
        write_pixels(canvas, PAD, height, width, images, i * size)


@inlined
def flip_and_open(canvas, pad, height, width, key, flip, side):
    """Flip each pixel with probability ``flip`` / 2¹⁶, from ``key``; then open the ink if ``side`` > 1 px."""
    words = (width + 63) >> 6
    if flip:
        _flip(canvas, pad, words, height, key, flip)
    if side > 1:
        clear_outside(canvas, pad + words - 1, width)
        clear_guards(canvas, pad, words)
        open_ink(canvas, pad, words, height, side)


@inlined
def _flip(canvas, pad, words, height, key, q):
    """Word w of row y takes words 16·(y · words + w) … of ``key``."""
    for y in range(height):
        for w in range(words):
            canvas[pad + w, y] ^= bernoulli(key, (y * words + w) * 16, q)


@inlined
def open_ink(canvas, pad, words, height, side):
    """Morphological opening in place: only ink that some all-ink square of ``side`` px on the canvas covers stays.

    Squares are taken by their top left pixel, so that even sides shift nothing. Guard planes must be 0, and so must
    the last plane's bits right of the canvas; both are 0 afterwards.
    """
    _erode_rows(canvas, pad, words, side)
    for w in range(pad, pad + words):
        for y in range(height):
            for below in range(y + 1, y + side):
                canvas[w, y] &= canvas[w, below] if below < height else uint64(0)
        for y in range(height - 1, -1, -1):
            for above in range(max(0, y - side + 1), y):
                canvas[w, y] |= canvas[w, above]
    _dilate_rows(canvas, pad, words, side)


@inlined
def _erode_rows(canvas, pad, words, run):
    """Keep pixel (x, y) where x … x + run - 1 of its row are inked; the plane behind the last must be 0."""
    have = 1
    while have < run:
        step = min(have, run - have)
        for w in range(uint64(pad), uint64(pad + words)):
            for y in range(uint64(canvas.shape[1])):
                canvas[w, y] &= (canvas[w, y] >> uint64(step)) | (canvas[w + uint64(1), y] << uint64(64 - step))
        have += step


@inlined
def _dilate_rows(canvas, pad, words, run):
    """Ink columns x … x + run - 1 for every inked x; the plane before the first must be 0."""
    have = 1
    while have < run:
        step = min(have, run - have)
        for back in range(uint64(words)):
            w = uint64(pad + words - 1) - back
            for y in range(uint64(canvas.shape[1])):
                canvas[w, y] |= (canvas[w, y] << uint64(step)) | (canvas[w - uint64(1), y] >> uint64(64 - step))
        have += step
