"""Thicker and thinner strokes: grey dilation and erosion with a round element (Serra, 1982), between whole radii.

The ink is laid out row after row with gaps of zeros as wide as the element's radius, so that each of the element's
offsets is one long loop over the whole character, which vectorises; rows of a character are too short for that.
"""

from __future__ import annotations

import numpy as np
from numba import njit, uint64

from synth_engine.picture.kernels import columns as col
from synth_engine.picture.kernels.resample import WEIGHT, settle, tighten


@njit(cache=True, nogil=True)
def stroke(on, params, keys, counts, ink, origin, extent, scratch, height, width):  # noqa: ARG001
    """Thicker or thinner ink. Columns: px thicker (negative: thinner). The patch's room ends the growth."""
    flat, half = scratch.reshape(scratch.size), scratch.size // 2
    source, acc = flat[:half], flat[half:]
    for i in range(on.size):
        if on[i] and params[i, 0] != 0:
            for k in range(counts[i]):
                if extent[i, k, col.X1] > 0:
                    _change(ink[i, k], origin[i, k], extent[i, k], source, acc, params[i, 0])


@njit(cache=True, nogil=True)
def _change(patch, origin, extent, source, acc, px):
    """(1 - f) · the change by n + f · the change by n + 1, with n + f = |px|."""
    side, w, h = patch.shape[0], np.int64(extent[col.X1] - extent[col.X0]), np.int64(extent[col.Y1] - extent[col.Y0])
    left, top = np.int64(origin[col.X]) + extent[col.X0], np.int64(origin[col.Y]) + extent[col.Y0]
    most = (side - max(w, h)) // 2 if px > 0 else (min(w, h) + 1) // 2  # of so much erosion nothing is left
    size = min(abs(px), float(most))
    n = np.int64(size)
    f = np.int64((size - n) * WEIGHT + 0.5)
    radius = n + (f > 0)
    ring, gap = (radius, 2 * radius) if px > 0 else (0, radius)
    pitch, rows = w + gap, h + 2 * ring
    _lay_out(patch, extent, source, ring, pitch, rows)
    settle(origin, extent, side, left - ring, top - ring, left + w + ring, top + h + ring)
    for t in range(uint64(pitch * rows)):
        acc[t] = source[t]
    for dy in range(-n, n + 1):
        _extend(acc, source, dy, pitch, rows, _half(n, dy), 0, px > 0)
    _take(patch, extent, acc, pitch)
    if f:
        for dy in range(-radius, radius + 1):
            _extend(acc, source, dy, pitch, rows, _half(radius, dy), _half(n, dy) + 1, px > 0)
        _blend(patch, extent, acc, pitch, f)
    tighten(patch, extent)


@njit(cache=True, nogil=True)
def _half(radius, dy):
    """The element's half width in row ``dy``; -1 outside it."""
    rest = radius * radius - dy * dy
    return np.int64(np.sqrt(float(rest))) if rest >= 0 else -1


@njit(cache=True, nogil=True)
def _lay_out(patch, extent, source, ring, pitch, rows):
    """Move the ink to ``source``, ``pitch`` px a row, with ``ring`` px of zeros around and zeros to the row's end."""
    for t in range(uint64(pitch * rows)):
        source[t] = 0
    for y in range(extent[col.Y0], extent[col.Y1]):
        at = uint64((y - extent[col.Y0] + ring) * pitch + ring - extent[col.X0])
        for x in range(uint64(extent[col.X0]), uint64(extent[col.X1])):
            source[at + x] = patch[uint64(y), x]
            patch[uint64(y), x] = 0


@njit(cache=True, nogil=True)
def _extend(acc, source, dy, pitch, rows, half, from_half, largest):
    """Take row ``dy`` of the element in: offsets of at least ``from_half`` px to either side, and at most ``half``."""
    for dx in range(-half, half + 1):
        if abs(dx) >= from_half:
            offset, size = dy * pitch + dx, pitch * rows
            first, end = max(0, -offset), min(size, size - offset)
            if largest:
                _raise_to(acc, source, uint64(first), uint64(first + offset), uint64(max(0, end - first)))
            else:
                _lower_to(acc, source, uint64(first), uint64(first + offset), uint64(max(0, end - first)))
                _clear(acc, 0, min(first, size))
                _clear(acc, max(0, end), size)


@njit(cache=True, nogil=True)
def _raise_to(acc, source, at, start, count):
    """The larger of ``count`` values of each, in ``acc`` from ``at`` on."""
    for t in range(count):
        value, held = source[start + t], acc[at + t]
        acc[at + t] = value if value > held else held


@njit(cache=True, nogil=True)
def _lower_to(acc, source, at, start, count):
    """The smaller of ``count`` values of each, in ``acc`` from ``at`` on."""
    for t in range(count):
        value, held = source[start + t], acc[at + t]
        acc[at + t] = value if value < held else held


@njit(cache=True, nogil=True)
def _clear(acc, first, end):
    """Zero values ``first`` … ``end - 1``."""
    for t in range(first, end):
        acc[uint64(t)] = 0


@njit(cache=True, nogil=True)
def _take(patch, extent, acc, pitch):
    """Copy the result, ``pitch`` px a row, back to the patch."""
    for y in range(extent[col.Y0], extent[col.Y1]):
        at = uint64((y - extent[col.Y0]) * pitch - extent[col.X0])
        for x in range(uint64(extent[col.X0]), uint64(extent[col.X1])):
            patch[uint64(y), x] = acc[at + x]


@njit(cache=True, nogil=True)
def _blend(patch, extent, acc, pitch, f):
    """Mix the result into the patch with the weight ``f`` / WEIGHT."""
    late, early = np.uint32(f), np.uint32(WEIGHT - f)
    for y in range(extent[col.Y0], extent[col.Y1]):
        at = uint64((y - extent[col.Y0]) * pitch - extent[col.X0])
        for x in range(uint64(extent[col.X0]), uint64(extent[col.X1])):
            value = np.uint32(patch[uint64(y), x]) * early + np.uint32(acc[at + x]) * late
            patch[uint64(y), x] = np.uint32(value + np.uint32(WEIGHT // 2)) >> np.uint32(16)
