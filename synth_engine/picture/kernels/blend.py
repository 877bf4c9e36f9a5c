"""Ink laid over what is already painted, by its coverage. Rows are taken as views: such loops become vector code."""

from __future__ import annotations

import numpy as np

from synth_engine.njit.jit import entry, inlined
from synth_engine.picture.kernels import columns as col


@inlined
def visible(origin, extent, height, width):
    """x0, y0, x1, y1 of the part of a patch's extent that lies on the canvas, in px of the patch; else four zeros."""
    x0, x1 = max(extent[col.X0], -origin[col.X]), min(extent[col.X1], width - origin[col.X])
    y0, y1 = max(extent[col.Y0], -origin[col.Y]), min(extent[col.Y1], height - origin[col.Y])
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else (0, 0, 0, 0)


@entry
def gather(counts, ink, origin, extent, cover):
    """Write the coverage of all characters together: ``cover`` (B, H, W) uint8 is their maximum."""
    height, width = cover.shape[1], cover.shape[2]
    for i in range(counts.size):
        cover[i] = 0
        for k in range(counts[i]):
            x0, y0, x1, y1 = visible(origin[i, k], extent[i, k], height, width)
            left, top = origin[i, k, col.X], origin[i, k, col.Y]
            for y in range(y0, y1):
                source, target = ink[i, k, y, x0:x1], cover[i, top + y, left + x0 : left + x1]
                for x in range(source.size):
                    target[x] = max(target[x], source[x])


@entry
def blend(on, cover, levels, opacity, images):
    """images = ground + (level - ground)·cover/255·opacity, rounded, for the images that are ``on``.

    ``cover`` (B, H, W) uint8; ``levels`` (B, …, C) float64 0–255, of which each image's first counts; ``opacity`` (B,)
    float64 in [0, 1]; ``images`` (B, H, W, C) uint8.
    """
    for i in range(on.size):
        if on[i]:
            share = np.uint16(round(opacity[i] * 256))
            for y in range(images.shape[1]):
                blend_row(cover[i, y], levels[i, 0], share, images[i, y])


@inlined
def blend_row(cover, levels, share, row):
    """One row (W, C) of `blend`; ``share`` (uint16) is the opacity in 256ths, ``levels`` (C,)."""
    for c in range(row.shape[1]):
        level, channel = np.uint16(round(levels[c])), row[:, c]
        for x in range(channel.size):
            part = np.uint16(np.uint16(np.uint16(cover[x]) * share) + np.uint16(128)) >> np.uint16(8)
            parts = np.uint16(part)
            sum_ = np.uint16(np.uint16(channel[x]) * np.uint16(np.uint16(255) - parts) + level * parts + np.uint16(128))
            # Exact division by 255 with rounding, for sums of 16 bits (Blinn, "Three wrongs make a right", 1995).
            channel[x] = np.uint8((np.uint32(sum_) + (np.uint32(sum_) >> np.uint32(8))) >> np.uint32(8))


@entry
def blend_characters(counts, ink, origin, extent, levels, images):
    """As `blend`, with levels (B, L, C) for each character, which covers those before it; opacity is 1."""
    height, width = images.shape[1], images.shape[2]
    for i in range(counts.size):
        for k in range(counts[i]):
            x0, y0, x1, y1 = visible(origin[i, k], extent[i, k], height, width)
            left, top = origin[i, k, col.X], origin[i, k, col.Y]
            for y in range(y0, y1):
                row = images[i, top + y, left + x0 : left + x1]
                blend_row(ink[i, k, y, x0:x1], levels[i, k], np.uint16(256), row)
