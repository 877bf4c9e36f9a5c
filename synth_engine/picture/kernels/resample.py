"""Moving a character's ink on its patch: lifted off, laid down elsewhere by inverse bilinear sampling, fitted again.

What comes out depends on where the ink lies on the canvas, not on where the patch does: a patch slides along with its
ink, by whole px, so that nothing is cut as long as the ink is no wider and no higher than the patch.
"""

from __future__ import annotations

import numpy as np
from numba import njit, uint64

from synth_engine.picture.kernels import columns as col

ONE = 2.0**32  # coordinates are int64 with 32 binary digits after the point
WEIGHT = 1 << 16
HALF = 1 << 31


@njit(cache=True, nogil=True)
def fixed(px):
    """``px`` as a fixed-point coordinate (int64), rounded to nearest, halves up."""
    return np.int64(np.floor(px * ONE + 0.5))


@njit(cache=True, nogil=True)
def lift(patch, extent, source):
    """Move the ink inside ``extent`` to ``source``[1 … h, 1 … w], zeros around it; the patch is left blank.

    ``patch`` (S, S) and ``source`` (S + 2, S + 2) uint8; ``extent`` (4,) int32, px of the patch.
    """
    left, top = uint64(extent[col.X0]), uint64(extent[col.Y0])
    w, h = uint64(extent[col.X1] - extent[col.X0]), uint64(extent[col.Y1] - extent[col.Y0])
    one = uint64(1)
    for y in range(h):
        source[y + one, uint64(0)] = 0
        source[y + one, w + one] = 0
        for x in range(w):
            source[y + one, x + one] = patch[top + y, left + x]
        for x in range(w):
            patch[top + y, left + x] = 0
    for x in range(w + uint64(2)):
        source[uint64(0), x] = 0
        source[h + one, x] = 0


@njit(cache=True, nogil=True)
def slide(at, side, first, end):
    """Where a patch of ``side`` that begins at ``at`` begins to hold ``first`` … ``end - 1``: as near as can be."""
    return min(max(at, end - side), first)


@njit(cache=True, nogil=True)
def settle(origin, extent, side, left, top, right, bottom):
    """Slide a patch of ``side`` px to hold the box, which becomes its extent; what is too large is cut.

    The box is left, top, right, bottom in px of the canvas, half-open; ``origin`` (2,) and ``extent`` (4,) int32.
    """
    x, y = slide(np.int64(origin[col.X]), side, left, right), slide(np.int64(origin[col.Y]), side, top, bottom)
    origin[col.X], origin[col.Y] = x, y
    extent[col.X0], extent[col.Y0] = left - x, top - y
    extent[col.X1], extent[col.Y1] = min(right - x, side), min(bottom - y, side)


@njit(cache=True, nogil=True)
def sample(source, u, v):
    """``source`` at column ``u`` and row ``v`` (fixed-point, not negative), bilinear between the four pixels about it.

    A level (uint8): weights have 16 binary digits, the sum is rounded once, halves up.
    """
    x, y, one = uint64(u) >> uint64(32), uint64(v) >> uint64(32), uint64(1)
    across, down = (u >> 16) & (WEIGHT - 1), (v >> 16) & (WEIGHT - 1)
    a, b = np.int64(source[y, x]), np.int64(source[y, x + one])
    c, d = np.int64(source[y + one, x]), np.int64(source[y + one, x + one])
    upper, lower = (a << 16) + (b - a) * across, (c << 16) + (d - c) * across
    return np.uint8(((upper << 16) + (lower - upper) * down + HALF) >> 32)


@njit(cache=True, nogil=True)
def _row_blank(patch, y, x0, x1):
    """Whether pixels x0 … x1 - 1 of row y are 0."""
    x, end = uint64(x0), uint64(x1)
    while x < end and patch[uint64(y), x] == 0:
        x += uint64(1)
    return x >= end


@njit(cache=True, nogil=True)
def _column_blank(patch, x, y0, y1):
    """Whether pixels y0 … y1 - 1 of column x are 0."""
    y, end = uint64(y0), uint64(y1)
    while y < end and patch[y, uint64(x)] == 0:
        y += uint64(1)
    return y >= end


@njit(cache=True, nogil=True)
def tighten(patch, extent):
    """Shrink ``extent`` (4,) int32 to the non-zero part of ``patch`` (S, S) uint8; all 0 where there is none."""
    x0, y0, x1, y1 = extent[col.X0], extent[col.Y0], extent[col.X1], extent[col.Y1]
    while y0 < y1 and _row_blank(patch, y0, x0, x1):
        y0 += 1
    if y0 >= y1:
        x0, y0, x1, y1 = 0, 0, 0, 0
    while y1 > y0 and _row_blank(patch, y1 - 1, x0, x1):
        y1 -= 1
    while x0 < x1 and _column_blank(patch, x0, y0, y1):
        x0 += 1
    while x1 > x0 and _column_blank(patch, x1 - 1, y0, y1):
        x1 -= 1
    extent[col.X0], extent[col.Y0], extent[col.X1], extent[col.Y1] = x0, y0, x1, y1
