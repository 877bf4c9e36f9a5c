"""Where each character stands: its glyph, the middle it turns about, and the shape of its box."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import uint64
from numpy.typing import NDArray

from synth_engine.njit.jit import entry, inlined
from synth_engine.njit.random import PLACE, SPREAD, mix, sample_key, word
from synth_engine.picture.kernels import columns as col
from synth_engine.picture.kernels.sampling import unit
from synth_engine.picture.kernels.trig import cosine_sine

CELLS, FLOW, FREE = 0, 1, 2
# Words of an image's placement key: 0, 1, 2 are the line's x, y and length; character k has 16 from 16·(k + 1) on.
WORDS = 16
SHAPE_WORD = 0  # … 3: angle, scale, aspect, shear
CELL_WORD = SPACE_CHANCE_WORD = 4
GAP_WORD = FREE_X_WORD = 5
JITTER_WORD = FREE_Y_WORD = 6
SPACE_WORD = 7
CORNERS_WORD = 8  # … 15


class TileArrays(NamedTuple):
    """`tiles.TileBank` as a tuple for the kernels."""

    quads: NDArray[np.uint32]
    place: NDArray[np.int64]
    ink: NDArray[np.float64]
    natural: NDArray[np.float64]
    tile: NDArray[np.float64]
    advance: NDArray[np.float64]
    kerning: NDArray[np.float64]


class LayoutArrays(NamedTuple):
    """A recipe's layout as numbers; ranges are (lowest, highest) unless they say span. Columns: `columns`."""

    kind: int  # CELLS, FLOW or FREE
    turns: NDArray[np.float64]  # (T, 5): cumulative share, lowest angle, its span, lowest y, its span (cells)
    x: NDArray[np.float64]  # (L, 2): lowest x of the tile, span, px (cells)
    line: NDArray[np.float64]  # (6, 2), px: x, y, gap, jitter, space, longest (flow); x, y (free)
    centred: bool  # whether a flowing line is placed by its middle
    kerning: bool  # whether a flowing line is kerned
    space_share: float  # share of a flowing line's characters with a space before them
    shape: NDArray[np.float64]  # (4, 2): angle in degrees, scale, aspect, shear
    perspective: float  # share of half a side by which a corner moves at most
    turn_first: bool  # whether characters are turned before they are stretched


@inlined
def between(ends, row, key, n):
    """Uniform in the range (lowest, highest) of ``ends`` (R, 2)[row], from word ``n`` of ``key``."""
    return ends[row, 0] + (ends[row, 1] - ends[row, 0]) * unit(key, n)


@entry
def place_characters(seed, start, attempts, active, layout, bank, counts, fonts, labels, alphabet, canvas, placed):
    """Write ``placed`` (B, L, 19) float64 for the active images; its columns are in `columns`.

    ``attempts`` (B,) int64, ``active`` (B,) bool; ``layout``: `LayoutArrays`; ``bank``: `TileArrays`; ``counts`` and
    ``fonts`` (B,) int64 and ``labels`` (B, L) uint8 as `texts.sample_texts` writes them; ``alphabet``: characters in
    it; ``canvas``: (height, width) px.
    """
    for i in range(counts.size):
        if not active[i]:
            continue
        own = mix(sample_key(seed, uint64(start) + uint64(i)) ^ PLACE)
        key = mix(own + uint64(attempts[i]) * SPREAD)
        for k in range(counts[i]):
            placed[i, k, col.GLYPH] = fonts[i] * alphabet + labels[i, k]
            for p in range(4):
                placed[i, k, col.ANGLE_DEG + p] = between(layout.shape, p, key, _first_word(k) + SHAPE_WORD + p)
        if layout.kind == CELLS:
            _cells(key, counts[i], layout, bank, placed[i])
        elif layout.kind == FLOW:
            _flow(key, counts[i], layout, bank, fonts[i], labels[i], canvas, placed[i])
        else:
            _free(key, counts[i], layout, bank, placed[i])
        for k in range(counts[i]):
            first = _first_word(k) + CORNERS_WORD
            for side in range(8):
                placed[i, k, col.CORNERS + side] = layout.perspective * (2 * unit(key, first + side) - 1)
            glyph = np.int64(placed[i, k, col.GLYPH])
            placed[i, k, col.NATURAL_WIDTH] = bank.natural[glyph, col.WIDTH] if layout.turn_first else 0.0
            placed[i, k, col.NATURAL_HEIGHT] = bank.natural[glyph, col.HEIGHT] if layout.turn_first else 0.0


@inlined
def _first_word(k):
    """The first word of the placement key that is character ``k``'s."""
    return (k + 1) * WORDS


@inlined
def _cells(key, count, layout, bank, placed):
    """`Placement`: the tile's top left in its cell, the tile turned about its middle and grown to hold the turn."""
    for k in range(count):
        bits = word(key, _first_word(k) + CELL_WORD)
        u_turn, u_angle = float(bits & uint64(0xFFFF)) / 65536.0, float((bits >> uint64(16)) & uint64(0xFFFF)) / 65536.0
        u_x, u_y = float((bits >> uint64(32)) & uint64(0xFFFF)) / 65536.0, float(bits >> uint64(48)) / 65536.0
        turn = 0
        while u_turn >= layout.turns[turn, col.TURN_SHARE]:
            turn += 1
        angle = layout.turns[turn, col.TURN_ANGLE] + layout.turns[turn, col.TURN_ANGLE_SPAN] * u_angle
        glyph = np.int64(placed[k, col.GLYPH])
        width, height = bank.tile[glyph, col.TILE_WIDTH], bank.tile[glyph, col.TILE_HEIGHT]
        cosine, sine = cosine_sine(angle / 360)
        cosine, sine = abs(cosine), abs(sine)
        left = layout.x[k, col.LOWEST] + layout.x[k, col.SPAN] * u_x
        top = layout.turns[turn, col.TURN_Y] + layout.turns[turn, col.TURN_Y_SPAN] * u_y
        placed[k, col.MIDDLE_X] = left + (width * cosine + height * sine) / 2
        placed[k, col.MIDDLE_Y] = top + (width * sine + height * cosine) / 2
        placed[k, col.LEFT] = bank.ink[glyph, col.X] - width / 2
        placed[k, col.TOP] = bank.ink[glyph, col.Y] + bank.tile[glyph, col.TILE_BASELINE] - height / 2
        placed[k, col.ANGLE_DEG] += angle


@inlined
def _about_own_middle(bank, placed, k):
    """Half the sides (px) of character k's ink, which turns about its own middle."""
    glyph = np.int64(placed[k, col.GLYPH])
    half_width, half_height = bank.place[glyph, col.INK_WIDTH] / 2, bank.place[glyph, col.INK_HEIGHT] / 2
    placed[k, col.LEFT], placed[k, col.TOP] = -half_width, -half_height
    return half_width, half_height


@inlined
def _flow(key, count, layout, bank, font, label, canvas, placed):
    """`Flow`: a pen moves along the baseline by gaps, kerning, spaces and advances; the line may then be squeezed."""
    x, y = between(layout.line, col.LINE_X, key, 0), between(layout.line, col.LINE_Y, key, 1)
    pen = 0.0
    for k in range(count):
        glyph, first = np.int64(placed[k, col.GLYPH]), _first_word(k)
        half_width, half_height = _about_own_middle(bank, placed, k)
        scale, stretch = placed[k, col.SCALE], placed[k, col.SCALE] * placed[k, col.ASPECT]
        if k:
            pen += between(layout.line, col.LINE_GAP, key, first + GAP_WORD)
            if layout.kerning:
                pen += bank.kerning[font, label[k - 1], label[k]] * stretch
        if unit(key, first + SPACE_CHANCE_WORD) < layout.space_share:
            pen += between(layout.line, col.LINE_SPACE, key, first + SPACE_WORD)
        jitter = between(layout.line, col.LINE_JITTER, key, first + JITTER_WORD)
        placed[k, col.MIDDLE_X] = pen + (bank.ink[glyph, col.X] + half_width) * stretch
        placed[k, col.MIDDLE_Y] = y + jitter + (bank.ink[glyph, col.Y] + half_height) * scale
        pen += bank.advance[glyph] * stretch
    longest = between(layout.line, col.LINE_FIT, key, 2)
    squeeze = longest / pen if pen > longest else 1.0
    left = canvas[1] / 2 + x - pen * squeeze / 2 if layout.centred else x
    for k in range(count):
        placed[k, col.MIDDLE_X] = left + placed[k, col.MIDDLE_X] * squeeze
        placed[k, col.ASPECT] *= squeeze


@inlined
def _free(key, count, layout, bank, placed):
    """`Free`: middles anywhere in the ranges, their x sorted so that the text reads from left to right."""
    for k in range(count):
        _about_own_middle(bank, placed, k)
        x = between(layout.line, col.LINE_X, key, _first_word(k) + FREE_X_WORD)
        placed[k, col.MIDDLE_Y] = between(layout.line, col.LINE_Y, key, _first_word(k) + FREE_Y_WORD)
        at = k
        while at and placed[at - 1, col.MIDDLE_X] > x:
            placed[at, col.MIDDLE_X] = placed[at - 1, col.MIDDLE_X]
            at -= 1
        placed[at, col.MIDDLE_X] = x
