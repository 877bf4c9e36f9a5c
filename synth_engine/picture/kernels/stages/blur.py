"""Blurs of a camera: the lens's (Gaussian) and the moving hand's. Outside its border an image repeats its edge.

Sums are in float32, taken in one order on every machine, and rounded once at the end, halves up.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from synth_engine.picture.kernels.trig import cosine_sine


@njit(cache=True, nogil=True)
def blur(on, params, keys, images, scratch):  # noqa: ARG001
    """Gaussian blur. Columns: sigma px, 0 changes nothing. Rows are blurred downwards first, then along."""
    height, width, channels = images.shape[1:]
    size = width * channels
    taps = np.empty(max(height, width) + 1, np.float32)
    padded, total = np.empty(size + 2 * channels * taps.size, np.float32), np.empty(size, np.float32)
    across = scratch[0].reshape((height, size))
    for i in range(images.shape[0]):
        if on[i] and params[i, 0] > 0:
            radius = gaussian_taps(params[i, 0], taps)
            image = images[i].reshape((height, size))
            for y in range(height):
                _sum_rows(image, y, taps, radius, across[y])
            for y in range(height):
                _sum_along(across[y], channels, taps, radius, padded, total)
                store(total, image[y])


@njit(cache=True, nogil=True)
def gaussian_taps(sigma, taps):
    """Write a Gaussian's weights at 0, 1, … px to ``taps`` float32, the sum of both sides 1; returns their reach, px.

    The reach to a side is ceil(3·sigma), or as far as there is room in ``taps`` (as far as the canvas is long).
    """
    radius = min(math.ceil(3.0 * sigma), taps.size - 1)
    total = 1.0
    for k in range(1, radius + 1):
        total += 2.0 * math.exp(-0.5 * (k / sigma) ** 2)
    for k in range(radius + 1):
        taps[k] = math.exp(-0.5 * (k / sigma) ** 2) / total
    return radius


@njit(cache=True, nogil=True)
def _sum_rows(image, y, taps, radius, out):
    """Write row y, blurred downwards, to ``out`` (W·C,) float32; ``image`` (H, W·C) uint8, ``radius`` ≥ 1 px."""
    last = image.shape[0] - 1
    _first(image[y], image[max(y - 1, 0)], image[min(y + 1, last)], taps[0], taps[1], out)
    for k in range(2, radius, 2):
        near, far = (image[max(y - k, 0)], image[min(y + k, last)]), (max(y - k - 1, 0), min(y + k + 1, last))
        _add_pairs(near[0], near[1], image[far[0]], image[far[1]], taps[k], taps[k + 1], out)
    if radius % 2 == 0:
        _add_pair(image[max(y - radius, 0)], image[min(y + radius, last)], taps[radius], out)


@njit(cache=True, nogil=True)
def _sum_along(row, step, taps, radius, padded, out):
    """The same along a row (W·C,) float32, whose pixels lie ``step`` values apart; ``padded`` is scratch."""
    margin = radius * step
    pad_row(row, step, margin, padded)
    middle = padded[margin:]
    _first(middle, padded[margin - step :], padded[margin + step :], taps[0], taps[1], out)
    for k in range(2, radius, 2):
        near, far = k * step, (k + 1) * step
        before, behind = padded[margin - near :], padded[margin + near :]
        _add_pairs(before, behind, padded[margin - far :], padded[margin + far :], taps[k], taps[k + 1], out)
    if radius % 2 == 0:
        _add_pair(padded, padded[2 * margin :], taps[radius], out)


@njit(cache=True, nogil=True)
def pad_row(row, step, margin, padded):
    """Copy a row of pixels of ``step`` values to ``padded`` from ``margin`` on, its ends repeated on both sides."""
    size = row.size
    for x in range(size):
        padded[margin + x] = row[x]
    for x in range(margin):
        padded[x] = row[x % step]
        padded[margin + size + x] = row[size - step + x % step]


# Two pairs of taps at a time: each pass over the sums costs as much as the taps it adds.


@njit(cache=True, nogil=True)
def _first(middle, before, behind, weight, pair_weight, out):
    """Start sums with the middle tap and its two neighbours."""
    for x in range(out.size):
        out[x] = weight * np.float32(middle[x]) + pair_weight * (np.float32(before[x]) + np.float32(behind[x]))


@njit(cache=True, nogil=True)
def _add_pair(before, behind, weight, out):
    """Add one tap of either side."""
    for x in range(out.size):
        out[x] += weight * (np.float32(before[x]) + np.float32(behind[x]))


@njit(cache=True, nogil=True)
def _add_pairs(before, behind, far_before, far_behind, weight, far_weight, out):
    """Add two taps of either side."""
    for x in range(out.size):
        near = weight * (np.float32(before[x]) + np.float32(behind[x]))
        out[x] += near + far_weight * (np.float32(far_before[x]) + np.float32(far_behind[x]))


@njit(cache=True, nogil=True)
def store(total, row):
    """Round sums (N,) float32, 0 up to 255, to a row of levels (N,) uint8, halves up."""
    for x in range(row.size):
        row[x] = np.uint8(np.int32(total[x] + np.float32(0.5)))


@njit(cache=True, nogil=True)
def motion_blur(on, params, keys, images, scratch):  # noqa: ARG001
    """The mean along a straight segment about each pixel. Columns: length px, 0 changes nothing; angle degrees.

    The segment is sampled where it crosses the columns of pixels, or the rows if it is steeper than 45°: there, and
    along it between two crossings, levels are interpolated linearly. At most twice the canvas is summed.
    """
    height, width, channels = images.shape[1:]
    size, longest = width * channels, 2.0 * max(height, width)
    reach = 0
    for i in range(images.shape[0]):
        if on[i]:
            reach = max(reach, _reach(min(params[i, 0], longest)))
    padded = np.empty((height + 2 * reach) * (size + 2 * reach * channels), np.float32)
    total = scratch.reshape(scratch.size)
    for i in range(images.shape[0]):
        if on[i] and params[i, 0] > 0:
            _move(images[i].reshape((height, size)), channels, min(params[i, 0], longest), params[i, 1], padded, total)


@njit(cache=True, nogil=True)
def _reach(length):
    """How many pixels to a side a movement touches."""
    return math.ceil(0.5 * length) + 1


@njit(cache=True, nogil=True)
def _move(image, channels, length, angle_deg, padded, total):
    """Blur one image (H, W·C) uint8 along a segment; ``padded`` and ``total`` float32 are scratch."""
    height, size = image.shape
    reach = _reach(length)
    stride = size + 2 * reach * channels
    _pad(image, channels, reach, padded)
    right, down = cosine_sine(-angle_deg / 360)  # y runs down
    steep = abs(down) > abs(right)
    along, aside = (stride, channels) if steep else (channels, stride)
    slope = right / down if steep else down / right
    half = 0.5 * length * max(abs(right), abs(down))
    for y in range(height):
        row = total[:size]
        row[:] = np.float32(0)
        at = (y + reach) * stride + reach * channels
        for j in range(-reach, reach + 1):
            weight = (_ramp(half - j) - _ramp(-half - j)) / (2.0 * half)
            if weight > 0:
                whole = math.floor(slope * j)
                share = slope * j - whole
                source = at + j * along + whole * aside
                near, far = np.float32(weight * (1.0 - share)), np.float32(weight * share)
                _add_two(padded[source:], padded[source + (aside if share > 0 else 0) :], near, far, row)
        store(row, image[y])


@njit(cache=True, nogil=True)
def _ramp(u):
    """The integral of the tent max(0, 1 - |t|) up to u."""
    if u <= 0:
        return 0.5 * max(0.0, 1.0 + u) ** 2
    return 1.0 - 0.5 * max(0.0, 1.0 - u) ** 2


@njit(cache=True, nogil=True)
def _pad(image, channels, reach, padded):
    """The image with ``reach`` px on every side, which repeat its edges, row after row."""
    height, size = image.shape
    stride = size + 2 * reach * channels
    for y in range(height + 2 * reach):
        pad_row(image[min(max(y - reach, 0), height - 1)], channels, reach * channels, padded[y * stride :])


@njit(cache=True, nogil=True)
def _add_two(one, other, weight, other_weight, out):
    """Add two rows with their weights."""
    for x in range(out.size):
        out[x] += weight * one[x] + other_weight * other[x]
