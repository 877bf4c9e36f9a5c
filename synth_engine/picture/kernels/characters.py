"""Characters rendered turned, scaled, slanted and in perspective, each on a patch of its own.

Source of the mapping between a unit square and a quadrilateral: Heckbert, "Fundamentals of Texture Mapping and Image
Warping", 1989, section 2.2.3.
"""

from __future__ import annotations

import numpy as np
from numba import uint64

from synth_engine.njit.jit import entry, inlined
from synth_engine.picture.kernels import columns as col
from synth_engine.picture.kernels.trig import cosine_sine

BORDER = 1  # px of zeros around each tile: sampling between two pixels then needs no test at the edge
RUN = 64  # px that are sampled before their positions, added up in single precision, are taken exactly again
MARGIN = 1e-5  # of a tile's side and 100 px: more than these sums may be wrong by in a run


@entry
def render_characters(active, counts, placed, quads, place, nearest, corners, inverse, ink, origin, extent):
    """Render every character of the active images on its patch; `picture.kernels` describes the patches' arrays.

    ``placed`` (B, L, 19) float64: as `layout.place_characters` writes it; ``quads`` and ``place``: the tile bank's.
    ``nearest``: whether a pixel is the tile's nearest one. ``corners`` (4, 2) and ``inverse`` (9,) float64 are scratch.
    """
    for i in range(counts.size):
        if not active[i]:
            continue
        for k in range(counts[i]):
            glyph = np.int64(placed[i, k, col.GLYPH])
            if placed[i, k, col.NATURAL_WIDTH] > 0:
                _corners_in_cell(placed[i, k], place[glyph, col.INK_HEIGHT], place[glyph, col.INK_WIDTH], corners)
            else:
                _corners(placed[i, k], place[glyph, col.INK_HEIGHT], place[glyph, col.INK_WIDTH], corners)
            _clear(ink[i, k], extent[i, k])
            _frame(corners, ink.shape[2], origin[i, k], extent[i, k])
            _from_unit_square(corners, inverse)
            _sample(quads, place, glyph, nearest, inverse, ink[i, k], origin[i, k], extent[i, k])


@inlined
def _corners(character, height, width, corners):
    """Write the ink's corners (4, 2), px on the canvas: top left, top right, bottom right, bottom left.

    ``character``: a row of ``placed``; ``height`` and ``width`` px of its ink in the tile bank.
    """
    scale, aspect, shear = character[col.SCALE], character[col.ASPECT], character[col.SHEAR]
    cosine, sine = cosine_sine(character[col.ANGLE_DEG] / 360)
    for c in range(4):
        x = character[col.LEFT] + (width if c == 1 or c == 2 else 0)
        y = character[col.TOP] + (height if c >= 2 else 0)
        x, y = (x * aspect - shear * y) * scale, y * scale
        x += character[col.CORNERS + 2 * c] * width * scale * aspect / 2
        y += character[col.CORNERS + 2 * c + 1] * height * scale / 2
        corners[c, 0] = character[col.MIDDLE_X] + x * cosine + y * sine
        corners[c, 1] = character[col.MIDDLE_Y] - x * sine + y * cosine


@inlined
def _corners_in_cell(character, height, width, corners):
    """As `_corners`, of ink that is turned in its own proportions and then stretched until it touches its cell.

    The cell's corners move, and what lies between them in proportion.
    """
    scale, aspect, shear = character[col.SCALE], character[col.ASPECT], character[col.SHEAR]
    cosine, sine = cosine_sine(character[col.ANGLE_DEG] / 360)
    reach_x, reach_y = 0.0, 0.0
    for c in range(4):
        x = character[col.NATURAL_WIDTH] * (0.5 if c == 1 or c == 2 else -0.5)
        y = character[col.NATURAL_HEIGHT] * (0.5 if c >= 2 else -0.5)
        x -= shear * y
        corners[c, 0], corners[c, 1] = x * cosine + y * sine, y * cosine - x * sine
        reach_x, reach_y = max(reach_x, abs(corners[c, 0])), max(reach_y, abs(corners[c, 1]))
    across, down = width * scale * aspect, height * scale
    left, top = character[col.LEFT] * scale * aspect, character[col.TOP] * scale
    for c in range(4):
        u, v = corners[c, 0] / reach_x, corners[c, 1] / reach_y
        move_x, move_y = 0.0, 0.0
        for corner in range(4):
            weight = (1 + u if corner == 1 or corner == 2 else 1 - u) * (1 + v if corner >= 2 else 1 - v) / 4
            move_x += weight * character[col.CORNERS + 2 * corner]
            move_y += weight * character[col.CORNERS + 2 * corner + 1]
        corners[c, 0] = character[col.MIDDLE_X] + left + (1 + u + move_x) * across / 2
        corners[c, 1] = character[col.MIDDLE_Y] + top + (1 + v + move_y) * down / 2


@inlined
def _clear(ink, extent):
    """Zero the patch, which is 0 outside its extent."""
    for y in range(extent[col.Y0], extent[col.Y1]):
        ink[y, extent[col.X0] : extent[col.X1]] = 0


@inlined
def _frame(corners, side, origin, extent):
    """Put the patch of ``side`` px around the corners, with room for later stages on all sides; writes its extent."""
    left = min(corners[0, 0], corners[1, 0], corners[2, 0], corners[3, 0]) - 1
    right = max(corners[0, 0], corners[1, 0], corners[2, 0], corners[3, 0]) + 1
    top = min(corners[0, 1], corners[1, 1], corners[2, 1], corners[3, 1]) - 1
    bottom = max(corners[0, 1], corners[1, 1], corners[2, 1], corners[3, 1]) + 1
    origin[col.X] = np.int64(np.floor((left + right - side) / 2))
    origin[col.Y] = np.int64(np.floor((top + bottom - side) / 2))
    extent[col.X0] = max(0, np.int64(np.floor(left)) - origin[col.X])
    extent[col.Y0] = max(0, np.int64(np.floor(top)) - origin[col.Y])
    extent[col.X1] = max(extent[col.X0], min(side, np.int64(np.ceil(right)) - origin[col.X]))
    extent[col.Y1] = max(extent[col.Y0], min(side, np.int64(np.ceil(bottom)) - origin[col.Y]))


@inlined
def _from_unit_square(corners, inverse):
    """Adjugate of the matrix that maps the unit square to ``corners``: canvas to (u·w, v·w, w), w > 0 inside."""
    x0, y0, x1, y1 = corners[0, 0], corners[0, 1], corners[1, 0], corners[1, 1]
    x2, y2, x3, y3 = corners[2, 0], corners[2, 1], corners[3, 0], corners[3, 1]
    dx1, dx2, dx3 = x1 - x2, x3 - x2, x0 - x1 + x2 - x3
    dy1, dy2, dy3 = y1 - y2, y3 - y2, y0 - y1 + y2 - y3
    determinant = dx1 * dy2 - dx2 * dy1
    g = (dx3 * dy2 - dx2 * dy3) / determinant
    h = (dx1 * dy3 - dx3 * dy1) / determinant
    a, b, c = x1 - x0 + g * x1, x3 - x0 + h * x3, x0
    d, e, f = y1 - y0 + g * y1, y3 - y0 + h * y3, y0
    inverse[0], inverse[1], inverse[2] = e - f * h, c * h - b, b * f - c * e
    inverse[3], inverse[4], inverse[5] = f * g - d, a - c * g, c * d - a * f
    inverse[6], inverse[7], inverse[8] = d * h - e * g, b * g - a * h, a * e - b * d


@inlined
def _sample(quads, place, glyph, nearest, inverse, ink, origin, extent):
    """Inverse mapping with bilinear interpolation between the tile's pixels, or to the nearest of them."""
    first, height, width = (
        np.uint32(place[glyph, col.FIRST_QUAD]),
        place[glyph, col.INK_HEIGHT],
        place[glyph, col.INK_WIDTH],
    )
    for y in range(extent[col.Y0], extent[col.Y1]):
        at_x, at_y = origin[col.X] + extent[col.X0] + 0.5, origin[col.Y] + y + 0.5
        w = inverse[6] * at_x + inverse[7] * at_y + inverse[8]
        # Numerators of the tile's column and row, border included: x is inside where 0 ≤ n/w < side + 1.
        shift = BORDER - 0.5
        s = (inverse[0] * at_x + inverse[1] * at_y + inverse[2]) * width + shift * w
        t = (inverse[3] * at_x + inverse[4] * at_y + inverse[5]) * height + shift * w
        steps = inverse[0] * width + shift * inverse[6], inverse[3] * height + shift * inverse[6], inverse[6]
        row = ink[y, extent[col.X0] : extent[col.X1]]
        begin, end = _inside(s, t, w, steps, width + 1, height + 1, row.size)
        for x in range(begin, end, RUN):
            at = s + x * steps[0], t + x * steps[1], w + x * steps[2]
            _sample_run(quads, first, np.uint32(width + 1), at, steps, nearest, row[x : min(x + RUN, end)])


@inlined
def _inside(s, t, w, steps, wide, high, count):
    """The x from … to for which the mapped point lies on the bordered tile: an interval, as the tile is convex."""
    begin, end, margin = 0.0, float(count), MARGIN * (100 + max(wide, high))
    for side in range(4):
        if side == 0:
            value, step = s, steps[0]
        elif side == 1:
            value, step = wide * w - s, wide * steps[2] - steps[0]
        elif side == 2:
            value, step = t, steps[1]
        else:
            value, step = high * w - t, high * steps[2] - steps[1]
        # value + x·step > 0, with a margin for single precision, in px of the tile wherever on the row w may be
        value, step = value - margin * w, step - margin * steps[2]
        if step > 1e-9:
            begin = max(begin, np.ceil(-value / step))
        elif step < -1e-9:
            end = min(end, np.ceil(-value / step))
        elif value <= 0:
            end = 0.0
    return np.int64(begin), np.int64(max(begin, end))


@inlined
def _sample_run(quads, first, stride, at, steps, nearest, row):
    """Positions to 1/256 px and weights of 8 bits: two interpolations across in one word, then one down.

    The nearest pixel is what weights of 0 and 256 interpolate.
    """
    s_step, t_step, w_step = np.float32(steps[0]), np.float32(steps[1]), np.float32(steps[2])
    s32, t32, w32 = np.float32(at[0]), np.float32(at[1]), np.float32(at[2])
    half, whole, lanes = np.uint32(32768), np.uint32(256), np.uint32(0x00FF00FF)
    bias, kept = np.uint32(128 if nearest else 0), np.uint32(256 if nearest else 255)
    for x in range(row.size):
        depth = np.float32(256) / w32
        column, line = np.int32(s32 * depth), np.int32(t32 * depth)
        s32 += s_step  # added up, not multiplied: short rows are slower as vector code
        t32 += t_step
        w32 += w_step
        right, down = (np.uint32(column & 255) + bias) & kept, (np.uint32(line & 255) + bias) & kept
        quad = quads[uint64(first + np.uint32(line >> 8) * stride + np.uint32(column >> 8))]
        across = (quad & lanes) * (whole - right) + ((quad >> np.uint32(8)) & lanes) * right
        upper, lower = across & np.uint32(0xFFFF), across >> np.uint32(16)
        row[x] = np.uint8((upper * (whole - down) + lower * down + half) >> np.uint32(16))
