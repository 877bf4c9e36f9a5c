"""Fused batch normalisation for networks in training: one operation forward and one backward.

Keras computes it with a dozen operations, each a pass over memory, which took a third of a step on two cores with AMX.
Saved networks hold the built-in layer, so that they load without this package.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers


class FusedBatchNormalization(layers.BatchNormalization):
    """`keras.layers.BatchNormalization` of the last axis of (N, h, w, C), with the same weights and results."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:  # noqa: ARG002
        """Normalised ``inputs``, in their dtype; in training the moving statistics are updated."""
        learns = bool(training) and self.trainable
        mean, variance = (self.moving_mean.value, self.moving_variance.value) if not learns else ([], [])
        result, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma.value,
            offset=self.beta.value,
            mean=mean,
            variance=variance,
            epsilon=self.epsilon,
            is_training=learns,
        )
        if learns:
            count = tf.cast(tf.size(inputs) // tf.shape(inputs)[-1], tf.float32)
            self._follow(self.moving_mean, mean)
            # TensorFlow gives the variance of a sample, Keras keeps that of the batch itself
            self._follow(self.moving_variance, variance * (count - 1.0) / count)
        return result

    def _follow(self, moving: Any, value: Any) -> None:
        moving.assign(moving * self.momentum + value * (1.0 - self.momentum))


def for_training(network: keras.Model) -> keras.Model:
    """A copy of ``network``, weights included, that learns the same in fewer passes over memory; or ``network``."""
    if not any(_fuses(layer) for layer in network.layers):
        return network
    copy = keras.models.clone_model(network, clone_function=_fused)
    copy.set_weights(network.get_weights())
    return copy


def _fused(layer: Any) -> Any:
    return (FusedBatchNormalization if _fuses(layer) else type(layer)).from_config(layer.get_config())


def _fuses(layer: Any) -> bool:
    normalises = type(layer) is layers.BatchNormalization and layer.center and layer.scale
    return normalises and layer.input.ndim == 4 and layer.axis in (-1, 3)
