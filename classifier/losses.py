"""The errors that training lowers, for both networks. Pure functions of scores and targets."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from classifier.targets import GridTargets
from synth_engine.synthesizer import PADDING


def grid_loss(scores: Any, targets: GridTargets, blank_weight: float) -> tuple[Any, Any]:
    """Mean cross-entropy over characters plus that of blank cells, each blank cell counting ``blank_weight``.

    scores: (N, h, w, alphabet + 1). Both sums are divided by the characters' weight, so that neither the batch size nor
    the many blank cells change the balance. Returns the loss and the share of characters scored right in their cell.
    """
    errors = tf.nn.sparse_softmax_cross_entropy_with_logits(targets.classes, scores)
    total = tf.maximum(tf.reduce_sum(targets.characters), 1.0)
    loss = tf.reduce_sum(errors * (targets.characters + blank_weight * targets.blanks)) / total
    right = tf.cast(tf.argmax(scores, -1, output_type=tf.int32) == targets.classes, tf.float32)
    return loss, tf.reduce_sum(right * targets.characters) / total


def heads_loss(scores: Any, labels: Any, weights: Any) -> tuple[Any, Any]:
    """Weighted mean cross-entropy over positions. scores: (N, L, alphabet); labels: (N, L) uint8; weights: (N, L)."""
    weights = weights * tf.cast(labels != PADDING, tf.float32)
    classes = tf.where(labels == PADDING, 0, tf.cast(labels, tf.int32))
    total = tf.maximum(tf.reduce_sum(weights), 1.0)
    errors = tf.nn.sparse_softmax_cross_entropy_with_logits(classes, scores)
    right = tf.cast(tf.argmax(scores, -1, output_type=tf.int32) == classes, tf.float32)
    return tf.reduce_sum(errors * weights) / total, tf.reduce_sum(right * weights) / total
