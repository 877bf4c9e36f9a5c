"""Losses are means, whatever the batch size; a clip keeps the gradient that brings pixels back."""

from __future__ import annotations

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from gan.simgan import losses  # noqa: E402

RNG = np.random.default_rng(0)
REFINED, SYNTHETIC = (RNG.uniform(-1, 1, (4, 10, 20, 1)).astype(np.float32) for _ in range(2))
LOGITS = RNG.normal(size=(4, 3, 5, 1)).astype(np.float32)


def test_self_regularisation_keeps_its_weight_when_the_batch_grows() -> None:
    once = losses.self_regularisation(REFINED, SYNTHETIC)
    tripled = losses.self_regularisation(np.tile(REFINED, (3, 1, 1, 1)), np.tile(SYNTHETIC, (3, 1, 1, 1)))
    assert float(tripled) == pytest.approx(float(once), rel=1e-6)
    assert float(once) == pytest.approx(np.abs(REFINED - SYNTHETIC).mean(), rel=1e-6)


@pytest.mark.parametrize("term", [losses.refiner_adversarial, losses.discriminator_real, losses.discriminator_refined])
def test_adversarial_losses_are_means_over_patches(term: object) -> None:
    tiled = np.tile(LOGITS, (2, 3, 2, 1))
    assert float(term(tiled)) == pytest.approx(float(term(LOGITS)), rel=1e-5)  # type: ignore[operator]


def test_two_classes_give_the_cross_entropy_of_their_softmax() -> None:
    logits = RNG.normal(size=(4, 3, 5, 2)).astype(np.float32)
    real = np.log(np.exp(logits).sum(-1)) - logits[..., 1]
    refined = np.log(np.exp(logits).sum(-1)) - logits[..., 0]
    assert float(losses.discriminator_real(logits)) == pytest.approx(real.mean(), rel=1e-5)
    assert float(losses.discriminator_refined(logits)) == pytest.approx(refined.mean(), rel=1e-5)


def test_the_refiners_loss_falls_the_more_its_patches_are_classified_as_real() -> None:
    costs = [float(losses.refiner_adversarial(LOGITS + shift)) for shift in (-4.0, 0.0, 4.0)]
    assert costs[0] > costs[1] > costs[2]


def test_accuracies_on_the_same_images_add_up_to_one() -> None:
    assert float(losses.accuracy_on_real(LOGITS) + losses.accuracy_on_refined(LOGITS)) == pytest.approx(1.0)


def test_inverting_every_pixel_is_a_change_of_the_whole_range() -> None:
    images = np.sign(REFINED)
    assert float(losses.mean_change(-images, images)) == 1.0


def test_a_clipped_pixel_keeps_only_the_gradient_that_brings_it_back() -> None:
    images = tf.constant([-2.0, -2.0, -1.0, 0.5, 1.0, 2.0, 2.0])
    pull = tf.constant([-1.0, 1.0, 1.0, 1.0, -1.0, 1.0, -1.0])  # gradient descent moves against it
    with tf.GradientTape() as tape:
        tape.watch(images)
        loss = tf.reduce_sum(losses.clip(images) * pull)
    assert tape.gradient(loss, images).numpy().tolist() == [-1.0, 0.0, 1.0, 1.0, -1.0, 1.0, 0.0]
    assert losses.clip(images).numpy().tolist() == [-1.0, -1.0, -1.0, 0.5, 1.0, 1.0, 1.0]


def test_the_r1_penalty_of_a_linear_discriminator_is_that_of_its_weights_whatever_the_batch_and_the_patches() -> None:
    weights = RNG.normal(size=(2, 2, 1, 1)).astype(np.float32)
    linear = lambda images: tf.nn.conv2d(images, weights, strides=2, padding="VALID")  # noqa: E731
    for images in (REFINED, np.tile(REFINED, (2, 1, 1, 1)), np.tile(REFINED, (1, 2, 3, 1))):
        assert float(losses.r1_penalty(tf.constant(images), linear)) == pytest.approx(
            0.5 * np.square(weights).sum(), rel=1e-4
        )


def test_values_that_are_not_finite_are_named() -> None:
    assert losses.non_finite({"a": 1.0, "b": float("nan"), "c": tf.constant(np.inf)}) == ["b", "c"]
