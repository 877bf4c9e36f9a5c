"""Fused batch normalisation: what Keras computes, and nothing of it in a saved network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifier.learning.settings import TrainingSettings
from synth_engine import Recipe

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from classifier.learning.learner import make_learner  # noqa: E402
from classifier.networks.fused import FusedBatchNormalization, for_training  # noqa: E402
from classifier.networks.heads import build  # noqa: E402
from classifier.reading.reader import Reader, save_reader  # noqa: E402
from synth_engine.training.precision import in_precision  # noqa: E402

IMAGES = np.random.default_rng(3).normal(1.0, 2.0, (5, 24, 40, 1)).astype(np.float32)


def normalising() -> Any:
    """One convolution and its normalisation, with a scale and shift that do something."""
    keras.utils.set_random_seed(2)
    image = keras.Input((24, 40, 1))
    normalised = keras.layers.BatchNormalization(momentum=0.9)(keras.layers.Conv2D(6, 3)(image))
    network = keras.Model(image, normalised)
    network.layers[2].gamma.assign(np.linspace(0.5, 2.0, 6))
    network.layers[2].beta.assign(np.linspace(-1.0, 1.0, 6))
    return network


def gradients(network: Any) -> list[np.ndarray]:
    weights = network.trainable_variables
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.sin(network(IMAGES, training=True)))
    return [np.asarray(gradient) for gradient in tape.gradient(loss, weights)]


def test_half_precision_is_as_coarse_as_that_of_keras() -> None:
    exact = normalising()(IMAGES, training=True)
    plain, fused = (in_precision(normalising(), "mixed_bfloat16") for _ in range(2))
    errors = [np.abs(np.asarray(each(IMAGES, training=True)) - exact).max() for each in (plain, for_training(fused))]
    assert 0 < errors[1] < 2 * errors[0]


def test_results_gradients_and_moving_statistics_are_those_of_keras() -> None:
    plain, fused = normalising(), for_training(normalising())
    assert isinstance(fused.layers[2], FusedBatchNormalization)
    np.testing.assert_allclose(fused(IMAGES, training=True), plain(IMAGES, training=True), atol=1e-4)
    for one, other in zip(gradients(fused), gradients(plain), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-2)
    for one, other in zip(fused.weights, plain.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
    assert np.abs(plain.layers[2].moving_mean).max() > 0.01
    np.testing.assert_allclose(fused(IMAGES), plain(IMAGES), atol=1e-4)


@pytest.mark.parametrize("name", ["grid", "ctc"])
def test_a_student_is_fused_and_the_teacher_that_is_saved_is_not(tiny: Recipe, tmp_path: Path, name: str) -> None:
    learner = make_learner(build(name, tiny, width=4, depth=2), TrainingSettings())
    path = save_reader(learner.teacher, tiny, tmp_path)
    kinds = [
        {type(layer) for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)}
        for network in (learner.student, learner.teacher, Reader.load(path).network)
    ]
    assert kinds == [{FusedBatchNormalization}, {keras.layers.BatchNormalization}, {keras.layers.BatchNormalization}]
