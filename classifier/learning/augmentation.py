"""Random warps of two-valued images and of points in them. Pure TensorFlow; random numbers are functions of a seed."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import tensorflow as tf

from classifier.learning.settings import Augmentation

WOBBLE_PX = 4  # side of a cell of the coarse noise, about the width of a stroke


class Warp(NamedTuple):
    """For each image an affine map from output to input px: x_in = matrix · (x_out - middle) + middle + shift.

    matrix: (N, 2, 2), shift: (N, 2), both float32 in x, y order; level: (N,) float32, threshold on [-1, 1]; blend: (N,)
    float32 in [0, 1], share of a copy blurred by a sigma of ``blur_px``, None for no blur; wobble: (N, h, w, 1) float32
    coarse noise that is added before the threshold, None for no noise.
    """

    matrix: Any
    shift: Any
    level: Any
    blend: Any = None
    blur_px: float = 0.0
    wobble: Any = None


def sample_warp(seed: Any, count: Any, ranges: Augmentation, shape: tuple[int, int]) -> Warp:
    """Warps for ``count`` images of ``shape`` H, W, uniform in ``ranges``; a function of ``seed``, (2,) int32."""
    u = tf.random.stateless_uniform([count, 9], seed, -1.0, 1.0)
    angle = u[:, 0] * math.radians(ranges.rotation_deg)
    cosine, sine = tf.cos(angle), tf.sin(angle)
    width, height, shear = 1.0 + u[:, 1] * ranges.scale, 1.0 + u[:, 2] * ranges.scale, u[:, 3] * ranges.shear
    top = tf.stack([cosine * width, (cosine * shear - sine) * height], -1)
    bottom = tf.stack([sine * width, (sine * shear + cosine) * height], -1)
    affine = tf.stack([top, bottom], 1), u[:, 4:6] * ranges.shift_px
    blend = tf.maximum(u[:, 7], 0.0) if ranges.blur_px else None
    wobble = _noise(seed, tf.maximum(u[:, 8], 0.0) * ranges.wobble, shape) if ranges.wobble else None
    return Warp(*affine, u[:, 6] * ranges.level, blend, ranges.blur_px, wobble)


def _noise(seed: Any, deviation: Any, shape: tuple[int, int]) -> Any:
    """Normal noise with a standard deviation of ``deviation`` (N,), one value for each cell of `WOBBLE_PX`."""
    height, width = (-(-side // WOBBLE_PX) for side in shape)
    noise = tf.random.stateless_normal([tf.shape(deviation)[0], height, width, 1], seed + 1)
    return noise * tf.reshape(deviation, [-1, 1, 1, 1])


def warp_images(images: Any, warp: Warp) -> Any:
    """Images (N, H, W, 1) float32 in [-1, 1], warped and thresholded to {-1, 1}; outside the canvas is ground."""
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
    return tf.where(_softened(warped, warp) > tf.reshape(warp.level, [-1, 1, 1, 1]), 1.0, -1.0)


def _softened(images: Any, warp: Warp) -> Any:
    """Grey images: blending in a blurred copy rounds strokes and changes their width, noise frays their edges."""
    if warp.blend is not None:
        blend = tf.reshape(warp.blend, [-1, 1, 1, 1])
        images = images + blend * (_blurred(images, warp.blur_px) - images)
    if warp.wobble is not None:
        images = images + tf.image.resize(warp.wobble, images.shape[1:3])
    return images


def _blurred(images: Any, sigma_px: float) -> Any:
    reach = math.ceil(2 * sigma_px)
    row = [math.exp(-0.5 * (x / sigma_px) ** 2) for x in range(-reach, reach + 1)]
    kernel = tf.constant(row, tf.float32) / sum(row)
    padded = tf.pad(images, [[0, 0], [reach, reach], [reach, reach], [0, 0]], constant_values=-1.0)
    across = tf.nn.conv2d(padded, tf.reshape(kernel, [1, -1, 1, 1]), 1, "VALID")
    return tf.nn.conv2d(across, tf.reshape(kernel, [-1, 1, 1, 1]), 1, "VALID")


def warp_points(points: Any, warp: Warp, shape: tuple[int, int]) -> Any:
    """Points (N, L, 2) float32 x, y in px of the input, moved to where they are in the warped image."""
    middle = _middle(shape)
    moved = points - (middle + warp.shift)[:, tf.newaxis]
    return tf.linalg.matvec(tf.linalg.inv(warp.matrix)[:, tf.newaxis], moved) + middle


def unwarp_points(points: Any, warp: Warp, shape: tuple[int, int]) -> Any:
    """Points (N, L, 2) float32 x, y in px of the warped image, moved back to the input: inverse of `warp_points`."""
    middle = _middle(shape)
    return tf.linalg.matvec(warp.matrix[:, tf.newaxis], points - middle) + (middle + warp.shift)[:, tf.newaxis]


def _middle(shape: tuple[int, int]) -> Any:
    """x, y in px of the middle of an image of ``shape`` H, W."""
    height, width = shape
    return tf.constant([(width - 1) / 2, (height - 1) / 2], tf.float32)
