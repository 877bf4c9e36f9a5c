"""The scaling between pixels and the inputs of networks."""

from __future__ import annotations

import numpy as np

from synth_engine.training.value_range import from_network, to_network


def test_scaling_is_undone_and_clipped() -> None:
    images = np.random.default_rng(0).integers(0, 2, (3, 4, 5), np.uint8)
    assert np.array_equal(from_network(to_network(images)), images * 255)
    assert from_network(np.array([[[[-7.0], [7.0]]]])).tolist() == [[[0, 255]]]
