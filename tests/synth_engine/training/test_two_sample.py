"""The two-sample test: fresh classifiers that separate two sets of images if there is a difference."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from synth_engine.training.two_sample import TwoSampleTest

RNG = np.random.default_rng(0)


def binary(count: int, ink: float) -> np.ndarray:
    return np.where(RNG.random((count, 12, 16, 1)) < ink, 1.0, -1.0).astype(np.float32)


def test_a_fresh_classifier_separates_different_sets_and_equal_ones_not() -> None:
    test = TwoSampleTest((12, 16), 40, seed=0)
    few, many = binary(200, 0.2), binary(200, 0.4)
    assert test.accuracy(few, many) > 0.9
    assert 0.35 < test.accuracy(few, binary(200, 0.2)) < 0.65


def test_every_two_sample_test_starts_afresh() -> None:
    test = TwoSampleTest((12, 16), 3, seed=0, eager=True)
    one, other = binary(20, 0.2), binary(20, 0.3)
    first = test.accuracy(one, other)
    test.accuracy(other, -other)
    assert test.accuracy(one, other) == first


def test_a_two_sample_test_is_the_mean_of_different_repeats() -> None:
    one, other = binary(20, 0.2), binary(20, 0.3)
    test = TwoSampleTest((12, 16), 3, seed=0, repeats=3, eager=True)
    each = [TwoSampleTest((12, 16), 3, seed, eager=True).accuracy(one, other) for seed in test.seeds]
    assert test.seeds[0] == 0
    assert len(set(each)) > 1
    assert test.accuracy(one, other) == pytest.approx(np.mean(each))
