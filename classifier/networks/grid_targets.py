"""What each cell of the grid should say, and the errors that training lowers. Pure TensorFlow, no state."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from classifier.networks.head import STRIDE, CharacterTargets
from synth_engine.samples import PADDING


class GridTargets(NamedTuple):
    """What each of the h x w cells should say.

    classes: (N, h, w) int32, the alphabet's size for none; characters, blanks: (N, h, w) float32 weights ≥ 0. A cell
    has at most one of the two weights. It has neither beside a centre, and around a doubtful character.
    """

    classes: Any
    characters: Any
    blanks: Any


def grid_targets(targets: CharacterTargets, shape: tuple[int, int], characters: int) -> GridTargets:
    """What each cell should say, for images of ``shape`` H, W and an alphabet of so many ``characters``.

    The cell of a point has the character's class, the eight around it (24 around a doubtful one) have no say, all
    others are blank. Points outside the canvas count in the nearest cell.
    """
    labels, points, weights = targets
    rows, columns = (-(-side // STRIDE) for side in shape)
    row, column = cells(points, shape)
    down = tf.abs(row[..., tf.newaxis] - tf.range(rows, dtype=tf.float32))
    right = tf.abs(column[..., tf.newaxis] - tf.range(columns, dtype=tf.float32))
    distance = tf.maximum(down[..., :, tf.newaxis], right[..., tf.newaxis, :])  # (N, L, h, w)
    present = tf.cast(labels != PADDING, tf.float32)
    doubtful = tf.cast(weights <= 0.0, tf.float32)
    reach = present * (1.0 + doubtful) + (present - 1.0)  # 1 cell, 2 where doubtful, -1 (none) where padded
    near = tf.reduce_any(distance <= reach[..., tf.newaxis, tf.newaxis], axis=1)
    centre = tf.cast(distance == 0.0, tf.float32) * (present * weights)[..., tf.newaxis, tf.newaxis]
    owner = tf.argmax(centre, axis=1)  # of two characters in one cell, the one that counts more
    classes = tf.gather(tf.cast(labels, tf.int32), tf.reshape(owner, [tf.shape(labels)[0], -1]), batch_dims=1)
    strength = tf.reduce_max(centre, axis=1)
    classes = tf.where(strength > 0.0, tf.reshape(classes, tf.shape(owner)), characters)
    return GridTargets(classes, strength, tf.cast(~near, tf.float32))


def cells(points: Any, shape: tuple[int, int]) -> tuple[Any, Any]:
    """Row and column, whole float32, of the cell that holds a point (..., 2) x, y in px; the nearest if none does."""
    rows, columns = (-(-side // STRIDE) for side in shape)
    row = tf.clip_by_value(tf.floor(points[..., 1] / STRIDE), 0.0, rows - 1.0)
    return row, tf.clip_by_value(tf.floor(points[..., 0] / STRIDE), 0.0, columns - 1.0)


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


def information_loss(scores: Any, labels: Any, points: Any, costs: Any, shape: tuple[int, int]) -> Any:
    """Information maximisation: what is read should be sure, and no class be read too often. Mean over characters.

    scores: (N, h, w, alphabet + 1) float32 of real images of ``shape`` H, W; labels: (N, L) uint8, of which only counts
    whether there is a character (not 255); points: (N, L, 2) float32 x, y in px; costs: (alphabet,) float32, see
    `PseudoLabels`. It is a character's entropy plus the mean cost of its classes, weighted by how likely it is there at
    all. Source: Liang et al. 2020, "Do we really need to access the source data?" (arXiv 2002.08546), section 3.2. The
    gradient of its divergence comes from all images of a round: in one batch, chance decides which classes are rare.
    """
    row, column = cells(points, shape)
    place = tf.cast(row * scores.shape[2] + column, tf.int32)
    flat = tf.reshape(scores, [-1, scores.shape[1] * scores.shape[2], scores.shape[3]])
    picked = tf.gather(flat, place, batch_dims=1)
    logs = tf.nn.log_softmax(picked[..., :-1])
    there = tf.stop_gradient(1.0 - tf.nn.softmax(picked)[..., -1]) * tf.cast(labels != PADDING, tf.float32)
    each = tf.reduce_sum(tf.exp(logs) * (costs - logs), -1)
    return tf.reduce_sum(there * each) / tf.maximum(tf.reduce_sum(there), 1.0)
