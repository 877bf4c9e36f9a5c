"""Random warps: points follow the pixels, and images stay two-valued."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.learning.settings import NARROW, WIDE, Augmentation
from synth_engine import Recipe, Synthesizer

tf = pytest.importorskip("tensorflow")

from classifier.learning.augmentation import sample_warp, unwarp_points, warp_images, warp_points  # noqa: E402

SHAPE = (24, 40)
STILL = Augmentation(rotation_deg=0, scale=0, shear=0, shift_px=0, level=0)
WOBBLING = replace(STILL, wobble=1.5)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31 - 1))
def test_points_follow_the_pixels(seed: int) -> None:
    warp = sample_warp(tf.constant([seed, 1]), 1, Augmentation(level=0.0), SHAPE)
    image = np.full((1, *SHAPE, 1), -1.0, np.float32)
    image[0, 8:15, 16:23] = 1.0  # a square around (19, 11)
    rows, columns = np.nonzero(warp_images(tf.constant(image), warp).numpy()[0, ..., 0] > 0)
    moved = warp_points(tf.constant([[[19.0, 11.0]]]), warp, SHAPE)
    assert moved.numpy()[0, 0] == pytest.approx([columns.mean(), rows.mean()], abs=0.6)
    assert unwarp_points(moved, warp, SHAPE).numpy()[0, 0] == pytest.approx([19.0, 11.0], abs=1e-3)


def warped(recipe: Recipe, ranges: Augmentation, count: int = 6, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Images of ``recipe`` and the same warped, both in {-1, 1}."""
    from synth_engine.training.value_range import to_network

    images = to_network(tf.constant(Synthesizer(recipe, seed).batch(0, count).images))
    return images.numpy(), warp_images(images, sample_warp(tf.constant([seed, 2]), count, ranges, recipe.shape)).numpy()


def test_no_warp_changes_nothing(tiny: Recipe) -> None:
    images, same = warped(tiny, STILL)
    assert np.array_equal(images, same)


@pytest.mark.parametrize("ranges", [NARROW, WIDE])
def test_images_stay_two_valued(tiny: Recipe, ranges: Augmentation) -> None:
    assert set(np.unique(warped(tiny, ranges)[1])) == {-1.0, 1.0}


def test_a_blur_before_the_cut_changes_edges_and_leaves_flat_ink_and_ground(tiny: Recipe) -> None:
    images, blurred = warped(tiny, replace(STILL, level=0.5, blur_px=1.0), count=32)
    changed = images != blurred
    assert 0.05 < changed.any(axis=(1, 2, 3)).mean() < 0.6  # half of the images are blended at all
    assert not changed[:, 2:-2, 2:-2][flat(images)].any()


def flat(images: np.ndarray) -> np.ndarray:
    """Pixels, two from the edge and farther, all of whose neighbours within 2 px are like them."""
    around = np.lib.stride_tricks.sliding_window_view(images, (5, 5), (1, 2))
    return around.min(axis=(-2, -1)) == around.max(axis=(-2, -1))


def test_wobble_frays_half_of_the_images_otherwise_each_time(tiny: Recipe) -> None:
    (images, one), (_, other) = warped(tiny, WOBBLING, 32), warped(tiny, WOBBLING, 32, seed=3)
    share = (images != one).mean(axis=(1, 2, 3))
    assert 0.2 < (share > 0).mean() < 0.8
    assert 0.02 < share.max() < 0.4
    assert not np.array_equal(images != one, other != one)
