"""Anti-aliased strokes on a canvas of coverage: straight ones with round ends, and chains of them along curves.

A pixel's coverage is 255·clip(width / 2 + ½ − distance of its middle to the centre line, 0, 1), rounded; where strokes
meet, the larger counts. Points may lie anywhere, on or off the canvas.
"""

from __future__ import annotations

import numpy as np
from numba import njit

FLATNESS_PX = 0.03  # a chain leaves its curve by no more: 8 of 255 levels on an edge
PIECES_MAX = 4096
FAR_PX = 1e9
LEVEL = np.float32(255)
ZERO, HALF, ONE = np.float32(0), np.float32(0.5), np.float32(1)


@njit(cache=True, nogil=True)
def segment(cover, ax, ay, bx, by, width):
    """Stroke ``width`` px wide from (ax, ay) to (bx, by) px onto ``cover`` (H, W) uint8, with round ends."""
    reach = 0.5 * width + 0.5
    top, bottom = limits(min(ay, by) - reach, max(ay, by) + reach, cover.shape[0])
    left, right = limits(min(ax, bx) - reach, max(ax, bx) + reach, cover.shape[1])
    if top >= bottom or left >= right:
        return
    length = max(np.sqrt((bx - ax) ** 2 + (by - ay) ** 2), 1e-9)
    ux, uy = (bx - ax) / length, (by - ay) / length
    # Where the line crosses a row, and how far to both sides of that it covers anything of the row.
    slope, spread = 0.0, FAR_PX
    if abs(uy) > 1e-6:
        slope, spread = ux / uy, reach / abs(uy)
    for y in range(top, bottom):
        py = y + 0.5 - ay
        middle = ax + slope * py
        x0, x1 = max(left, np.int64(middle - spread + 0.5)), min(right, np.int64(middle + spread + 0.5))
        px = x0 + 0.5 - ax
        _run(cover, y, x0, x1, ux * py - uy * px, ux * px + uy * py, ux, uy, length, reach)


@njit(cache=True, nogil=True)
def disc(cover, x, y, radius):
    """Disc of ``radius`` px about (x, y) px onto ``cover`` (H, W) uint8."""
    reach = radius + 0.5
    top, bottom = limits(y - reach, y + reach, cover.shape[0])
    left, right = limits(x - reach, x + reach, cover.shape[1])
    px, py, edge = np.float32(left + 0.5 - x), np.float32(top + 0.5 - y), np.float32(reach)
    for m in range(np.int32(bottom - top)):
        dy, row = py + np.float32(m), np.uint64(top) + np.uint64(m)
        for n in range(np.int32(right - left)):
            dx, column = px + np.float32(n), np.uint64(left) + np.uint64(n)
            _lay(cover, row, column, edge - np.sqrt(dx * dx + dy * dy))


@njit(cache=True, nogil=True, inline="always")
def limits(low, high, size):
    """The first pixel, and one past the last, of 0 … ``size`` whose middles lie in [low, high]."""
    return np.int64(min(max(low + 0.5, 0.0), float(size))), np.int64(min(max(high + 0.5, 0.0), float(size)))


@njit(cache=True, nogil=True, inline="always")
def _run(cover, y, x0, x1, across, along, ux, uy, length, reach):
    """Coverage of one row's pixels from x0 to x1, the first of which lies at (along, across) of the line."""
    across, along, ux, uy = np.float32(across), np.float32(along), np.float32(ux), np.float32(uy)
    length, reach = np.float32(length), np.float32(reach)
    row, first = np.uint64(y), np.uint64(x0)
    for n in range(np.int32(x1 - x0)):
        step = np.float32(n)
        p, a = across - uy * step, along + ux * step
        past = max(max(-a, a - length), ZERO)
        _lay(cover, row, first + np.uint64(n), reach - np.sqrt(p * p + past * past))


@njit(cache=True, nogil=True, inline="always")
def _lay(cover, y, x, share):
    """Raise a pixel's coverage to 255 · ``share``, which is clipped to [0, 1]."""
    level = np.int32(LEVEL * min(max(share, ZERO), ONE) + HALF)
    if level > cover[y, x]:
        cover[y, x] = level
