"""Random warps of two-valued images, and the same warps of points in them. Pure TensorFlow, stateless draws."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import tensorflow as tf

from classifier.config import Augmentation


class Warp(NamedTuple):
    """One affine map an image from output to input px: x_in = matrix · (x_out - middle) + middle + shift.

    matrix: (N, 2, 2), shift: (N, 2), both float32 in x, y order; level: (N,) float32, where images are cut.
    """

    matrix: Any
    shift: Any
    level: Any


def draw_warp(seed: Any, count: Any, ranges: Augmentation) -> Warp:
    """Warps for ``count`` images, uniform in ``ranges``; ``seed`` (2,) int32 decides them wholly."""
    u = tf.random.stateless_uniform([count, 7], seed, -1.0, 1.0)
    angle = u[:, 0] * math.radians(ranges.rotation_deg)
    cosine, sine = tf.cos(angle), tf.sin(angle)
    width, height, shear = 1.0 + u[:, 1] * ranges.scale, 1.0 + u[:, 2] * ranges.scale, u[:, 3] * ranges.shear
    top = tf.stack([cosine * width, (cosine * shear - sine) * height], -1)
    bottom = tf.stack([sine * width, (sine * shear + cosine) * height], -1)
    return Warp(tf.stack([top, bottom], 1), u[:, 4:6] * ranges.shift_px, u[:, 6] * ranges.level)


def warp_images(images: Any, warp: Warp) -> Any:
    """Images (N, H, W, 1) float32 in [-1, 1], warped and cut at the level to {-1, 1}; ground comes in at the edges."""
    height, width = images.shape[1:3]
    middle = _middle((height, width))
    offset = middle + warp.shift - tf.linalg.matvec(warp.matrix, middle)
    (a, b), (c, d) = (tf.unstack(warp.matrix[:, row], axis=-1) for row in (0, 1))
    zero = tf.zeros_like(a)
    warped = tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([a, b, offset[:, 0], c, d, offset[:, 1], zero, zero], -1),
        output_shape=[height, width],
        fill_value=-1.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
    return tf.where(warped > warp.level[:, tf.newaxis, tf.newaxis, tf.newaxis], 1.0, -1.0)


def warp_points(points: Any, warp: Warp, shape: tuple[int, int]) -> Any:
    """Where points (N, L, 2) x, y in px of the input lie in the warped image."""
    middle = _middle(shape)
    moved = points - (middle + warp.shift)[:, tf.newaxis]
    return tf.linalg.matvec(tf.linalg.inv(warp.matrix)[:, tf.newaxis], moved) + middle


def unwarp_points(points: Any, warp: Warp, shape: tuple[int, int]) -> Any:
    """Where points (N, L, 2) x, y in px of the warped image lie in the input: the inverse of `warp_points`."""
    middle = _middle(shape)
    return tf.linalg.matvec(warp.matrix[:, tf.newaxis], points - middle) + (middle + warp.shift)[:, tf.newaxis]


def _middle(shape: tuple[int, int]) -> Any:
    """x, y in px of the middle of an image of ``shape`` H, W."""
    height, width = shape
    return tf.constant([(width - 1) / 2, (height - 1) / 2], tf.float32)
