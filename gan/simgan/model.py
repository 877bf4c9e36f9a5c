"""SimGAN as a Keras model: two networks, two optimisers, and one training step in each of the three phases.

Algorithm 1 of the paper. Losses are in `losses`, what the discriminator sees in `discriminator_input` and `history`.
Data, reports and files belong to `gan.run`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gan.settings.config import Config
from gan.simgan import losses
from gan.simgan.best_step import BestStep
from gan.simgan.discriminator_input import DiscriminatorInput
from gan.simgan.history import HistoryBuffer
from gan.simgan.label_judge import LabelJudge
from gan.simgan.label_weights import LabelWeights
from gan.simgan.networks import build_discriminator, build_refiner, clipped
from gan.simgan.replicas import Replicas
from gan.simgan.schedule import phases
from synth_engine.training.refiner import Refiner, binarise, normal_shape
from synth_engine.training.value_range import to_network

Tensor = Any
Logs = dict[str, Tensor]
METRICS = (  # columns of metrics.csv
    "self_reg", "refiner_adversarial", "mean_change",
    "discriminator_real", "discriminator_refined", "accuracy_real", "accuracy_refined", "r1_penalty",
    "label_loss", "label_weight", "self_reg_factor",
)  # fmt: skip
RIGHT = "right"  # counts of characters, which are not logged


class SimGAN(keras.Model):
    """Refiner and discriminator for images of ``shape`` (H, W) px, whose ink is opened by squares of ``open_px``.

    ``fit`` takes elements (synthetic (S, B, H, W), real (R, B, H, W)), both uint8 {0, 1}; each update of a network uses
    one of these batches. In the phases ``refiner`` and ``discriminator`` S = R = 1. In ``adversarial`` S counts the
    updates of both networks, R those of the discriminator. With a ``judge``, labels (S, B, L) uint8 and boxes
    (S, B, L, 4) follow: see `LabelWeights`. Logs are means over all updates since the last reset.

    Batches are split among ``devices``, whose number divides B; without any, TensorFlow places them.
    """

    def __init__(
        self, config: Config, shape: tuple[int, int], judge: LabelJudge | None = None, open_px: int = 0,
        devices: Sequence[str] = (),
    ) -> None:  # fmt: skip
        super().__init__(name="simgan")
        self.config, self.judge, self.open_px = config, judge if config.label_weight else None, open_px
        self.refiner = build_refiner(shape, config)
        self.averaged = build_refiner(shape, config.replace(precision="float32"))
        self.averaged.set_weights(self.refiner.get_weights())
        self.product = clipped(self.averaged)
        self.frozen = Refiner(self.product, open_px)
        self.discriminator = build_discriminator(config)
        self.label_weights = LabelWeights(judge.characters if judge else 0, config.label_weight)
        self.best_step = BestStep(self.averaged.variables)
        self.buffer = HistoryBuffer(config.history_batches * config.batch_size, shape, config.batch_size, config.seed)
        self.discriminator_input, self.replicas = DiscriminatorInput(config), Replicas(devices)
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")
        self.arrived = tf.Variable(0.0, dtype=tf.float64, trainable=False, name="arrived")
        self.first_adversarial = phases(config)[-1].first
        self.phase = "adversarial"
        self.trackers = {name: keras.metrics.Mean(name) for name in METRICS}

    def compile(
        self,
        refiner_optimizer: keras.optimizers.Optimizer,
        discriminator_optimizer: keras.optimizers.Optimizer,
    ) -> None:
        """One optimiser a network, built at once so that a checkpoint can fill it. XLA would be slower on a CPU."""
        super().compile(optimizer=None, jit_compile=False)
        refiner_optimizer.build(self.refiner.trainable_variables)
        discriminator_optimizer.build(self.discriminator.trainable_variables)
        self.refiner_optimizer, self.discriminator_optimizer = refiner_optimizer, discriminator_optimizer

    def enter(self, phase: str) -> None:
        """Make the next ``fit`` train that phase of `schedule.phases`."""
        self.phase = phase
        self.train_function = None

    @property
    def state(self) -> dict[str, Any]:
        """What a checkpoint must hold; the positions in both streams of data follow from the step."""
        return {
            "step": self.step,
            "refiner": self.refiner,
            "averaged": self.averaged,
            "discriminator": self.discriminator,
            "refiner_optimizer": self.refiner_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
            "history": self.buffer,
            "discriminator_input": self.discriminator_input,
            "label_weights": self.label_weights,
            "best_step": self.best_step,
        }

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self.trackers.values())

    def call(self, images: Tensor) -> Tensor:
        """Refine images (N, H, W, 1) float32 in [-1, 1] with the averaged weights, as the saved refiner does."""
        return self.product(images)

    def train_step(self, data: tuple[Tensor, ...]) -> Logs:
        with tf.control_dependencies(data):
            arrived = self.arrived.assign(tf.numpy_function(_now, [], tf.float64))
        # without this, operations that need no data run first and count as waiting for it
        with tf.control_dependencies([arrived]):
            logs = self._train(*data)
        self.step.assign_add(1)
        return logs

    def _train(self, synthetic: Tensor, real: Tensor, *known: Tensor) -> Logs:
        if self.phase == "refiner":
            return self.regularise_refiner(synthetic[0])
        if self.phase == "discriminator":
            return self.update_discriminator(synthetic[0], real[0])
        return self._alternate(synthetic, real, known)

    def _alternate(self, synthetic: Tensor, real: Tensor, known: Sequence[Tensor]) -> Logs:
        refiner_updates = self.config.refiner_updates
        logs: Logs = {}
        for k in range(refiner_updates):
            logs |= self.update_refiner(synthetic[k], *(each[k] for each in known))
        for k in range(self.config.discriminator_updates):
            logs |= self.update_discriminator(synthetic[refiner_updates + k], real[k])
        return logs

    def regularise_refiner(self, synthetic: Tensor) -> Logs:
        """One update of the refiner towards the identity, so that it does not start from random images."""

        def loss_of(images: Tensor) -> tuple[Tensor, Logs]:
            refined = losses.clip(self.refiner(images, training=True))
            loss = losses.self_regularisation(refined, images)
            return loss, {"self_reg": loss, "mean_change": losses.mean_change(refined, images)}

        return self._improve_refiner(loss_of, to_network(synthetic))

    def update_refiner(self, synthetic: Tensor, *known: Tensor) -> Logs:
        """One update of the refiner on a batch (B, H, W) uint8; the discriminator is not changed.

        ``known``: the batch's labels (B, L) and boxes (B, L, 4), with a judge.
        """

        def loss_of(images: Tensor, *known: Tensor) -> tuple[Tensor, Logs]:
            refined = losses.clip(self.refiner(images, training=True))
            binary = self.binarise(refined)
            logits = self.discriminator(self._seen(binary), training=False)
            adversarial = losses.refiner_adversarial(logits)
            self_reg = losses.self_regularisation(refined, images)
            loss = adversarial + self.config.self_reg_weight * self.label_weights.self_reg_factor * self_reg
            change = losses.mean_change(refined, images)
            logs = {"refiner_adversarial": adversarial, "self_reg": self_reg, "mean_change": change}
            if self.judge:
                read = self.judge.compare(binary, images, *known)
                logs |= {"label_loss": read.loss(), RIGHT: self.label_weights.count(read)}
                loss += self.label_weights.loss(read)
            return loss, logs

        return self._improve_refiner(loss_of, to_network(synthetic), *known)

    def update_discriminator(self, synthetic: Tensor, real: Tensor) -> Logs:
        """One update of the discriminator on a real batch and a refined one, half of which is from the history."""

        def loss_of(real: Tensor, refined: Tensor) -> tuple[Tensor, Logs]:
            judged = self.discriminator(tf.concat([real, refined], axis=0), training=True)
            real_logits, refined_logits = tf.split(judged, 2)
            on_real = losses.discriminator_real(real_logits)
            on_refined = losses.discriminator_refined(refined_logits)
            extra = {"r1_penalty": self._r1_penalty(real)} if self.config.r1_weight else {}
            return on_real + on_refined + sum(extra.values()), {
                "discriminator_real": on_real,
                "discriminator_refined": on_refined,
                "accuracy_real": losses.accuracy_on_real(real_logits),
                "accuracy_refined": losses.accuracy_on_refined(refined_logits),
                **extra,
            }

        refined = self.buffer.exchange(self.replicas.joined(self._refine, to_network(synthetic)))
        seen = tf.split(self._seen(tf.concat([to_network(real), refined], axis=0)), 2)
        variables = self.discriminator.trainable_variables
        gradients, logs = self.replicas.gradients(loss_of, variables, *seen)
        self.discriminator_optimizer.apply(gradients, variables)
        return self._log(logs)

    def binarise(self, grey: Tensor) -> Tensor:
        """Binary images {-1, 1} of what the refiner puts out while it learns, (N, H, W, 1) in [-1, 1].

        Random numbers come from the model's generator: each update of the network has images of its own anyway.
        """
        with tf.device(None):  # where the generator is, also for a replica elsewhere
            normal = self.discriminator_input.generator.normal(normal_shape(tf.shape(grey), self.open_px))
        return binarise(grey, normal, self.open_px)

    def log_odds(self, images: Tensor) -> Tensor:
        """The discriminator's log-odds (N,) that images (N, H, W, 1), shown without noise, are real."""
        return losses.image_log_odds(self.discriminator(images, training=False))

    def _r1_penalty(self, real: Tensor) -> Tensor:
        """The weighted R1 penalty, ``r1_steps`` times as large in every ``r1_steps``-th update and 0 in the others.

        Karras et al. 2020 (StyleGAN2, arXiv 1912.04958), appendix B: lazy regularisation.
        """
        every, judge = self.config.r1_steps, lambda images: self.discriminator(images, training=False)
        due = self.discriminator_optimizer.iterations % every == 0
        weight = self.config.r1_weight * every
        return tf.cond(due, lambda: weight * losses.r1_penalty(real, judge), lambda: tf.constant(0.0))

    def _seen(self, images: Tensor) -> Tensor:
        with tf.device(None):
            return self.discriminator_input(images, tf.maximum(self.step - self.first_adversarial, 0))

    def _refine(self, images: Tensor) -> Tensor:
        return self.binarise(losses.clip(self.refiner(images, training=False)))

    def _improve_refiner(self, loss_of: Callable[..., tuple[Tensor, Logs]], *batch: Tensor) -> Logs:
        variables = self.refiner.trainable_variables
        gradients, logs = self.replicas.gradients(loss_of, variables, *batch)
        self.refiner_optimizer.apply(gradients, variables)
        if RIGHT in logs:
            self.label_weights.update(logs.pop(RIGHT))
            logs["label_weight"] = tf.reduce_mean(self.label_weights.values)
            logs["self_reg_factor"] = self.label_weights.self_reg_factor
        for mean, new in zip(self.averaged.variables, self.refiner.variables, strict=True):
            mean.assign(new + self.config.ema_decay * (mean - new))
        return self._log(logs)

    def _log(self, values: Logs) -> Logs:
        for name, value in values.items():
            self.trackers[name].update_state(value)
        return {name: self.trackers[name].result() for name in values}


def build_optimizer(config: Config, rate: float, updates: int) -> keras.optimizers.Optimizer:
    """Adam or plain SGD, with a rate that is constant or falls as a cosine over so many ``updates``."""
    if config.rate_falls:
        rate = keras.optimizers.schedules.CosineDecay(rate, updates, alpha=0.02)
    if config.optimizer == "sgd":
        return keras.optimizers.SGD(rate)
    return keras.optimizers.Adam(rate, beta_1=config.beta_1, beta_2=0.99)


def build_simgan(
    config: Config,
    shape: tuple[int, int],
    judge: LabelJudge | None = None,
    open_px: int = 0,
    devices: Sequence[str] = (),
) -> SimGAN:
    """A compiled model, whose initial weights follow from ``config.seed``."""
    keras.utils.set_random_seed(config.seed)
    model = SimGAN(config, shape, judge, open_px, devices)
    refined = config.refiner_pretrain_steps + config.steps * config.refiner_updates
    judged = config.discriminator_pretrain_steps + config.steps * config.discriminator_updates
    model.compile(
        build_optimizer(config, config.refiner_rate, refined),
        build_optimizer(config, config.discriminator_rate, judged),
    )
    return model


def _now() -> np.float64:
    """Seconds of Python's clock: TensorFlow's own is refused where operations must be deterministic."""
    return np.float64(time.monotonic())
