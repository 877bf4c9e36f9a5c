"""View: how the discriminator gets to see images, real and refined alike: noisy, shifted, cut out.

Nothing here is trained, and nothing is mirrored: a mirrored character is another one.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from gan.settings.config import Config

Tensor = Any


class View(tf.Module):
    """Built from ``config``'s noise, shift and cutout; each is left out where its value is 0."""

    def __init__(self, config: Config) -> None:
        super().__init__(name="view")
        self.noise_stddev, self.shift_px, self.cutout_px = config.noise_stddev, config.shift_px, config.cutout_px
        self.fade_steps = config.noise_until_share * config.steps
        self.generator = tf.random.Generator.from_seed(config.seed + 1, alg="philox")

    def __call__(self, images: Tensor, step: Any) -> Tensor:
        """``images`` (N, H, W, 1) in [-1, 1] as training shows them at adversarial step ``step``.

        Shape (N, H - shift_px, W - shift_px, 1): a window at a random place, the same one for all of ``images``.
        So is a square of ground, cut out where its middle falls. Give real and refined ones in one call: then they
        share everything but the noise's draws.
        """
        return self._cut_out(self._shift(self._disturb(images, step)))

    def _disturb(self, images: Tensor, step: Any) -> Tensor:
        if not self.noise_stddev:
            return images
        left = tf.maximum(0.0, 1.0 - tf.cast(step, tf.float32) / self.fade_steps)
        return images + self.generator.normal(tf.shape(images)) * (self.noise_stddev * left)

    def _shift(self, images: Tensor) -> Tensor:
        if not self.shift_px:
            return images
        height, width = images.shape[1] - self.shift_px, images.shape[2] - self.shift_px
        y, x = tf.unstack(self.generator.uniform((2,), maxval=self.shift_px + 1, dtype=tf.int32))
        window = tf.slice(images, [0, y, x, 0], [-1, height, width, -1])
        return tf.ensure_shape(window, (None, height, width, 1))

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
