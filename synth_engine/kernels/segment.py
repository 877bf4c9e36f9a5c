"""The segmentation filter: does an image fall into as many runs of inked columns as it has characters?

The original lists the blank columns (ink under minimum + slack) and keeps those whose next blank column is at least
``gap`` to the right; between two such columns lies a run of at least gap - 1 inked ones, with a blank on both sides.
"""

from __future__ import annotations

from numba import njit, uint64

from synth_engine.kernels.bits import ONES, erode, popcount


@njit(cache=True, nogil=True, inline="always")
def inked_from_profiles(glyphs, placed, length, shape, profile, inked):
    """What `inked_columns` finds for slack 2, from the glyphs' column profiles alone, before anything is drawn.

    Returns False when only the drawing can tell: no column is empty, or a column holds one px each of two glyphs
    (the same px or not). ``profile`` (3, …) is scratch with the canvas's guard words.
    """
    height, width = shape
    pad = glyphs.rows.shape[1]
    profile[:] = 0
    once, twice, both = profile[0], profile[1], profile[2]
    for k in range(length):
        glyph, x, y = placed[k, 0], placed[k, 1], placed[k, 2]
        if x >= width or x + glyphs.place[glyph, 4] <= 0:
            continue
        at = (x + 64 * pad) >> 6
        left = uint64(x & 63)
        whole = y >= 0 and y + glyphs.place[glyph, 3] <= height
        for g in range(pad):
            if whole:
                one, two = glyphs.columns[glyph, 0, g], glyphs.columns[glyph, 1, g]
            else:
                one, two = _visible_profile(glyphs, glyph, g, y, height)
            twice[at + g] |= two << left
            _overlap(once, both, at + g, one << left)
            if left:
                twice[at + g + 1] |= two >> (uint64(64) - left)
                _overlap(once, both, at + g + 1, one >> (uint64(64) - left))
    return _settle(once, twice, both, pad, width, inked)


@njit(cache=True, nogil=True, inline="always")
def _overlap(once, both, w, bits):
    both[w] |= once[w] & bits
    once[w] |= bits


@njit(cache=True, nogil=True, inline="always")
def _settle(once, twice, both, pad, width, inked):
    words = inked.size - 1
    inked[words] = 0
    some_blank, unclear = False, uint64(0)
    for w in range(words):
        inside = _inside(w, width)
        inked[w] = twice[pad + w] & inside
        some_blank |= (once[pad + w] & inside) != inside
        unclear |= both[pad + w] & ~twice[pad + w] & inside
    return some_blank and unclear == 0


@njit(cache=True, nogil=True, inline="always")
def _visible_profile(glyphs, glyph, g, y, height):
    """Columns with at least one, and at least two, inked px in the rows of a glyph that lie on the canvas."""
    first = glyphs.place[glyph, 0]
    one, two = uint64(0), uint64(0)
    for r in range(max(0, -y), min(glyphs.place[glyph, 3], height - y)):
        row = glyphs.rows[first + r, g]
        two |= one & row
        one |= row
    return one, two


@njit(cache=True, nogil=True)
def inked_columns(canvas, pad, width, slack, inked, counts):
    """Set bit x of ``inked`` where column x holds at least minimum + ``slack`` px of ink.

    Returns nothing; ``inked`` (words + 1) gets a zero word behind the last. ``counts`` (width) is scratch.
    """
    words = inked.size - 1
    inked[words] = 0
    some_blank = False
    for w in range(words):
        once, twice = uint64(0), uint64(0)
        for y in range(canvas.shape[0]):
            row = canvas[y, pad + w]
            twice |= once & row
            once |= row
        inside = _inside(w, width)
        inked[w] = twice & inside
        some_blank |= (once & inside) != inside
    if slack != 2 or not some_blank:
        _inked_by_count(canvas, pad, width, slack, inked, counts)


@njit(cache=True, nogil=True, inline="always")
def _inside(w, width):
    left = width - 64 * w
    return ONES if left >= 64 else (uint64(1) << uint64(left)) - uint64(1)


@njit(cache=True, nogil=True)
def _inked_by_count(canvas, pad, width, slack, inked, counts):
    """The general case: integer sums of columns, needed when no column is empty or the slack is not 2."""
    counts[:] = 0
    for y in range(canvas.shape[0]):
        for x in range(width):
            counts[x] += (canvas[y, pad + (x >> 6)] >> uint64(x & 63)) & uint64(1)
    inked[:] = 0
    least = counts.min()
    for x in range(width):
        if counts[x] >= least + slack:
            inked[x >> 6] |= uint64(1) << uint64(x & 63)


@njit(cache=True, nogil=True)
def count_runs(inked, width, run):
    """Number of runs of at least ``run`` ones in ``inked`` that touch neither edge; overwrites ``inked``."""
    _clear_edge_runs(inked, width)
    words = inked.size - 1
    erode(inked, 0, words, run)
    total, carry = 0, uint64(0)
    for w in range(words):
        total += popcount(inked[w] & ~((inked[w] << uint64(1)) | carry))
        carry = inked[w] >> uint64(63)
    return total


@njit(cache=True, nogil=True, inline="always")
def _clear_edge_runs(inked, width):
    for w in range(inked.size - 1):
        whole = inked[w] == ONES
        inked[w] &= inked[w] + uint64(1)
        if not whole:
            break
    x = width - 1
    while x >= 0 and (inked[x >> 6] >> uint64(x & 63)) & uint64(1):
        inked[x >> 6] ^= uint64(1) << uint64(x & 63)
        x -= 1
