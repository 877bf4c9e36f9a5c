"""One sample from its key: draw text and placement, compose, filter, mask, noise, write out."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit, uint64

from synth_engine.kernels.bits import bernoulli, open_ink, or_glyph, pack, unpack
from synth_engine.kernels.random import NOISE, PLACE, TEXT, below, mix, sample_key, word
from synth_engine.kernels.segment import count_runs, inked_columns, inked_from_profiles

PADDING = 255
LOW32 = np.uint64(0xFFFFFFFF)
LOW16 = np.uint64(0xFFFF)


class Glyphs(NamedTuple):
    """The glyph bank as arrays; glyph (font f, character c, angle a) has number (f·C + c)·A + a."""

    rows: Any  # (R, words) uint64: inked rows of all glyphs, bit b of word w is column 64·w + b
    place: Any  # (G, 5) int32: first row, x and y of the ink in the rotated tile, height and width of the ink (px)
    columns: Any  # (G, 2, words) uint64: columns with at least one, and at least two, inked px


class Plan(NamedTuple):
    """A recipe as numbers. Thresholds are cumulative shares scaled to 2¹⁶ or 2³²."""

    shape: Any  # (height, width) px
    length: Any  # (fewest, most) characters
    counts: Any  # (characters in the alphabet, angles)
    x: Any  # (L, 2) float64: lowest tile x, span (px)
    font_below: Any  # (F,) uint64, of 2³²
    turn_below: Any  # (T,) uint64, of 2¹⁶
    turn_angles: Any  # (T, 2) int64: first angle, number of angles
    turn_y: Any  # (T, 2) float64: lowest tile top, span (px)
    filter: Any  # (run or 0 = off, slack, candidates a text is tried, candidates a sample is tried)
    mask: Any  # (H, words) uint64
    flip: Any  # flip probability × 2¹⁶
    open_px: Any  # side of the square of the opening; under 2 = none


class Scratch(NamedTuple):
    """Working memory of one thread."""

    canvas: Any  # (H, pad + words + pad + 1) uint64
    profile: Any  # (3, pad + words + pad + 1) uint64
    inked: Any  # (words + 1,) uint64
    counts: Any  # (W,) int64
    placed: Any  # (L, 3) int64: glyph number, x and y of its ink (px)


@njit(cache=True, nogil=True)
def render(glyphs, plan, scratch, seed, start, packed, images, image_words, labels, boxes):
    """Fill the batch whose first sample is ``start``.

    Returns (index of the sample that no candidate passed for, or -1; candidates drawn; texts replaced).
    """
    candidates, relabelled = 0, 0
    for i in range(labels.shape[0]):
        key = sample_key(seed, uint64(start) + uint64(i))
        tries = _draw_until_accepted(glyphs, plan, scratch, key, labels[i])
        candidates += abs(tries)
        relabelled += (abs(tries) - 1) // plan.filter[2]
        if tries < 0:
            return i, candidates, relabelled
        _finish(plan, scratch, key)
        pad = glyphs.rows.shape[1]
        if packed:
            pack(scratch.canvas, pad, images[i])
        else:
            unpack(scratch.canvas, pad, images[i], image_words[i])
        _write_boxes(glyphs, plan, scratch, labels[i], boxes[i])
    return -1, candidates, relabelled


@njit(cache=True, nogil=True, inline="always")
def _draw_until_accepted(glyphs, plan, scratch, key, label):
    """Leave an accepted candidate in ``scratch``; returns the candidates drawn, negative when all were rejected."""
    run, _, text_tries, tries_max = plan.filter
    length = 0
    for attempt in range(tries_max):
        if attempt % text_tries == 0:
            length, font = _draw_text(plan, mix(key ^ TEXT), attempt // text_tries, label)
        _draw_placement(glyphs, plan, mix(key ^ PLACE), attempt, label, length, font, scratch.placed)
        if run == 0 or _well_formed(glyphs, plan, scratch, length):
            _compose(glyphs, plan, scratch, length)
            return attempt + 1
    return -tries_max


@njit(cache=True, nogil=True, inline="always")
def _well_formed(glyphs, plan, scratch, length):
    """The segmentation filter; draws the candidate only when the glyphs' profiles cannot settle it."""
    run, slack, _, _ = plan.filter
    if slack != 2 or not inked_from_profiles(
        glyphs, scratch.placed, length, plan.shape, scratch.profile, scratch.inked
    ):
        _compose(glyphs, plan, scratch, length)
        inked_columns(scratch.canvas, glyphs.rows.shape[1], plan.shape[1], slack, scratch.inked, scratch.counts)
    return count_runs(scratch.inked, plan.shape[1], run) == length


@njit(cache=True, nogil=True, inline="always")
def _choose(below_, draw):
    """The first entry of the cumulative thresholds that lies above ``draw``."""
    i = 0
    while draw >= below_[i]:
        i += 1
    return i


@njit(cache=True, nogil=True, inline="always")
def _draw_text(plan, key, attempt, label):
    """Write the label of text number ``attempt``; returns (its length, its font)."""
    most = label.size
    first = attempt * (most + 1)
    bits = word(key, first)
    length = plan.length[0] + below(bits & LOW32, plan.length[1] - plan.length[0] + 1)
    font = _choose(plan.font_below, bits >> uint64(32))
    for k in range(most):
        label[k] = below(word(key, first + 1 + k) >> uint64(32), plan.counts[0]) if k < length else PADDING
    return length, font


@njit(cache=True, nogil=True, inline="always")
def _draw_placement(glyphs, plan, key, attempt, label, length, font, placed):
    """Turn, angle, x and y of each character from 16 bits each of one word."""
    for k in range(length):
        bits = word(key, attempt * label.size + k)
        turn = _choose(plan.turn_below, bits & LOW16)
        first, cells = plan.turn_angles[turn, 0], plan.turn_angles[turn, 1]
        angle = first + np.int64((((bits >> uint64(16)) & LOW16) * uint64(cells)) >> uint64(16))
        x_u = np.int64((bits >> uint64(32)) & LOW16) / 65536.0
        y_u = np.int64(bits >> uint64(48)) / 65536.0
        glyph = (font * plan.counts[0] + np.int64(label[k])) * plan.counts[1] + angle
        x = np.int64(np.floor(plan.x[k, 0] + plan.x[k, 1] * x_u))
        y = np.int64(np.trunc(plan.turn_y[turn, 0] + plan.turn_y[turn, 1] * y_u))
        placed[k, 0] = glyph
        placed[k, 1] = x + glyphs.place[glyph, 1]
        placed[k, 2] = y + glyphs.place[glyph, 2]


@njit(cache=True, nogil=True, inline="always")
def _compose(glyphs, plan, scratch, length):
    height, width = plan.shape
    scratch.canvas[:] = 0
    for k in range(length):
        glyph, x, y = scratch.placed[k, 0], scratch.placed[k, 1], scratch.placed[k, 2]
        first, rows, columns = glyphs.place[glyph, 0], glyphs.place[glyph, 3], glyphs.place[glyph, 4]
        if x < width and x + columns > 0:
            or_glyph(scratch.canvas, glyphs.rows.shape[1], height, glyphs.rows, first, rows, x, y)


@njit(cache=True, nogil=True, inline="always")
def _finish(plan, scratch, key):
    """OR the shared mask in, flip pixels, and open the ink as the real images' was opened."""
    height, words = plan.mask.shape
    pad = (scratch.canvas.shape[1] - words - 1) // 2
    noise = mix(key ^ NOISE)
    for y in range(height):
        for w in range(words):
            bits = scratch.canvas[y, pad + w] | plan.mask[y, w]
            if plan.flip:
                bits ^= bernoulli(noise, (y * words + w) * 16, plan.flip)
            scratch.canvas[y, pad + w] = bits
    _clear_outside(scratch.canvas, pad, words, plan.shape[1])
    if plan.open_px > 1:
        _clear_guards(scratch.canvas, pad, words)
        open_ink(scratch.canvas, pad, words, plan.open_px)
        _clear_outside(scratch.canvas, pad, words, plan.shape[1])


@njit(cache=True, nogil=True, inline="always")
def _clear_outside(canvas, pad, words, width):
    """Zero the last word's bits right of the canvas: packed rows show them, unpacked ones carry them over."""
    inside = ~uint64(0) >> uint64(-width & 63)
    for y in range(canvas.shape[0]):
        canvas[y, pad + words - 1] &= inside


@njit(cache=True, nogil=True, inline="always")
def _clear_guards(canvas, pad, words):
    for y in range(canvas.shape[0]):
        for w in range(pad):
            canvas[y, w] = 0
            canvas[y, pad + words + w] = 0


@njit(cache=True, nogil=True, inline="always")
def _write_boxes(glyphs, plan, scratch, label, boxes):
    height, width = plan.shape
    for k in range(label.size):
        if label[k] == PADDING:
            boxes[k, :] = 0
            continue
        glyph, x, y = scratch.placed[k, 0], scratch.placed[k, 1], scratch.placed[k, 2]
        boxes[k, 0] = min(max(x, 0), width)
        boxes[k, 1] = min(max(y, 0), height)
        boxes[k, 2] = min(max(x + glyphs.place[glyph, 4], 0), width)
        boxes[k, 3] = min(max(y + glyphs.place[glyph, 3], 0), height)
