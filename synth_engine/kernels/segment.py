"""The segmentation filter: does an image fall into as many runs of inked columns as it has characters?

The original lists the blank columns (ink under minimum + slack) and keeps those whose next blank column is at least
``gap`` to the right; between two such columns lies a run of at least gap - 1 inked ones, with a blank on both sides.
"""

from __future__ import annotations

from numba import njit, uint64

from synth_engine.kernels.bits import ONES, erode, popcount


@njit(cache=True, nogil=True)
def narrow_well_formed(rows, place, columns, placed, length, shape, run):
    """The filter with slack 2 for canvases up to 128 px and glyphs up to 64 px wide: all in registers.

    Returns 1 for an image that passes, 0 for one that does not, and -1 when only the drawing can tell: no column is
    empty, or a column holds one px each of two glyphs (the same px or not).
    """
    height, width = shape
    low_once, high_once, low_twice, high_twice = uint64(0), uint64(0), uint64(0), uint64(0)
    low_both, high_both = uint64(0), uint64(0)
    for k in range(length):
        glyph, x, y = placed[k, 0], placed[k, 1], placed[k, 2]
        if y >= 0 and y + place[glyph, 3] <= height:
            one, two = columns[glyph, 0, 0], columns[glyph, 1, 0]
        else:
            one, two = _visible_profile(rows, place, glyph, 0, y, height)
        low, high = _shifted(one, x)
        low_both |= low_once & low
        high_both |= high_once & high
        low_once |= low
        high_once |= high
        low, high = _shifted(two, x)
        low_twice |= low
        high_twice |= high
    low_inside, high_inside = _inside(0, width), _inside(1, width)
    full = (low_once & low_inside) == low_inside and (high_once & high_inside) == high_inside
    unclear = (low_both & ~low_twice & low_inside) | (high_both & ~high_twice & high_inside)
    if full or unclear:
        return -1
    return int(_narrow_runs(low_twice & low_inside, high_twice & high_inside, width, run) == length)


@njit(cache=True, nogil=True)
def _shifted(bits, x):
    """Columns of a glyph at ``x`` px as the two words of a canvas of 128 px; what lies outside is lost.

    Choices instead of branches: where a glyph lies is random, and a branch on it is mispredicted.
    """
    at = x >> 6
    near = bits << uint64(x & 63)
    far = (bits >> uint64(1)) >> uint64(63 - (x & 63))
    none = uint64(0)
    return (near if at == 0 else none) | (far if at == -1 else none), (near if at == 1 else none) | (
        far if at == 0 else none
    )


@njit(cache=True, nogil=True)
def _narrow_runs(low, high, width, run):
    """`count_runs` on two words."""
    if low == ONES:
        low, high = uint64(0), high & (high + uint64(1))
    else:
        low &= low + uint64(1)
    x = width - 1
    while x >= 64 and (high >> uint64(x - 64)) & uint64(1):
        high ^= uint64(1) << uint64(x - 64)
        x -= 1
    while 0 <= x < 64 and (low >> uint64(x)) & uint64(1):
        low ^= uint64(1) << uint64(x)
        x -= 1
    have = 1
    while have < run:
        step = min(have, run - have)
        low &= (low >> uint64(step)) | (high << uint64(64 - step))
        high &= high >> uint64(step)
        have += step
    low_starts = low & ~(low << uint64(1))
    high_starts = high & ~((high << uint64(1)) | (low >> uint64(63)))
    return popcount(low_starts) + popcount(high_starts)


@njit(cache=True, nogil=True)
def inked_from_profiles(rows, place, columns, placed, length, shape, profile, inked):
    """What `inked_columns` finds for slack 2, from the glyphs' column profiles alone, before anything is drawn.

    Returns False when only the drawing can tell: no column is empty, or a column holds one px each of two glyphs
    (the same px or not). ``profile`` (3, …) is scratch with the canvas's guard words.
    """
    height, width = shape
    pad = rows.shape[1]
    profile[:] = 0
    once, twice, both = profile[0], profile[1], profile[2]
    for k in range(length):
        glyph, x, y = placed[k, 0], placed[k, 1], placed[k, 2]
        if x >= width or x + place[glyph, 4] <= 0:
            continue
        at = (x + 64 * pad) >> 6
        left = uint64(x & 63)
        whole = y >= 0 and y + place[glyph, 3] <= height
        for g in range(pad):
            if whole:
                one, two = columns[glyph, 0, g], columns[glyph, 1, g]
            else:
                one, two = _visible_profile(rows, place, glyph, g, y, height)
            twice[at + g] |= two << left
            _overlap(once, both, at + g, one << left)
            if left:
                twice[at + g + 1] |= two >> (uint64(64) - left)
                _overlap(once, both, at + g + 1, one >> (uint64(64) - left))
    return _settle(once, twice, both, pad, width, inked)


@njit(cache=True, nogil=True)
def _overlap(once, both, w, bits):
    both[w] |= once[w] & bits
    once[w] |= bits


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def _visible_profile(rows, place, glyph, g, y, height):
    """Columns with at least one, and at least two, inked px in the rows of a glyph that lie on the canvas."""
    first = place[glyph, 0]
    one, two = uint64(0), uint64(0)
    for r in range(max(0, -y), min(place[glyph, 3], height - y)):
        row = rows[first + r, g]
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


@njit(cache=True, nogil=True)
def _inside(w, width):
    left = width - 64 * w
    if left <= 0:
        return uint64(0)
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


@njit(cache=True, nogil=True)
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
