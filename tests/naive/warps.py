"""Plain twins of the warps: each takes and gives a canvas with a wide margin, pixel by pixel, in NumPy and Python.

A canvas is a float array (height + 2·margin, width + 2·margin) of coverage 0–255; a warp reads, for every pixel, where
its ink comes from.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tests.naive.fast import FREE_WORD, word

Canvas = np.ndarray
Field = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def resample(canvas: Canvas, margin: int, source: Field) -> Canvas:
    """The canvas whose pixel with its middle at (x, y) shows, bilinearly, what is at ``source(x, y)``."""
    rows, columns = np.mgrid[: canvas.shape[0], : canvas.shape[1]] + 0.5 - margin
    u, v = source(columns, rows)
    u, v = u - 0.5 + margin + 1, v - 0.5 + margin + 1
    x, y = np.floor(u).astype(int), np.floor(v).astype(int)
    padded = np.pad(canvas, 1)
    inside = (x >= 0) & (y >= 0) & (x < padded.shape[1] - 1) & (y < padded.shape[0] - 1)
    x, y, across, down = np.where(inside, x, 0), np.where(inside, y, 0), u - np.floor(u), v - np.floor(v)
    upper = padded[y, x] * (1 - across) + padded[y, x + 1] * across
    lower = padded[y + 1, x] * (1 - across) + padded[y + 1, x + 1] * across
    return np.where(inside, upper * (1 - down) + lower * down, 0.0)


def stroke(canvas: Canvas, px: float) -> Canvas:
    whole = math.floor(abs(px))
    share = abs(px) - whole
    return (1 - share) * _by_disc(canvas, whole, px > 0) + share * _by_disc(canvas, whole + 1, px > 0)


def _by_disc(canvas: Canvas, radius: int, thicker: bool) -> Canvas:
    offsets = [
        (x, y)
        for x in range(-radius, radius + 1)
        for y in range(-radius, radius + 1)
        if x * x + y * y <= radius * radius
    ]
    moved = [np.roll(canvas, offset, axis=(1, 0)) for offset in offsets]
    return np.max(moved, axis=0) if thicker else np.min(moved, axis=0)


def rotate(canvas: Canvas, margin: int, shape: tuple[int, int], angle_deg: float) -> Canvas:
    c, s, x0, y0 = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg)), shape[1] / 2, shape[0] / 2
    return resample(canvas, margin, lambda x, y: (x0 + (x - x0) * c - (y - y0) * s, y0 + (x - x0) * s + (y - y0) * c))


def tilt(canvas: Canvas, margin: int, shape: tuple[int, int], moves: list[float]) -> Canvas:
    """The map is found from the four corners by solving for its eight numbers."""
    height, width = shape
    ends = [(0, 0), (width, 0), (width, height), (0, height)]
    moved = [(x + moves[2 * i] * width / 2, y + moves[2 * i + 1] * height / 2) for i, (x, y) in enumerate(ends)]
    rows, right = [], []
    for (x, y), (u, v) in zip(moved, ends, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    m = np.linalg.solve(np.array(rows, float), np.array(right, float))

    def source(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        z = m[6] * x + m[7] * y + 1
        z = np.where(z * (m[6] * width / 2 + m[7] * height / 2 + 1) > 0, z, np.inf)  # behind the eye: nothing
        return (m[0] * x + m[1] * y + m[2]) / z, (m[3] * x + m[4] * y + m[5]) / z

    return resample(canvas, margin, source)


def sine(canvas: Canvas, margin: int, amplitude: float, period: float, phase_deg: float, along: str) -> Canvas:
    def move(at: np.ndarray) -> np.ndarray:
        return amplitude * np.sin(2 * np.pi * at / period + np.radians(phase_deg))

    if along == "x":
        return resample(canvas, margin, lambda x, y: (x, y - move(x)))
    return resample(canvas, margin, lambda x, y: (x - move(y), y))


def curve(canvas: Canvas, margin: int, width: int, bend: float) -> Canvas:
    return resample(canvas, margin, lambda x, y: (x, y - bend * (1 - (2 * x / width - 1) ** 2)))


def elastic(canvas: Canvas, margin: int, key: int, amplitude: float, cell: float) -> Canvas:
    def node(i: int, j: int) -> tuple[float, float]:
        bits = word(key, FREE_WORD + 65_536 * (j % 65_536) + i % 65_536)
        return amplitude * ((bits % 2**32) / 2**31 - 1), amplitude * ((bits >> 32) / 2**31 - 1)

    def displacement(x: float, y: float) -> tuple[float, float]:
        i, j = math.floor(x / cell), math.floor(y / cell)
        s, t = (3 * f * f - 2 * f**3 for f in (x / cell - i, y / cell - j))
        corners = [(node(i + a, j + b), (s if a else 1 - s) * (t if b else 1 - t)) for a in (0, 1) for b in (0, 1)]
        return sum(d[0] * w for d, w in corners), sum(d[1] * w for d, w in corners)

    move = np.vectorize(displacement)

    def source(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        dx, dy = move(x, y)
        return x - dx, y - dy

    return resample(canvas, margin, source)
