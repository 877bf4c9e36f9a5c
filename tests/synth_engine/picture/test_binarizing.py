"""The binary end of a painted picture: real images' ink, and the fast path's flips."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_engine import Recipe
from synth_engine.picture.binarizing import Binarizer
from synth_engine.real import binarize
from synth_engine.recipe import Binarize, Canvas, Noise
from tests.naive.fast import NOISE, Naive, mix, opened, sample_key

RULES = st.builds(
    Binarize, threshold=st.sampled_from([0, 1, 100, 128, 254, 255]), ink=st.sampled_from(["light", "dark"]),
    zero_is_ink=st.booleans(), open_px=st.integers(0, 15),
)  # fmt: skip


def grey(count: int, shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Coarse blobs and single pixels, with black and white among them."""
    generator = np.random.default_rng(seed)
    blobs = generator.integers(0, 2, (count, 1 + shape[0] // 6, 1 + shape[1] // 6)) * np.uint8(255)
    images = blobs.repeat(6, axis=1).repeat(6, axis=2)[:, : shape[0], : shape[1]].copy()
    single = generator.random(images.shape) < 0.03
    images[single] = generator.integers(0, 256, single.sum())
    return images.astype(np.uint8)


def binarized(recipe: Recipe, images: np.ndarray, seed: int = 5, start: int = 70) -> np.ndarray:
    out = np.full(images.shape, 9, np.uint8)
    Binarizer(recipe).binarize(seed, start, images[..., None], out)
    return out


@settings(max_examples=60)
@given(rule=RULES, shape=st.sampled_from([(8, 8), (9, 70), (24, 40), (33, 12)]), seed=st.integers(0, 99))
def test_ink_is_what_real_images_get(tiny: Recipe, rule: Binarize, shape: tuple[int, int], seed: int) -> None:
    images = grey(3, shape, seed)
    recipe = tiny.replace(canvas=Canvas(width_px=shape[1], height_px=shape[0]), binarize=rule)
    assert np.array_equal(binarized(recipe, images), binarize(images, rule))


@pytest.mark.parametrize("probability", [0.1, 0.5, 1.0])
def test_flips_are_the_fast_paths_and_come_before_the_opening(tiny: Recipe, probability: float) -> None:
    images = grey(3, tiny.shape)
    recipe = tiny.replace(noise=Noise(flip_probability=probability), binarize=Binarize(threshold=90, open_px=2))
    twin = Naive(recipe, 5)
    for i, got in enumerate(binarized(recipe, images)):
        flips = twin.flips(mix(sample_key(5, 70 + i) ^ NOISE))
        assert np.array_equal(got, opened((images[i] > 90) ^ flips, 2))


def test_a_block_may_be_cut_anywhere(tiny: Recipe) -> None:
    recipe, images = tiny.replace(noise=Noise(flip_probability=0.2)), grey(9, tiny.shape)
    parts = [binarized(recipe, images[a:b], start=70 + a) for a, b in ((0, 2), (2, 3), (3, 9))]
    assert np.array_equal(np.concatenate(parts), binarized(recipe, images))


def test_every_level_follows_the_rule(tiny: Recipe) -> None:
    images = np.resize(np.arange(256, dtype=np.uint8), (1, 16, 16))
    rule = Binarize(threshold=200, ink="light", zero_is_ink=True)
    ink = binarized(tiny.replace(canvas=Canvas(width_px=16, height_px=16), binarize=rule), images)
    assert np.flatnonzero(ink.ravel()).tolist() == [0, *range(201, 256)]
