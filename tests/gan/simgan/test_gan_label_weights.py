"""Weights of labels: they rise for classes whose characters become unreadable, fall for others, and stay in range."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from gan.simgan.label_judge import LabelComparison  # noqa: E402
from gan.simgan.label_weights import (  # noqa: E402
    CLASS_MAY_LOSE,
    CLASS_MOST,
    DECAY,
    LEAST,
    MAY_LOSE,
    RATE,
    SELF_REG_MOST,
    LabelWeights,
)


def after(right: Sequence[Sequence[float]], common: float, factors: Sequence[float], updates: int = 1) -> LabelWeights:
    """From multipliers ``common``, of at most 10, and ``factors``, after batches with these counts, raw and refined."""
    weights = LabelWeights(len(factors), 10.0)
    assert weights.values.numpy().tolist() == [10.0] * len(factors)
    weights.common.assign(common)
    weights.factors.assign(list(factors))
    weights.self_reg_factor.assign(1.5)
    for _ in range(updates):
        weights.update(tf.constant(right, tf.float32))
    return weights


def test_the_class_that_loses_more_than_it_may_weighs_more_and_the_others_less() -> None:
    lost = np.array([2.0, 0.5, 0.0]) * CLASS_MAY_LOSE
    weights = after([[1000.0] * 3, (1000.0 * (1.0 - lost)).tolist()], 5.0, [2.0] * 3)
    np.testing.assert_allclose(np.log(weights.factors / 2.0) / RATE, [1.0, -0.5, -1.0], atol=0.01)


def test_all_weigh_more_where_all_together_lose_more_than_they_may() -> None:
    lost = np.array([1.0, 2.0]) * MAY_LOSE
    weights = after([[1e5, 1e5], (1e5 * (1.0 - lost)).tolist()], 5.0, [1.0, 1.0])
    assert max(lost) < CLASS_MAY_LOSE
    assert float(weights.common) == pytest.approx(5.0 * np.exp(0.5 * RATE), rel=1e-4)
    assert float(weights.self_reg_factor) == pytest.approx(1.5 * np.exp(0.5 * RATE), rel=1e-4)
    assert weights.values.numpy().tolist() == pytest.approx([float(weights.common)] * 2)


def test_labels_gained_or_never_read_are_none_lost() -> None:
    weights = after([[100.0, 0.0], [150.0, 0.0]], 5.0, [2.0, 2.0])
    received = [float(weights.common) / 5.0, *(weights.factors.numpy() / 2.0)]
    assert received == pytest.approx([np.exp(-RATE)] * 3, rel=1e-4)


def test_multipliers_stay_in_their_ranges() -> None:
    worse, fine = [[100.0, 1e6], [50.0, 1e6]], [[100.0, 100.0], [100.0, 100.0]]
    spoilt, kept = after([[100.0, 100.0], [50.0, 90.0]], 5.0, [2.0, 2.0], 1000), after(fine, 5.0, [2.0, 2.0], 1000)
    assert (float(spoilt.common), *spoilt.factors.numpy()) == (10.0, CLASS_MOST, CLASS_MOST)
    assert (float(kept.common), *kept.factors.numpy()) == (10.0 * LEAST, 1.0, 1.0)
    assert (float(spoilt.self_reg_factor), float(kept.self_reg_factor)) == (SELF_REG_MOST, 1.0)
    assert after(worse, 5.0, [2.0, 2.0], 1000).values.numpy().tolist() == [10.0 * LEAST * CLASS_MOST, 10.0 * LEAST]


def test_old_batches_are_forgotten() -> None:
    weights = LabelWeights(1, 1.0)
    for right in (8.0, 4.0):
        weights.update(tf.constant([[8.0], [right]]))
    assert weights.right.numpy()[:, 0] == pytest.approx([8.0 * DECAY + 8.0, 8.0 * DECAY + 4.0])


def test_each_character_counts_and_weighs_as_its_class() -> None:
    read = LabelComparison(
        labels=tf.constant([[2, 0], [2, 2]]),
        there=tf.constant([[1.0, 1.0], [1.0, 0.0]]),
        worse=tf.constant([[0.5, 0.25], [0.0, 9.0]]),
        right=tf.constant([[0.0, 1.0], [1.0, 1.0]]),
        raw_right=tf.constant([[1.0, 0.0], [1.0, 1.0]]),
    )
    weights = LabelWeights(3, 2.0)
    weights.factors.assign([0.5, 2.5, 2.0])
    assert weights.count(read).numpy().tolist() == [[0.0, 0.0, 2.0], [1.0, 0.0, 1.0]]
    assert float(weights.loss(read)) == pytest.approx((0.5 * 4.0 + 0.25 * 1.0) / 3)
