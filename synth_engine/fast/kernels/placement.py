"""Where and how the characters of a candidate stand: 16 random bits each for turn, angle, x and y."""

from __future__ import annotations

import numpy as np
from numba import uint64

from synth_engine.njit.jit import inlined
from synth_engine.njit.random import word

LOW16 = np.uint64(0xFFFF)
LOW32 = np.uint64(0xFFFFFFFF)


@inlined
def draw_placement(key, attempt, label, length, face, plan, table, placed):
    """Write glyph number, x and y of the ink of each character of candidate ``attempt`` to ``placed`` (L, 3)."""
    first = uint64(attempt) * uint64(label.size)
    turns, turns_y, x_ranges = plan.turns, plan.turns_y, plan.x
    characters, angles = uint64(plan.counts[0]), uint64(plan.counts[1])
    for k in range(uint64(length)):
        bits = word(key, first + k)
        turn = uint64(0)
        for t in range(uint64(turns.shape[0] - 1)):  # Counted by sign: which turn it is, no branch can predict.
            turn += uint64(1) - (((bits & LOW16) - turns[t, uint64(0)]) >> uint64(63))
        x_u = np.float64(np.int64((bits >> uint64(32)) & LOW16)) / 65536.0
        y_u = np.float64(np.int64(bits >> uint64(48))) / 65536.0
        angle = turns[turn, uint64(1)] + ((((bits >> uint64(16)) & LOW16) * turns[turn, uint64(2)]) >> uint64(16))
        glyph = (uint64(face) * characters + uint64(label[k])) * angles + angle
        x = np.int64(np.floor(x_ranges[k, uint64(0)] + x_ranges[k, uint64(1)] * x_u))
        y = np.int64(turns_y[turn, uint64(0)] + turns_y[turn, uint64(1)] * y_u)
        placed[k, uint64(0)] = np.int64(glyph)
        at = table[uint64(2) * glyph, uint64(1)]
        placed[k, uint64(1)] = x + np.int64(at & LOW32)
        placed[k, uint64(2)] = y + np.int64(at >> uint64(32))


@inlined
def ink_of(table, glyph):
    """(first row, height, width) of a glyph's ink."""
    packed = table[uint64(2) * glyph, uint64(0)]
    return np.int64(packed & LOW32), np.int64((packed >> uint64(32)) & LOW16), np.int64(packed >> uint64(48))
