"""Clutter: lines, arcs, curves and dots, sampled from words 64, 65, … of the image's key, `WORDS` a mark.

Columns of every kind: how many marks (rounded down), then the lowest and highest of each length or angle, from which
every mark samples its own; the order is that of `picture.clutter`.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from synth_engine.njit.random import FREE_WORD
from synth_engine.picture.kernels.sampling import unit
from synth_engine.picture.kernels.stages.strokes import FLATNESS_PX, PIECES_MAX, disc, segment
from synth_engine.picture.kernels.trig import cosine_sine

WORDS = 8  # a mark's numbers do not depend on how many the marks before it took


@njit(cache=True, nogil=True)
def lines(on, params, keys, cover):
    """Segments between two points anywhere on the canvas. Columns: count, width low, width high."""
    height, width = cover.shape[1:]
    for i in range(on.size):
        for mark in range(_count(on, params, i)):
            key, first = keys[i], FREE_WORD + WORDS * mark
            segment(
                cover[i],
                width * unit(key, first),
                height * unit(key, first + 1),
                width * unit(key, first + 2),
                height * unit(key, first + 3),
                _between(params, i, 1, unit(key, first + 4)),
            )


@njit(cache=True, nogil=True)
def dots(on, params, keys, cover):
    """Discs anywhere on the canvas. Columns: count, radius low, radius high."""
    height, width = cover.shape[1:]
    for i in range(on.size):
        for mark in range(_count(on, params, i)):
            key, first = keys[i], FREE_WORD + WORDS * mark
            x, y = width * unit(key, first), height * unit(key, first + 1)
            disc(cover[i], x, y, _between(params, i, 1, unit(key, first + 2)))


@njit(cache=True, nogil=True)
def curves(on, params, keys, cover):
    """Bézier curves whose four points stand at 0, ⅓, ⅔ and 1 of the width. Columns: count, width low, width high."""
    height = cover.shape[1]
    for i in range(on.size):
        for mark in range(_count(on, params, i)):
            key, first = keys[i], FREE_WORD + WORDS * mark
            y0, y1 = height * unit(key, first), height * unit(key, first + 1)
            y2, y3 = height * unit(key, first + 2), height * unit(key, first + 3)
            _curve(cover[i], y0, y1, y2, y3, _between(params, i, 1, unit(key, first + 4)))


@njit(cache=True, nogil=True)
def arcs(on, params, keys, cover):
    """Ellipses' arcs. Columns: count, then low and high of width, radius (sampled for x and for y) and extent (°)."""
    height, width = cover.shape[1:]
    for i in range(on.size):
        for mark in range(_count(on, params, i)):
            key, first = keys[i], FREE_WORD + WORDS * mark
            _arc(
                cover[i],
                width * unit(key, first),
                height * unit(key, first + 1),
                _between(params, i, 3, unit(key, first + 2)),
                _between(params, i, 3, unit(key, first + 3)),
                2.0 * math.pi * unit(key, first + 4),
                math.radians(_between(params, i, 5, unit(key, first + 5))),
                _between(params, i, 1, unit(key, first + 6)),
            )


@njit(cache=True, nogil=True, inline="always")
def _count(on, params, i):
    """How many marks image ``i`` has: column 0, rounded down."""
    return np.int64(params[i, 0]) if on[i] else 0


@njit(cache=True, nogil=True, inline="always")
def _between(params, i, column, u):
    """The number at ``u`` in [0, 1) of the range in columns ``column`` and ``column + 1``."""
    return params[i, column] + (params[i, column + 1] - params[i, column]) * u


@njit(cache=True, nogil=True)
def _curve(cover, y0, y1, y2, y3, stroke):
    """Stroke of ``stroke`` px along the Bézier curve of the heights y0 … y3 px.

    x runs evenly with the parameter, so the curve is a cubic y(t), cut into even pieces (Wang's bound: Wang, "The
    subdivision method for finding the intersection between two Bézier curves", 1984).
    """
    a, b, c = y3 - 3 * y2 + 3 * y1 - y0, 3 * (y2 - 2 * y1 + y0), 3 * (y1 - y0)
    bend = 6 * max(abs(y2 - 2 * y1 + y0), abs(y3 - 2 * y2 + y1))
    pieces = _pieces(math.sqrt(bend / (8 * FLATNESS_PX)))
    xa, ya = 0.0, y0
    for n in range(1, pieces + 1):
        t = n / pieces
        xb, yb = cover.shape[1] * t, ((a * t + b) * t + c) * t + y0
        segment(cover, xa, ya, xb, yb, stroke)
        xa, ya = xb, yb


@njit(cache=True, nogil=True)
def _arc(cover, x, y, rx, ry, start, extent, stroke):
    """Stroke of ``stroke`` px along the ellipse about (x, y) px with half axes rx, ry px; angles in radians.

    A piece of the angle φ leaves the ellipse by max(rx, ry)·φ² / 8 at most.
    """
    pieces = _pieces(abs(extent) * math.sqrt(max(abs(rx), abs(ry)) / (8 * FLATNESS_PX)))
    cosine, sine = cosine_sine(start / (2 * math.pi))
    xa, ya = x + rx * cosine, y - ry * sine
    for n in range(1, pieces + 1):
        angle = start + extent * n / pieces
        cosine, sine = cosine_sine(angle / (2 * math.pi))
        xb, yb = x + rx * cosine, y - ry * sine
        segment(cover, xa, ya, xb, yb, stroke)
        xa, ya = xb, yb


@njit(cache=True, nogil=True, inline="always")
def _pieces(wanted):
    """A whole number of pieces, 1 to `PIECES_MAX`."""
    return np.int64(min(max(math.ceil(wanted), 1), PIECES_MAX))
