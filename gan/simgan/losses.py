"""All adversarial mathematics of SimGAN in one place: terms, accuracies, the check for non-finite values; no loop.

Every term is a mean, over images and over patches or pixels, so that none changes its weight with the batch size.
Logits are (N, h, w, 1 or 2) float32 and linear; images (N, H, W, 1) float32 in [-1, 1]. All results are scalars.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

Tensor = Any


def realness(logits: Tensor) -> Tensor:
    """Log-odds (N, h, w) that a patch is real. Two classes' softmax is the sigmoid of their difference."""
    return logits[..., 0] if logits.shape[-1] == 1 else logits[..., 1] - logits[..., 0]


def self_regularisation(refined: Tensor, synthetic: Tensor) -> Tensor:
    """Mean absolute difference: the paper's l_reg (eq. 2 with psi the identity), as a mean over pixels."""
    return tf.reduce_mean(tf.abs(refined - synthetic))


def refiner_adversarial(kind: str, refined_logits: Tensor) -> Tensor:
    """What the refiner pays for refined patches taken for refined: eq. 2's l_real, or its hinge form."""
    score = realness(refined_logits)
    return tf.reduce_mean(-score if kind == "hinge" else tf.nn.softplus(-score))


def discriminator_real(kind: str, real_logits: Tensor) -> Tensor:
    """What the discriminator pays for real patches: the second term of eq. 1, or hinge (arXiv 1705.02894)."""
    score = realness(real_logits)
    return tf.reduce_mean(tf.nn.relu(1.0 - score) if kind == "hinge" else tf.nn.softplus(-score))


def discriminator_refined(kind: str, refined_logits: Tensor) -> Tensor:
    """What the discriminator pays for refined patches: the first term of eq. 1, or hinge."""
    score = realness(refined_logits)
    return tf.reduce_mean(tf.nn.relu(1.0 + score) if kind == "hinge" else tf.nn.softplus(score))


def accuracy_on_real(real_logits: Tensor) -> Tensor:
    """Share of real images taken for real: by the mean log-odds of their patches, most of which are blank alike."""
    return tf.reduce_mean(tf.cast(verdicts(real_logits) > 0, tf.float32))


def accuracy_on_refined(refined_logits: Tensor) -> Tensor:
    """Share of refined images taken for refined; one at exactly 0 counts as such."""
    return tf.reduce_mean(tf.cast(verdicts(refined_logits) <= 0, tf.float32))


def mean_change(refined: Tensor, synthetic: Tensor) -> Tensor:
    """Mean absolute change of a pixel as a share of the range of values: 0 nothing moved, 1 all inverted."""
    return tf.reduce_mean(tf.abs(refined - synthetic)) / 2.0


@tf.custom_gradient
def clip(images: Tensor) -> tuple[Tensor, Any]:
    """``images`` held in [-1, 1]; a pixel outside keeps the gradient that would bring it back, and loses the other.

    A plain clip kills both, and most pixels of a binary image lie on its edge.
    """

    def gradient(upstream: Tensor) -> Tensor:
        outward = ((images > 1) & (upstream < 0)) | ((images < -1) & (upstream > 0))
        return tf.where(outward, tf.zeros_like(upstream), upstream)

    return tf.clip_by_value(images, -1.0, 1.0), gradient


def non_finite(values: Mapping[str, Any]) -> list[str]:
    """Names of the scalars that are NaN or infinite."""
    return [name for name, value in values.items() if not math.isfinite(float(value))]


def verdicts(logits: Tensor) -> Tensor:
    """Log-odds (N,) that an image is real: the mean of its patches'."""
    return tf.reduce_mean(realness(logits), axis=(1, 2))


def slope_penalty(images: Tensor, judge: Callable[[Tensor], Tensor]) -> Tensor:
    """R1: half the squared slope of a patch's log-odds over the pixels of ``images``, real ones; a mean over patches.

    ``judge`` gives logits. Mescheder et al. 2018, "Which training methods for GANs do actually converge?" (arXiv
    1801.04406), eq. 9, with the patches of an image summed up before their slope is taken: taken for independent.
    """
    with tf.GradientTape() as tape:
        tape.watch(images)
        odds = realness(judge(images))
        total = tf.reduce_sum(odds)
    slopes = tape.gradient(total, images)
    return 0.5 * tf.reduce_sum(tf.square(slopes)) / tf.cast(tf.size(odds), tf.float32)
