"""A plain twin of the clutter: centre lines sampled densely in NumPy, each pixel's distance to the nearest sample.

It shares with the kernels only the numbering of random words; it takes the curves' own formulas, no chains of pieces.
"""

from __future__ import annotations

import math

import numpy as np

from synth_engine.picture.kernels.sampling import sample_stage
from tests.naive.fast import FREE_WORD, word

SAMPLES = 1500
WORDS = 8


def sample_numbers(columns, images: int, seed: int = 5, start: int = 0, probability: float = 1.0):
    """on, params and keys of stage 3 for samples from ``start`` on, as the renderer samples them."""
    low, high = np.array(columns, np.float64).reshape(-1, 2).T.copy()
    on, keys = np.zeros(images, bool), np.zeros(images, np.uint64)
    params = np.zeros((images, low.size))
    every, attempts = np.ones(images, bool), np.zeros(images, np.int64)
    sample_stage(np.uint64(seed), start, 3, attempts, every, probability, low, high, on, params, keys)
    return on, params, keys


def unit(key: int, n: int) -> float:
    return (word(int(key), n) >> 11) / 2**53


def naive_clutter(kind: str, params: np.ndarray, key: int, shape: tuple[int, int]) -> np.ndarray:
    """Coverage (H, W) uint8 of one image's marks of ``kind`` (lines, arcs, curves or dots)."""
    cover = np.zeros(shape, np.uint8)
    for mark in range(int(params[0])):
        u = [unit(key, FREE_WORD + WORDS * mark + k) for k in range(WORDS)]
        points, width = CENTRE_LINES[kind](params, u, *shape)
        cover = np.maximum(cover, stroke(points, width, shape))
    return cover


def stroke(points: np.ndarray, width: float, shape: tuple[int, int]) -> np.ndarray:
    y, x = np.indices(shape) + 0.5
    distance = np.full(shape, np.inf)
    for part in np.array_split(points, max(1, len(points) // 500)):
        gaps = np.hypot(x[..., None] - part[:, 0], y[..., None] - part[:, 1])
        distance = np.minimum(distance, gaps.min(axis=-1))
    return np.floor(255 * np.clip(width / 2 + 0.5 - distance, 0, 1) + 0.5).astype(np.uint8)


def between(params: np.ndarray, column: int, u: float) -> float:
    return params[column] + (params[column + 1] - params[column]) * u


def line(params, u, height, width):
    t = np.linspace(0, 1, SAMPLES)
    x, y = width * (u[0] + (u[2] - u[0]) * t), height * (u[1] + (u[3] - u[1]) * t)
    return np.stack([x, y], 1), between(params, 1, u[4])


def dot(params, u, height, width):
    return np.array([[width * u[0], height * u[1]]]), 2 * between(params, 1, u[2])


def curve(params, u, height, width):
    t = np.linspace(0, 1, SAMPLES)
    bernstein = [math.comb(3, k) * t**k * (1 - t) ** (3 - k) for k in range(4)]
    x = sum(b * width * k / 3 for k, b in enumerate(bernstein))
    y = sum(b * height * u[k] for k, b in enumerate(bernstein))
    return np.stack([x, y], 1), between(params, 1, u[4])


def arc(params, u, height, width):
    angles = 2 * np.pi * u[4] + np.radians(between(params, 5, u[5])) * np.linspace(0, 1, SAMPLES)
    x = width * u[0] + between(params, 3, u[2]) * np.cos(angles)
    y = height * u[1] - between(params, 3, u[3]) * np.sin(angles)
    return np.stack([x, y], 1), between(params, 1, u[6])


CENTRE_LINES = {"lines": line, "dots": dot, "curves": curve, "arcs": arc}
