"""Folding: normalisation moves into the convolutions before it, and no score changes."""

from __future__ import annotations

import numpy as np
import pytest

from synth_engine import Recipe, Synthesizer
from synth_engine.training.value_range import to_network

keras = pytest.importorskip("keras")

from classifier.networks.folding import folded  # noqa: E402
from classifier.networks.heads import build  # noqa: E402


@pytest.fixture
def network(tiny: Recipe) -> keras.Model:
    """Random weights, and normalisation that does something."""
    keras.utils.set_random_seed(1)
    network = build("grid", tiny, width=8, depth=2)
    random = np.random.default_rng(1)
    for variable in network.variables:
        if variable.path.endswith(("gamma", "beta", "moving_mean", "moving_variance")):
            variable.assign(random.uniform(0.5, 1.5, variable.shape))
    return network


@pytest.fixture
def images(tiny: Recipe) -> np.ndarray:
    return to_network(Synthesizer(tiny, 2).batch(0, 16).images)


def test_folding_changes_no_score_and_leaves_no_normalisation(network: keras.Model, images: np.ndarray) -> None:
    fast = folded(network)
    np.testing.assert_allclose(fast(images), network(images, training=False), rtol=1e-4, atol=1e-4)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in fast.layers)


def test_a_normalisation_whose_convolution_is_read_elsewhere_stays(images: np.ndarray) -> None:
    image = keras.Input(images.shape[1:])
    convolved = keras.layers.Conv2D(3, 3, padding="same")(image)
    normalised = keras.layers.BatchNormalization()(convolved)
    network = keras.Model(image, keras.layers.Add()([convolved, normalised]))
    network.layers[2].moving_mean.assign([1.0, 2.0, 3.0])
    np.testing.assert_allclose(folded(network)(images), network(images, training=False), rtol=1e-5, atol=1e-5)
