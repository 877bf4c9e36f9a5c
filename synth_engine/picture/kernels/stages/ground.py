"""Grounds painted over whole blocks of images, their mean grey level, and ink levels moved away from it.

images (B, H, W, C) uint8, contiguous, C = 1 or 3, any content; params (B, P) float64. A colour is ``color`` columns:
1, one level for all channels, or 3, red, green and blue, of which one channel shows the luminance.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, uint64

from synth_engine.njit.random import FREE_WORD, word
from synth_engine.picture.kernels.sampling import unit
from synth_engine.picture.kernels.trig import cosine_sine

RED, GREEN, BLUE = 0.299, 0.587, 0.114  # ITU-R BT.601
# The sum of four uniform 16-bit numbers has this mean and standard deviation.
NODE_MEAN, NODE_SIGMA = 2.0 * 65535, math.sqrt((2.0**32 - 1) / 3)
GRAIN_GAIN = 1.5  # bilinear interpolation leaves (2/3)² of the nodes' variance, averaged over a cell
ZERO, HALF, FULL = np.float32(0), np.float32(0.5), np.float32(255)
LOW16 = np.uint64(0xFFFF)


@njit(cache=True, nogil=True)
def flat(params, color, images):
    """One colour. Columns: the colour."""
    count, height, width, channels = images.shape
    rows = images.reshape(count, height, width * channels)
    for i in range(uint64(count)):
        for c in range(uint64(channels)):
            level = np.uint8(_level(params, i, 0, color, c, channels) + 0.5)
            for x in range(uint64(width)):
                rows[i, 0, x * uint64(channels) + c] = level
        for y in range(uint64(1), uint64(height)):
            for x in range(uint64(width * channels)):
                rows[i, y, x] = rows[i, 0, x]


@njit(cache=True, nogil=True)
def gradient(params, color, images):
    """From one colour to another, each reached in a corner of the canvas. Columns: both colours, the direction (°)."""
    count, height, width, channels = images.shape
    rows = images.reshape(count, height, width * channels)
    top, down = np.empty(width * channels, np.float32), np.empty(width * channels, np.float32)
    for i in range(uint64(count)):
        dx, dy = cosine_sine(-params[i, 2 * color] / 360)  # y runs down
        across = abs(dx) * width + abs(dy) * height
        for n in range(width * channels):
            x, c = n // channels, n % channels
            low, high = _level(params, i, 0, color, c, channels), _level(params, i, color, color, c, channels)
            share = 0.5 + (dx * (x + 0.5 - 0.5 * width) + dy * (0.5 - 0.5 * height)) / across
            top[n], down[n] = low + (high - low) * share, (high - low) * dy / across
        for y in range(uint64(height)):
            for n in range(uint64(top.size)):
                rows[i, y, n] = _clipped(top[n] + np.float32(y) * down[n])


@njit(cache=True, nogil=True)
def grain(params, color, images, keys, grain_px):
    """Value noise about a colour, the same on all channels. Columns: the colour, sigma.

    The nodes' grid lies by chance (words 64 and 65), so that no pixel's variance differs from another's.
    """
    count, height, width, channels = images.shape
    rows = images.reshape(count, height, width * channels)
    nodes, step = np.int64(width / grain_px) + 3, 1.0 / grain_px
    levels = np.empty(width * channels, np.float32)
    upper, lower = np.empty_like(levels), np.empty_like(levels)
    for i in range(uint64(count)):
        x_phase, y_phase = unit(keys[i], FREE_WORD), unit(keys[i], FREE_WORD + 1)
        gain = GRAIN_GAIN * params[i, color] / NODE_SIGMA
        for n in range(levels.size):
            levels[n] = _level(params, i, 0, color, n % channels, channels)
        row, first = 0, FREE_WORD + 2
        _node_row(keys[i], first, step, x_phase, gain, channels, upper)
        _node_row(keys[i], first + nodes, step, x_phase, gain, channels, lower)
        for y in range(uint64(height)):
            at = (float(y) + 0.5) * step + y_phase
            if np.int64(at) > row:
                row += 1
                upper, lower = lower, upper
                _node_row(keys[i], first + (row + 1) * nodes, step, x_phase, gain, channels, lower)
            share = np.float32(at - row)
            for n in range(uint64(levels.size)):
                rows[i, y, n] = _clipped(levels[n] + upper[n] + share * (lower[n] - upper[n]))


@njit(cache=True, nogil=True)
def crop(params, pixels, table, images):
    """Pieces of pictures. Columns, each in [0, 1): which picture, where in x, where in y.

    pixels: uint8, the pictures' bytes one after another; table (N, 3) int64: first byte, height, width (px).
    """
    count, height, width, channels = images.shape
    rows = images.reshape(count, height, width * channels)
    for i in range(uint64(count)):
        first, tall, wide = table[min(np.int64(params[i, 0] * table.shape[0]), table.shape[0] - 1)]
        x, y = np.int64(params[i, 1] * (wide - width + 1)), np.int64(params[i, 2] * (tall - height + 1))
        for row in range(uint64(height)):
            start = uint64(first + ((y + row) * wide + x) * channels)
            for n in range(uint64(width * channels)):
                rows[i, row, n] = pixels[start + n]


@njit(cache=True, nogil=True)
def ground_mean(images, out):
    """Mean grey level of each image into ``out`` (B,) float64."""
    count, height, width, channels = images.shape
    bytes_ = images.reshape(count, height * width * channels)
    for i in range(count):
        if channels == 1:
            out[i] = _sum(bytes_[i], 0, 1) / (height * width)
        else:
            red, green, blue = _sum(bytes_[i], 0, 3), _sum(bytes_[i], 1, 3), _sum(bytes_[i], 2, 3)
            out[i] = _grey(red, green, blue) / (height * width)


@njit(cache=True, nogil=True)
def set_contrast(levels, means, low, high, units):
    """Give ink a contrast of low + (high − low)·unit with the ground: |grey level − mean|, in place.

    levels (B, K, C) float64: the ink sampled for each image (K = 1) or character; means (B,); units (B, K) in [0, 1);
    low and high: levels. Ink stays on the side of the mean on which it was sampled if 0–255 has room there (as dark as
    the mean: darker), else it changes sides; where neither side has room it becomes black or white, whichever is
    farther from the mean.
    The channels of RGB ink are shifted alike and then clipped, by which the contrast may be missed.
    """
    count, inks, channels = levels.shape
    for i in range(count):
        for k in range(inks):
            ink = levels[i, k]
            grey = ink[0] if channels == 1 else _grey(ink[0], ink[1], ink[2])
            shift = _away(grey, means[i], low + (high - low) * units[i, k]) - grey
            for c in range(channels):
                ink[c] = min(max(ink[c] + shift, 0.0), 255.0)


@njit(cache=True, nogil=True, inline="always")
def _away(grey, mean, contrast):
    """The level that lies ``contrast`` from the mean, on the side of ``grey`` if there is room."""
    side = contrast if grey > mean else -contrast
    if 0.0 <= mean + side <= 255.0:
        return mean + side
    if 0.0 <= mean - side <= 255.0:
        return mean - side
    return 255.0 if mean < 127.5 else 0.0


@njit(cache=True, nogil=True, inline="always")
def _level(params, i, first, color, channel, channels):
    """The level that the colour from column ``first`` on has on a channel."""
    if color == 1:
        return params[i, first]
    if channels == 1:
        return _grey(params[i, first], params[i, first + 1], params[i, first + 2])
    return params[i, first + channel]


@njit(cache=True, nogil=True, inline="always")
def _grey(red, green, blue):
    """Luminance (ITU-R BT.601)."""
    return RED * red + GREEN * green + BLUE * blue


@njit(cache=True, nogil=True, inline="always")
def _clipped(level):
    """A float32 level as uint8, clipped and rounded, halves up."""
    return np.uint8(np.int32(min(max(level, ZERO), FULL) + HALF))


@njit(cache=True, nogil=True, inline="always")
def _sum(values, first, step):
    """Sum of every ``step``-th value from ``first`` on."""
    total = np.int64(0)
    for n in range(uint64(first), uint64(values.size), uint64(step)):
        total += np.int64(values[n])
    return total


@njit(cache=True, nogil=True)
def _node_row(key, first, step, phase, gain, channels, out):
    """One row of nodes, interpolated to the pixels' middles; ``out`` (W·C,) float32, ``step`` nodes a px."""
    column = 0
    left, right = _node(key, first, gain), _node(key, first + 1, gain)
    for x in range(uint64(out.size // channels)):
        at = (float(x) + 0.5) * step + phase
        if np.int64(at) > column:
            column += 1
            left, right = right, _node(key, first + column + 1, gain)
        for c in range(uint64(channels)):
            out[x * uint64(channels) + c] = left + np.float32(at - column) * (right - left)


@njit(cache=True, nogil=True, inline="always")
def _node(key, n, gain):
    """Nearly normal, of mean 0 and standard deviation gain · NODE_SIGMA: four uniform numbers from one word."""
    bits = word(key, n)
    total = (bits & LOW16) + ((bits >> uint64(16)) & LOW16) + ((bits >> uint64(32)) & LOW16) + (bits >> uint64(48))
    return np.float32((float(total) - NODE_MEAN) * gain)
