"""From labels and boxes to what each cell of the grid should say. Pure TensorFlow, no state."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from classifier.networks.head import STRIDE
from synth_engine.samples import PADDING

VISIBLE_PX = 8.0  # a character cut by the canvas to less than this says less


class GridTargets(NamedTuple):
    """classes: (N, h, w) int32, the alphabet's size for none; characters, blanks: (N, h, w) float32 weights ≥ 0.

    A cell has one of the two weights or, beside a centre and around a doubtful character, neither.
    """

    classes: Any
    characters: Any
    blanks: Any


def centres(boxes: Any) -> Any:
    """Middle (x, y) in px, float32 (N, L, 2), of boxes (N, L, 4) x0, y0, x1, y1, half-open px."""
    boxes = tf.cast(boxes, tf.float32)
    return (boxes[..., :2] + boxes[..., 2:] - 1.0) / 2.0


def visibility(boxes: Any, shape: tuple[int, int]) -> Any:
    """How much a box (N, L, 4) counts, float32 (N, L) in [0, 1]: less than 1 where the canvas cuts it to a sliver.

    Narrow characters inside the canvas count fully; a box that touches an edge counts by its extent across that edge.
    """
    x0, y0, x1, y1 = tf.unstack(tf.cast(boxes, tf.float32), axis=-1)
    height, width = shape
    across = tf.where((x0 <= 0) | (x1 >= width), x1 - x0, VISIBLE_PX)
    along = tf.where((y0 <= 0) | (y1 >= height), y1 - y0, VISIBLE_PX)
    return tf.clip_by_value(tf.minimum(across, along) / VISIBLE_PX, 0.0, 1.0)


def within(points: Any, shape: tuple[int, int]) -> Any:
    """1 where a point (N, L, 2) x, y in px lies on the canvas of ``shape`` H, W, else 0: float32 (N, L).

    A character whose middle a warp took off the canvas says nothing.
    """
    limits = tf.constant([shape[1], shape[0]], tf.float32) - 0.5
    return tf.cast(tf.reduce_all((points >= -0.5) & (points < limits), axis=-1), tf.float32)


def grid_targets(labels: Any, points: Any, weights: Any, shape: tuple[int, int], characters: int) -> GridTargets:
    """What each cell should say.

    labels: (N, L) uint8, 255 for no character; points: (N, L, 2) float32 x, y in px; weights: (N, L) float32, 0 for a
    character that must neither be learnt nor be taken for blank. The cell of a point has the character's class, the
    eight around it (24 around a doubtful one) have no say, all others are blank. Points outside the canvas count in
    the nearest cell.
    """
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
