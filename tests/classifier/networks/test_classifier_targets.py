"""What each cell should say, and what a warp does to points and pixels alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.learning.settings import NARROW, WIDE, Augmentation
from classifier.networks.head import STRIDE
from synth_engine import Recipe, Synthesizer

tf = pytest.importorskip("tensorflow")

from classifier.learning.augmentation import draw_warp, unwarp_points, warp_images, warp_points  # noqa: E402
from classifier.networks.losses import grid_loss, heads_loss, information_loss  # noqa: E402
from classifier.networks.targets import GridTargets, centres, grid_targets, visibility, within  # noqa: E402

SHAPE, BLANK = (24, 40), 5
NONE = 255
STILL = Augmentation(rotation_deg=0, scale=0, shear=0, shift_px=0, level=0)
WOBBLING = replace(STILL, wobble=1.5)


def one_target(*characters: tuple[int, float, float, float]) -> Any:
    """Targets as NumPy arrays of one image with characters (class, x, y, weight)."""
    labels = np.array([[code for code, *_ in characters]], np.uint8)
    points = np.array([[(x, y) for _, x, y, _ in characters]], np.float32)
    weights = np.array([[weight for *_, weight in characters]], np.float32)
    return GridTargets(*(part.numpy()[0] for part in grid_targets(labels, points, weights, SHAPE, BLANK)))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_each_glyph_s_cell_has_its_class(tiny: Recipe, start: int) -> None:
    batch = Synthesizer(tiny, 5).batch(start, 4)
    weights = np.ones(batch.labels.shape, np.float32)
    targets = grid_targets(batch.labels, centres(batch.boxes), weights, SHAPE, BLANK)
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
    targets = one_target((NONE, 0.0, 0.0, 1.0))
    assert (targets.blanks == 1).all()
    assert (targets.classes == BLANK).all()


def test_points_outside_count_in_the_nearest_cell() -> None:
    assert one_target((1, 99.0, -7.0, 1.0)).classes[0, -1] == 1


def test_of_two_in_one_cell_the_weightier_is_taught() -> None:
    assert one_target((1, 18.0, 10.0, 0.2), (3, 17.0, 9.0, 0.9)).classes[2, 4] == 3


def test_cut_glyphs_count_by_what_is_visible() -> None:
    boxes = np.array([[[0, 5, 2, 20], [10, 5, 12, 20], [20, 22, 30, 24]]], np.int16)
    assert visibility(boxes, SHAPE).numpy()[0].tolist() == [0.25, 1.0, 0.25]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31 - 1))
def test_points_follow_the_pixels(seed: int) -> None:
    warp = draw_warp(tf.constant([seed, 1]), 1, Augmentation(level=0.0), SHAPE)
    image = np.full((1, *SHAPE, 1), -1.0, np.float32)
    image[0, 8:15, 16:23] = 1.0  # a square around (19, 11)
    rows, columns = np.nonzero(warp_images(tf.constant(image), warp).numpy()[0, ..., 0] > 0)
    moved = warp_points(tf.constant([[[19.0, 11.0]]]), warp, SHAPE)
    assert moved.numpy()[0, 0] == pytest.approx([columns.mean(), rows.mean()], abs=0.6)
    assert unwarp_points(moved, warp, SHAPE).numpy()[0, 0] == pytest.approx([19.0, 11.0], abs=1e-3)


def drawn(recipe: Recipe, ranges: Augmentation, count: int = 6, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Images of ``recipe`` and the same warped, both in {-1, 1}."""
    from synth_engine.training.value_range import to_network

    images = to_network(tf.constant(Synthesizer(recipe, seed).batch(0, count).images))
    return images.numpy(), warp_images(images, draw_warp(tf.constant([seed, 2]), count, ranges, recipe.shape)).numpy()


def test_no_warp_changes_nothing(tiny: Recipe) -> None:
    images, same = drawn(tiny, STILL)
    assert np.array_equal(images, same)


@pytest.mark.parametrize("ranges", [NARROW, WIDE])
def test_images_stay_two_valued(tiny: Recipe, ranges: Augmentation) -> None:
    assert set(np.unique(drawn(tiny, ranges)[1])) == {-1.0, 1.0}


def test_a_blur_before_the_cut_changes_edges_and_leaves_flat_ink_and_ground(tiny: Recipe) -> None:
    images, blurred = drawn(tiny, replace(STILL, level=0.5, blur_px=1.0), count=32)
    changed = images != blurred
    assert 0.05 < changed.any(axis=(1, 2, 3)).mean() < 0.6  # half of the images are blended at all
    assert not changed[:, 2:-2, 2:-2][flat(images)].any()


def flat(images: np.ndarray) -> np.ndarray:
    """Pixels, two from the edge and farther, all of whose neighbours within 2 px are like them."""
    around = np.lib.stride_tricks.sliding_window_view(images, (5, 5), (1, 2))
    return around.min(axis=(-2, -1)) == around.max(axis=(-2, -1))


def test_wobble_frays_half_of_the_images_otherwise_each_time(tiny: Recipe) -> None:
    (images, one), (_, other) = drawn(tiny, WOBBLING, 32), drawn(tiny, WOBBLING, 32, seed=3)
    share = (images != one).mean(axis=(1, 2, 3))
    assert 0.2 < (share > 0).mean() < 0.8
    assert 0.02 < share.max() < 0.4
    assert not np.array_equal(images != one, other != one)


def test_a_middle_off_the_canvas_says_nothing() -> None:
    points = tf.constant([[[0.0, 0.0], [39.4, 23.4], [-0.6, 3.0], [39.6, 3.0], [3.0, 23.6]]])
    assert within(points, SHAPE).numpy()[0].tolist() == [1, 1, 0, 0, 0]


def test_perfect_scores_cost_nothing_and_wrong_ones_do() -> None:
    labels, points = np.array([[2, NONE]], np.uint8), np.array([[[18.0, 10.0], [0, 0]]], np.float32)
    targets = grid_targets(labels, points, np.ones((1, 2), np.float32), SHAPE, BLANK)
    right = 50.0 * tf.one_hot(targets.classes, BLANK + 1)
    loss, share = grid_loss(right, targets, 0.2)
    assert (float(loss), float(share)) == pytest.approx((0.0, 1.0), abs=1e-6)
    assert float(grid_loss(-right, targets, 0.2)[0]) > 1


def test_heads_ignore_padding_and_doubt() -> None:
    scores = tf.constant([[[9.0, -9.0], [9.0, -9.0], [9.0, -9.0]]])
    loss, right = heads_loss(scores, np.array([[0, NONE, 1]], np.uint8), np.array([[1.0, 1.0, 0.0]], np.float32))
    assert (float(loss), float(right)) == pytest.approx((0.0, 1.0), abs=1e-6)


PLACES = np.array([[[2.0, 2.0], [18.0, 10.0]], [[30.0, 6.0], [0.0, 0.0]]], np.float32)
READ = np.array([[0, 1], [1, NONE]], np.uint8)


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
