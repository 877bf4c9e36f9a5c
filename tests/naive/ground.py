"""A plain twin of the grounds, in NumPy and Python integers, formula by formula and pixel by pixel."""

from __future__ import annotations

import math

import numpy as np

from tests.naive.clutter import unit
from tests.naive.fast import FREE_WORD, word

BT601 = np.array([0.299, 0.587, 0.114])


def color(numbers: np.ndarray, channels: int) -> np.ndarray:
    """The levels (C,) of a colour sampled as one level or as red, green and blue."""
    if numbers.size == 1:
        return np.repeat(numbers, channels)
    return numbers if channels == 3 else np.array([numbers @ BT601])


def rounded(levels: np.ndarray) -> np.ndarray:
    return np.floor(np.clip(levels, 0, 255) + 0.5).astype(np.uint8)


def naive_gradient(params: np.ndarray, shape: tuple[int, int], channels: int) -> np.ndarray:
    half = params.size // 2
    start, end = color(params[:half], channels), color(params[half:-1], channels)
    direction = np.array([math.cos(math.radians(params[-1])), -math.sin(math.radians(params[-1]))])
    corners = np.array([(x, y) for x in (0, shape[1]) for y in (0, shape[0])]) @ direction
    y, x = np.indices(shape) + 0.5
    share = (x * direction[0] + y * direction[1] - corners.min()) / np.ptp(corners)
    return rounded(start + (end - start) * share[..., None])


def naive_grain(params: np.ndarray, key: int, shape: tuple[int, int], channels: int, grain_px: float) -> np.ndarray:
    key, across = int(key), int(shape[1] / grain_px) + 3
    image = np.empty((*shape, channels))
    for y, x in np.ndindex(shape):
        u, v = (x + 0.5) / grain_px + unit(key, FREE_WORD), (y + 0.5) / grain_px + unit(key, FREE_WORD + 1)
        noise = 0.0
        for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
            weight = (1 - abs(u - (int(u) + column))) * (1 - abs(v - (int(v) + row)))
            noise += weight * node(key, 66 + (int(v) + row) * across + int(u) + column)
        image[y, x] = color(params[:-1], channels) + 1.5 * params[-1] * noise
    return rounded(image)


def node(key: int, n: int) -> float:
    """Four uniform 16-bit numbers added up, brought to mean 0 and standard deviation 1."""
    total = sum(word(key, n) >> shift & 0xFFFF for shift in (0, 16, 32, 48))
    return (total - 4 * 65535 / 2) / math.sqrt(4 * (2**32 - 1) / 12)


def naive_crop(params: np.ndarray, pictures: list[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    picture = pictures[int(params[0] * len(pictures))]
    x, y = (int(params[1 + k] * (picture.shape[1 - k] - shape[1 - k] + 1)) for k in (0, 1))
    return picture[y : y + shape[0], x : x + shape[1]]


def naive_ink(levels: np.ndarray, mean: float, contrast: float) -> np.ndarray:
    """Levels (C,) of one ink at ``contrast`` from the ground."""
    grey = float(levels[0] if levels.size == 1 else levels @ BT601)
    sides = [mean + contrast, mean - contrast] if grey > mean else [mean - contrast, mean + contrast]
    fitting = [level for level in sides if 0 <= level <= 255]
    wanted = fitting[0] if fitting else max((0.0, 255.0), key=lambda level: abs(level - mean))
    return np.clip(levels + (wanted - grey), 0, 255)
