"""Characters' places as tensors: their middles, and how much of them the canvas shows. Pure TensorFlow, no state."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

VISIBLE_PX = 8.0  # a character that the canvas cuts to less than this counts less


def centres(boxes: Any) -> Any:
    """Middle (x, y) in px, float32 (N, L, 2), of boxes (N, L, 4) x0, y0, x1, y1, half-open px."""
    boxes = tf.cast(boxes, tf.float32)
    return (boxes[..., :2] + boxes[..., 2:] - 1.0) / 2.0


def visibility(boxes: Any, shape: tuple[int, int]) -> Any:
    """Weight of each box (N, L, 4), float32 (N, L) in [0, 1]: below 1 where the canvas cuts off most of it.

    Characters inside the canvas, narrow ones too, weigh 1. A box at an edge weighs by its size across that edge.
    """
    x0, y0, x1, y1 = tf.unstack(tf.cast(boxes, tf.float32), axis=-1)
    height, width = shape
    across = tf.where((x0 <= 0) | (x1 >= width), x1 - x0, VISIBLE_PX)
    along = tf.where((y0 <= 0) | (y1 >= height), y1 - y0, VISIBLE_PX)
    return tf.clip_by_value(tf.minimum(across, along) / VISIBLE_PX, 0.0, 1.0)


def within(points: Any, shape: tuple[int, int]) -> Any:
    """Float32 (N, L): 1 where a point (N, L, 2) x, y in px is on the canvas of ``shape`` H, W, else 0.

    A character with its middle outside, after a warp, teaches nothing.
    """
    limits = tf.constant([shape[1], shape[0]], tf.float32) - 0.5
    return tf.cast(tf.reduce_all((points >= -0.5) & (points < limits), axis=-1), tf.float32)
