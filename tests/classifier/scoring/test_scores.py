"""Shares, intervals and the comparison of texts."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.scoring.scores import Share, score_confidence, score_texts, wilson


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, Statistics in Medicine 17, table I, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_published_values(right: int, total: int, low: float, high: float) -> None:
    assert wilson(right, total) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 500), st.data())
def test_intervals_hold_the_share_and_mirror(total: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, total))
    low, high = wilson(right, total)
    assert 0 <= low <= right / total + 1e-12
    assert right / total - 1e-12 <= high <= 1
    assert wilson(total - right, total) == pytest.approx((1 - high, 1 - low))


def test_nothing_scored_says_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert math.isnan(Share(0, 0).value)
    assert json.loads(json.dumps(score_texts([], []).as_dict()))["whole"]["share"] is None


def test_characters_are_compared_by_position() -> None:
    result = score_texts(["ab1", "ab1"], ["ab1", "xb1"])
    assert (result.whole.right, result.characters.right, result.characters.total) == (1, 5, 6)
    assert [share.right for share in result.positions] == [1, 2, 2]
    assert (result.classes["a"].right, result.classes["a"].total) == (1, 2)
    assert result.mistakes == (("a", "x", 1),)


@pytest.mark.parametrize(("read", "right", "total"), [("a", 1, 2), ("", 0, 2), ("abc", 2, 3), ("b", 0, 2)])
def test_another_length_costs_what_is_missing_or_too_much(read: str, right: int, total: int) -> None:
    result = score_texts(["ab"], [read])
    assert (result.characters.right, result.characters.total, result.whole.right) == (right, total, 0)


@given(st.lists(st.text("ab1", min_size=1, max_size=5), max_size=8))
def test_reading_everything_right_scores_one(texts: list[str]) -> None:
    result = score_texts(texts, texts)
    assert result.whole.right == result.whole.total == len(texts)
    assert result.characters.right == sum(map(len, texts))
    assert result.table().splitlines()[-1].split() == ["mistakes", "none"]


def test_calibration_error_is_the_distance_between_confidence_and_truth() -> None:
    found = score_confidence([0.95, 0.95, 0.55, 0.55, 0.55], [True, True, True, False, False])
    assert found is not None
    assert found.calibration_error == pytest.approx((2 * 0.05 + 3 * abs(0.55 - 1 / 3)) / 5)
    assert (found.at_coverage.right, found.at_coverage.total) == (3, 4)
    assert found.mean == pytest.approx(0.71)


def test_full_confidence_in_what_is_right_has_no_error() -> None:
    found = score_texts(["ab"] * 5, ["ab"] * 5, [1.0] * 5).confidence
    assert found is not None
    assert (found.calibration_error, found.at_coverage.right) == (0.0, 4)


def test_the_confusion_matrix_holds_every_character_once() -> None:
    from classifier.scoring.charts import confusion

    result = score_texts(["ab1", "ab1", "b"], ["ab1", "xb", "b1"])
    counts = confusion(result, "ab1x")
    assert counts.sum() == result.characters.total
    assert counts.trace() == result.characters.right
    assert (counts[0, 3], counts[2, 4], counts[4, 2]) == (1, 1, 1)
