"""Thicker and thinner strokes: grey dilation and erosion with a round element (Serra, 1982), between whole radii."""

from __future__ import annotations

import numpy as np
from numba import njit, uint64

from synth_engine.picture.kernels.resample import WEIGHT, lift, settle, tighten


@njit(cache=True, nogil=True)
def stroke(on, params, keys, counts, ink, origin, extent, scratch, height, width):  # noqa: ARG001
    """Columns: px thicker (or, negative, thinner)."""
    for i in range(on.size):
        if on[i] and params[i, 0] != 0:
            for k in range(counts[i]):
                if extent[i, k, 2] > 0:
                    _change(ink[i, k], origin[i, k], extent[i, k], scratch, params[i, 0])


@njit(cache=True, nogil=True)
def _change(patch, origin, extent, scratch, px):
    """(1 - f) · the change by n + f · the change by n + 1, with n + f = |px|."""
    source, less, more = scratch[0], scratch[1, 0], scratch[1, 1]
    n = np.int64(np.floor(abs(px)))
    f = np.uint32(np.floor((abs(px) - n) * WEIGHT + 0.5))
    side, w, h = patch.shape[0], np.int64(extent[2] - extent[0]), np.int64(extent[3] - extent[1])
    reach = n + (f > 0) if px > 0 else -n
    left, top = np.int64(origin[0]) + extent[0], np.int64(origin[1]) + extent[1]
    lift(patch, extent, source)
    if w + 2 * reach <= 0 or h + 2 * reach <= 0:
        extent[:] = 0
        return
    settle(origin, extent, side, left - reach, top - reach, left + w + reach, top + h + reach)
    first, end = np.int64(extent[0]), np.int64(extent[2])
    for y in range(extent[1], extent[3]):
        row = y - extent[1] - reach
        _extreme(source, w, h, row, n, reach, px > 0, less)
        if f:
            _extreme(source, w, h, row, n + 1, reach, px > 0, more)
        else:
            more = less
        _blend(patch[y], first, end, less, more, f)
    tighten(patch, extent)


@njit(cache=True, nogil=True)
def _blend(out, first, end, less, more, f):
    for x in range(uint64(end - first)):
        value = np.uint32(less[x]) * np.uint32(np.uint32(WEIGHT) - f) + np.uint32(more[x]) * f
        out[uint64(first) + x] = np.uint32(value + np.uint32(WEIGHT // 2)) >> np.uint32(16)


@njit(cache=True, nogil=True)
def _extreme(source, w, h, row, radius, reach, largest, out):
    """Row ``row`` of the dilation (else erosion) by ``radius``: columns -reach … w + reach - 1 of the ink's box."""
    for x in range(uint64(min(w + 2 * reach, out.size))):
        out[x] = 0 if largest else 255
    for dy in range(-radius, radius + 1):
        half = np.int64(np.sqrt(float(radius * radius - dy * dy)))
        inside = 0 <= row + dy < h
        line = uint64(row + dy + 1 if inside else 0)
        if inside and largest:
            for at in range(reach - half, reach + half + 1):
                _raise_to(out, source, line, uint64(at), uint64(max(0, min(w, out.size - at))))
        elif not largest:
            for dx in range(-half, half + 1):
                _lower_to(out, source, line, w, reach, dx)


@njit(cache=True, nogil=True)
def _raise_to(out, source, line, at, count):
    for x in range(count):
        value, held = source[line, x + uint64(1)], out[at + x]
        out[at + x] = value if value > held else held


@njit(cache=True, nogil=True)
def _lower_to(out, source, line, w, reach, dx):
    """Columns of ``out`` begin at -reach ≥ 0; where the element reaches beyond the ink's box there is none."""
    first, end = max(0, reach - dx), max(0, min(w + 2 * reach, w + reach - dx))
    for x in range(uint64(first)):
        out[x] = 0
    for x in range(uint64(end), uint64(w + 2 * reach)):
        out[x] = 0
    at, begin = uint64(1 + dx - reach + first), uint64(first)
    for x in range(uint64(max(0, end - first))):
        value, held = source[line, at + x], out[begin + x]
        out[begin + x] = value if value < held else held
