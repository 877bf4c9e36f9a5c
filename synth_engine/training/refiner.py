"""Refiner: a frozen network that says how likely each pixel is ink, and the binary images sampled from what it says.

A pixel at -1 is ground, at 1 ink, at 0 either. It becomes ink where the network's output exceeds a random threshold.
So a network without randomness of its own can add what real images have only sometimes, such as a ragged edge.
Thresholds are uniform and stay off the ends of the range: an almost certain pixel never turns into a stray speck.

Where the recipe opens its images, so are refined ones. Thresholds then vary slowly from pixel to pixel, or no square of
ink would form. They also stay farther off the ends, because one missing pixel removes every square that covers it.

**Identity.** A refined image depends on the refiner, the seed and the sample's index alone: not on the batch, its size
or the place in it. Images go through the network in blocks of `BLOCK_IMAGES` (n): sample i is always at place i mod n
of block i div n. Both the block's random numbers and the last bits of its arithmetic are then the same everywhere.

Images are (N, H, W, 1) float32 in [-1, 1].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras

Tensor = Any
RANGE, OPENED_RANGE = 0.9, 0.6  # of thresholds, without and with an opening
BLOCK_IMAGES = 16  # half of the refined images in a training batch of the classifier's default size
STREAM = 0x7265666E  # keeps these random numbers apart from others that a trainer derives from the same seed


class Refiner:
    """A frozen ``network`` from images {-1, 1} to grey ones in [-1, 1], for a recipe that opens by ``open_px``.

    Its methods work on NumPy arrays and inside graphs alike, always as the same graph, and return tensors.
    """

    def __init__(self, network: keras.Model, open_px: int = 0) -> None:
        self.network, self.open_px = network, open_px
        # as graphs even where called eagerly: TensorFlow fuses operations in graphs, which may change the last bit
        self._grey = tf.function(self._grey_blocks, reduce_retracing=True)
        self._binary = tf.function(self._binary_blocks, reduce_retracing=True)

    def grey(self, images: Tensor, first: Tensor = 0) -> Tensor:
        """What the network says of ``images``, which belong to samples ``first``, ``first`` + 1, …: float32."""
        return self._grey(tf.convert_to_tensor(images), _index(first))

    def binarise(self, grey: Tensor, seed: Tensor, first: Tensor = 0) -> Tensor:
        """Binary images {-1, 1} sampled from ``grey`` ones; image k by (``seed``, ``first`` + k) alone."""
        return self._binary(tf.convert_to_tensor(grey), _index(seed), _index(first))

    def refine(self, images: Tensor, seed: Tensor, first: Tensor = 0) -> Tensor:
        """``images`` {-1, 1} of samples ``first``, ``first`` + 1, … refined, as binary images {-1, 1}."""
        return self.binarise(self.grey(images, first), seed, first)

    def _grey_blocks(self, images: Tensor, first: Tensor) -> Tensor:
        return tf.stop_gradient(by_blocks(lambda block, _: self.network(block, training=False), images, first))

    def _binary_blocks(self, grey: Tensor, seed: Tensor, first: Tensor) -> Tensor:
        def act(block: Tensor, number: Tensor) -> Tensor:
            key = tf.random.fold_in(tf.stack([seed, number]), STREAM, alg="philox")
            shape = normal_shape(block.shape, self.open_px)
            return binarise(block, tf.random.stateless_normal(shape, key, alg="philox"), self.open_px)

        return by_blocks(act, grey, first)


def by_blocks(act: Callable[[Tensor, Tensor], Tensor], images: Tensor, first: Tensor) -> Tensor:
    """``act`` on blocks (`BLOCK_IMAGES`, H, W, 1) and their numbers, joined: (N, H, W, 1).

    With blocks of 4 and ``first`` 6, three images fill places 2 and 3 of block 1 and place 0 of block 2. The rest of
    the blocks is grey.
    """
    before, count = tf.cast(first % BLOCK_IMAGES, tf.int32), tf.shape(images)[0]
    after = -(before + count) % BLOCK_IMAGES
    padded = tf.pad(images, [[before, after], [0, 0], [0, 0], [0, 0]])
    blocks = tf.reshape(padded, [-1, BLOCK_IMAGES, *images.shape[1:]])
    numbers = first // BLOCK_IMAGES + tf.range(tf.shape(blocks)[0], dtype=tf.int64)
    block = tf.TensorSpec((BLOCK_IMAGES, *images.shape[1:]), tf.float32)
    made = tf.map_fn(lambda each: act(*each), (blocks, numbers), fn_output_signature=block)
    joined = tf.reshape(made, [-1, *images.shape[1:]])[before : before + count]
    return tf.ensure_shape(joined, images.shape)


def binarise(grey: Tensor, normal: Tensor, open_px: int) -> Tensor:
    """Binary images {-1, 1} from ``grey`` ones, with the gradient of ``grey``.

    ``normal``: independent numbers, `margin_px` larger than the images on each side.
    """
    return opened(cut(grey, thresholds(normal, open_px)), open_px)


def thresholds(normal: Tensor, open_px: int) -> Tensor:
    """Thresholds (N, H, W, 1) from independent ``normal`` numbers, uniform in [-`RANGE`, `RANGE`].

    With an opening they are alike within ``open_px``, and uniform in [-`OPENED_RANGE`, `OPENED_RANGE`].
    """
    if open_px > 1:
        kernel = _gaussian(open_px)
        normal = tf.nn.conv2d(normal, kernel[:, None, None, None], strides=1, padding="VALID")
        normal = tf.nn.conv2d(normal, kernel[None, :, None, None], strides=1, padding="VALID")
    return (OPENED_RANGE if open_px > 1 else RANGE) * tf.math.erf(normal / math.sqrt(2))


def normal_shape(shape: Sequence[Any], open_px: int) -> list[Any]:
    """The shape of the numbers that `binarise` takes for images of ``shape`` (N, H, W, 1)."""
    more = 2 * margin_px(open_px)
    return [shape[0], shape[1] + more, shape[2] + more, 1]


def margin_px(open_px: int) -> int:
    """By how much `thresholds` are smaller than their normal numbers, on each side."""
    return 3 * open_px if open_px > 1 else 0


@tf.custom_gradient
def cut(grey: Tensor, threshold: Tensor) -> tuple[Tensor, Any]:
    """Ink {-1, 1} where ``grey`` exceeds its threshold, with the gradient of ``grey``.

    The straight-through estimator: Bengio et al. 2013 (arXiv 1308.3432). Thresholds are uniform, so the mean of the
    binary images is linear in ``grey``, up to the ends of the thresholds' range.
    """
    return tf.where(grey > threshold, 1.0, -1.0), lambda upstream: (upstream, None)


def opened(ink: Tensor, open_px: int) -> Tensor:
    """The ink {-1, 1} that all-ink squares of ``open_px`` px cover, with the gradient of ``ink``."""
    if open_px < 2:
        return ink
    return ink + tf.stop_gradient(_opened(ink, open_px) - ink)


def _index(number: Tensor) -> Tensor:
    return tf.cast(number, tf.int64)


def _opened(ink: Tensor, side: int) -> Tensor:
    whole = -tf.nn.max_pool2d(-ink, side, 1, "VALID")
    edge = [[0, 0], [side - 1, side - 1], [side - 1, side - 1], [0, 0]]
    return tf.nn.max_pool2d(tf.pad(whole, edge, constant_values=-1.0), side, 1, "VALID")


def _gaussian(sigma_px: int) -> NDArray[np.float32]:
    """Weights (6 sigma + 1,) float32 whose squares sum to 1, so that smoothing keeps the standard deviation."""
    weights = np.exp(-0.5 * (np.arange(-3 * sigma_px, 3 * sigma_px + 1) / sigma_px) ** 2)
    return (weights / np.sqrt((weights**2).sum())).astype(np.float32)
