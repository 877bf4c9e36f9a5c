"""Shared masks: the counting rule exactly, its limits, and the contest's own mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from synth_engine import Recipe
from synth_engine.errors import RealImagesError
from synth_engine.real import and_mask, ink_counts, load_real_images, mean_mask, remove_mask

IMAGES = arrays(np.uint8, st.tuples(st.integers(1, 12), st.just(2), st.just(3)), elements=st.integers(0, 1))


def column(*ink: int) -> np.ndarray:
    """Images of one pixel."""
    return np.array(ink, dtype=np.uint8).reshape(-1, 1, 1)


def test_exactly_the_share_is_not_more_than_the_share() -> None:
    assert mean_mask(column(*[1] * 9, 0), 0.9).item() == 0
    assert mean_mask(column(*[1] * 10), 0.9).item() == 1


@given(IMAGES, st.floats(0, 0.99))
def test_the_mean_mask_counts_each_pixel(images: np.ndarray, share: float) -> None:
    expected = [[int(sum(image[y, x] for image in images)) > share * len(images) for x in range(3)] for y in range(2)]
    assert mean_mask(images, share).tolist() == [[int(inked) for inked in row] for row in expected]


@given(IMAGES)
def test_no_tolerance_is_the_bitwise_and(images: np.ndarray) -> None:
    assert np.array_equal(and_mask(images), np.bitwise_and.reduce(images, axis=0))


def test_tolerance_counts_images_or_takes_a_share_of_them() -> None:
    images = column(1, 1, 1, 0)
    assert [and_mask(images, tolerance).item() for tolerance in (0, 1, 0.2, 0.25)] == [0, 1, 0, 1]


def test_counts_do_not_overflow_past_a_byte() -> None:
    assert ink_counts(np.ones((70_000, 1, 1), np.uint8)).item() == 70_000


def test_removing_a_mask_leaves_the_rest() -> None:
    mask = np.array([[1, 0]], dtype=np.uint8)
    assert remove_mask(np.ones((2, 1, 2), np.uint8), mask).tolist() == [[[0, 1]], [[0, 1]]]


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_outside_its_range_is_refused(share: float) -> None:
    with pytest.raises(RealImagesError, match="share from 0 to below 1"):
        mean_mask(column(1), share)


@pytest.mark.parametrize("tolerance", [-1, 1.0])
def test_a_tolerance_outside_its_range_is_refused(tolerance: float) -> None:
    with pytest.raises(RealImagesError, match="as tolerance"):
        and_mask(column(1), tolerance)


def test_no_images_have_no_mask() -> None:
    with pytest.raises(RealImagesError, match="N ≥ 1"):
        mean_mask(np.zeros((0, 2, 2), np.uint8))


def test_the_contests_mask_is_found_again(contest: Path, hackmit: Recipe) -> None:
    real = load_real_images(contest / "challenges", hackmit)
    known = np.asarray(Image.open(contest / "seed-mask.png").convert("L")) > 0
    found = mean_mask(real.images, 0.9) > 0
    assert len(real.images) == 20_000
    assert not (known & ~found).any()
    assert (found & ~known).sum() <= 1
