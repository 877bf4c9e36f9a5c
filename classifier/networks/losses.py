"""The errors that training lowers, for both networks. Pure functions of scores and targets."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from classifier.networks.targets import GridTargets, cells
from synth_engine.samples import PADDING


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


def information_loss(scores: Any, labels: Any, points: Any, costs: Any, shape: tuple[int, int]) -> Any:
    """Information maximisation: what is read should be sure, and no class be read too often. Mean over characters.

    scores: (N, h, w, alphabet + 1) of real images of ``shape`` H, W; labels: (N, L) uint8, of which only counts whether
    there is a character (not 255); points: (N, L, 2) float32 x, y in px; costs: (alphabet,) of `pseudo.class_costs`.
    A character's entropy plus the mean cost of its classes, weighted by how likely it is there at all. Source: Liang et
    al. 2020, "Do we really need to access the source data?" (arXiv 2002.08546), section 3.2, with the slope of its
    divergence taken from all images of a round: among a batch's hundred characters chance decides which classes lack.
    """
    row, column = cells(points, shape)
    place = tf.cast(row * scores.shape[2] + column, tf.int32)
    flat = tf.reshape(scores, [-1, scores.shape[1] * scores.shape[2], scores.shape[3]])
    picked = tf.gather(flat, place, batch_dims=1)
    logs = tf.nn.log_softmax(picked[..., :-1])
    there = tf.stop_gradient(1.0 - tf.nn.softmax(picked)[..., -1]) * tf.cast(labels != PADDING, tf.float32)
    each = tf.reduce_sum(tf.exp(logs) * (costs - logs), -1)
    return tf.reduce_sum(there * each) / tf.maximum(tf.reduce_sum(there), 1.0)
