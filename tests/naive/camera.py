"""Plain twins of the camera's stages, on one image (H, W, C) uint8, in float64 and Python integers."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from tests.naive.fast import FREE_WORD, word


def rounded(levels: np.ndarray) -> np.ndarray:
    return np.floor(levels + 0.5).clip(0, 255).astype(np.uint8)


def at(image: np.ndarray, y: int, x: int) -> np.ndarray:
    """The image moved so that each pixel shows the one y rows below and x columns right of it; edges are repeated."""
    height, width = image.shape[:2]
    rows, columns = np.arange(height) + y, np.arange(width) + x
    return image[rows.clip(0, height - 1)][:, columns.clip(0, width - 1)].astype(float)


def blur(image: np.ndarray, sigma: float) -> np.ndarray:
    reach = min(math.ceil(3 * sigma), max(image.shape[:2]))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    square = np.outer(weights, weights) / weights.sum() ** 2
    return rounded(sum(square[y + reach, x + reach] * at(image, y, x)
                       for y in range(-reach, reach + 1) for x in range(-reach, reach + 1)))  # fmt: skip


def motion_blur(image: np.ndarray, length: float, angle_deg: float, points: int = 500) -> np.ndarray:
    """The mean over many points of the segment, each interpolated between its two crossings of columns (or rows)."""
    right, down = math.cos(math.radians(angle_deg)), -math.sin(math.radians(angle_deg))
    steep = abs(down) > abs(right)

    def crossing(j: int) -> np.ndarray:
        aside = j * (right / down if steep else down / right)
        whole, share = math.floor(aside), aside - math.floor(aside)
        near, far = ((j, whole), (j, whole + 1)) if steep else ((whole, j), (whole + 1, j))
        return (1 - share) * at(image, *near) + share * at(image, *far)

    reach = math.ceil(length / 2) + 1
    crossings = {j: crossing(j) for j in range(-reach, reach + 1)}
    total = np.zeros(image.shape)
    for t in (np.arange(points) + 0.5) / points - 0.5:
        along = t * length * max(abs(right), abs(down))
        j, share = math.floor(along), along - math.floor(along)
        total += (1 - share) * crossings[j] + share * crossings[j + 1]
    return rounded(total / points)


def digits(key: int, count: int) -> np.ndarray:
    """16 bits for each of ``count`` pixels from the words 64, 65, …"""
    return np.array([word(key, FREE_WORD + n // 4) >> 16 * (n % 4) & 0xFFFF for n in range(count)])


def gaussian_noise(image: np.ndarray, sigma: float, key: int) -> np.ndarray:
    quantiles = np.array([NormalDist().inv_cdf((v + 0.5) / 4096) for v in range(4096)])
    noise = sigma * (quantiles / quantiles.std())[digits(key, image.size) >> 4]
    return rounded(image + noise.reshape(image.shape))


def salt_pepper(image: np.ndarray, share: float, key: int) -> np.ndarray:
    half, digit = round(share * 2**15), digits(key, image[..., 0].size).reshape(image.shape[:2])
    out = image.copy()
    out[digit < 2 * half] = 0
    out[digit < half] = 255
    return out


def invert(image: np.ndarray, share: float, key: int) -> np.ndarray:
    flips = digits(key, image[..., 0].size).reshape(image.shape[:2]) < round(share * 2**16)
    return np.where(flips[..., None], 255 - image, image).astype(np.uint8)


def resampling(inputs: int, outputs: int) -> np.ndarray:
    """(outputs, inputs): area means when there are fewer outputs, else linear interpolation between pixels' middles."""
    if outputs >= inputs:
        middles = (np.arange(outputs) + 0.5) * inputs / outputs - 0.5
        return np.stack([np.interp(middles, np.arange(inputs), one) for one in np.eye(inputs)], axis=1)
    edges = np.arange(outputs + 1) * inputs / outputs
    low, high = edges[:-1, None], edges[1:, None]
    overlap = np.minimum(high, np.arange(1, inputs + 1)) - np.maximum(low, np.arange(inputs))
    return overlap.clip(0) / (high - low)


def rescale(image: np.ndarray, factor: float) -> np.ndarray:
    ways = []
    for side in image.shape[:2]:
        other = max(1, math.floor(side * factor + 0.5))
        ways.append(resampling(other, side) @ resampling(side, other))
    return rounded(np.einsum("yr,xs,rsc->yxc", *ways, image.astype(float), optimize=True))
