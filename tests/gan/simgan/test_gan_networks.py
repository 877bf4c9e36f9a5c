"""The two networks and what the discriminator sees: shapes, linear logits, an identity at first, built-in layers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras

from gan.settings.config import PRESETS, Config
from gan.simgan.discriminator_input import DiscriminatorInput
from gan.simgan.networks import build_discriminator, build_refiner, clipped

RNG = np.random.default_rng(0)


def small(preset: str = "modern", **changes: object) -> Config:
    return Config.preset(preset, features=8, blocks=1, batch_size=4, **changes)


def binary(*shape: int) -> np.ndarray:
    return RNG.choice([-1.0, 1.0], (*shape, 1)).astype(np.float32)


@pytest.mark.parametrize("shape", [(10, 20), (11, 20), (10, 21), (9, 7)])
def test_the_cpu_refiner_starts_as_the_identity_whatever_the_size(shape: tuple[int, int]) -> None:
    images = binary(3, *shape)
    np.testing.assert_array_equal(clipped(build_refiner(shape, small()))(images), images)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_saved_refiner_loads_in_safe_mode_and_keeps_the_range(preset: str, tmp_path: Path) -> None:
    refiner = build_refiner((10, 20), small(preset))
    refiner.set_weights([RNG.normal(size=w.shape) for w in refiner.get_weights()])
    network = clipped(refiner)
    network.save(tmp_path / "refiner.keras")
    loaded = keras.models.load_model(tmp_path / "refiner.keras", safe_mode=True)
    images = binary(3, 10, 20)
    np.testing.assert_array_equal(loaded(images), network(images))
    assert np.abs(network(images)).max() <= 1.0
    assert all(type(layer).__module__.startswith("keras.") for layer in loaded.layers)


@pytest.mark.parametrize("preset", PRESETS)
def test_precision_changes_how_a_refiner_computes_and_nothing_that_it_holds(preset: str) -> None:
    exact = build_refiner((10, 20), small(preset))
    exact.set_weights([RNG.normal(size=w.shape) / 4 for w in exact.get_weights()])
    rough = build_refiner((10, 20), small(preset, precision="mixed_bfloat16"))
    rough.set_weights(exact.get_weights())
    images = binary(3, 10, 20)
    expected, received = np.asarray(exact(images)), rough(images)
    assert received.dtype == "float32"
    assert all(weight.dtype == "float32" for weight in rough.weights)
    np.testing.assert_allclose(received, expected, atol=0.1 * np.abs(expected).max())
    assert np.abs(received - expected).max() > 0  # computed in bfloat16 indeed


@pytest.mark.parametrize("preset", PRESETS)
def test_the_discriminators_logits_are_linear(preset: str) -> None:
    discriminator = build_discriminator(small(preset))
    logits = np.concatenate([np.asarray(discriminator(binary(8, 10, 20) * k)).ravel() for k in (1, 25, 625)])
    assert np.ptp(logits) > 1
    last = discriminator.layers[-1]
    assert getattr(last, "layer", last).activation is keras.activations.linear


def test_the_papers_discriminator_judges_patches_not_images() -> None:
    discriminator = build_discriminator(small("paper"))
    images = binary(1, 60, 60)
    changed = images.copy()
    changed[:, :8, :8] *= -1
    difference = np.abs(np.asarray(discriminator(images) - discriminator(changed)))[0].max(axis=-1)
    assert difference[0, 0] > 0
    assert difference[8:, 8:].max() == 0


def test_the_modern_discriminator_judges_details_wherever_they_are_and_however_rare() -> None:
    discriminator = build_discriminator(small())
    ground = np.full((1, 64, 96, 1), -1, np.float32)
    logits = []
    for y, x in ((24, 24), (24, 56), (32, 40)):  # the same phase of every stride, far from the edges
        image = ground.copy()
        image[0, y : y + 5, x] = 1
        logits.append(np.asarray(discriminator(image)))
    assert logits[0].shape == (1, 1, 1, 1)
    np.testing.assert_allclose(logits, logits[:1] * 3, rtol=1e-5, atol=1e-7)
    assert abs((logits[0] - discriminator(ground)).numpy().item()) > 1e-4


def test_a_cutout_hides_one_square_in_all_images_alike() -> None:
    shown = DiscriminatorInput(small(noise_stddev=0.0, cutout_px=6))
    images = RNG.uniform(0, 1, (3, 20, 30, 1)).astype(np.float32)
    places = set()
    for _ in range(20):
        hidden = np.asarray(shown(images, 0)) == -1.0
        assert (hidden == hidden[:1]).all()
        rows, columns = (np.flatnonzero(hidden[0, :, :, 0].any(axis=axis)) for axis in (1, 0))
        assert hidden[0].sum() == len(rows) * len(columns)
        assert all(3 <= len(side) <= 6 and np.ptp(side) == len(side) - 1 for side in (rows, columns))
        places.add((rows[0], columns[0]))
    assert len(places) > 10


@pytest.mark.parametrize("architecture", ["modern", "paper"])
def test_spectral_normalisation_bounds_all_layers_but_the_last(architecture: str) -> None:
    for wanted in (True, False):
        discriminator = build_discriminator(small(architecture=architecture, spectral_normalisation=wanted))
        convolutions = [layer for layer in discriminator.layers if layer.weights]
        bounded = [isinstance(layer, keras.layers.SpectralNormalization) for layer in convolutions]
        assert bounded == [wanted] * (len(bounded) - 1) + [False]


def test_noise_fades_to_nothing() -> None:
    config = small(noise_stddev=0.5, noise_until_share=0.5, steps=10)
    shown, images = DiscriminatorInput(config), np.zeros((8, 10, 20, 1), np.float32)
    deviation = [float(np.std(shown(images, step))) for step in (0, 2, 5, 9)]
    assert deviation[0] == pytest.approx(0.5, rel=0.1)
    assert deviation[1] == pytest.approx(0.3, rel=0.1)
    assert deviation[2:] == [0.0, 0.0]


def test_the_paper_shows_images_as_they_are() -> None:
    images = binary(2, 10, 20)
    np.testing.assert_array_equal(DiscriminatorInput(small("paper"))(images, 0), images)
