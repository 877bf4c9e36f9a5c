"""One sample from its key: draw text and placement, compose, filter, mask, noise, write out."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit, uint64

from synth_engine.kernels.bits import bernoulli, open_ink, or_glyph, pack, unpack
from synth_engine.kernels.random import NOISE, PLACE, TEXT, below, mix, sample_key, word
from synth_engine.kernels.segment import count_runs, inked_columns, inked_from_profiles, narrow_well_formed

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
    turns: Any  # (T, 5) float64: cumulative share of 2¹⁶, first angle, number of angles, lowest tile top, span (px)
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
    pixels: Any  # `bits.PIXELS`
    mirrored: Any  # `bits.MIRRORED`
    stream: Any  # (H·W / 64 + 2,) uint64: the canvas's pixels without gaps between rows
    placed: Any  # (L, 3) int64: glyph number, x and y of its ink (px)


@njit(cache=True, nogil=True)
def render(glyphs, plan, scratch, seed, start, packed, images, image_words, labels, boxes):
    """Fill the batch whose first sample is ``start``.

    Returns (index of the sample that no candidate passed for, or -1; candidates drawn; texts replaced).
    """
    rows, place, columns, placed, canvas = glyphs.rows, glyphs.place, glyphs.columns, scratch.placed, scratch.canvas
    font_below, turns, x_ranges = plan.font_below, plan.turns, plan.x
    shape, length_range, counts = plan.shape, plan.length, plan.counts
    run, slack, text_tries, tries_max = plan.filter
    pad = rows.shape[1]
    narrow = slack == 2 and shape[1] <= 128 and pad == 1
    candidates, relabelled = 0, 0
    for i in range(labels.shape[0]):
        key = sample_key(seed, uint64(start) + uint64(i))
        text_key, place_key = mix(key ^ TEXT), mix(key ^ PLACE)
        label = labels[i]
        accepted, attempt, length, font = False, 0, 0, 0
        while not accepted and attempt < tries_max:
            if attempt % text_tries == 0:
                length, font = _draw_text(text_key, attempt // text_tries, length_range, counts[0], font_below, label)
            _draw_placement(place_key, attempt, label, length, font, counts, turns, x_ranges, place, placed)
            verdict = int(run == 0)
            if run:
                verdict = narrow_well_formed(rows, place, columns, placed, length, shape, run) if narrow else -1
            accepted = verdict == 1 or (
                verdict < 0 and _well_formed(rows, place, columns, placed, length, plan, scratch)
            )
            attempt += 1
        candidates += attempt
        relabelled += (attempt - 1) // text_tries
        if not accepted:
            return i, candidates, relabelled
        _compose(rows, place, placed, length, shape, canvas)
        _finish(plan, scratch, key)
        if packed:
            pack(canvas, pad, scratch.mirrored, images[i])
        else:
            unpack(canvas, pad, scratch.pixels, scratch.stream, images[i], image_words[i])
        _write_boxes(place, placed, shape, label, boxes[i])
    return -1, candidates, relabelled


@njit(cache=True, nogil=True)
def _draw_text(key, attempt, length_range, characters, font_below, label):
    """Write the label of text number ``attempt``; returns (its length, its font)."""
    most = label.size
    first = attempt * (most + 1)
    bits = word(key, first)
    length = length_range[0] + below(bits & LOW32, length_range[1] - length_range[0] + 1)
    font = 0
    while bits >> uint64(32) >= font_below[font]:
        font += 1
    for k in range(most):
        label[k] = below(word(key, first + 1 + k) >> uint64(32), characters) if k < length else PADDING
    return length, font


@njit(cache=True, nogil=True)
def _draw_placement(key, attempt, label, length, font, counts, turns, x_ranges, place, placed):
    """Turn, angle, x and y of each character from 16 bits each of one word."""
    for k in range(length):
        bits = word(key, attempt * label.size + k)
        turn = 0
        while np.float64(bits & LOW16) >= turns[turn, 0]:
            turn += 1
        cells = uint64(turns[turn, 2])
        angle = np.int64(turns[turn, 1]) + np.int64((((bits >> uint64(16)) & LOW16) * cells) >> uint64(16))
        x_u = np.float64((bits >> uint64(32)) & LOW16) / 65536.0
        y_u = np.float64(bits >> uint64(48)) / 65536.0
        glyph = (font * counts[0] + np.int64(label[k])) * counts[1] + angle
        placed[k, 0] = glyph
        placed[k, 1] = np.int64(np.floor(x_ranges[k, 0] + x_ranges[k, 1] * x_u)) + place[glyph, 1]
        placed[k, 2] = np.int64(turns[turn, 3] + turns[turn, 4] * y_u) + place[glyph, 2]


@njit(cache=True, nogil=True)
def _well_formed(rows, place, columns, placed, length, plan, scratch):
    """The filter for any canvas and slack; draws the candidate only when the profiles cannot settle it."""
    run, slack, _, _ = plan.filter
    width = plan.shape[1]
    if slack == 2 and inked_from_profiles(
        rows, place, columns, placed, length, plan.shape, scratch.profile, scratch.inked
    ):
        return count_runs(scratch.inked, width, run) == length
    _compose(rows, place, placed, length, plan.shape, scratch.canvas)
    inked_columns(scratch.canvas, rows.shape[1], width, slack, scratch.inked, scratch.counts)
    return count_runs(scratch.inked, width, run) == length


@njit(cache=True, nogil=True)
def _compose(rows, place, placed, length, shape, canvas):
    height, width = shape
    for y in range(uint64(canvas.shape[0])):
        for w in range(uint64(canvas.shape[1])):
            canvas[y, w] = 0
    for k in range(length):
        glyph, x, y = placed[k, 0], placed[k, 1], placed[k, 2]
        first, count, columns = place[glyph, 0], place[glyph, 3], place[glyph, 4]
        if x < width and x + columns > 0:
            or_glyph(canvas, rows.shape[1], height, rows, first, count, x, y)


@njit(cache=True, nogil=True)
def _finish(plan, scratch, key):
    """OR the shared mask in, flip pixels, and open the ink as the real images' was opened."""
    height, words = plan.mask.shape
    pad = (scratch.canvas.shape[1] - words - 1) // 2
    canvas, mask, first = scratch.canvas, plan.mask, uint64(pad)
    for y in range(uint64(height)):
        for w in range(uint64(words)):
            canvas[y, first + w] |= mask[y, w]
    if plan.flip:
        _flip(scratch.canvas, pad, words, mix(key ^ NOISE), plan.flip)
    _clear_outside(scratch.canvas, pad, words, plan.shape[1])
    if plan.open_px > 1:
        _clear_guards(scratch.canvas, pad, words)
        open_ink(scratch.canvas, pad, words, plan.open_px)
        _clear_outside(scratch.canvas, pad, words, plan.shape[1])


@njit(cache=True, nogil=True)
def _flip(canvas, pad, words, key, q):
    """Flip each pixel with probability q / 2¹⁶."""
    for y in range(canvas.shape[0]):
        for w in range(words):
            canvas[y, pad + w] ^= bernoulli(key, (y * words + w) * 16, q)


@njit(cache=True, nogil=True)
def _clear_outside(canvas, pad, words, width):
    """Zero the last word's bits right of the canvas: packed rows show them, unpacked ones carry them over."""
    inside = ~uint64(0) >> uint64(-width & 63)
    last = uint64(pad + words - 1)
    for y in range(uint64(canvas.shape[0])):
        canvas[y, last] &= inside


@njit(cache=True, nogil=True)
def _clear_guards(canvas, pad, words):
    for y in range(canvas.shape[0]):
        for w in range(pad):
            canvas[y, w] = 0
            canvas[y, pad + words + w] = 0


@njit(cache=True, nogil=True)
def _write_boxes(place, placed, shape, label, boxes):
    height, width = shape
    for k in range(label.size):
        if label[k] == PADDING:
            boxes[k, :] = 0
            continue
        glyph, x, y = placed[k, 0], placed[k, 1], placed[k, 2]
        boxes[k, 0] = min(max(x, 0), width)
        boxes[k, 1] = min(max(y, 0), height)
        boxes[k, 2] = min(max(x + place[glyph, 4], 0), width)
        boxes[k, 3] = min(max(y + place[glyph, 3], 0), height)
