"""Rows of pixels as 64-bit words: bit b of word w is column 64·w + b, 1 is ink."""

from __future__ import annotations

import numpy as np
from numba import njit, uint64

from synth_engine.kernels.random import word

ONES = np.uint64(0xFFFFFFFFFFFFFFFF)
BYTE = np.uint64(255)
# Tables are handed to the kernels: Numba reads an array that is an argument four times as fast as a global one.
# Byte i of entry v is bit i of v: eight pixels are stored at once.
PIXELS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little").copy().view("<u8").ravel()
MIRRORED = np.packbits(
    np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little"), axis=1
).ravel()


@njit(cache=True, nogil=True)
def popcount(z):
    """Number of ones in a 64-bit word (Knuth, TAOCP 4A, 7.1.3)."""
    z = z - ((z >> uint64(1)) & uint64(0x5555555555555555))
    z = (z & uint64(0x3333333333333333)) + ((z >> uint64(2)) & uint64(0x3333333333333333))
    z = (z + (z >> uint64(4))) & uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((z * uint64(0x0101010101010101)) >> uint64(56))


@njit(cache=True, nogil=True)
def or_glyph(canvas, pad, height, rows, first, rows_count, x, y):
    """OR a glyph's rows into ``canvas`` with its top left at (x, y); rows outside are clipped.

    ``canvas`` has ``pad`` guard words on the left and one more on the right, so that columns need no test.
    """
    shift = x + 64 * pad
    at = uint64(shift >> 6)
    left, right = uint64(shift & 63), uint64(63 - (shift & 63))
    top, end = max(0, -y), min(rows_count, height - y)
    # Unsigned indices throughout: a signed one may count from the end, and each access pays for the question.
    row, source = uint64(y + top), uint64(first + top)
    for _ in range(end - top):
        for g in range(uint64(rows.shape[1])):
            bits = rows[source, g]
            canvas[row, at + g] |= bits << left
            canvas[row, at + g + uint64(1)] |= (bits >> uint64(1)) >> right
        row += uint64(1)
        source += uint64(1)


@njit(cache=True, nogil=True)
def erode(row, first, words, run):
    """Keep column x of ``row`` where columns x … x + run - 1 are inked; the word behind the last must be 0."""
    have = 1
    while have < run:
        step = uint64(min(have, run - have))
        for w in range(first, first + words):
            row[w] &= (row[w] >> step) | (row[w + 1] << (uint64(64) - step))
        have += min(have, run - have)


@njit(cache=True, nogil=True)
def _dilate(row, first, words, run):
    """Ink columns x … x + run - 1 for every inked x; the word before the first must be 0."""
    have = 1
    while have < run:
        step = uint64(min(have, run - have))
        for w in range(first + words - 1, first - 1, -1):
            row[w] |= (row[w] << step) | (row[w - 1] >> (uint64(64) - step))
        have += min(have, run - have)


@njit(cache=True, nogil=True)
def open_ink(canvas, pad, words, side):
    """Morphological opening in place: only ink that some all-ink square of ``side`` px on the canvas covers stays.

    Guard words beside the canvas must be 0, and so must the last word's bits outside; the latter need clearing after.
    """
    height = canvas.shape[0]
    for y in range(height):
        erode(canvas[y], pad, words, side)
    for w in range(pad, pad + words):
        for y in range(height):
            for below in range(y + 1, y + side):
                canvas[y, w] &= canvas[below, w] if below < height else uint64(0)
        for y in range(height - 1, -1, -1):
            for above in range(max(0, y - side + 1), y):
                canvas[y, w] |= canvas[above, w]
    for y in range(height):
        _dilate(canvas[y], pad, words, side)


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def unpack(canvas, pad, pixels, stream, image, image_words):
    """Write the pixels of ``canvas`` to ``image`` (H, W) uint8 {0, 1}; ``pixels`` is `PIXELS`, ``stream`` is scratch.

    ``image_words`` is the same memory as 64-bit words, or empty where H·W is not a multiple of 8.
    """
    height, width = image.shape
    if image_words.size == 0:
        for y in range(height):
            for x in range(width):
                image[y, x] = (canvas[y, pad + (x >> 6)] >> uint64(x & 63)) & uint64(1)
        return
    _join_rows(canvas, pad, height, width, stream)
    whole = image_words.size >> 3
    for i in range(uint64(whole)):
        _store(pixels, image_words, i << uint64(3), stream[i])
    for b in range(image_words.size & 7):
        image_words[8 * whole + b] = pixels[(stream[whole] >> uint64(8 * b)) & BYTE]


@njit(cache=True, nogil=True)
def _store(pixels, image_words, at, bits):
    """Write 64 pixels. Written out, with unsigned indices: as a loop it is vectorised, and four times as slow."""
    image_words[at] = pixels[bits & BYTE]
    image_words[at + uint64(1)] = pixels[(bits >> uint64(8)) & BYTE]
    image_words[at + uint64(2)] = pixels[(bits >> uint64(16)) & BYTE]
    image_words[at + uint64(3)] = pixels[(bits >> uint64(24)) & BYTE]
    image_words[at + uint64(4)] = pixels[(bits >> uint64(32)) & BYTE]
    image_words[at + uint64(5)] = pixels[(bits >> uint64(40)) & BYTE]
    image_words[at + uint64(6)] = pixels[(bits >> uint64(48)) & BYTE]
    image_words[at + uint64(7)] = pixels[bits >> uint64(56)]


@njit(cache=True, nogil=True)
def _join_rows(canvas, pad, height, width, stream):
    """Lay the rows' pixels end to end into ``stream``."""
    held, at, pending = 0, 0, uint64(0)
    for y in range(height):
        for x in range(0, width, 64):
            bits = canvas[y, pad + (x >> 6)]
            count = min(64, width - x)
            pending |= bits << uint64(held)
            if held + count >= 64:
                stream[at] = pending
                at += 1
                pending = (bits >> uint64(1)) >> uint64(63 - held)
            held = (held + count) & 63
    stream[at] = pending


@njit(cache=True, nogil=True)
def pack(canvas, pad, mirrored, packed):
    """Write the pixels of ``canvas`` to ``packed`` (H, ceil(W / 8)) uint8 in `numpy.packbits` order."""
    height, row_bytes = packed.shape
    for y in range(uint64(height)):
        for b in range(uint64(row_bytes)):
            bits = canvas[y, uint64(pad) + (b >> uint64(3))] >> (uint64(8) * (b & uint64(7)))
            packed[y, b] = mirrored[bits & BYTE]
