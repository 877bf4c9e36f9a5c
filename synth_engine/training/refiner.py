"""Ink drawn from a refiner's output, which says how likely each pixel is ink: binary images, as real ones are.

A pixel at -1 is ground, at 1 ink, at 0 either. It is ink where the output lies above a random threshold; so what real
images have by chance (a pixel of a line that is in every other image, a ragged edge) can be refined into synthetic
ones by a network that draws nothing at random itself. Thresholds are uniform, and keep off the ends of the range: what
the network is all but sure of would else be drawn wrong here and there, as specks that no real image has. Drawn ink is
opened as the recipe opens all images. Thresholds then vary slowly, or no square of ink would come about, and keep off
farther: a pixel that chance takes out of a stroke takes every square through it along. Images are (N, H, W, 1) float32.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

Tensor = Any
RANGE, OPENED_RANGE = 0.9, 0.6  # of thresholds, without and with an opening
CHUNK = 64  # images that `drawn` draws at once


def thresholds(normal: Tensor, open_px: int) -> Tensor:
    """Thresholds (N, H, W, 1) from independent ``normal`` numbers, uniform in [-`RANGE`, `RANGE`].

    With an opening they are alike within ``open_px``, and uniform in [-`OPENED_RANGE`, `OPENED_RANGE`].
    """
    if open_px > 1:
        kernel = _gaussian(open_px)
        normal = tf.nn.conv2d(normal, kernel[:, None, None, None], strides=1, padding="VALID")
        normal = tf.nn.conv2d(normal, kernel[None, :, None, None], strides=1, padding="VALID")
    return (OPENED_RANGE if open_px > 1 else RANGE) * tf.math.erf(normal / math.sqrt(2))


def margin_px(open_px: int) -> int:
    """By how much `thresholds` are smaller than their normal numbers, on each side."""
    return 3 * open_px if open_px > 1 else 0


@tf.custom_gradient
def cut(refined: Tensor, threshold: Tensor) -> tuple[Tensor, Any]:
    """Ink {-1, 1} where ``refined`` lies above its threshold, with the gradient of ``refined``.

    The straight-through estimator: Bengio et al. 2013 (arXiv 1308.3432). Thresholds are uniform, so the mean of what is
    drawn follows ``refined`` in a line, up to the ends of their range.
    """
    return tf.where(refined > threshold, 1.0, -1.0), lambda upstream: (upstream, None)


def opened(ink: Tensor, open_px: int) -> Tensor:
    """The ink {-1, 1} that all-ink squares of ``open_px`` px cover, with the gradient of ``ink``."""
    if open_px < 2:
        return ink
    return ink + tf.stop_gradient(_opened(ink, open_px) - ink)


def draw(refined: Tensor, normal: Tensor, open_px: int) -> Tensor:
    """Binary images {-1, 1} from ``refined`` ones in [-1, 1].

    ``normal``: independent numbers, `margin_px` larger than the images on each side.
    """
    return opened(cut(refined, thresholds(normal, open_px)), open_px)


def normal_shape(shape: Any, open_px: int) -> list[Any]:
    """The shape of the numbers that `draw` takes for images of ``shape`` (N, H, W, 1)."""
    more = 2 * margin_px(open_px)
    return [shape[0], shape[1] + more, shape[2] + more, 1]


def drawn(refined: Any, seed: int, open_px: int, first: int = 0) -> Any:
    """What `draw` gives, image k of ``refined`` by numbers that depend on (seed, first + k) alone: a NumPy array.

    Image k has the same place in a chunk of the same size whatever is drawn with it, or its last bit might differ.
    """
    refined, numbers = np.asarray(refined), np.arange(first, first + len(refined))
    images = np.empty_like(refined)
    for chunk in np.unique(numbers // CHUNK):
        own = numbers // CHUNK == chunk
        places = numbers[own] % CHUNK
        grey = np.zeros((CHUNK, *refined.shape[1:]), np.float32)
        normal = np.zeros(normal_shape(grey.shape, open_px), np.float32)
        grey[places] = refined[own]
        for place, number in zip(places, numbers[own], strict=True):
            normal[place] = np.random.default_rng([seed, number]).standard_normal(normal.shape[1:], np.float32)
        images[own] = np.asarray(draw(grey, normal, open_px))[places]
    return images


@dataclass(frozen=True)
class Refiner:
    """A frozen ``network`` from images (N, H, W, 1) {-1, 1} to how likely their pixels are ink, in [-1, 1]."""

    network: Any
    open_px: int = 0

    def grey(self, images: Tensor) -> Tensor:
        """What the network puts out."""
        return tf.stop_gradient(self.network(images, training=False))

    def draw(self, images: Tensor, seed: Tensor) -> Tensor:
        """Binary images refined; ``seed``: two integers, of which all draws follow."""
        grey = self.grey(images)
        return draw(grey, tf.random.stateless_normal(normal_shape(grey.shape, self.open_px), seed), self.open_px)

    def draw_numbered(self, images: Tensor, seed: int, first: int = 0) -> Any:
        """Binary images refined, image k by draws that follow from (seed, first + k) alone: a NumPy array."""
        return drawn(self.grey(images), seed, self.open_px, first)


def _opened(ink: Tensor, side: int) -> Tensor:
    whole = -tf.nn.max_pool2d(-ink, side, 1, "VALID")
    edge = [[0, 0], [side - 1, side - 1], [side - 1, side - 1], [0, 0]]
    return tf.nn.max_pool2d(tf.pad(whole, edge, constant_values=-1.0), side, 1, "VALID")


def _gaussian(sigma_px: int) -> Any:
    """Weights (6 sigma + 1,) float32 whose squares sum to 1: the deviation of what they smooth stays."""
    weights = np.exp(-0.5 * (np.arange(-3 * sigma_px, 3 * sigma_px + 1) / sigma_px) ** 2)
    return (weights / np.sqrt((weights**2).sum())).astype(np.float32)
