"""The opening that synthetic and real ink go through is the plain twin's, and the refiner's in its training graph."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from synth_engine.njit.finishing import new_canvas, open_images
from tests.naive.fast import opened

SHAPES = st.tuples(st.integers(1, 20), st.one_of(st.integers(1, 20), st.sampled_from([63, 64, 65, 100, 127, 128, 140])))


def ink_of(shape: tuple[int, int], seed: int, count: int = 3) -> np.ndarray:
    """(N, H, W) uint8 {0, 1}: noise, mostly ink, with full ink among it."""
    generator = np.random.default_rng(seed)
    ink = generator.random((count, *shape)) < generator.uniform(0.6, 1.05, (count, 1, 1))
    return ink.astype(np.uint8)


def engine_opened(ink: np.ndarray, side_px: int) -> np.ndarray:
    out = ink.copy()
    open_images(out.reshape(-1), *ink.shape[1:], side_px, new_canvas(*ink.shape[1:]))
    return out


@settings(max_examples=150)
@given(shape=SHAPES, side_px=st.integers(1, 15), seed=st.integers(0, 9999))
@example(shape=(50, 100), side_px=3, seed=0)
@example(shape=(50, 100), side_px=2, seed=0)
def test_opening_is_the_twins(shape: tuple[int, int], side_px: int, seed: int) -> None:
    ink = ink_of(shape, seed)
    expected = np.stack([opened(image.astype(bool), side_px) for image in ink])
    np.testing.assert_array_equal(engine_opened(ink, side_px), expected)


@given(shape=SHAPES, side_px=st.integers(2, 6), seed=st.integers(0, 99))
def test_opening_twice_is_opening_once(shape: tuple[int, int], side_px: int, seed: int) -> None:
    once = engine_opened(ink_of(shape, seed), side_px)
    np.testing.assert_array_equal(engine_opened(once, side_px), once)


@pytest.mark.parametrize("side_px", [2, 3, 4, 5])
@pytest.mark.parametrize("shape", [(9, 12), (50, 100), (24, 64)])
def test_the_refiner_opens_in_its_graph_as_the_engine_does(shape: tuple[int, int], side_px: int) -> None:
    """It needs an opening with a gradient, on images of -1 and 1, within TensorFlow's graph."""
    pytest.importorskip("tensorflow")
    from synth_engine.training import refiner

    ink = ink_of(shape, side_px, count=6)
    graph = np.asarray(refiner.opened(2.0 * ink[..., None].astype(np.float32) - 1, side_px))
    np.testing.assert_array_equal(graph[..., 0] > 0, engine_opened(ink, side_px))
