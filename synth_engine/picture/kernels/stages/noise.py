"""Noise of a camera: every pixel takes 16 bits of the image's words 64, 65, …, the lowest bits of a word first."""

from __future__ import annotations

import numpy as np
from numba import njit

from synth_engine.njit.random import FREE_WORD, word


@njit(cache=True, nogil=True)
def digits_of(key, count, scratch):
    """``count`` 16-bit digits of ``key``, in the memory of ``scratch``: (count,) uint16."""
    words = scratch.reshape(scratch.size).view(np.uint64)
    for n in range((count + 3) // 4):
        words[n] = word(key, FREE_WORD + n)
    return words.view(np.uint16)[:count]


@njit(cache=True, nogil=True)
def add_noise(normal, on, params, keys, images, scratch):
    """Add rounded Gaussian noise to every value. Columns: sigma (levels).

    ``normal`` (4096,) float32: equally likely values of a standard normal variable, one for each 12 bits.
    """
    levels = np.empty(normal.size, np.int16)
    for i in range(images.shape[0]):
        if on[i] and params[i, 0] > 0:
            _round_levels(normal, np.float32(params[i, 0]), levels)
            pixels = images[i].reshape(images[i].size)
            digits = digits_of(keys[i], pixels.size, scratch)
            for p in range(pixels.size):
                level = np.int32(pixels[p]) + np.int32(levels[digits[p] >> 4])
                pixels[p] = np.uint8(min(max(level, np.int32(0)), np.int32(255)))


@njit(cache=True, nogil=True)
def _round_levels(normal, sigma, levels):
    """Write ``levels`` (4096,) int16: sigma times each of the ``normal`` values, rounded, from -255 to 255.

    Once for each value, not for each pixel: pixels are whole levels, so their noise may be rounded before.
    """
    for v in range(normal.size):
        level = min(max(sigma * normal[v], np.float32(-255)), np.float32(255))
        levels[v] = np.int16(np.int32(level + np.float32(256.5)) - np.int32(256))


@njit(cache=True, nogil=True)
def salt_pepper(on, params, keys, images, scratch):
    """A pixel turns white or black with half the share each. Columns: the share in [0, 1], in steps of 2⁻¹⁵."""
    for i in range(images.shape[0]):
        half = np.int32(round(params[i, 0] * 2.0**15)) if on[i] else np.int32(0)
        if half > 0:
            _sprinkle(images[i].reshape(images[i].size), _pixel_digits(keys[i], images[i], scratch), half)


@njit(cache=True, nogil=True)
def invert(on, params, keys, images, scratch):
    """A pixel becomes its negative by chance. Columns: the probability, in steps of 2⁻¹⁶."""
    for i in range(images.shape[0]):
        below = np.int32(round(params[i, 0] * 2.0**16)) if on[i] else np.int32(0)
        if below >= 2**16:
            _negate(images[i].reshape(images[i].size))
        elif below > 0:
            _negate_some(images[i].reshape(images[i].size), _pixel_digits(keys[i], images[i], scratch), below)


@njit(cache=True, nogil=True)
def _pixel_digits(key, image, scratch):
    """A digit for each pixel, repeated for its channels: (H·W·C,) uint16."""
    channels = image.shape[2]
    pixels = image.size // channels
    digits = digits_of(key, pixels, scratch)
    if channels == 1:
        return digits
    values = scratch[2].reshape(image.size).view(np.uint16)[: image.size]  # the digits end before plane 2
    for p in range(pixels):
        for c in range(channels):
            values[p * channels + c] = digits[p]
    return values


# Without branches, and over all values in one run: so that these loops are vectorised.


@njit(cache=True, nogil=True)
def _sprinkle(values, digits, half):
    """White where the digit is under ``half``, black where it is under 2 · ``half``."""
    for v in range(values.size):
        digit = np.int32(digits[v])
        extreme = np.uint8(255) if digit < half else np.uint8(0)
        values[v] = extreme if digit < 2 * half else values[v]


@njit(cache=True, nogil=True)
def _negate(values):
    """255 - level of all."""
    for v in range(values.size):
        values[v] = ~values[v]


@njit(cache=True, nogil=True)
def _negate_some(values, digits, below):
    """255 - level where the digit is under ``below``."""
    for v in range(values.size):
        values[v] ^= np.uint8(255) if np.int32(digits[v]) < below else np.uint8(0)
