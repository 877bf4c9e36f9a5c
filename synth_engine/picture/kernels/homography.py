"""The perspective map that moves the four corners of a rectangle.

Source: Heckbert, "Fundamentals of Texture Mapping and Image Warping", UCB/CSD 89/516, 1989, section 2.2.3.
"""

from __future__ import annotations

from numba import njit

NEAREST = 0.3  # the least distance of a corner from the eye, of the farthest one's: nearer, ink grows without bounds


@njit(cache=True, nogil=True, error_model="numpy")
def _try(moves, scale, width, height):
    """(whether the quadrilateral may be used, the map's nine numbers) of ``moves`` times ``scale``."""
    sx, sy = 0.5 * scale * width, 0.5 * scale * height
    x0, y0 = moves[0] * sx, moves[1] * sy
    x1, y1 = width + moves[2] * sx, moves[3] * sy
    x2, y2 = width + moves[4] * sx, height + moves[5] * sy
    x3, y3 = moves[6] * sx, height + moves[7] * sy
    ex, ey = x0 - x1 + x2 - x3, y0 - y1 + y2 - y3
    turn = (x1 - x2) * (y3 - y2) - (x3 - x2) * (y1 - y2)
    g, h = (ex * (y3 - y2) - (x3 - x2) * ey) / turn, ((x1 - x2) * ey - ex * (y1 - y2)) / turn
    near, far = min(1.0, 1 + g, 1 + h, 1 + g + h), max(1.0, 1 + g, 1 + h, 1 + g + h)
    usable = turn < -1e-3 * width * height and near >= NEAREST * far
    first = ((x1 - x0 + g * x1) / width, (x3 - x0 + h * x3) / height, x0)
    second = ((y1 - y0 + g * y1) / width, (y3 - y0 + h * y3) / height, y0)
    return usable, (*first, *second, g / width, h / height, 1.0)


@njit(cache=True, nogil=True)
def homography(moves, width, height):
    """The map (a, b, c, d, e, f, g, h, 1) of px (x, y) to (ax + by + c, dx + ey + f) / (gx + hy + 1).

    ``moves`` (8,) float64: x and y of the top left, top right, bottom right, bottom left corner's movement, in half
    sides; ``width`` and ``height`` px. Corners that leave no convex quadrilateral, or one seen from too near, are moved
    back, by a fifth at a time, until they do.
    """
    scale = 1.0
    usable, forward = _try(moves, scale, width, height)
    while not usable:
        scale *= 0.8
        usable, forward = _try(moves, scale, width, height)
    return forward


@njit(cache=True, nogil=True, error_model="numpy")
def inverse(m):
    """The inverse of the map ``m`` (9 numbers), its denominator scaled to be 1 / (the map's) at the same point."""
    a, b, c, d, e, f, g, h, i = m
    scale = 1 / (a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g))
    first = ((e * i - f * h) * scale, (c * h - b * i) * scale, (b * f - c * e) * scale)
    second = ((f * g - d * i) * scale, (a * i - c * g) * scale, (c * d - a * f) * scale)
    return (*first, *second, (d * h - e * g) * scale, (b * g - a * h) * scale, (a * e - b * d) * scale)
