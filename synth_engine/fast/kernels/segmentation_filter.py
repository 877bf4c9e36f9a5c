"""The segmentation filter: does an image fall into as many runs of inked columns as it has characters?

The original lists the blank columns (ink under minimum + slack) and keeps those whose next blank column is at least
``gap`` to the right; between two such columns lies a run of at least gap - 1 inked ones, with a blank on both sides.
"""

from __future__ import annotations

import numpy as np
from numba import uint64

from synth_engine.fast.kernels import columns as col
from synth_engine.fast.kernels.placement import ink_of
from synth_engine.njit.bits import ONES, erode
from synth_engine.njit.intrinsics import popcount
from synth_engine.njit.jit import inlined, pasted

NONE = np.uint64(0)


@inlined
def decide_by_profiles(table, glyph_count, placed, length, height, narrow, run):
    """The filter with slack 2 for canvases up to 128 px and glyphs up to 64 px wide, without branches.

    ``table`` is the glyph bank's, with profiles, of ``glyph_count`` glyphs; ``placed`` (L, 3) int64; ``height`` px;
    ``narrow`` is `Plan.narrow`; ``run``: columns that a run has at least. Returns 1 for an image that passes, 0 for
    one that does not, and -1 when the profiles cannot tell: no column is empty, a column holds one px each of two
    glyphs (the same px or not), or a glyph is cut both above and below.
    """
    low_inside, high_inside, low_right, high_right = narrow
    low_once, high_once, low_twice, high_twice = NONE, NONE, NONE, NONE
    low_both, high_both = NONE, NONE
    unclear = False
    none = uint64(table.shape[0] - 1)
    prefixes = 2 * np.int64(glyph_count)
    suffixes = (prefixes + np.int64(none)) >> 1
    for k in range(uint64(length)):
        glyph, x, y = uint64(placed[k, col.GLYPH]), placed[k, col.X], placed[k, col.Y]
        first, rows, _ = ink_of(table, glyph)
        top, end = max(0, -y), min(rows, height - y)
        entry = uint64(prefixes + first + end - 1) if top == 0 else uint64(suffixes + first + top)
        entry = uint64(2) * glyph + uint64(1) if top == 0 and end == rows else entry if top < end else none
        unclear |= (top > 0) & (end < rows)
        one, two = table[entry, col.ONCE], table[entry, col.TWICE]
        low, high = _shifted(one, x)
        low_both |= low_once & low
        high_both |= high_once & high
        low_once |= low
        high_once |= high
        low, high = _shifted(two, x)
        low_twice |= low
        high_twice |= high
    unclear |= ((low_once & low_inside) == low_inside) & ((high_once & high_inside) == high_inside)
    unclear |= ((low_both & ~low_twice & low_inside) | (high_both & ~high_twice & high_inside)) != NONE
    low, high = low_twice & low_inside, high_twice & high_inside
    have = 1
    while have < run:
        step = min(have, run - have)
        low &= (low >> uint64(step)) | (high << uint64(64 - step))
        high &= high >> uint64(step)
        have += step
    # Of the runs, those that touch an edge do not count; where one touches both, no column is empty.
    runs = popcount(low & ~(low << uint64(1))) + popcount(high & ~((high << uint64(1)) | (low >> uint64(63))))
    runs -= (low & uint64(1)) + uint64(((low & low_right) | (high & high_right)) != NONE)
    return -1 if unclear else int(runs == uint64(length))


@pasted
def _shifted(bits, x):
    """Columns of a glyph at ``x`` px as the two words of a canvas of 128 px; what lies outside is lost.

    Masks instead of choices: where a glyph lies is random, and compilers make branches of choices.
    """
    before, first, second = NONE - uint64(x >> 6 == -1), NONE - uint64(x >> 6 == 0), NONE - uint64(x >> 6 == 1)
    near = bits << uint64(x & 63)
    far = (bits >> uint64(1)) >> uint64(63 - (x & 63))
    return (near & first) | (far & before), (near & second) | (far & first)


@inlined
def inked_columns(canvas, pad, height, width, slack, inked, counts):
    """Set bit x of ``inked`` where column x holds at least minimum + ``slack`` px of ink.

    ``inked`` (words + 1,) uint64 gets a zero word behind the last; ``counts`` (width,) int64 is scratch.
    """
    words = inked.size - 1
    inked[words] = 0
    some_blank = False
    for w in range(words):
        once, twice = NONE, NONE
        for y in range(height):
            row = canvas[pad + w, y]
            twice |= once & row
            once |= row
        inside = inside_word(w, width)
        inked[w] = twice & inside
        some_blank |= (once & inside) != inside
    if slack != 2 or not some_blank:
        _inked_by_count(canvas, pad, height, width, slack, inked, counts)


@pasted
def inside_word(w, width):
    """Bits of word ``w`` that lie on a canvas of ``width`` px."""
    left = width - 64 * w
    if left <= 0:
        return NONE
    return ONES if left >= 64 else (uint64(1) << uint64(left)) - uint64(1)


@inlined
def _inked_by_count(canvas, pad, height, width, slack, inked, counts):
    """The general case: integer sums of columns, needed when no column is empty or the slack is not 2."""
    for x in range(width):
        counts[x] = 0
    for y in range(height):
        for x in range(width):
            counts[x] += np.int64((canvas[pad + (x >> 6), y] >> uint64(x & 63)) & uint64(1))
    least = counts[0]
    for x in range(width):
        least = min(least, counts[x])
        inked[x >> 6] = 0
    for x in range(width):
        if counts[x] >= least + slack:
            inked[x >> 6] |= uint64(1) << uint64(x & 63)


@inlined
def count_runs(inked, width, run):
    """Number of runs of at least ``run`` ones in ``inked`` that touch neither edge; overwrites ``inked``."""
    _clear_edge_runs(inked, width)
    erode(inked, run)
    total, carry = NONE, NONE
    for w in range(inked.size - 1):
        total += popcount(inked[w] & ~((inked[w] << uint64(1)) | carry))
        carry = inked[w] >> uint64(63)
    return np.int64(total)


@inlined
def _clear_edge_runs(inked, width):
    """Clear the runs of ones that touch column 0 or column ``width - 1``."""
    for w in range(inked.size - 1):
        whole = inked[w] == ONES
        inked[w] &= inked[w] + uint64(1)
        if not whole:
            break
    x = width - 1
    while x >= 0 and (inked[x >> 6] >> uint64(x & 63)) & uint64(1):
        inked[x >> 6] ^= uint64(1) << uint64(x & 63)
        x -= 1
