"""DiscriminatorInput: how the discriminator sees images, real and refined alike: noisy and partly hidden.

Nothing here is trained, and nothing is mirrored: a mirrored character is another one.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from gan.settings.config import Config

Tensor = Any


class DiscriminatorInput(tf.Module):
    """Built from ``config``'s noise and cutout; each is left out where its value is 0."""

    def __init__(self, config: Config) -> None:
        super().__init__(name="discriminator_input")
        self.noise_stddev, self.cutout_px = config.noise_stddev, config.cutout_px
        self.fade_steps = config.noise_until_share * config.steps
        self.generator = tf.random.Generator.from_seed(config.seed + 1, alg="philox")

    def __call__(self, images: Tensor, step: Any) -> Tensor:
        """``images`` (N, H, W, 1) in [-1, 1] as the discriminator sees them at adversarial step ``step``: same shape.

        Every image gets noise of its own. One square at a random place becomes ground in all of them, so real and
        refined images that are given together are hidden alike.
        """
        return self._cut_out(self._disturb(images, step))

    def _disturb(self, images: Tensor, step: Any) -> Tensor:
        if not self.noise_stddev:
            return images
        left = tf.maximum(0.0, 1.0 - tf.cast(step, tf.float32) / self.fade_steps)
        return images + self.generator.normal(tf.shape(images)) * (self.noise_stddev * left)

    def _cut_out(self, images: Tensor) -> Tensor:
        """Zhao et al. 2020, "Differentiable augmentation for data-efficient GAN training" (arXiv 2006.10738)."""
        if not self.cutout_px:
            return images
        near = []
        for side in images.shape[1:3]:
            start = self.generator.uniform((), maxval=side, dtype=tf.int32) - self.cutout_px // 2
            near.append((tf.range(side) >= start) & (tf.range(side) < start + self.cutout_px))
        hole = (near[0][:, None] & near[1])[..., None]
        return tf.where(hole, -1.0, images)
