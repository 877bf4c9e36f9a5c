"""A picture scaled and scaled back: area means to the smaller size, linear interpolation to the larger one.

Each way along each axis is a `Table`. Sums are in float32, and rounded once, after the way back.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit, uint64
from numpy.typing import NDArray

from synth_engine.picture.kernels.stages.blur import store


class Table(NamedTuple):
    """Output o of one axis is the sum over k < counts[o] of weights[o, k] · input[first[o] + k]."""

    first: NDArray[np.uint64]  # (N,)
    counts: NDArray[np.uint64]  # (N,)
    weights: NDArray[np.float32]  # (N, K)


@njit(cache=True, nogil=True)
def rescale(on, params, keys, images, scratch):  # noqa: ARG001
    """Scaled to whole px, at least 1, and back. Columns: factor."""
    height, width, channels = images.shape[1:]
    longest, taps = _room(on, params, height, width)
    there, back = _new_table(longest, taps), _new_table(longest, taps)
    wide = np.empty((longest, width * channels), np.float32)
    narrow = np.empty(longest * channels, np.float32)
    total = scratch[0].reshape((height, width * channels))
    for i in range(images.shape[0]):
        if not on[i]:
            continue
        rows, columns = scaled(height, params[i, 0]), scaled(width, params[i, 0])
        if rows == height and columns == width:
            continue
        image = images[i].reshape((height, width * channels))
        _fit(there, height, rows)
        _down(there, image, wide, rows)
        _fit(there, width, columns)
        _fit(back, columns, width)
        for y in range(rows):
            _along(there, columns, channels, wide[y], narrow)
            _along(back, width, channels, narrow, wide[y])
        _fit(back, rows, height)
        _down(back, wide, total, height)
        for y in range(height):
            store(total[y], image[y])


@njit(cache=True, nogil=True)
def scaled(length, factor):
    """A side of ``length`` px, scaled, in whole px."""
    return max(1, math.floor(length * factor + 0.5))


@njit(cache=True, nogil=True)
def _room(on, params, height, width):
    """(longest side px, most inputs of an output) of a block: how large its tables must be."""
    longest, taps = max(height, width), 2
    for i in range(on.size):
        if on[i]:
            for side in (height, width):
                other = scaled(side, params[i, 0])
                longest = max(longest, other)
                taps = max(taps, max(side, other) // min(side, other) + 2)
    return longest, taps


@njit(cache=True, nogil=True)
def _new_table(longest, taps):
    """Room for ``longest`` outputs of at most ``taps`` inputs."""
    return Table(np.empty(longest, np.uint64), np.empty(longest, np.uint64), np.empty((longest, taps), np.float32))


@njit(cache=True, nogil=True)
def _fit(table, inputs, outputs):
    """Write the table from ``inputs`` to ``outputs`` px."""
    if outputs < inputs:
        _fit_area(table, inputs, outputs)
    else:
        _fit_linear(table, inputs, outputs)


@njit(cache=True, nogil=True)
def _fit_area(table, inputs, outputs):
    """Output o is the mean of the inputs' levels over [o, o + 1) · inputs / outputs; whole numbers: exact overlaps."""
    for o in range(outputs):
        low, high = o * inputs, (o + 1) * inputs  # in units of 1 / outputs px of the input
        first = low // outputs
        count = (high - 1) // outputs - first + 1
        table.first[o], table.counts[o] = first, count
        for k in range(count):
            left = (first + k) * outputs
            table.weights[o, k] = (min(high, left + outputs) - max(low, left)) / inputs


@njit(cache=True, nogil=True)
def _fit_linear(table, inputs, outputs):
    """Output o is interpolated at (o + ½) · inputs / outputs - ½; beyond the outer inputs' middles it is theirs."""
    for o in range(outputs):
        at = min(max((o + 0.5) * inputs / outputs - 0.5, 0.0), inputs - 1.0)
        first = min(int(at), max(inputs - 2, 0))
        table.first[o], table.counts[o] = first, min(inputs, 2)
        table.weights[o, 0], table.weights[o, 1] = 1.0 - (at - first), at - first


@njit(cache=True, nogil=True)
def _down(table, rows, out, outputs):
    """Apply a table to whole rows: ``rows`` (inputs, N) to ``out`` (outputs, N) float32."""
    for o in range(outputs):
        first = np.int64(table.first[o])
        _start(rows[first], table.weights[o, 0], out[o])
        for k in range(1, np.int64(table.counts[o])):
            _add(rows[first + k], table.weights[o, k], out[o])


@njit(cache=True, nogil=True)
def _start(row, weight, out):
    """Start sums with one row."""
    for x in range(out.size):
        out[x] = weight * np.float32(row[x])


@njit(cache=True, nogil=True)
def _add(row, weight, out):
    """Add one row."""
    for x in range(out.size):
        out[x] += weight * np.float32(row[x])


@njit(cache=True, nogil=True)
def _along(table, outputs, channels, row, out):
    """Apply a table along a row of pixels of ``channels`` values, float32."""
    first, count, weights = table.first, table.counts, table.weights
    # Unsigned indices: a signed one may count from the end, and each access pays for the question.
    step, at = uint64(channels), uint64(0)
    for o in range(uint64(outputs)):
        for c in range(step):
            source = first[o] * step + c
            total = weights[o, uint64(0)] * row[source]
            for k in range(uint64(1), count[o]):
                source += step
                total += weights[o, k] * row[source]
            out[at] = total
            at += uint64(1)
