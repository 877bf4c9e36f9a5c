"""Ink as bits: a canvas of 64-bit words in planes.

Bit b of canvas[pad + w, y] is the pixel (64·w + b, y), 1 is ink. On a canvas 100 px wide with one guard plane, pixel
(70, 12) is bit 6 of canvas[2, 12]. Its shape is (pad + words + pad, tall), words = ceil(width / 64), dtype uint64.

A plane holds one word of every row, so that `LANES` rows are handled at once; where glyphs are painted, ``tall`` is a
multiple of that. The ``pad`` guard planes on either side take what glyphs leave outside, so painting needs no tests.
"""

from __future__ import annotations

import numpy as np
from numba import uint64

from synth_engine.njit.intrinsics import (
    LANES,
    copy_lanes,
    load_8_pixels,
    load_64_pixels,
    or_lanes,
    reverse_bytes_bits,
    store_8_pixels,
    store_64_pixels,
    store_word,
)
from synth_engine.njit.jit import inlined
from synth_engine.njit.random import word

ONES = np.uint64(0xFFFFFFFFFFFFFFFF)


@inlined
def or_glyph(canvas, pad, height, rows, first, count, x, y):
    """OR rows ``first`` … ``first + count - 1`` of ``rows`` in, their top left at (x, y) px; what lies outside is lost.

    ``rows``: the glyph bank's (words, R) uint64. The glyph must touch the canvas. The groups of rows are the canvas's
    own: a load that overlaps two stores waits.
    """
    tall, shift = uint64(canvas.shape[1]), x + 64 * pad
    group, end = max(y, 0) & -LANES, min(y + count, height)
    plane, source, left = uint64(shift >> 6) * tall, uint64(first - y), uint64(shift & 63)
    for _ in range(uint64(rows.shape[0])):
        for row in range(group, end, LANES):
            or_lanes(canvas, plane + uint64(row), tall, rows, source + uint64(row), left)
        plane += tall
        source += uint64(rows.shape[1])


@inlined
def copy_planes(canvas, pad, planes):
    """Set the canvas to ``planes`` (words, tall) uint64; guard planes stay."""
    first = uint64(pad) * uint64(canvas.shape[1])
    for at in range(uint64(0), uint64(planes.size), uint64(LANES)):
        copy_lanes(canvas, first + at, planes, at)


@inlined
def clear_guards(canvas, pad, words):
    """Zero the planes on either side of the canvas's ``words``."""
    for w in range(canvas.shape[0]):
        if w < pad or w >= pad + words:
            for y in range(canvas.shape[1]):
                canvas[w, y] = 0


@inlined
def clear_outside(canvas, last, width):
    """Zero the bits of plane ``last`` right of the canvas's ``width`` px."""
    inside = ONES >> uint64(-width & 63)
    for y in range(uint64(canvas.shape[1])):
        canvas[uint64(last), y] &= inside


@inlined
def erode(row, run):
    """Keep bit x of ``row`` (words + 1,) uint64 where bits x … x + run - 1 are set; the last word must be 0."""
    have = 1
    while have < run:
        step = min(have, run - have)
        for w in range(row.size - 1):
            row[w] &= (row[w] >> uint64(step)) | (row[w + 1] << uint64(64 - step))
        have += step


@inlined
def bernoulli(key, at, q):
    """A word whose bits are one with probability q / 2¹⁶ (0 < q ≤ 2¹⁶), from words ``at`` … ``at + 15`` of ``key``.

    Binary digits of q from the lowest: OR with a fair word where the digit is 1, AND where it is 0.
    """
    if q >> 16:
        return ONES
    from_digit = 0
    while not (q >> from_digit) & 1:
        from_digit += 1
    bits = uint64(0)
    for digit in range(from_digit, 16):
        fair = word(key, at + digit)
        bits = (fair | bits) if (q >> digit) & 1 else (fair & bits)
    return bits


@inlined
def read_pixels(image, at, height, width, canvas, pad):
    """Set the canvas to H·W pixels of ``image`` (flat bytes, ink where not 0) from ``at`` on; zero bits right of them.

    The last load of a row ends with the row's last pixel, and takes some pixels of the one before again.
    """
    first, step, whole, rest = uint64(pad), uint64(width), uint64(width >> 6), uint64(width & 63)
    for y in range(uint64(height)):
        for w in range(whole):
            canvas[first + w, y] = load_64_pixels(image, at + (w << uint64(6)))
        if rest and whole:
            canvas[first + whole, y] = load_64_pixels(image, at + uint64(width - 64)) >> (uint64(64) - rest)
        elif rest:
            canvas[first, y] = _read_few(image, at, rest)
        at += step


@inlined
def _read_few(image, at, count):
    """``count`` < 64 pixels as the lowest bits of a word."""
    bits, x = uint64(0), uint64(0)
    while x + uint64(8) <= count:
        bits |= load_8_pixels(image, at + x) << x
        x += uint64(8)
    while x < count:
        bits |= uint64(image[at + x] != 0) << x
        x += uint64(1)
    return bits


@inlined
def write_pixels(canvas, pad, height, width, image, at):
    """Write the pixels as bytes 0 or 1 to ``image`` (bytes, flat) from ``at`` on, H·W of them and no more.

    The last store of a row ends with the row's last pixel, and repeats some pixels of the one before.
    """
    first, step = uint64(pad), uint64(width)
    if width < 8:
        for y in range(uint64(height)):
            for x in range(step):
                image[at + x] = np.uint8((canvas[first, y] >> x) & uint64(1))
            at += step
        return
    if width < 64:
        for y in range(uint64(height)):
            bits = canvas[first, y]
            for x in range(uint64(0), uint64(width - 8), uint64(8)):
                store_8_pixels(image, at + x, bits >> x)
            store_8_pixels(image, at + uint64(width - 8), bits >> uint64(width - 8))
            at += step
        return
    last, back = uint64((width - 64) >> 6), uint64(width & 63)
    for y in range(uint64(height)):
        for w in range(last + uint64(1)):
            store_64_pixels(image, at + (w << uint64(6)), canvas[first + w, y])
        if back:
            low, high = canvas[first + last, y], canvas[first + last + uint64(1), y]
            store_64_pixels(image, at + uint64(width - 64), (low >> back) | (high << (uint64(64) - back)))
        at += step


@inlined
def write_packed(canvas, pad, height, width, packed, at):
    """Write the pixels in `numpy.packbits` order to ``packed`` (bytes, flat) from ``at`` on; spoils the canvas.

    As in `write_pixels`, the last store of a row repeats some of the one before.
    """
    clear_outside(canvas, pad + ((width - 1) >> 6), width)
    first, words, row_bytes = uint64(pad), uint64((width + 63) >> 6), (width + 7) >> 3
    for w in range(words):
        for y in range(uint64(height)):
            canvas[first + w, y] = reverse_bytes_bits(canvas[first + w, y])
    last, back = uint64(row_bytes >> 3), uint64(8 * (row_bytes & 7))
    for y in range(uint64(height)):
        for w in range(last):
            store_word(packed, at + (w << uint64(3)), canvas[first + w, y])
        if back and last:
            low, high = canvas[first + last - uint64(1), y], canvas[first + last, y]
            store_word(packed, at + uint64(row_bytes - 8), (low >> back) | (high << (uint64(64) - back)))
        elif back:
            for b in range(uint64(row_bytes)):
                packed[at + b] = np.uint8((canvas[first, y] >> (uint64(8) * b)) & uint64(255))
        at += uint64(row_bytes)
