"""Two stages of your own; what they are given is described in `synth_engine.picture.stages.user_stages`."""

from __future__ import annotations

import numpy as np
from numba import njit, uint64

from synth_engine.njit.random import FREE_WORD, word


@njit(cache=True, nogil=True)
def scanlines(image, values, key, out):  # noqa: ARG001
    """Camera: the dark lines of a display, ``pitch_px`` apart; they take the share ``depth`` of the light."""
    depth, pitch = values[0], values[1]
    for y in range(image.shape[0]):
        lit = 1 - depth * (0.5 - 0.5 * np.cos(2 * np.pi * (y + 0.5) / pitch))
        for x in range(image.shape[1]):
            for c in range(image.shape[2]):
                out[y, x, c] = np.uint8(image[y, x, c] * lit + 0.5)


@njit(cache=True, nogil=True)
def screws(values, key, cover):
    """Clutter: a round screw head of ``radius_px`` near each corner, up to 2 px from its place."""
    height, width, radius = cover.shape[0], cover.shape[1], values[0]
    for corner in range(4):
        bits = word(key, FREE_WORD + corner)
        x = (corner & 1) * (width - 2 * radius - 4) + radius + 2 + 4 * (bits >> uint64(32)) / 2.0**32 - 2
        y = (corner >> 1) * (height - 2 * radius - 4) + radius + 2 + 4 * (bits & uint64(0xFFFFFFFF)) / 2.0**32 - 2
        for py in range(height):
            for px in range(width):
                inside = radius + 0.5 - np.hypot(px + 0.5 - x, py + 0.5 - y)
                cover[py, px] = max(cover[py, px], np.uint8(255 * min(max(inside, 0.0), 1.0)))
