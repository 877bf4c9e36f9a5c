"""TwoSampleTest: the accuracy of a small classifier that learns to separate two sets of images, on held-out halves.

Lopez-Paz and Oquab 2017, "Revisiting classifier two-sample tests" (C2ST, arXiv 1610.06545). 0.5 means that it found no
difference; more images or more steps may still show one.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

Floats = NDArray[np.float32]
BATCH = 32  # of each set
RATE = 2e-3


class TwoSampleTest:
    """For images of ``shape`` (H, W): the mean over ``repeats`` fresh networks, as one may be off by three points.

    Each takes ``steps`` updates, with initial weights and batches that follow from ``seed`` and are the same in every
    test.
    """

    def __init__(self, shape: tuple[int, int], steps: int, seed: int, *, repeats: int = 1, eager: bool = False) -> None:
        self.steps = steps
        self.network = _build(shape, seed)
        self.optimizer = keras.optimizers.Adam(RATE)
        self.optimizer.build(self.network.trainable_variables)
        self.seeds = [seed, *np.random.default_rng(seed).integers(2**31, size=repeats - 1).tolist()]
        self._first = [_build(shape, one).get_weights() for one in self.seeds]
        self._blank = [np.asarray(variable) for variable in self.optimizer.variables]
        self._update = self._learn if eager else tf.function(self._learn)

    def accuracy(self, one: Floats, other: Floats) -> float:
        """Two-sample accuracy in [0, 1]: learns from the first half of each set, is tested on the second.

        Both sets count alike, whatever their sizes. ``one`` and ``other``: at least two images each, (N, H, W, 1)
        float32.
        """
        starts = zip(self.seeds, self._first, strict=True)
        return float(np.mean([self._accuracy(seed, weights, one, other) for seed, weights in starts]))

    def _accuracy(self, seed: int, weights: list[Floats], one: Floats, other: Floats) -> float:
        self.network.set_weights(weights)
        for variable, value in zip(self.optimizer.variables, self._blank, strict=True):
            variable.assign(value)
        (learn_one, test_one), (learn_other, test_other) = (np.array_split(images, 2) for images in (one, other))
        random = np.random.default_rng(seed)
        for _ in range(self.steps):
            picked = (images[random.integers(0, len(images), BATCH)] for images in (learn_one, learn_other))
            self._update(tf.concat([*picked], axis=0))
        right = np.mean(self._log_odds(test_one) <= 0), np.mean(self._log_odds(test_other) > 0)
        return float(np.mean(right))

    def _learn(self, images: tf.Tensor) -> None:
        wanted = tf.repeat([[0.0], [1.0]], BATCH, axis=0)
        with tf.GradientTape() as tape:
            logits = self.network(images, training=True)
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(wanted, logits))
        variables = self.network.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)

    def _log_odds(self, images: Floats) -> Floats:
        parts = (images[start : start + 256] for start in range(0, len(images), 256))
        return np.concatenate([self.network(part, training=False).numpy()[:, 0] for part in parts])


def _build(shape: tuple[int, int], seed: int) -> keras.Model:
    """Three strided convolutions, then means over the image for common features and maxima for rare ones."""
    images = x = keras.Input((*shape, 1))
    for k, (width, size) in enumerate(((16, 4), (32, 3), (32, 3))):
        initial = keras.initializers.HeNormal(seed + k)
        x = layers.Conv2D(width, size, 2, padding="same", activation="relu", kernel_initializer=initial)(x)
    seen = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)])
    return keras.Model(images, layers.Dense(1, kernel_initializer=keras.initializers.GlorotNormal(seed))(seen))
