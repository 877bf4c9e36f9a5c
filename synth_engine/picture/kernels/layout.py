"""Where each character stands: its glyph, the middle it turns about, and the shape of its box."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import uint64

from synth_engine.njit.jit import entry, inlined
from synth_engine.njit.random import PLACE, SPREAD, mix, sample_key, word
from synth_engine.picture.kernels.draws import unit
from synth_engine.picture.kernels.trig import cosine_sine

CELLS, FLOW, FREE = 0, 1, 2
WORDS = 16  # words of the placement key that each character may use


class Bank(NamedTuple):
    """`tiles.TileBank` as a tuple for the kernels."""

    quads: Any
    place: Any
    ink: Any
    natural: Any
    tile: Any
    advance: Any
    kerning: Any


class Layout(NamedTuple):
    """A recipe's layout as numbers; ranges are (lowest, highest)."""

    kind: Any  # CELLS, FLOW or FREE
    turns: Any  # (T, 5) float64: cumulative share, lowest angle, its span, lowest y, its span (cells)
    x: Any  # (L, 2) float64: lowest x of the tile, span (cells)
    line: Any  # (6, 2) float64: x, y, gap, jitter, space, longest (flow); x, y (free)
    centred: Any  # whether a flowing line is placed by its middle
    kerning: Any  # whether a flowing line is kerned
    space_share: Any  # share of a flowing line's characters with a space before them
    shape: Any  # (4, 2) float64: angle, scale, aspect, shear
    perspective: Any  # share of half a side by which a corner moves at most
    turn_first: Any  # whether characters are turned before they are stretched


@inlined
def between(ends, row, key, n):
    """Uniform in the range in ``ends`` (R, 2)[row], from word ``n`` of ``key``."""
    return ends[row, 0] + (ends[row, 1] - ends[row, 0]) * unit(key, n)


@entry
def place_characters(seed, start, attempts, active, layout, bank, counts, fonts, labels, alphabet, canvas, placed):
    """Write ``placed`` (B, L, 19) float64 for the active images.

    Columns: glyph, middle x, y on the canvas (px), the ink's top left relative to the middle (px, unturned), angle
    (degrees), scale, aspect, shear, each corner's moves in x and y, as shares of half the box (of the cell where
    ink is turned first), and the ink's natural width and height where it is, else 0.
    """
    for i in range(counts.size):
        if not active[i]:
            continue
        own = mix(sample_key(seed, uint64(start) + uint64(i)) ^ PLACE)
        key = mix(own + uint64(attempts[i]) * SPREAD)
        for k in range(counts[i]):
            first = (k + 1) * WORDS
            placed[i, k, 0] = fonts[i] * alphabet + labels[i, k]
            for p in range(4):
                placed[i, k, 5 + p] = between(layout.shape, p, key, first + p)
        if layout.kind == CELLS:
            _cells(key, counts[i], layout, bank, placed[i])
        elif layout.kind == FLOW:
            _flow(key, counts[i], layout, bank, fonts[i], labels[i], canvas, placed[i])
        else:
            _free(key, counts[i], layout, bank, placed[i])
        for k in range(counts[i]):
            for corner in range(4):
                u_x, u_y = unit(key, (k + 1) * WORDS + 8 + 2 * corner), unit(key, (k + 1) * WORDS + 9 + 2 * corner)
                placed[i, k, 9 + 2 * corner] = layout.perspective * (2 * u_x - 1)
                placed[i, k, 10 + 2 * corner] = layout.perspective * (2 * u_y - 1)
            glyph = np.int64(placed[i, k, 0])
            for side in range(2):
                placed[i, k, 17 + side] = bank.natural[glyph, side] if layout.turn_first else 0.0


@inlined
def _cells(key, count, layout, bank, placed):
    """`Placement`: the tile's top left in its cell, the tile turned about its middle and grown to hold the turn."""
    for k in range(count):
        bits = word(key, (k + 1) * WORDS + 4)
        u_turn, u_angle = float(bits & uint64(0xFFFF)) / 65536.0, float((bits >> uint64(16)) & uint64(0xFFFF)) / 65536.0
        u_x, u_y = float((bits >> uint64(32)) & uint64(0xFFFF)) / 65536.0, float(bits >> uint64(48)) / 65536.0
        turn = 0
        while u_turn >= layout.turns[turn, 0]:
            turn += 1
        angle = layout.turns[turn, 1] + layout.turns[turn, 2] * u_angle
        glyph = np.int64(placed[k, 0])
        width, height, baseline = bank.tile[glyph, 0], bank.tile[glyph, 1], bank.tile[glyph, 2]
        cosine, sine = cosine_sine(angle / 360)
        cosine, sine = abs(cosine), abs(sine)
        placed[k, 1] = layout.x[k, 0] + layout.x[k, 1] * u_x + (width * cosine + height * sine) / 2
        placed[k, 2] = layout.turns[turn, 3] + layout.turns[turn, 4] * u_y + (width * sine + height * cosine) / 2
        placed[k, 3] = bank.ink[glyph, 0] - width / 2
        placed[k, 4] = bank.ink[glyph, 1] + baseline - height / 2
        placed[k, 5] += angle


@inlined
def _about_own_middle(bank, placed, k):
    """Half the sides of character k's ink, which turns about its own middle."""
    glyph = np.int64(placed[k, 0])
    half_width, half_height = bank.place[glyph, 2] / 2, bank.place[glyph, 1] / 2
    placed[k, 3], placed[k, 4] = -half_width, -half_height
    return half_width, half_height


@inlined
def _flow(key, count, layout, bank, font, label, canvas, placed):
    x, y = between(layout.line, 0, key, 0), between(layout.line, 1, key, 1)
    pen = 0.0
    for k in range(count):
        glyph = np.int64(placed[k, 0])
        half_width, half_height = _about_own_middle(bank, placed, k)
        scale, stretch = placed[k, 6], placed[k, 6] * placed[k, 7]
        if k:
            pen += between(layout.line, 2, key, (k + 1) * WORDS + 5)
            if layout.kerning:
                pen += bank.kerning[font, label[k - 1], label[k]] * stretch
        if unit(key, (k + 1) * WORDS + 4) < layout.space_share:
            pen += between(layout.line, 4, key, (k + 1) * WORDS + 7)
        jitter = between(layout.line, 3, key, (k + 1) * WORDS + 6)
        placed[k, 1] = pen + (bank.ink[glyph, 0] + half_width) * stretch
        placed[k, 2] = y + jitter + (bank.ink[glyph, 1] + half_height) * scale
        pen += bank.advance[glyph] * stretch
    longest = between(layout.line, 5, key, 2)
    squeeze = longest / pen if pen > longest else 1.0
    left = canvas[1] / 2 + x - pen * squeeze / 2 if layout.centred else x
    for k in range(count):
        placed[k, 1] = left + placed[k, 1] * squeeze
        placed[k, 7] *= squeeze


@inlined
def _free(key, count, layout, bank, placed):
    for k in range(count):
        _about_own_middle(bank, placed, k)
        x = between(layout.line, 0, key, (k + 1) * WORDS + 5)
        placed[k, 2] = between(layout.line, 1, key, (k + 1) * WORDS + 6)
        at = k
        while at and placed[at - 1, 1] > x:
            placed[at, 1] = placed[at - 1, 1]
            at -= 1
        placed[at, 1] = x
