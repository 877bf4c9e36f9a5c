"""SimGAN as a Keras model: two networks, two optimisers, and one step of training in each of the three phases.

Algorithm 1 of the paper. The terms are in `losses`, what the discriminator sees is in `view`, what it is reminded of
in `history`; reading data, reporting and saving are left to `train`.
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
from gan.simgan.best_step import Choice
from gan.simgan.discriminator_input import View
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
METRICS = (
    "self_reg", "refiner_adversarial", "mean_change",
    "discriminator_real", "discriminator_refined", "accuracy_real", "accuracy_refined", "slope",
    "labels", "label_weight", "caution",
)  # fmt: skip
RIGHT = "right"  # counts of characters, which no line of progress shows


class SimGAN(keras.Model):
    """Refiner and discriminator for images of ``shape`` (H, W) px, whose ink is opened by squares of ``open_px``.

    ``fit`` takes batches (synthetic (S, B, H, W), real (R, B, H, W)), both uint8 {0, 1}: in the phases ``refiner`` and
    ``discriminator`` S = R = 1; in ``adversarial`` S is the refiner's and the discriminator's updates together and R
    the discriminator's, each update taking a batch of its own. With ``reader``, see `LabelWeights`,
    labels (S, B, L) uint8 and boxes (S, B, L, 4) follow. Logs are means over all updates since the last reset.
    Each batch is shared out among ``devices``, whose number divides B; without any, it is left to TensorFlow.
    """

    def __init__(
        self, config: Config, shape: tuple[int, int], reader: LabelJudge | None = None, open_px: int = 0,
        devices: Sequence[str] = (),
    ) -> None:  # fmt: skip
        super().__init__(name="simgan")
        self.config, self.reader, self.open_px = config, reader if config.label_weight else None, open_px
        self.refiner = build_refiner(shape, config)
        self.averaged = build_refiner(shape, config.replace(precision="float32"))
        self.averaged.set_weights(self.refiner.get_weights())
        self.product = clipped(self.averaged)
        self.frozen = Refiner(self.product, open_px)
        self.discriminator = build_discriminator(config)
        self.label_weights = LabelWeights(reader.characters if reader else 0, config.label_weight)
        self.choice = Choice(self.averaged.variables)
        self.buffer = HistoryBuffer(config.history_batches * config.batch_size, shape, config.batch_size, config.seed)
        self.view, self.replicas = View(config), Replicas(devices)
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
        """One optimiser a network, built at once so that a checkpoint can fill them. XLA slows a CPU down here."""
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
        """What a checkpoint must hold; from the step follow the places in both streams of data."""
        return {
            "step": self.step,
            "refiner": self.refiner,
            "averaged": self.averaged,
            "discriminator": self.discriminator,
            "refiner_optimizer": self.refiner_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
            "history": self.buffer,
            "view": self.view,
            "label_weights": self.label_weights,
            "choice": self.choice,
        }

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self.trackers.values())

    def call(self, images: Tensor) -> Tensor:
        """Refine images (N, H, W, 1) float32 in [-1, 1] with the averaged weights: the saved refiner's output."""
        return self.product(images)

    def train_step(self, data: tuple[Tensor, ...]) -> Logs:
        with tf.control_dependencies(data):
            arrived = self.arrived.assign(tf.numpy_function(_now, [], tf.float64))
        with tf.control_dependencies([arrived]):  # or what needs no data would run first, and look like a wait for it
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
        """One update of the refiner towards the identity, for a start that the discriminator cannot mock."""

        def pay(images: Tensor) -> tuple[Tensor, Logs]:
            refined = losses.clip(self.refiner(images, training=True))
            loss = losses.self_regularisation(refined, images)
            return loss, {"self_reg": loss, "mean_change": losses.mean_change(refined, images)}

        return self._improve_refiner(pay, to_network(synthetic))

    def update_refiner(self, synthetic: Tensor, *known: Tensor) -> Logs:
        """One update of the refiner on a batch (B, H, W) uint8; the discriminator stays as it is.

        ``known``: its labels (B, L) and boxes (B, L, 4), where there is a reader to be asked about them.
        """

        def pay(images: Tensor, *known: Tensor) -> tuple[Tensor, Logs]:
            refined = losses.clip(self.refiner(images, training=True))
            binary = self.binarise(refined)
            logits = self.discriminator(self._seen(binary), training=False)
            adversarial = losses.refiner_adversarial(self.config.adversarial_loss, logits)
            self_reg = losses.self_regularisation(refined, images)
            loss = adversarial + self.config.self_reg_weight * self.label_weights.caution * self_reg
            change = losses.mean_change(refined, images)
            logs = {"refiner_adversarial": adversarial, "self_reg": self_reg, "mean_change": change}
            if self.reader:
                read = self.reader.compare(binary, images, *known)
                logs |= {"labels": read.loss(), RIGHT: self.label_weights.count(read)}
                loss += self.label_weights.loss(read)
            return loss, logs

        return self._improve_refiner(pay, to_network(synthetic), *known)

    def update_discriminator(self, synthetic: Tensor, real: Tensor) -> Logs:
        """One update of the discriminator on a real batch and a refined one, half of that from the history."""

        def pay(real: Tensor, refined: Tensor) -> tuple[Tensor, Logs]:
            judged = self.discriminator(tf.concat([real, refined], axis=0), training=True)
            real_logits, refined_logits = tf.split(judged, 2)
            on_real = losses.discriminator_real(self.config.adversarial_loss, real_logits)
            on_refined = losses.discriminator_refined(self.config.adversarial_loss, refined_logits)
            extra = {"slope": self._slope(real)} if self.config.r1_weight else {}
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
        gradients, logs = self.replicas.gradients(pay, variables, *seen)
        self.discriminator_optimizer.apply(gradients, variables)
        return self._log(logs)

    def binarise(self, grey: Tensor) -> Tensor:
        """Binary images {-1, 1} of what the refiner puts out while it learns, (N, H, W, 1) in [-1, 1].

        Random numbers come from the model's generator: each update of the network has images of its own anyway.
        """
        with tf.device(None):  # where the generator is, also for a replica elsewhere
            normal = self.view.generator.normal(normal_shape(tf.shape(grey), self.open_px))
        return binarise(grey, normal, self.open_px)

    def log_odds(self, images: Tensor) -> Tensor:
        """What the discriminator thinks of images (N, H, W, 1), shown as they are: (N,), above 0 for real."""
        return losses.verdicts(self.discriminator(images, training=False))

    def _slope(self, real: Tensor) -> Tensor:
        """The weighted R1 term of every ``r1_steps``-th update, times so many; 0 at the others, which it costs nothing.

        Karras et al. 2020 (StyleGAN2, arXiv 1912.04958), appendix B: lazy regularisation.
        """
        every, judge = self.config.r1_steps, lambda images: self.discriminator(images, training=False)
        due = self.discriminator_optimizer.iterations % every == 0
        weight = self.config.r1_weight * every
        return tf.cond(due, lambda: weight * losses.slope_penalty(real, judge), lambda: tf.constant(0.0))

    def _seen(self, images: Tensor) -> Tensor:
        with tf.device(None):
            return self.view(images, tf.maximum(self.step - self.first_adversarial, 0))

    def _refine(self, images: Tensor) -> Tensor:
        return self.binarise(losses.clip(self.refiner(images, training=False)))

    def _improve_refiner(self, pay: Callable[..., tuple[Tensor, Logs]], *batch: Tensor) -> Logs:
        variables = self.refiner.trainable_variables
        gradients, logs = self.replicas.gradients(pay, variables, *batch)
        self.refiner_optimizer.apply(gradients, variables)
        if RIGHT in logs:
            self.label_weights.update(logs.pop(RIGHT))
            logs["label_weight"] = tf.reduce_mean(self.label_weights.values)
            logs["caution"] = self.label_weights.caution
        for mean, new in zip(self.averaged.variables, self.refiner.variables, strict=True):
            mean.assign(new + self.config.ema_decay * (mean - new))
        return self._log(logs)

    def _log(self, values: Logs) -> Logs:
        for name, value in values.items():
            self.trackers[name].update_state(value)
        return {name: self.trackers[name].result() for name in values}


def build_optimizer(config: Config, rate: float, updates: int) -> keras.optimizers.Optimizer:
    """Adam or plain SGD, its rate falling as a cosine over so many ``updates`` or constant, as ``config`` says."""
    if config.rate_falls:
        rate = keras.optimizers.schedules.CosineDecay(rate, updates, alpha=0.02)
    if config.optimizer == "sgd":
        return keras.optimizers.SGD(rate)
    return keras.optimizers.Adam(rate, beta_1=config.beta_1, beta_2=0.99)


def build_simgan(
    config: Config,
    shape: tuple[int, int],
    reader: LabelJudge | None = None,
    open_px: int = 0,
    devices: Sequence[str] = (),
) -> SimGAN:
    """A compiled model, its first weights drawn by ``config.seed``."""
    keras.utils.set_random_seed(config.seed)
    model = SimGAN(config, shape, reader, open_px, devices)
    refined = config.refiner_pretrain_steps + config.steps * config.refiner_updates
    judged = config.discriminator_pretrain_steps + config.steps * config.discriminator_updates
    model.compile(
        build_optimizer(config, config.refiner_rate, refined),
        build_optimizer(config, config.discriminator_rate, judged),
    )
    return model


def _now() -> np.float64:
    """Seconds of Python's clock: TensorFlow's own refuses where operations must be deterministic."""
    return np.float64(time.monotonic())
