"""What the characters on their patches amount to on the canvas: boxes, shares clipped and covered, centres, masks.

A pixel counts as a character's ink from half coverage on.
"""

from __future__ import annotations

import numpy as np

from synth_engine.njit.jit import entry, inlined
from synth_engine.picture.kernels import columns as col
from synth_engine.picture.kernels.blend import visible

HALF = 128


@entry
def judge(active, counts, ink, origin, extent, limits, rule, plane, columns, accepted):
    """Set ``accepted`` for the active images whose characters keep the limits and the filter.

    limits: (clipped share, covered share) in [0, 1]; rule: (gap px or 0 = no filter, slack px); ``plane`` (H, W) uint8
    and ``columns`` (W,) int64 are scratch; ``accepted`` (B,) bool.
    """
    overlaps = rule[0] > 0 or limits[1] < 1
    for i in range(counts.size):
        if active[i]:
            if overlaps:
                _count_layers(counts[i], ink[i], origin[i], extent[i], plane)
            accepted[i] = rule[0] == 0 or _well_formed(plane, columns, counts[i], rule[0], rule[1])
            for k in range(counts[i]):
                accepted[i] &= _keeps(ink[i, k], origin[i, k], extent[i, k], plane, limits)


@inlined
def _count_layers(count, ink, origin, extent, plane):
    """Write to ``plane`` (H, W) uint8 how many characters have ink at each pixel of the canvas."""
    plane[:] = 0
    height, width = plane.shape
    for k in range(count):
        x0, y0, x1, y1 = visible(origin[k], extent[k], height, width)
        left, top = origin[k, col.X], origin[k, col.Y]
        for y in range(y0, y1):
            source, target = ink[k, y, x0:x1], plane[top + y, left + x0 : left + x1]
            for x in range(source.size):
                target[x] += source[x] >> np.uint8(7)


@inlined
def _keeps(ink, origin, extent, plane, limits):
    """Whether a character has ink, and no more of it off the canvas and under other characters than the limits say."""
    x0, y0, x1, y1 = visible(origin, extent, plane.shape[0], plane.shape[1])
    seen, shared = 0, 0
    for y in range(y0, y1):
        seen += _inked(ink[y, x0:x1])
    total = seen
    if (x0, y0, x1, y1) != (extent[col.X0], extent[col.Y0], extent[col.X1], extent[col.Y1]):
        total = 0
        for y in range(extent[col.Y0], extent[col.Y1]):
            total += _inked(ink[y, extent[col.X0] : extent[col.X1]])
    if limits[1] < 1:
        for y in range(y0, y1):
            shared += _shared(ink[y, x0:x1], plane[origin[col.Y] + y, origin[col.X] + x0 : origin[col.X] + x1])
    return total > 0 and total - seen <= limits[0] * total and shared <= limits[1] * total


@inlined
def _inked(row):
    """How many levels of ``row`` are ink."""
    total = np.uint32(0)
    for x in range(row.size):
        total += np.uint32(row[x] >> np.uint8(7))
    return np.int64(total)


@inlined
def _shared(row, layers):
    """How many pixels of ``row`` are ink where two characters or more have ink."""
    total = np.uint32(0)
    for x in range(row.size):
        total += np.uint32((row[x] >> np.uint8(7)) & np.uint8(layers[x] > 1))
    return np.int64(total)


@inlined
def _well_formed(plane, columns, length, gap, slack):
    """The segmentation filter of `recipe.Filter`, by counting."""
    columns[:] = 0
    for y in range(plane.shape[0]):
        row = plane[y]
        for x in range(columns.size):
            columns[x] += row[x] > 0
    fewest = columns[0]
    for x in range(1, columns.size):
        fewest = min(fewest, columns[x])
    blank_below = fewest + slack
    found, before = 0, -1
    for x in range(columns.size):
        if columns[x] < blank_below:
            found += before >= 0 and x - before >= gap
            before = x
    return found == length


@entry
def write_boxes(counts, ink, origin, extent, canvas, boxes):
    """Write ``boxes`` (B, L, 4) int16 px: the smallest box of each character's ink on the canvas; zeros for none."""
    for i in range(counts.size):
        boxes[i] = 0
        for k in range(counts[i]):
            x0, y0, x1, y1 = visible(origin[i, k], extent[i, k], canvas[0], canvas[1])
            left, right, top, bottom = x1, x0, y1, y0
            for y in range(y0, y1):
                row = ink[i, k, y]
                first, last = x0, x1
                while first < left and row[first] < HALF:
                    first += 1
                while last > max(right, first) and row[last - 1] < HALF:
                    last -= 1
                if _inked(row[x0:x1]):
                    left, right, top, bottom = min(left, first), max(right, last), min(top, y), y + 1
            if bottom > top and right > left:
                boxes[i, k, col.X0], boxes[i, k, col.Y0] = origin[i, k, col.X] + left, origin[i, k, col.Y] + top
                boxes[i, k, col.X1], boxes[i, k, col.Y1] = origin[i, k, col.X] + right, origin[i, k, col.Y] + bottom


@entry
def write_centres(counts, ink, origin, extent, canvas, centres):
    """Write ``centres`` (B, L, 2) float32 px: the mean middle of each character's ink on the canvas; zeros for none."""
    for i in range(counts.size):
        centres[i] = 0
        for k in range(counts[i]):
            x0, y0, x1, y1 = visible(origin[i, k], extent[i, k], canvas[0], canvas[1])
            total, across, down = 0, 0.0, 0.0
            for y in range(y0, y1):
                for x in range(x0, x1):
                    if ink[i, k, y, x] >= HALF:
                        total += 1
                        across += x
                        down += y
            if total:
                centres[i, k, col.X] = np.float32(across / total + origin[i, k, col.X] + 0.5)
                centres[i, k, col.Y] = np.float32(down / total + origin[i, k, col.Y] + 0.5)


@entry
def write_masks(counts, ink, origin, extent, masks):
    """Write ``masks`` (B, L, H, W) uint8: 1 where a character has ink on the canvas."""
    for i in range(counts.size):
        masks[i] = 0
        for k in range(counts[i]):
            x0, y0, x1, y1 = visible(origin[i, k], extent[i, k], masks.shape[2], masks.shape[3])
            left, top = origin[i, k, col.X], origin[i, k, col.Y]
            for y in range(y0, y1):
                for x in range(x0, x1):
                    masks[i, k, top + y, left + x] = ink[i, k, y, x] >= HALF
