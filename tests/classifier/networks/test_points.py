"""Where characters lie on the canvas, and how much of them it shows."""

from __future__ import annotations

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from classifier.networks.points import visibility, within  # noqa: E402

SHAPE = (24, 40)


def test_cut_glyphs_count_by_what_is_visible() -> None:
    boxes = np.array([[[0, 5, 2, 20], [10, 5, 12, 20], [20, 22, 30, 24]]], np.int16)
    assert visibility(boxes, SHAPE).numpy()[0].tolist() == [0.25, 1.0, 0.25]


def test_a_middle_off_the_canvas_says_nothing() -> None:
    points = tf.constant([[[0.0, 0.0], [39.4, 23.4], [-0.6, 3.0], [39.6, 3.0], [3.0, 23.6]]])
    assert within(points, SHAPE).numpy()[0].tolist() == [1, 1, 0, 0, 0]
