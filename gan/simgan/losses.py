"""The losses of SimGAN, its accuracies, and the check for non-finite values. No loop is here.

Every loss is a mean over images and over patches or pixels, so that its weight does not depend on the batch size.
Logits are (N, h, w, 1 or 2) float32 and linear; images (N, H, W, 1) float32 in [-1, 1]. All results are scalars.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

Tensor = Any


def realness(logits: Tensor) -> Tensor:
    """Log-odds (N, h, w) that a patch is real. The softmax of two classes is the sigmoid of their difference."""
    return logits[..., 0] if logits.shape[-1] == 1 else logits[..., 1] - logits[..., 0]


def self_regularisation(refined: Tensor, synthetic: Tensor) -> Tensor:
    """Mean absolute difference: the paper's l_reg (eq. 2 with psi the identity), as a mean over pixels."""
    return tf.reduce_mean(tf.abs(refined - synthetic))


def refiner_adversarial(refined_logits: Tensor) -> Tensor:
    """Cross-entropy of refined patches with the class real: l_real of eq. 2."""
    return tf.reduce_mean(tf.nn.softplus(-realness(refined_logits)))


def discriminator_real(real_logits: Tensor) -> Tensor:
    """Cross-entropy of real patches with the class real: the second term of eq. 1."""
    return tf.reduce_mean(tf.nn.softplus(-realness(real_logits)))


def discriminator_refined(refined_logits: Tensor) -> Tensor:
    """Cross-entropy of refined patches with the class refined: the first term of eq. 1."""
    return tf.reduce_mean(tf.nn.softplus(realness(refined_logits)))


def accuracy_on_real(real_logits: Tensor) -> Tensor:
    """Share of real images classified as real, by the mean log-odds of their patches: most patches are blank."""
    return tf.reduce_mean(tf.cast(image_log_odds(real_logits) > 0, tf.float32))


def accuracy_on_refined(refined_logits: Tensor) -> Tensor:
    """Share of refined images classified as refined; log-odds of exactly 0 count as that."""
    return tf.reduce_mean(tf.cast(image_log_odds(refined_logits) <= 0, tf.float32))


def mean_change(refined: Tensor, synthetic: Tensor) -> Tensor:
    """Mean absolute change of a pixel over the range of values: 0 for no change, 1 if all are inverted."""
    return tf.reduce_mean(tf.abs(refined - synthetic)) / 2.0


@tf.custom_gradient
def clip(images: Tensor) -> tuple[Tensor, Any]:
    """``images`` clipped to [-1, 1]. A pixel outside keeps the gradient that points back into the range.

    A plain clip has no gradient there, and most pixels of a binary image lie on the ends of the range.
    """

    def gradient(upstream: Tensor) -> Tensor:
        outward = ((images > 1) & (upstream < 0)) | ((images < -1) & (upstream > 0))
        return tf.where(outward, tf.zeros_like(upstream), upstream)

    return tf.clip_by_value(images, -1.0, 1.0), gradient


def non_finite(values: Mapping[str, Any]) -> list[str]:
    """Names of the scalars that are NaN or infinite."""
    return [name for name, value in values.items() if not math.isfinite(float(value))]


def image_log_odds(logits: Tensor) -> Tensor:
    """Log-odds (N,) that an image is real: the mean over its patches."""
    return tf.reduce_mean(realness(logits), axis=(1, 2))


def r1_penalty(images: Tensor, discriminator: Callable[[Tensor], Tensor]) -> Tensor:
    """R1: half the squared gradient of a patch's log-odds with respect to real ``images``; a mean over patches.

    ``discriminator`` returns logits. Mescheder et al. 2018, "Which training methods for GANs do actually converge?"
    (arXiv 1801.04406), eq. 9. The patches of an image are summed before the gradient is taken, as if independent.
    """
    with tf.GradientTape() as tape:
        tape.watch(images)
        odds = realness(discriminator(images))
        total = tf.reduce_sum(odds)
    gradient = tape.gradient(total, images)
    return 0.5 * tf.reduce_sum(tf.square(gradient)) / tf.cast(tf.size(odds), tf.float32)
