"""Where and how the characters of a candidate stand: 16 random bits each for turn, angle, x and y."""

from __future__ import annotations

import numpy as np
from numba import uint64

from synth_engine.fast.kernels import columns as col
from synth_engine.njit.jit import inlined
from synth_engine.njit.random import word

LOW16 = np.uint64(0xFFFF)
LOW32 = np.uint64(0xFFFFFFFF)


@inlined
def sample_placement(key, attempt, label, length, face, plan, table, placed):
    """Write ``placed`` (L, 3) int64 for candidate ``attempt``; its columns are in `columns`.

    ``label`` (L,) uint8, ``length`` and ``face`` as `sample_text` gives them; ``table``: the glyph bank's. Character k
    reads word attempt · L + k of ``key``: from the lowest bit on, 16 bits each choose its turn, angle, x and y.
    """
    first = uint64(attempt) * uint64(label.size)
    turns, turns_y, x_ranges = plan.turns, plan.turns_y, plan.x
    characters, angles = uint64(plan.counts[0]), uint64(plan.counts[1])
    for k in range(uint64(length)):
        bits = word(key, first + k)
        turn = uint64(0)
        for t in range(uint64(turns.shape[0] - 1)):  # Counted by sign: which turn it is, no branch can predict.
            turn += uint64(1) - (((bits & LOW16) - turns[t, col.SHARE]) >> uint64(63))
        x_u = np.float64(np.int64((bits >> uint64(32)) & LOW16)) / 65536.0
        y_u = np.float64(np.int64(bits >> uint64(48))) / 65536.0
        angle = turns[turn, col.FIRST_ANGLE] + (
            (((bits >> uint64(16)) & LOW16) * turns[turn, col.ANGLES]) >> uint64(16)
        )
        glyph = (uint64(face) * characters + uint64(label[k])) * angles + angle
        x = np.int64(np.floor(x_ranges[k, col.LOWEST] + x_ranges[k, col.SPAN] * x_u))
        y = np.int64(turns_y[turn, col.LOWEST] + turns_y[turn, col.SPAN] * y_u)
        placed[k, col.GLYPH] = np.int64(glyph)
        at = table[uint64(2) * glyph, col.OFFSET]
        placed[k, col.X] = x + np.int64(at & LOW32)
        placed[k, col.Y] = y + np.int64(at >> uint64(32))


@inlined
def ink_of(table, glyph):
    """(first row, height, width) of a glyph's ink, as int64; the lengths are in px."""
    packed = table[uint64(2) * glyph, col.ROWS]
    return np.int64(packed & LOW32), np.int64((packed >> uint64(32)) & LOW16), np.int64(packed >> uint64(48))
