"""LabelWeights: the weight of each character class in the label loss, by how many of its characters became unreadable.

There are two constraints: few characters overall, and few of each class, may be lost. Each has a multiplier that rises
while its constraint is violated and falls while it holds (Platt and Barr 1987, "Constrained differential
optimization"). So a refiner changes images as far as label preservation allows, whatever the seed and the images.

The label loss is not enough: few characters have a gradient, it is steep, and a large weight on it makes training
unstable. So the self-regularisation weight, whose gradient is smooth, rises too while too many characters are lost.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from gan.settings.targets import PRESERVATION, PRESERVATION_WORST
from gan.simgan.label_judge import LabelComparison

Tensor = Any
MAY_LOSE = 0.7 * (1.0 - PRESERVATION)  # share of all characters; the other 30% are a margin for chance
CLASS_MAY_LOSE = 0.7 * (1.0 - PRESERVATION_WORST)  # share of one class
DECAY = 0.99  # counts the last hundred updates: 360 characters a class, with 36 classes and 4 characters an image
RATE = 0.01  # largest change of a multiplier's logarithm in an update
LEAST = 0.25  # times the first weight, which is the largest: at 2.6 times that the label loss adds mostly noise
CLASS_MOST = 4.0  # times the weight of all
SELF_REG_MOST = 2.0  # times the self-regularisation weight


class LabelWeights(tf.Module):
    """Weights of ``classes`` classes, all ``first`` at the start, and a factor of the self-regularisation weight."""

    def __init__(self, classes: int, first: float) -> None:
        super().__init__(name="label_weights")
        self.first = first
        self.common = tf.Variable(first, trainable=False, name="common")
        self.factors = tf.Variable(tf.ones(classes), trainable=False, name="factors")
        self.self_reg_factor = tf.Variable(1.0, trainable=False, name="self_reg_factor")
        self.right = tf.Variable(tf.zeros((2, classes)), trainable=False, name="right")

    @property
    def values(self) -> Tensor:
        """The present weights, (classes,)."""
        return self.common * self.factors

    def loss(self, read: LabelComparison) -> Tensor:
        """The label loss, a weighted mean over characters: a scalar."""
        return read.loss(tf.gather(self.values, read.labels))

    def count(self, read: LabelComparison) -> Tensor:
        """How many characters of each class are read correctly on raw and on refined images: (2, classes)."""
        classes = tf.one_hot(read.labels, self.factors.shape[0]) * read.there[..., None]
        return tf.stack([tf.reduce_sum(classes * one[..., None], axis=(0, 1)) for one in (read.raw_right, read.right)])

    def update(self, right: Tensor) -> None:
        """Move the multipliers by one step after a batch with the counts ``right`` (2, classes)."""
        self.right.assign(DECAY * self.right + right)
        for_all, for_each = _growth(tf.reduce_sum(self.right, axis=1), MAY_LOSE), _growth(self.right, CLASS_MAY_LOSE)
        self.common.assign(tf.clip_by_value(self.common * for_all, LEAST * self.first, self.first))
        self.self_reg_factor.assign(tf.clip_by_value(self.self_reg_factor * for_all, 1.0, SELF_REG_MOST))
        self.factors.assign(tf.clip_by_value(self.factors * for_each, 1.0, CLASS_MOST))


def _growth(right: Tensor, may_lose: float) -> Tensor:
    """Factor of a multiplier: above 1 where ``right[1]`` lacks more than the share ``may_lose`` of ``right[0]``."""
    lost = tf.math.divide_no_nan(right[0] - right[1], right[0])
    return tf.exp(RATE * tf.clip_by_value(lost / may_lose - 1.0, -1.0, 1.0))
