"""FeatureMatching: what a refiner pays for images whose features are not spread like those of real ones.

Salimans et al. 2016, "Improved techniques for training GANs" (arXiv 1606.03498), section 3.1, with the features of a
frozen reader in place of the discriminator's, and with their squares too. No labels of real images are involved.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Tensor = Any
SLIGHT = 0.95  # kept of the running means at each batch: they stand for the last twenty


class FeatureMatching(tf.Module):
    """Holds features (N, D) of real images against those of refined batches; ``running`` is part of a checkpoint."""

    def __init__(self, real: NDArray[np.float32]) -> None:
        super().__init__(name="matching")
        self.mean, self.deviation = real.mean(axis=0), real.std(axis=0) + 1e-3
        self.running = tf.Variable(tf.zeros((2 * real.shape[1],)), trainable=False, name="running")

    def __call__(self, features: Tensor) -> Tensor:
        """Mean square of how far, in deviations of the real ones, means and squares are off: 0 for real; a scalar.

        ``features``: (B, D). The value is that of the running means; the gradient is that of this batch's part.
        """
        scaled = (features - self.mean) / self.deviation
        off = tf.reduce_mean(tf.concat([scaled, tf.square(scaled) - 1.0], axis=1), axis=0)
        self.running.assign(SLIGHT * self.running + (1.0 - SLIGHT) * tf.stop_gradient(off))
        towards = tf.reduce_mean(2.0 * self.running * off)
        return tf.reduce_mean(tf.square(self.running)) + towards - tf.stop_gradient(towards)
