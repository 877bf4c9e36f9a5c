"""Which characters of unlabelled images may teach."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.adaptation.pseudo_labels import (
    MATCH_PX,
    PseudoLabels,
    RoundScores,
    alignment,
    choose,
    class_costs,
    match,
    most_certain,
)
from classifier.learning.settings import Adaptation
from classifier.networks.readings import Readings
from synth_engine.samples import PADDING

UNIFORM = np.full(3, 1 / 3, np.float32)
PLAIN = Adaptation(align=0.0, temperature=1.0, certainty_min=0.5)


def readings(texts: list[list[int]], sure: float = 0.9) -> Readings:
    """Readings of texts over three classes, each class read with probability ``sure``, 20 px apart."""
    codes = np.array(texts, np.uint8)
    eye = np.eye(3)[np.minimum(codes, 2)]
    scores = np.log(eye * sure + (1 - eye) * (1 - sure) / 2).astype(np.float32)
    x = np.broadcast_to(20.0 * np.arange(codes.shape[1]), codes.shape)
    points = np.stack([x, np.full(codes.shape, 12.0)], -1).astype(np.float32)
    return Readings(codes=codes, certainty=np.where(codes == PADDING, 1.0, sure), points=points, scores=scores)


def chosen(
    first: Readings, second: Readings, settings: Adaptation = PLAIN, keep: float = 9.0
) -> tuple[PseudoLabels, RoundScores]:
    return choose(first, second, UNIFORM, settings, keep)


def test_agreeing_views_teach_and_disagreeing_ones_do_not() -> None:
    pseudo, scores = chosen(readings([[0, 1], [2, 1]]), readings([[0, 1], [1, 1]]))
    assert pseudo.weights.tolist() == [[1, 1], [0, 1]]
    assert (scores.agreement, scores.kept, scores.whole) == (0.75, 0.75, 0.5)


def test_unsure_characters_do_not_teach() -> None:
    pseudo, _ = chosen(readings([[0, 1]], sure=0.45), readings([[0, 1]], sure=0.45))
    assert pseudo.weights.sum() == 0


def test_a_character_that_moved_too_far_is_another_one() -> None:
    first = readings([[0, 1]])
    moved = replace(first, points=first.points + np.float32([MATCH_PX + 0.1, 0]))
    assert chosen(first, moved)[0].weights.sum() == 0


def test_views_are_matched_by_place_not_by_order() -> None:
    first = readings([[0, 1]])
    turned = replace(first, **{name: getattr(first, name)[:, ::-1] for name in ("codes", "scores", "points")})
    assert chosen(first, turned)[0].weights.sum() == 2


def test_places_without_a_character_are_no_labels() -> None:
    pseudo, scores = chosen(readings([[0, PADDING]]), readings([[0, PADDING]]))
    assert pseudo.labels.tolist() == [[0, PADDING]]
    assert (scores.kept, scores.whole) == (1.0, 1.0)


def test_no_class_teaches_more_than_its_share() -> None:
    first = readings([[0, 0], [0, 0], [0, 1], [2, 1]])
    pseudo, scores = chosen(first, first, keep=1.0)
    kept = pseudo.labels[pseudo.weights > 0]
    assert np.bincount(kept, minlength=3).tolist() == [3, 2, 1]  # 8 characters, 8/3 of each class expected
    assert scores.commonest == 0
    assert scores.commonest_ratio == pytest.approx(5 / 8 * 3)


def test_the_most_certain_of_a_class_come_first() -> None:
    codes, certainty = np.array([[0, 0, 0]]), np.array([[0.7, 0.9, 0.8]], np.float32)
    assert most_certain(codes, certainty, UNIFORM, 6.0, 0.5).tolist() == [[False, True, True]]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_full_alignment_reaches_the_expected_shares(seed: int) -> None:
    scores = np.random.default_rng(seed).normal(0, 2, (300, 3)).astype(np.float32)
    expected = np.array([0.5, 0.3, 0.2], np.float32)
    raised = np.exp(scores + alignment(scores, expected, 1.0))
    assert (raised / raised.sum(1, keepdims=True)).mean(0) == pytest.approx(expected, abs=0.01)


def test_alignment_turns_the_least_sure_of_an_overread_class() -> None:
    first = readings([[0, 0], [0, 0], [2, 1]])
    doubtful = first.scores.copy()
    doubtful[0, 0] = np.log([0.52, 0.46, 0.02])
    first = replace(first, scores=doubtful)
    assert chosen(first, first)[0].labels[0, 0] == 0
    assert chosen(first, first, replace(PLAIN, align=1.0))[0].labels[0].tolist() == [1, 0]


def test_matching_nothing_matches_nothing() -> None:
    points, absent = np.zeros((1, 2, 2), np.float32), np.zeros((1, 2), bool)
    assert not match(points, points, ~absent, absent)[1].any()


def test_classes_read_too_often_cost_and_rare_ones_gain() -> None:
    expected = np.full(3, 1 / 3, np.float32)
    found = readings([[0, 0], [0, 1]], sure=0.98)  # the rest of a certainty is shared by the other classes
    costs = class_costs(found, expected, 1.0)
    shares = np.array([3 * 0.98 + 0.01, 0.98 + 3 * 0.01, 4 * 0.01]) / 4
    assert costs == pytest.approx(np.log(shares * 3), abs=1e-3)
    assert class_costs(found, expected, 0.5) == pytest.approx(costs / 2, abs=1e-6)
    assert not class_costs(readings([[255, 255]]), expected, 0.0).any()
