"""LabelWeights: how much each class of characters weighs in the refiner's loss, by how many of them it has spoilt.

Two constraints, that few characters of all and few of any class are lost, have multipliers that move as in Platt and
Barr 1987, "Constrained differential optimization": up while the constraint is broken, down while it is kept. So a
refiner goes as far as its labels allow, whatever the seed and the images. The label loss alone can't do it: its steep
gradients are few, and weighed heavily they blow a refiner about more than they hold it. So self-regularisation, whose
gradient is smooth, weighs more too while too many of all are lost.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from gan.settings.metrics import KEPT, KEPT_WORST
from gan.simgan.label_judge import Comparison

Tensor = Any
MAY_LOSE = 0.7 * (1.0 - KEPT)  # of all characters; the rest is for chance
CLASS_MAY_LOSE = 0.7 * (1.0 - KEPT_WORST)  # of one class
DECAY = 0.99  # the last hundred updates count: 360 characters a class, where there are 36 classes and 4 in an image
RATE = 0.01  # of a multiplier's logarithm an update, at most
LEAST = 0.25  # of the first weight, which is also the most for all: at 2.6 times that its noise outweighs its lessons
CLASS_MOST = 4.0  # times the weight of all
CAUTION_MOST = 2.0  # times the weight of self-regularisation


class LabelWeights(tf.Module):
    """Weights of ``classes`` classes, all ``first`` to begin with; ``caution`` multiplies self-regularisation's."""

    def __init__(self, classes: int, first: float) -> None:
        super().__init__(name="label_weights")
        self.first = first
        self.common = tf.Variable(first, trainable=False, name="common")
        self.factors = tf.Variable(tf.ones(classes), trainable=False, name="factors")
        self.caution = tf.Variable(1.0, trainable=False, name="caution")
        self.right = tf.Variable(tf.zeros((2, classes)), trainable=False, name="right")

    @property
    def values(self) -> Tensor:
        """The weights as they are now, (classes,)."""
        return self.common * self.factors

    def loss(self, read: Comparison) -> Tensor:
        """How much worse the characters are read, as a weighted mean: a scalar."""
        return read.loss(tf.gather(self.values, read.labels))

    def count(self, read: Comparison) -> Tensor:
        """How many of each class are read right on raw and on refined images: (2, classes)."""
        classes = tf.one_hot(read.labels, self.factors.shape[0]) * read.there[..., None]
        return tf.stack([tf.reduce_sum(classes * one[..., None], axis=(0, 1)) for one in (read.raw_right, read.right)])

    def update(self, right: Tensor) -> None:
        """Move the multipliers by one step after a batch with the counts ``right``, (2, classes)."""
        self.right.assign(DECAY * self.right + right)
        for_all, for_each = _growth(tf.reduce_sum(self.right, axis=1), MAY_LOSE), _growth(self.right, CLASS_MAY_LOSE)
        self.common.assign(tf.clip_by_value(self.common * for_all, LEAST * self.first, self.first))
        self.caution.assign(tf.clip_by_value(self.caution * for_all, 1.0, CAUTION_MOST))
        self.factors.assign(tf.clip_by_value(self.factors * for_each, 1.0, CLASS_MOST))


def _growth(right: Tensor, may_lose: float) -> Tensor:
    """What to multiply by, where of so many ``right`` on raw and on refined images ``may_lose`` of the first may go."""
    lost = tf.math.divide_no_nan(right[0] - right[1], right[0])
    return tf.exp(RATE * tf.clip_by_value(lost / may_lose - 1.0, -1.0, 1.0))
