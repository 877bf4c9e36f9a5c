"""One sample from its key: sample text and placement, filter, compose, mask, noise, write out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import uint64
from numpy.typing import NDArray

from synth_engine.fast.kernels import columns as col
from synth_engine.fast.kernels.placement import ink_of, sample_placement
from synth_engine.fast.kernels.segmentation_filter import count_runs, decide_by_profiles, inked_columns
from synth_engine.njit.bits import copy_planes, or_glyph, write_packed, write_pixels
from synth_engine.njit.finishing import flip_and_open
from synth_engine.njit.intrinsics import prefetch_line
from synth_engine.njit.jit import entry, inlined
from synth_engine.njit.random import NOISE, PLACE, TEXT, mix, sample_key
from synth_engine.njit.texts import PADDING, Text, sample_text

PREFETCHED_BYTES = 1024  # of an image with each candidate: a few cache lines at a time, or painting waits for them


class GlyphArrays(NamedTuple):
    """The glyph bank as arrays; glyph (face f, character c, angle a) has number (f·C + c)·A + a."""

    rows: NDArray[np.uint64]  # (words, R): inked rows of all glyphs, bit b of word w is column 64·w + b
    table: NDArray[np.uint64]  # (2·G …, 2): as `glyph_bank.glyph_table` makes it; see `columns`


class Plan(NamedTuple):
    """A recipe as numbers. Thresholds are cumulative shares scaled to 2¹⁶ or 2³²."""

    shape: tuple[int, int]  # (height, width) px
    text: Text
    counts: tuple[int, int]  # (characters in the alphabet, angles)
    x: NDArray[np.float64]  # (L, 2): lowest tile x, span (px)
    turns: NDArray[np.uint64]  # (T, 3): cumulative share of 2¹⁶, first angle, number of angles
    turns_y: NDArray[np.float64]  # (T, 2): lowest tile top, span (px)
    filter: tuple[int, int, int, int]  # run or 0 = off, slack, most candidates of a text and of a sample
    glyph_count: int  # G: glyphs in the bank
    # 2 · 2 words: columns of a canvas up to 128 px; the first of a run at its right edge; 0: no profiles
    narrow: tuple[np.uint64, ...]
    mask: NDArray[np.uint64]  # (words, tall): H rows, then blank ones to a multiple of 8
    flip: int  # flip probability × 2¹⁶
    open_px: int  # side of the square of the opening; under 2 = none


class Scratch(NamedTuple):
    """Working memory of one thread."""

    canvas: NDArray[np.uint64]  # (pad + words + pad, tall): see `bits`
    blank: NDArray[np.uint64]  # (words, tall): zeros
    inked: NDArray[np.uint64]  # (words + 1,)
    counts: NDArray[np.int64]  # (W,)
    label: NDArray[np.uint8]  # (L,)
    placed: NDArray[np.int64]  # (L, 3): glyph number, x and y of its ink (px)


@entry
def render(bank, plan, scratch, seed, start, packed, images, labels, boxes, placements):
    """Fill the batch of samples ``start`` …; arrays as in `samples.Batch`, but ``images`` flat.

    ``bank``: `GlyphArrays`; ``plan``: `Plan`; ``scratch``: `Scratch`; ``packed``: whether images are written in
    `numpy.packbits` order; ``placements`` (N, L, 3) int64 gets what `placement` writes, or is empty. Returns (index
    in the batch of the sample that no candidate passed for, or -1; candidates tried; texts replaced).
    """
    table, label, placed, canvas = bank.table, scratch.label, scratch.placed, scratch.canvas
    height, width = plan.shape
    run, _, text_tries, tries_max = plan.filter
    pad, narrow = bank.rows.shape[0], plan.narrow[0] > 0
    candidates, relabelled, at = np.int64(0), np.int64(0), uint64(0)
    image_bytes = uint64(height * ((width + 7) >> 3 if packed else width))
    for i in range(labels.shape[0]):
        key = sample_key(seed, uint64(start) + uint64(i))
        text_key, place_key = mix(key ^ TEXT), mix(key ^ PLACE)
        accepted, length, face, tried = False, 0, uint64(0), text_tries
        near = at
        attempt, text = np.int64(0), np.int64(0)  # a plain 0 is a type of its own, and its callees compiled for it too
        while not accepted and attempt < tries_max:
            if tried == text_tries:
                length, face = sample_text(text_key, text, plan.text, label)
                text += 1
                tried = 0
            near = _prefetch(images, near, at + image_bytes)
            sample_placement(place_key, attempt, label, length, face, plan, table, placed)
            decision = int(run == 0)
            if run:
                decision = -1
                if narrow:
                    decision = decide_by_profiles(table, plan.glyph_count, placed, length, height, plan.narrow, run)
            accepted = decision == 1 or (decision < 0 and _well_formed(bank, plan, scratch, length, pad))
            attempt += 1
            tried += 1
        candidates += attempt
        relabelled += text - 1
        if not accepted:
            return i, candidates, relabelled
        _compose(bank, placed, length, plan.shape, pad, plan.mask, canvas)
        flip_and_open(canvas, pad, height, width, mix(key ^ NOISE), plan.flip, plan.open_px)
        if packed:
            write_packed(canvas, pad, height, width, images, at)
        else:
            write_pixels(canvas, pad, height, width, images, at)
        at += image_bytes
        _write_label(table, placed, plan.shape, label, uint64(i), labels, boxes)
        if placements.shape[0]:
            _copy_placed(placed, placements, i)
    return -1, candidates, relabelled


@inlined
def _prefetch(images, near, end):
    """Ask for the next part of an image's memory: with a dozen buffers in turn, it lies in no near cache."""
    last = min(near + uint64(PREFETCHED_BYTES), end)
    while near < last:
        prefetch_line(images, near)
        near += uint64(64)
    return near


@inlined
def _well_formed(bank, plan, scratch, length, pad):
    """The filter for any canvas and slack, on the painted candidate."""
    run, slack, _, _ = plan.filter
    height, width = plan.shape
    _compose(bank, scratch.placed, length, plan.shape, pad, scratch.blank, scratch.canvas)
    inked_columns(scratch.canvas, pad, height, width, slack, scratch.inked, scratch.counts)
    return count_runs(scratch.inked, width, run) == length


@inlined
def _compose(bank, placed, length, shape, pad, ground, canvas):
    """Paint the characters on ``ground`` (words, tall): the shared mask, or nothing."""
    copy_planes(canvas, pad, ground)
    for k in range(uint64(length)):
        paint_glyph(bank, placed, k, shape, pad, canvas)


@inlined
def paint_glyph(bank, placed, k, shape, pad, canvas):
    """Paint character ``k`` of ``placed`` (L, 3)."""
    height, width = shape
    glyph, x, y = uint64(placed[k, col.GLYPH]), placed[k, col.X], placed[k, col.Y]
    first, rows, columns = ink_of(bank.table, glyph)
    if x < width and x + columns > 0 and y < height and y + rows > 0:
        or_glyph(canvas, pad, height, bank.rows, first, rows, x, y)


@inlined
def _write_label(table, placed, shape, label, i, labels, boxes):
    """Write labels (N, L) and boxes (N, L, 4) of image ``i``, clipped to the canvas; zeros for padding."""
    height, width = shape
    for k in range(uint64(label.size)):
        glyph, x, y = uint64(placed[k, col.GLYPH]), placed[k, col.X], placed[k, col.Y]
        _, rows, columns = ink_of(table, glyph)
        if label[k] == PADDING:
            x, y, columns, rows = 0, 0, 0, 0
        labels[i, k] = label[k]
        boxes[i, k, col.X0] = min(max(x, 0), width)
        boxes[i, k, col.Y0] = min(max(y, 0), height)
        boxes[i, k, col.X1] = min(max(x + columns, 0), width)
        boxes[i, k, col.Y1] = min(max(y + rows, 0), height)


@inlined
def _copy_placed(placed, placements, i):
    for k in range(placed.shape[0]):
        for part in range(placed.shape[1]):
            placements[i, k, part] = placed[k, part]
