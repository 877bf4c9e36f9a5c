"""Ink of grey pictures: the rule's levels, pixel noise, and the opening that real images get."""

from __future__ import annotations

import numpy as np
from numba import njit, uint64

from synth_engine.njit.bits import bernoulli
from synth_engine.njit.random import NOISE, mix, sample_key


@njit(cache=True, nogil=True)
def finish(is_ink, flip, open_px, seed, start, images, out):
    """Fill ``out`` (B, H, W) uint8 {0, 1} from ``images`` (B, H, W, 1) uint8.

    is_ink: (256,) uint8, 1 for levels that are ink; flip: a pixel's probability to flip × 2¹⁶; open_px: side of the
    opening's square, under 2 = none.
    """
    count, height, width = out.shape
    spare = np.empty(height * width, np.uint8)
    for i in range(count):
        grey, ink = images[i].reshape(height * width), out[i].reshape(height * width)
        for p in range(ink.size):
            ink[p] = is_ink[grey[p]]
        if flip:
            _flip(out[i], mix(sample_key(seed, uint64(start) + uint64(i)) ^ NOISE), flip)
        if open_px > 1:
            _open(ink, spare, width, open_px)


@njit(cache=True, nogil=True)
def _flip(ink, key, q):
    """The fast path's flips: words of 64 pixels of a row."""
    height, width = ink.shape
    words = (width + 63) // 64
    for y in range(height):
        for w in range(words):
            bits = bernoulli(key, (y * words + w) * 16, q)
            part = ink[y, 64 * w : min(64 * w + 64, width)]
            for x in range(part.size):
                part[x] ^= np.uint8((bits >> uint64(x)) & uint64(1))


@njit(cache=True, nogil=True)
def _open(ink, spare, width, side):
    """Only ink that some all-ink square of ``side`` px covers stays; rows lie end to end in ``ink`` and ``spare``.

    A run of pixels is looked at from its first, so one that crosses to the next row starts in a row's last
    ``side - 1`` pixels: those are cleared, and nothing then spreads across the end of a row.
    """
    _shrink(ink, spare, 1, side)
    for row in range(0, ink.size, width):
        ink[row + max(width - side + 1, 0) : row + width] = 0
    _shrink(ink, spare, width, side)
    _spread(ink, spare, 1, side)
    _spread(ink, spare, width, side)


@njit(cache=True, nogil=True)
def _shrink(ink, spare, stride, side):
    """Keep pixel p where p, p + stride, …, ``side`` in all, are inked."""
    have = 1
    while have < side:
        step = min(have, side - have)
        ahead = min(step * stride, ink.size)
        inside = ink.size - ahead
        _and(ink[:inside], ink[ahead:], spare)
        _copy(spare, ink[:inside])
        ink[inside:] = 0
        have += step


@njit(cache=True, nogil=True)
def _spread(ink, spare, stride, side):
    """Ink p, p + stride, …, ``side`` in all, for every inked p."""
    have = 1
    while have < side:
        step = min(have, side - have)
        ahead = min(step * stride, ink.size)
        _or(ink[ahead:], ink[: ink.size - ahead], spare)
        _copy(spare, ink[ahead:])
        have += step


@njit(cache=True, nogil=True)
def _and(one, other, out):
    for p in range(one.size):
        out[p] = one[p] & other[p]


@njit(cache=True, nogil=True)
def _or(one, other, out):
    for p in range(one.size):
        out[p] = one[p] | other[p]


@njit(cache=True, nogil=True)
def _copy(source, out):
    for p in range(out.size):
        out[p] = source[p]
