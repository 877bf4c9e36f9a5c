"""Learner: a network with its moving average, taught by `keras.Model.fit` on synthetic and pseudo-labelled images.

One step refines some synthetic images, warps all images, scores them, lowers the loss and moves the average. Warps are
a function of (seed, step), refined images of (seed, sample), so that a resumed run equals an uninterrupted one. Batches
come from `batches`; `phase` decides how long training takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from classifier.learning.augmentation import sample_warp, warp_images, warp_points
from classifier.learning.settings import Augmentation, TrainingSettings
from classifier.networks.fused import for_training
from classifier.networks.head import CharacterTargets
from classifier.networks.heads import head_of
from classifier.networks.points import centres, visibility, within
from synth_engine.samples import PADDING
from synth_engine.training.refiner import Refiner
from synth_engine.training.value_range import to_network


@dataclass(frozen=True)
class Refinement:
    """``refiner`` refines ``share`` of the synthetic images of each batch, between 0 and 1."""

    refiner: Refiner
    share: float


class Learner(keras.Model):
    """``student`` learns; ``teacher`` is its moving average (Tarvainen & Valpola 2017, eq. 1), which is what is saved.

    ``refinement``, if any, says which share of the synthetic images is refined, and by what.
    """

    def __init__(
        self, student: Any, teacher: Any, settings: TrainingSettings, refinement: Refinement | None = None
    ) -> None:
        super().__init__(name="learner")
        self.student, self.teacher, self.refinement, self.settings = student, teacher, refinement, settings
        self.head = head_of(student)
        self.salt = 0
        self.loss_mean = keras.metrics.Mean(name="loss")
        self.right_mean = keras.metrics.Mean(name="characters")

    @property
    def state(self) -> dict[str, Any]:
        """What a checkpoint holds beside the step; batches and warps are functions of the step."""
        # Keras saves the states of its seed generators (dropout) in no format of its own
        seeds = [v.value for v in self.student.variables if v.path.endswith("seed_generator_state")]
        return {"student": self.student, "teacher": self.teacher, "optimizer": self.optimizer, "seeds": seeds}

    def train_step(self, data: dict[str, Any]) -> dict[str, Any]:
        """One optimiser step on a batch of `batches`, with real images or without; returns the means since a reset."""
        images, targets = self._warped(*self._gathered(data))
        real = data["real_images"].shape[0] if "real_images" in data else 0
        with tf.GradientTape() as tape:
            scores = self.student(images, training=True)
            loss, right = self.head.loss(scores, targets, images.shape[1:3], self.settings.blank_weight)
            if real and self.settings.adaptation.information:
                loss += self._information(scores[-real:], targets, data["real_costs"])
        variables = self.student.trainable_variables
        self._move_average()
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        self.loss_mean.update_state(loss)
        self.right_mean.update_state(right)
        return {"loss": self.loss_mean.result(), "characters": self.right_mean.result()}

    def _gathered(self, data: dict[str, Any]) -> list[Any]:
        """Images (N, H, W, 1), labels, points and weights of synthetic and real images as one batch."""
        images = self._refined(to_network(data["images"]), data.get("first"))
        parts = [images, data["labels"], centres(data["boxes"]), visibility(data["boxes"], data["images"].shape[1:3])]
        if "real_images" not in data:
            return parts
        real = [to_network(data["real_images"]), data["real_labels"], data["real_points"], data["real_weights"]]
        return [tf.concat(pair, axis=0) for pair in zip(parts, real, strict=True)]

    def _refined(self, images: Any, first: Any) -> Any:
        """Images of samples ``first``, ``first`` + 1, …; the first share of them refined, as `gan.refine` does it."""
        refinement = self.refinement
        count = 0 if refinement is None else round(refinement.share * images.shape[0])
        if refinement is None or count == 0:
            return images
        refined = refinement.refiner.refine(images[:count], self.settings.seed, first)
        return tf.concat([refined, images[count:]], axis=0)

    def _warped(self, images: Any, labels: Any, points: Any, weights: Any) -> tuple[Any, CharacterTargets]:
        shape = images.shape[1:3]
        ranges = self.settings.augmentation
        warp = sample_warp(self._seed(), images.shape[0], ranges, shape)
        points = warp_points(points, warp, shape)
        return warp_images(images, warp), CharacterTargets(labels, points, weights * within(points, shape))

    def _seed(self) -> Any:
        return tf.stack([self.settings.seed % 2**31 ^ self.salt, tf.cast(self.optimizer.iterations, tf.int32)])

    def _information(self, scores: Any, targets: CharacterTargets, costs: Any) -> Any:
        """The weighted information loss of the real images, which come last; classes of pseudo-labels do not count.

        scores: (R, h, w, alphabet + 1) of these images; targets: of all images; costs: (alphabet,) float32.
        """
        real = CharacterTargets(*(part[-scores.shape[0] :] for part in targets))
        shape = self.student.input_shape[1:3]
        labels = tf.where(within(real.points, shape) > 0.0, real.labels, tf.constant(PADDING, real.labels.dtype))
        loss = self.head.information_loss(scores, real._replace(labels=labels), costs, shape)
        return self.settings.adaptation.information * loss

    def _move_average(self) -> None:
        """Move the teacher; early decay is (1 + t) / (10 + t), so that the first weights are soon forgotten."""
        step = tf.cast(self.optimizer.iterations, tf.float32)
        rate = 1.0 - tf.minimum(self.settings.average, (1.0 + step) / (10.0 + step))
        for slow, fast in zip(self.teacher.weights, self.student.weights, strict=True):
            slow.assign_add(rate * (fast - slow))


def warped_view(images: Any, seed: tuple[int, int], ranges: Augmentation) -> tuple[Any, Any]:
    """Images (N, H, W) uint8 {0, 1} warped within ``ranges``, as (N, H, W, 1) float32 {-1, 1}, and the warp."""
    warp = sample_warp(tf.constant(seed, tf.int32), len(images), ranges, images.shape[1:3])
    return warp_images(to_network(tf.convert_to_tensor(images)), warp), warp


def recalibrate(network: Any, images: Any, batch_size: int = 256, batches: int = 40) -> None:
    """Move the statistics of batch normalisation to those of real ``images`` (N, H, W) uint8 {0, 1}; weights stay.

    Source: Li et al. 2016, "Revisiting batch normalization for practical domain adaptation".
    """
    forward = tf.function(lambda batch: network(to_network(batch), training=True), reduce_retracing=True)
    for k in range(batches):
        start = k * batch_size % max(1, len(images) - batch_size + 1)
        forward(tf.convert_to_tensor(images[start : start + batch_size]))


def learning_rate(peak: float, warmup_steps: int, steps: int) -> Any:
    """Linear warm-up to ``peak``, then half a cosine down to 1% of it."""
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=peak / max(1, warmup_steps),
        decay_steps=max(1, steps - warmup_steps),
        warmup_target=peak,
        warmup_steps=min(warmup_steps, max(0, steps - 1)),
        alpha=0.01,
    )


def make_learner(network: Any, settings: TrainingSettings, refinement: Refinement | None = None) -> Learner:
    """A learner whose student and teacher both start as copies of ``network``."""
    teacher = keras.models.clone_model(network)
    teacher.set_weights(network.get_weights())
    return Learner(for_training(network), teacher, settings, refinement)
