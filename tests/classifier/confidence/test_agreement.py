"""How often readers agree, and what that says of their accuracy without labels."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.confidence.agreement import class_distance, compare_readings, disputed, estimates
from classifier.networks.readings import Readings
from synth_engine.samples import PADDING

CLASSES = 10


def readings(codes: np.ndarray, certainty: float | np.ndarray = 0.9) -> Readings:
    sure = np.broadcast_to(np.float32(certainty), codes.shape).astype(np.float32)
    nothing = np.zeros((*codes.shape, 2), np.float32)
    return Readings(codes=codes.astype(np.uint8), certainty=sure, points=nothing, scores=nothing)


def texts(seed: int, count: int = 4000) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, CLASSES, (count, 4))


def wavering(true: np.ndarray, doubtful: np.ndarray, seed: int) -> Readings:
    """A reader that tosses a coin between two classes where it is ``doubtful``."""
    tossed = np.random.default_rng(seed).random(true.shape) < 0.5
    return readings(np.where(doubtful & tossed, (true + 1) % CLASSES, true))


def test_identical_readers_agree_on_all() -> None:
    codes = texts(1)
    (pair,) = compare_readings([readings(codes), readings(codes, 0.5)])
    assert (pair.texts, pair.characters, pair.lengths, pair.right_at_most) == (1, 1, 1, 1)
    assert pair.compared == codes.size
    assert pair.disputes == ()
    assert len(disputed([readings(codes), readings(codes)], 5)[0]) == 0


def test_a_planted_disagreement_is_counted_and_named() -> None:
    first = np.tile([1, 2, 3, 4], (100, 1))
    second = first.copy()
    second[:7, 0], second[5:8, 2] = 9, 1
    (pair,) = compare_readings([readings(first), readings(second)])
    assert pair.disputes == ((1, 9, 7), (3, 1, 3))
    assert (pair.texts, pair.characters) == pytest.approx((0.92, 0.975))


def test_texts_of_other_lengths_differ_but_their_characters_are_not_compared() -> None:
    first = np.array([[1, 2, 3], [1, 2, PADDING], [4, PADDING, PADDING]])
    second = np.array([[1, 2], [1, 3], [4, PADDING]])  # at most two characters
    (pair,) = compare_readings([readings(first), readings(second)])
    assert (pair.texts, pair.lengths) == pytest.approx((1 / 3, 2 / 3))
    assert (pair.compared, pair.characters, pair.disputes) == (3, pytest.approx(2 / 3), ((2, 3, 1),))


@pytest.mark.parametrize("hard", [0.02, 0.2, 0.5])
def test_the_estimate_is_near_the_truth_where_readers_err_independently(hard: float) -> None:
    true = texts(2)
    doubtful = np.random.default_rng(3).random(true.shape) < hard
    read = [wavering(true, doubtful, seed) for seed in (4, 5, 6)]
    right = [(one.codes == true).all(axis=1).mean() for one in read]
    assert estimates(compare_readings(read)) == pytest.approx(right, abs=0.03)


def test_errors_that_never_meet_stay_below_the_bound_and_shared_ones_are_not_seen() -> None:
    true, rng = texts(2), np.random.default_rng(7)
    wrong = rng.random((2, len(true))) < 0.1
    wrong[1] &= ~wrong[0]
    apart = [readings(np.where(one[:, np.newaxis], (true + 1) % CLASSES, true)) for one in wrong]
    (pair,) = compare_readings(apart)
    assert pair.right_at_most == pytest.approx(1 - wrong.mean())
    assert estimates(compare_readings([apart[0], apart[0]])) == (1, 1)


def test_of_three_readers_the_odd_one_is_estimated_lowest() -> None:
    true = texts(2)
    rarely, often = (np.random.default_rng(3).random(true.shape) < hard for hard in (0.05, 0.5))
    read = [wavering(true, doubtful, seed) for seed, doubtful in enumerate((rarely, rarely, often))]
    good, fair, odd = estimates(compare_readings(read))
    assert odd < min(good, fair) - 0.1


def test_the_most_certain_disputes_come_first() -> None:
    first, second = np.tile([1, 2], (4, 1)), np.tile([1, 2], (4, 1))
    second[[0, 2, 3]] = [1, 3]
    sure = np.array([[0.5, 0.5], [0.99, 0.99], [0.9, 0.9], [0.1, 0.1]])
    order, surely = disputed([readings(first, 0.95), readings(second, sure)], 2)
    assert order.tolist() == [2, 0]
    assert surely == pytest.approx([0.81, 0.25])


def test_classes_are_as_far_from_their_shares_as_chance_or_as_planted() -> None:
    uniform = np.full(CLASSES, 1 / CLASSES, np.float32)
    near = [class_distance(texts(seed, 500).astype(np.uint8), uniform) for seed in range(20)]
    assert np.mean([one.found for one in near]) == pytest.approx(near[0].chance, rel=0.15)
    swallowed = texts(1)
    swallowed[swallowed == 3] = 5
    assert class_distance(swallowed.astype(np.uint8), uniform).found == pytest.approx(0.1, abs=0.01)
