"""Scores of positions: read in their order, and learnt where a character is sure."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.networks.heads import POSITION
from classifier.networks.position import position_loss
from synth_engine import Recipe
from synth_engine.samples import PADDING


def test_positions_are_read_in_order(tiny: Recipe) -> None:
    scores = 9.0 * np.eye(5, dtype=np.float32)[[[3, 0], [1, 1]]]
    readings = POSITION.decode(scores, tiny)
    assert readings.texts(tiny.alphabet) == ["1a", "cc"]
    assert (readings.points[:, 0, 0] < readings.points[:, 1, 0]).all()


def test_padding_and_doubtful_characters_cost_nothing() -> None:
    tf = pytest.importorskip("tensorflow")
    scores = tf.constant([[[9.0, -9.0], [9.0, -9.0], [9.0, -9.0]]])
    loss, right = position_loss(scores, np.array([[0, PADDING, 1]], np.uint8), np.array([[1.0, 1.0, 0.0]], np.float32))
    assert (float(loss), float(right)) == pytest.approx((0.0, 1.0), abs=1e-6)
