"""Folding: normalisation moves into the convolutions before it, and no score changes."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from classifier.networks.folding import folded  # noqa: E402


def test_folding_changes_no_score_and_leaves_no_normalisation(
    normalised_network: keras.Model, tiny_images: np.ndarray
) -> None:
    fast = folded(normalised_network)
    np.testing.assert_allclose(fast(tiny_images), normalised_network(tiny_images, training=False), rtol=1e-4, atol=1e-4)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in fast.layers)


def test_a_normalisation_whose_convolution_is_read_elsewhere_stays(tiny_images: np.ndarray) -> None:
    image = keras.Input(tiny_images.shape[1:])
    convolved = keras.layers.Conv2D(3, 3, padding="same")(image)
    normalised = keras.layers.BatchNormalization()(convolved)
    network = keras.Model(image, keras.layers.Add()([convolved, normalised]))
    network.layers[2].moving_mean.assign([1.0, 2.0, 3.0])
    np.testing.assert_allclose(folded(network)(tiny_images), network(tiny_images, training=False), rtol=1e-5, atol=1e-5)
