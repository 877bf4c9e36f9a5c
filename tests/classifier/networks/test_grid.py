"""Scores of a grid to texts: peaks suppress their neighbours, certainty is a probability."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.networks.grid import RADIUS, decode_grid, find_peaks, presence_of
from classifier.networks.head import STRIDE, CharacterTargets
from classifier.networks.heads import GRID
from synth_engine import Recipe, Synthesizer
from synth_engine.samples import PADDING

BLANK = 5


def scores_with(*peaks: tuple[int, int, int, float], shape: tuple[int, int] = (6, 12)) -> np.ndarray:
    """One image's grid of blanks with peaks (row, column, class, score over the blank's)."""
    scores = np.zeros((1, *shape, BLANK + 1), np.float32)
    scores[..., BLANK] = 8.0
    for row, column, code, score in peaks:
        scores[0, row, column, code] = 8.0 + score
    return scores


@settings(max_examples=25, deadline=None)
@given(start=st.integers(0, 10**6), count=st.integers(1, 9))
def test_decoding_the_targets_returns_the_texts(tiny: Recipe, start: int, count: int) -> None:
    pytest.importorskip("tensorflow")
    from classifier.networks.grid_targets import grid_targets
    from classifier.networks.points import centres

    batch = Synthesizer(tiny, 3).batch(start, count)
    taught = CharacterTargets(batch.labels, centres(batch.boxes), np.ones(batch.labels.shape, np.float32))
    classes = grid_targets(taught, tiny.shape, len(tiny.alphabet)).classes.numpy()
    scores = 9.0 * np.eye(len(tiny.alphabet) + 1, dtype=np.float32)[classes]
    assert GRID.decode(scores, tiny).texts(tiny.alphabet) == batch.texts()


def test_fixed_length_takes_the_best_peaks_left_to_right() -> None:
    readings = decode_grid(scores_with((2, 9, 1, 3.0), (3, 2, 4, 5.0), (1, 5, 0, -4.0)), (2, 2))
    assert readings.codes.tolist() == [[4, 1]]
    assert readings.points[0, :, 0] == pytest.approx([2 * STRIDE + 1.5, 9 * STRIDE + 1.5], abs=STRIDE / 2)


def test_varying_length_ends_where_blank_is_likelier() -> None:
    readings = decode_grid(scores_with((2, 9, 1, 3.0), (3, 2, 4, 5.0), (1, 5, 0, -4.0)), (1, 4))
    assert readings.codes.tolist() == [[4, 1, PADDING, PADDING]]
    assert readings.certainty[0, 2:].tolist() == [1.0, 1.0]


def test_a_peak_swallows_its_neighbours_only() -> None:
    beside, beyond = (2, 4 + RADIUS, 2, 6.0), (2, 4 + RADIUS + 1, 3, 5.0)
    readings = decode_grid(scores_with((2, 4, 1, 7.0), beside, beyond), (1, 4))
    assert readings.codes[0, :3].tolist() == [1, 3, PADDING]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_peaks_equal_a_plain_search(seed: int) -> None:
    presence = np.random.default_rng(seed).permutation(5 * 7).reshape(1, 5, 7).astype(np.float32) / 35
    left, expected = presence[0].copy(), []
    for _ in range(3):
        row, column = np.unravel_index(left.argmax(), left.shape)
        expected.append(row * 7 + column)
        left[max(0, row - RADIUS) : row + RADIUS + 1, max(0, column - RADIUS) : column + RADIUS + 1] = -1
    assert find_peaks(presence, 3)[0][0].tolist() == expected


def test_certainty_is_the_probability_of_class_and_presence() -> None:
    scores = np.random.default_rng(0).normal(size=(4, 6, 12, BLANK + 1)).astype(np.float32)
    softmax = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    readings = decode_grid(scores, (1, 1))
    best = presence_of(scores).reshape(4, -1).argmax(axis=1)
    assert readings.certainty[:, 0] == pytest.approx(softmax.reshape(4, -1, BLANK + 1)[range(4), best, :-1].max(axis=1))


def test_extreme_scores_stay_finite() -> None:
    scores = scores_with((2, 4, 1, 7.0)) * np.float32(1e4)
    readings = decode_grid(scores, (1, 1))
    assert np.isfinite(readings.certainty).all()
    assert np.isfinite(readings.scores).all()


def test_an_empty_place_has_no_second_choice() -> None:
    readings = decode_grid(scores_with((2, 4, 1, 7.0), (3, 9, 3, 6.0)), (2, 3))
    assert readings.seconds()[0][0, 2] == PADDING
