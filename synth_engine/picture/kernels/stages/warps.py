"""Warps that move the text's ink across the canvas; each pixel reads where its ink comes from."""

from __future__ import annotations

import numpy as np
from numba import njit, uint64

from synth_engine.njit.random import FREE_WORD, word
from synth_engine.picture.kernels import columns as col
from synth_engine.picture.kernels.homography import homography, inverse
from synth_engine.picture.kernels.resample import ONE, WEIGHT, fixed, lift, sample, settle, tighten
from synth_engine.picture.kernels.trig import cosine_sine

LEAST = 0.02  # denominators of perspective: ink nearer to the eye, or farther from it than 1 / LEAST, is not painted


@njit(cache=True, nogil=True, error_model="numpy")
def sine(on, params, keys, counts, ink, origin, extent, scratch, height, width):  # noqa: ARG001
    """Ink moved by a sine. Columns: amplitude px, period px, phase degrees, 0 = along x or 1 = along y."""
    for i in range(on.size):
        if on[i]:
            amplitude, period, phase, along_y = params[i, 0], params[i, 1], params[i, 2], params[i, 3] != 0
            wave = (amplitude, 1 / period, phase / 360)
            for k in range(counts[i]):
                if extent[i, k, col.X1] > 0:
                    if along_y:
                        _shift_rows(ink[i, k], origin[i, k], extent[i, k], scratch[0], wave)
                    else:
                        _shift_columns(ink[i, k], origin[i, k], extent[i, k], scratch[0], wave, 0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def curve(on, params, keys, counts, ink, origin, extent, scratch, height, width):  # noqa: ARG001
    """The line bent to a parabola. Columns: bend px."""
    for i in range(on.size):
        if on[i]:
            bend = params[i, 0]
            wave = (bend, 2.0 / width, 0.0)
            for k in range(counts[i]):
                if extent[i, k, col.X1] > 0:
                    _shift_columns(ink[i, k], origin[i, k], extent[i, k], scratch[0], wave, float(width))


@njit(cache=True, nogil=True)
def _displacement(wave, width, at):
    """Fixed-point px by which the line through ``at`` px moves: a parabola over ``width`` px, or a sine where it is 0.

    wave: (amplitude px, periods or half widths a px, phase in periods).
    """
    if width > 0:
        across = at * wave[1] - 1
        return fixed(wave[0] * (1 - across * across))
    return fixed(wave[0] * cosine_sine(at * wave[1] + wave[2])[1])


@njit(cache=True, nogil=True)
def _shift_columns(patch, origin, extent, source, wave, width):
    """Move each column up or down by the wave's displacement at its middle, interpolated between two pixels.

    ``patch`` (S, S), ``source`` (S + 2, S + 2) scratch; ``wave`` and ``width`` as in `_displacement`.
    """
    side, x0, w, h = (
        patch.shape[0],
        uint64(extent[col.X0]),
        extent[col.X1] - extent[col.X0],
        np.int64(extent[col.Y1] - extent[col.Y0]),
    )
    left, top = np.int64(origin[col.X]) + extent[col.X0] + 0.5, np.int64(origin[col.Y]) + extent[col.Y0]
    least = most = _displacement(wave, width, left)
    for x in range(1, w):
        shift = _displacement(wave, width, left + x)
        least, most = min(least, shift), max(most, shift)
    lift(patch, extent, source)
    x1 = np.int64(origin[col.X]) + extent[col.X1]
    settle(origin, extent, side, x1 - w, top + (least >> 32), x1, top + h + (most >> 32) + 1)
    top -= origin[col.Y]
    for x in range(uint64(w)):
        shift = _displacement(wave, width, left + np.int64(x))
        first, late = top + (shift >> 32), (shift >> 16) & (WEIGHT - 1)
        y, row, above = uint64(0), uint64(first), np.int64(0)
        for _ in range(min(h + 1, side - first)):
            y += uint64(1)
            here = np.int64(source[y, x + uint64(1)])
            patch[row, x0 + x] = (here * (WEIGHT - late) + above * late + WEIGHT // 2) >> 16
            above = here
            row += uint64(1)
    tighten(patch, extent)


@njit(cache=True, nogil=True)
def _shift_rows(patch, origin, extent, source, wave):
    """Move each row left or right by the wave's displacement at its middle, as `_shift_columns`."""
    side, w, h = patch.shape[0], np.int64(extent[col.X1] - extent[col.X0]), np.int64(extent[col.Y1] - extent[col.Y0])
    left, top = np.int64(origin[col.X]) + extent[col.X0], np.int64(origin[col.Y]) + extent[col.Y0]
    least = most = _displacement(wave, 0.0, top + 0.5)
    for y in range(1, h):
        shift = _displacement(wave, 0.0, top + y + 0.5)
        least, most = min(least, shift), max(most, shift)
    lift(patch, extent, source)
    settle(origin, extent, side, left + (least >> 32), top, left + w + (most >> 32) + 1, top + h)
    left -= origin[col.X]
    y0 = np.int64(extent[col.Y0])
    for y in range(min(h, extent[col.Y1] - y0)):
        shift = _displacement(wave, 0.0, top + y + 0.5)
        first, late = left + (shift >> 32), np.uint32((shift >> 16) & (WEIGHT - 1))
        _blend_row(patch[y0 + y], source[y + 1], first, min(w + 1, side - first), late)
    tighten(patch, extent)


@njit(cache=True, nogil=True)
def _blend_row(out, source, first, count, late):
    """Lay ``count`` pixels of a lifted row down from ``first`` on, ``late`` / WEIGHT px farther right."""
    at, early, one = uint64(first), np.uint32(np.uint32(WEIGHT) - late), uint64(1)
    for x in range(uint64(max(0, count))):
        value = np.uint32(source[x + one]) * early + np.uint32(source[x]) * late
        out[at + x] = np.uint32(value + np.uint32(WEIGHT // 2)) >> np.uint32(16)


@njit(cache=True, nogil=True)
def rotate(on, params, keys, counts, ink, origin, extent, scratch, height, width):  # noqa: ARG001
    """The line turned about the canvas's middle. Columns: angle in degrees, counter-clockwise."""
    for i in range(on.size):
        if on[i]:
            angle_deg = params[i, 0]
            c, s = cosine_sine(angle_deg / 360)
            for k in range(counts[i]):
                if extent[i, k, col.X1] > 0:
                    _turn(ink[i, k], origin[i, k], extent[i, k], scratch[0], c, s, width / 2, height / 2)


@njit(cache=True, nogil=True)
def _turn(patch, origin, extent, source, c, s, middle_x, middle_y):
    """Turn a character's ink about (middle_x, middle_y) px of the canvas by the angle of cosine c and sine s."""
    w, h = np.int64(extent[col.X1] - extent[col.X0]), np.int64(extent[col.Y1] - extent[col.Y0])
    left, top = np.int64(origin[col.X]) + extent[col.X0], np.int64(origin[col.Y]) + extent[col.Y0]
    x, y = left + 0.5 * w - middle_x, top + 0.5 * h - middle_y
    turned_x, turned_y = middle_x + x * c + y * s, middle_y - x * s + y * c
    half_w, half_h = 0.5 * (abs(c) * (w + 1) + abs(s) * (h + 1)), 0.5 * (abs(s) * (w + 1) + abs(c) * (h + 1))
    lift(patch, extent, source)
    settle(
        origin, extent, patch.shape[0],
        np.int64(np.floor(turned_x - half_w)), np.int64(np.floor(turned_y - half_h)),
        np.int64(np.ceil(turned_x + half_w)), np.int64(np.ceil(turned_y + half_h)),
    )  # fmt: skip
    across, down = fixed(c), fixed(s)
    x = origin[col.X] + extent[col.X0] + 0.5 - middle_x
    for row in range(uint64(extent[col.Y0]), uint64(extent[col.Y1])):
        y = origin[col.Y] + np.int64(row) + 0.5 - middle_y
        u, v = fixed(middle_x + x * c - y * s - left + 0.5), fixed(middle_y + x * s + y * c - top + 0.5)
        for column in range(uint64(extent[col.X0]), uint64(extent[col.X1])):
            if uint64(u) >> uint64(32) <= uint64(w) and uint64(v) >> uint64(32) <= uint64(h):
                patch[row, column] = sample(source, u, v)
            u += across
            v += down
    tighten(patch, extent)


@njit(cache=True, nogil=True)
def tilt(on, params, keys, counts, ink, origin, extent, scratch, height, width):  # noqa: ARG001
    """The line in perspective. Columns: the eight ``moves`` of `homography`."""
    for i in range(on.size):
        if on[i]:
            forward = homography(params[i], float(width), float(height))
            back = inverse(forward)
            for k in range(counts[i]):
                if extent[i, k, col.X1] > 0:
                    _project(ink[i, k], origin[i, k], extent[i, k], scratch[0], forward, back, (width, height))


@njit(cache=True, nogil=True)
def _keep_visible(first, end, side, length):
    """What a patch of ``side`` shall hold of first … end: if it cannot hold all, then what is on the canvas."""
    first, end = np.int64(first), np.int64(end)
    if end - first <= side:
        return first, end
    first = min(max(first, 0), length)
    return first, max(first, min(end, length))


@njit(cache=True, nogil=True, error_model="numpy")
def _project(patch, origin, extent, source, forward, back, canvas):
    """Move a character's ink by the map ``forward``, whose inverse is ``back``; ``canvas``: (width, height) px."""
    w, h = np.int64(extent[col.X1] - extent[col.X0]), np.int64(extent[col.Y1] - extent[col.Y0])
    left, top = np.int64(origin[col.X]) + extent[col.X0], np.int64(origin[col.Y]) + extent[col.Y0]
    x0, y0, x1, y1 = 1e9, 1e9, -1e9, -1e9
    depth = 1.0
    for corner in range(4):
        x, y = left - 0.5 + (corner & 1) * (w + 1), top - 0.5 + (corner >> 1) * (h + 1)
        z = forward[6] * x + forward[7] * y + forward[8]
        depth = min(depth, z)
        to_x = (forward[0] * x + forward[1] * y + forward[2]) / max(z, LEAST)
        to_y = (forward[3] * x + forward[4] * y + forward[5]) / max(z, LEAST)
        x0, y0, x1, y1 = min(x0, to_x), min(y0, to_y), max(x1, to_x), max(y1, to_y)
    lift(patch, extent, source)
    if depth < LEAST:
        extent[:] = 0
        return
    left_most, right_most = _keep_visible(np.floor(x0), np.ceil(x1), patch.shape[0], canvas[0])
    highest, lowest = _keep_visible(np.floor(y0), np.ceil(y1), patch.shape[0], canvas[1])
    settle(origin, extent, patch.shape[0], left_most, highest, right_most, lowest)
    for row in range(uint64(extent[col.Y0]), uint64(extent[col.Y1])):
        x, y = origin[col.X] + extent[col.X0] + 0.5, origin[col.Y] + np.int64(row) + 0.5
        z, dz = back[6] * x + back[7] * y + back[8], back[6]
        u, du = back[0] * x + back[1] * y + back[2] - z * (left - 0.5), back[0] - dz * (left - 0.5)
        v, dv = back[3] * x + back[4] * y + back[5] - z * (top - 0.5), back[3] - dz * (top - 0.5)
        for column in range(uint64(extent[col.X0]), uint64(extent[col.X1])):
            if z > LEAST:
                nearer = ONE / z
                to_u, to_v = np.int64(u * nearer + 0.5), np.int64(v * nearer + 0.5)
                if uint64(to_u) >> uint64(32) <= uint64(w) and uint64(to_v) >> uint64(32) <= uint64(h):
                    patch[row, column] = sample(source, to_u, to_v)
            u += du
            v += dv
            z += dz
    tighten(patch, extent)


@njit(cache=True, nogil=True)
def elastic(on, params, keys, counts, ink, origin, extent, scratch, height, width):  # noqa: ARG001
    """Ink moved by a smooth random field. Columns: amplitude px, cell px.

    Node (i, j) of the field lies at (i · cell, j · cell) px on the canvas.
    """
    for i in range(on.size):
        if on[i]:
            amplitude, cell = params[i, 0], params[i, 1]
            for k in range(counts[i]):
                if extent[i, k, col.X1] > 0:
                    _stretch(ink[i, k], origin[i, k], extent[i, k], scratch[0], keys[i], amplitude, cell)


@njit(cache=True, nogil=True)
def _node(key, i, j, amplitude):
    """The field's x and y at node (i, j), from word 64 + 65,536 · (j mod 65,536) + (i mod 65,536)."""
    bits = word(key, uint64(FREE_WORD) + (uint64(j & 0xFFFF) << uint64(16)) + uint64(i & 0xFFFF))
    low, high = float(bits & uint64(0xFFFFFFFF)), float(bits >> uint64(32))
    return amplitude * (low * 2.0**-31 - 1), amplitude * (high * 2.0**-31 - 1)


@njit(cache=True, nogil=True, error_model="numpy")
def _stretch(patch, origin, extent, source, key, amplitude, cell):
    """Move a character's ink by the field, cell by cell."""
    w, h = np.int64(extent[col.X1] - extent[col.X0]), np.int64(extent[col.Y1] - extent[col.Y0])
    left, top = np.int64(origin[col.X]) + extent[col.X0], np.int64(origin[col.Y]) + extent[col.Y0]
    reach = np.int64(abs(amplitude)) + 1
    lift(patch, extent, source)
    settle(origin, extent, patch.shape[0], left - reach, top - reach, left + w + reach, top + h + reach)
    x0, y0 = origin[col.X] + extent[col.X0], origin[col.Y] + extent[col.Y0]
    x1, y1 = origin[col.X] + extent[col.X1], origin[col.Y] + extent[col.Y1]
    for j in range(np.int64(np.floor((y0 + 0.5) / cell)), np.int64(np.floor((y1 - 0.5) / cell)) + 1):
        first_y, end_y = max(y0, np.int64(np.ceil(j * cell - 0.5))), min(y1, np.int64(np.ceil((j + 1) * cell - 0.5)))
        for i in range(np.int64(np.floor((x0 + 0.5) / cell)), np.int64(np.floor((x1 - 0.5) / cell)) + 1):
            first_x = max(x0, np.int64(np.ceil(i * cell - 0.5)))
            end_x = min(x1, np.int64(np.ceil((i + 1) * cell - 0.5)))
            box = (first_x, first_y, end_x, end_y)
            _stretch_cell(patch, origin, source, left, top, w, h, key, amplitude, cell, i, j, box)
    tighten(patch, extent)


@njit(cache=True, nogil=True, error_model="numpy")
def _stretch_cell(patch, origin, source, left, top, w, h, key, amplitude, cell, i, j, box):
    """The pixels of one cell: between its nodes the field follows 3t² - 2t³ in x and in y, without kinks."""
    reach = amplitude * ONE  # in fixed-point px, as all that follows
    ax, ay = _node(key, i, j, reach)
    bx, by = _node(key, i + 1, j, reach)
    cx, cy = _node(key, i, j + 1, reach)
    dx, dy = _node(key, i + 1, j + 1, reach)
    scale, first = 1 / cell, uint64(box[0] - origin[col.X])
    for y in range(box[1], box[3]):
        t = (y + 0.5) * scale - j
        t = t * t * (3 - 2 * t)
        left_x, left_y = ax + (cx - ax) * t, ay + (cy - ay) * t
        across_x, across_y = bx + (dx - bx) * t - left_x, by + (dy - by) * t - left_y
        row, to_v = uint64(y - origin[col.Y]), (y - top + 1.0) * ONE + 0.5 - left_y
        s, to_u = (box[0] + 0.5) * scale - i, (box[0] - left + 1.0) * ONE + 0.5 - left_x
        for column in range(first, first + uint64(box[2] - box[0])):
            smooth = s * s * (3 - 2 * s)
            u, v = np.int64(to_u - across_x * smooth), np.int64(to_v - across_y * smooth)
            if uint64(u) >> uint64(32) <= uint64(w) and uint64(v) >> uint64(32) <= uint64(h):
                patch[row, column] = sample(source, u, v)
            s += scale
            to_u += ONE
