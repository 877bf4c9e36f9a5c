"""What each cell should say, and what it costs to say something else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.networks.head import STRIDE, CharacterTargets
from synth_engine import Recipe, Synthesizer
from synth_engine.samples import PADDING

tf = pytest.importorskip("tensorflow")

from classifier.networks.grid_targets import GridTargets, grid_loss, grid_targets, information_loss  # noqa: E402
from classifier.networks.points import centres  # noqa: E402

SHAPE, BLANK = (24, 40), 5


def one_target(*characters: tuple[int, float, float, float]) -> Any:
    """Targets as NumPy arrays of one image with characters (class, x, y, weight)."""
    labels = np.array([[code for code, *_ in characters]], np.uint8)
    points = np.array([[(x, y) for _, x, y, _ in characters]], np.float32)
    weights = np.array([[weight for *_, weight in characters]], np.float32)
    targets = grid_targets(CharacterTargets(labels, points, weights), SHAPE, BLANK)
    return GridTargets(*(part.numpy()[0] for part in targets))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_each_glyph_cell_has_its_class(tiny: Recipe, start: int) -> None:
    batch = Synthesizer(tiny, 5).batch(start, 4)
    weights = np.ones(batch.labels.shape, np.float32)
    taught = CharacterTargets(batch.labels, centres(batch.boxes), weights)
    targets = grid_targets(taught, SHAPE, BLANK)
    for image, (labels, boxes) in enumerate(zip(batch.labels, batch.boxes, strict=True)):
        for code, (x0, y0, x1, y1) in zip(labels, boxes.tolist(), strict=True):
            row, column = (y0 + y1 - 1) // 2 // STRIDE, (x0 + x1 - 1) // 2 // STRIDE
            assert targets.classes[image, row, column] == code
            assert targets.characters[image, row, column] == 1


def test_cells_around_a_glyph_have_no_say_and_the_rest_is_blank() -> None:
    targets = one_target((2, 18.0, 10.0, 1.0))  # row 2, column 4
    silent = (targets.characters == 0) & (targets.blanks == 0)
    assert np.argwhere(silent).tolist() == [[r, c] for r in (1, 2, 3) for c in (3, 4, 5) if (r, c) != (2, 4)]
    assert (targets.classes[targets.blanks > 0] == BLANK).all()


def test_a_doubtful_glyph_silences_its_surroundings_and_teaches_nothing() -> None:
    targets = one_target((2, 18.0, 10.0, 0.0))
    assert targets.characters.sum() == 0
    assert (targets.blanks[0:5, 2:7] == 0).all()
    assert targets.blanks.sum() == targets.blanks.size - 25


def test_padding_is_blank_everywhere() -> None:
    targets = one_target((PADDING, 0.0, 0.0, 1.0))
    assert (targets.blanks == 1).all()
    assert (targets.classes == BLANK).all()


def test_points_outside_count_in_the_nearest_cell() -> None:
    assert one_target((1, 99.0, -7.0, 1.0)).classes[0, -1] == 1


def test_of_two_in_one_cell_the_weightier_is_taught() -> None:
    assert one_target((1, 18.0, 10.0, 0.2), (3, 17.0, 9.0, 0.9)).classes[2, 4] == 3


def test_perfect_scores_cost_nothing_and_wrong_ones_do() -> None:
    labels, points = np.array([[2, PADDING]], np.uint8), np.array([[[18.0, 10.0], [0, 0]]], np.float32)
    taught = CharacterTargets(labels, points, np.ones((1, 2), np.float32))
    targets = grid_targets(taught, SHAPE, BLANK)
    right = 50.0 * tf.one_hot(targets.classes, BLANK + 1)
    loss, share = grid_loss(right, targets, 0.2)
    assert (float(loss), float(share)) == pytest.approx((0.0, 1.0), abs=1e-6)
    assert float(grid_loss(-right, targets, 0.2)[0]) > 1


PLACES = np.array([[[2.0, 2.0], [18.0, 10.0]], [[30.0, 6.0], [0.0, 0.0]]], np.float32)
READ = np.array([[0, 1], [1, PADDING]], np.uint8)


def at_places(logits: np.ndarray) -> np.ndarray:
    """Scores (2, h, w, 3) that hold ``logits`` (2, 2, 2) at `PLACES`, and elsewhere what must not count."""
    scores = np.random.default_rng(0).normal(size=(2, 6, 10, 3)).astype(np.float32)
    for image, row in enumerate(PLACES):
        for place, (x, y) in enumerate(row[: 2 if image == 0 else 1]):
            scores[image, int(y) // 4, int(x) // 4, :2] = logits[image, place]
    return scores


def test_information_is_worth_what_its_equation_says() -> None:
    scores, costs = at_places(np.random.default_rng(1).normal(size=(2, 2, 2))), np.array([0.5, -0.5], np.float32)
    wanted = total = 0.0
    for image, x, y in ((0, 2, 2), (0, 18, 10), (1, 30, 6)):
        three = np.exp(scores[image, y // 4, x // 4])
        there, two = 1 - three[2] / three.sum(), three[:2] / three[:2].sum()
        wanted, total = wanted + there * (two @ (costs - np.log(two))), total + there
    assert float(information_loss(scores, READ, PLACES, costs, SHAPE)) == pytest.approx(wanted / total, abs=1e-5)


def test_sure_readings_of_seldom_classes_cost_least() -> None:
    costs = np.array([-1.0, 1.0], np.float32)

    def cost(*classes: int, strength: float = 20.0) -> float:
        logits = strength * np.eye(2)[[*classes, 0]].reshape(2, 2, 2)
        return float(information_loss(at_places(logits), READ, PLACES, costs, SHAPE))

    assert cost(0, 0, 0) == pytest.approx(-1.0, abs=1e-3)
    assert cost(0, 0, 1) == pytest.approx(-1 / 3, abs=1e-3)
    assert cost(0, 0, 0, strength=0.5) > -0.7


def test_what_is_hardly_there_hardly_counts() -> None:
    scores = at_places(np.zeros((2, 2, 2)))
    scores[..., 2] = -40.0
    scores[0, 0, 0] = [5.0, 0.0, 40.0]  # at the first place, but surely none
    found = float(information_loss(scores, READ, PLACES, np.zeros(2, np.float32), SHAPE))
    assert found == pytest.approx(np.log(2), abs=1e-4)
