"""The errors that training lowers, for both networks. Pure functions of scores and targets."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from classifier.targets import GridTargets, cells
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


def information_loss(scores: Any, labels: Any, points: Any, expected: Any, shape: tuple[int, int]) -> Any:
    """Minus the information between images and classes, in nats: what is read should be sure, and all classes be met.

    scores: (N, h, w, alphabet + 1) of real images of ``shape`` H, W; labels: (N, L) uint8, of which only counts whether
    there is a character (not 255); points: (N, L, 2) float32 x, y in px; expected: (alphabet,) class shares. The mean
    entropy of a character's classes, plus how far the batch's mean classes are from ``expected`` (Kullback-Leibler).
    Source: Liang et al. 2020, "Do we really need to access the source data?" (arXiv 2002.08546), eq. 3 and 4, where
    all shares are equal.
    """
    row, column = cells(points, shape)
    place = tf.cast(row * scores.shape[2] + column, tf.int32)
    flat = tf.reshape(scores, [-1, scores.shape[1] * scores.shape[2], scores.shape[3]])
    logs = tf.nn.log_softmax(tf.gather(flat, place, batch_dims=1)[..., :-1])
    present = tf.cast(labels != PADDING, tf.float32)
    total = tf.maximum(tf.reduce_sum(present), 1.0)
    entropy = -tf.reduce_sum(present * tf.reduce_sum(tf.exp(logs) * logs, -1)) / total
    shares = tf.reduce_sum(present[..., tf.newaxis] * tf.exp(logs), (0, 1)) / total
    return entropy + tf.reduce_sum(shares * tf.math.log((shares + 1e-6) / (expected + 1e-6)))
