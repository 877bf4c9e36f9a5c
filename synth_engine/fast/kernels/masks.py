"""Each character's own ink on the canvas, covered by others or not, and the mean position of its pixels."""

from __future__ import annotations

from numba import uint64

from synth_engine.fast.kernels import columns as col
from synth_engine.fast.kernels.sample import paint_glyph
from synth_engine.njit.bits import clear_outside, copy_planes, write_pixels
from synth_engine.njit.intrinsics import popcount
from synth_engine.njit.jit import entry, inlined
from synth_engine.njit.texts import PADDING


@entry
def render_masks(bank, shape, scratch, labels, placements, masks, centres):
    """Fill ``masks`` (N·L·H·W,) uint8 {0, 1} and ``centres`` (N, L, 2) float32, px, from recorded ``placements``.

    Either may be empty. ``labels`` (N, L) uint8 and ``placements`` (N, L, 3) int64 as `sample.render` writes them.
    """
    height, width = shape
    canvas, pad, size = scratch.canvas, bank.rows.shape[0], uint64(height * width)
    at = uint64(0)
    for i in range(labels.shape[0]):
        for k in range(labels.shape[1]):
            copy_planes(canvas, pad, scratch.blank)
            if labels[i, k] != PADDING:
                paint_glyph(bank, placements[i], uint64(k), shape, pad, canvas)
            clear_outside(canvas, pad + scratch.blank.shape[0] - 1, width)
            if masks.size:
                write_pixels(canvas, pad, height, width, masks, at)
                at += size
            if centres.size:
                _write_centre(canvas, pad, scratch.blank.shape[0], height, i, k, centres)


@inlined
def _write_centre(canvas, pad, words, height, i, k, centres):
    """Write the mean middle of the canvas's inked pixels; zeros where there are none."""
    count, x_sum, y_sum = uint64(0), uint64(0), uint64(0)
    for w in range(words):
        for y in range(height):
            bits = canvas[pad + w, y]
            inked = popcount(bits)
            count += inked
            x_sum += uint64(64 * w) * inked + _positions(bits)
            y_sum += uint64(y) * inked
    # A pixel's middle is half a pixel from its corner.
    centres[i, k, col.X0] = (x_sum + 0.5 * count) / count if count else 0.0
    centres[i, k, col.Y0] = (y_sum + 0.5 * count) / count if count else 0.0


@inlined
def _positions(bits):
    """Sum of the positions of a word's ones: a digit of a position is one in half of the positions."""
    total = popcount(bits & uint64(0xAAAAAAAAAAAAAAAA))
    total += popcount(bits & uint64(0xCCCCCCCCCCCCCCCC)) << uint64(1)
    total += popcount(bits & uint64(0xF0F0F0F0F0F0F0F0)) << uint64(2)
    total += popcount(bits & uint64(0xFF00FF00FF00FF00)) << uint64(3)
    total += popcount(bits & uint64(0xFFFF0000FFFF0000)) << uint64(4)
    total += popcount(bits & uint64(0xFFFFFFFF00000000)) << uint64(5)
    return total
