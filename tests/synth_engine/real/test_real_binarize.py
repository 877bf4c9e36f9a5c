"""Binarising: the recipe's rule, pixel by pixel, against a plain twin."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from synth_engine.errors import RealImagesError
from synth_engine.real import binarize
from synth_engine.recipe import Binarize

GREY = arrays(
    np.uint8, st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 255)
)


def naive_open(ink: np.ndarray, side_px: int) -> np.ndarray:
    """Every all-ink square within the image, painted."""
    out = np.zeros_like(ink)
    height, width = ink.shape
    for y in range(height - side_px + 1):
        for x in range(width - side_px + 1):
            square = (slice(y, y + side_px), slice(x, x + side_px))
            if ink[square].all():
                out[square] = 1
    return out


@pytest.mark.parametrize(
    ("rule", "ink"),
    [
        (Binarize(threshold=200, ink="light"), [0, 0, 0, 1]),
        (Binarize(threshold=200, ink="dark"), [1, 1, 0, 0]),
        (Binarize(threshold=200, ink="light", zero_is_ink=True), [1, 0, 0, 1]),
        (Binarize(threshold=0, ink="dark", zero_is_ink=True), [1, 0, 0, 0]),
    ],
)
def test_the_threshold_itself_is_ground(rule: Binarize, ink: list[int]) -> None:
    assert binarize(np.array([[0, 199, 200, 201]], dtype=np.uint8), rule).tolist() == [ink]


@given(GREY, st.integers(2, 4))
def test_opening_paints_every_square_of_ink(grey: np.ndarray, side_px: int) -> None:
    plain = binarize(grey, Binarize(threshold=60))
    opened = binarize(grey, Binarize(threshold=60, open_px=side_px))
    assert np.array_equal(opened, np.stack([naive_open(image, side_px) for image in plain]))


@given(GREY)
def test_a_batch_is_its_images(grey: np.ndarray) -> None:
    rule = Binarize(threshold=100, ink="dark", open_px=2)
    assert np.array_equal(binarize(grey, rule), np.stack([binarize(image, rule) for image in grey]))


def test_ink_is_fresh_bytes_of_zero_and_one() -> None:
    grey = np.array([[0, 255]], dtype=np.uint8)
    ink = binarize(grey, Binarize())
    ink[...] = 7
    assert ink.dtype == np.uint8
    assert grey.tolist() == [[0, 255]]


@pytest.mark.parametrize("grey", [np.zeros(4, np.uint8), np.zeros((2, 2)), np.zeros((2, 2), np.int16)])
def test_other_arrays_are_refused(grey: np.ndarray) -> None:
    with pytest.raises(RealImagesError, match=r"expected grey images \(H, W\) or \(N, H, W\) of uint8"):
        binarize(grey, Binarize())


def test_importing_the_package_loads_none_of_the_heavy_libraries() -> None:
    code = (
        "import sys, synth_engine.real; print({'cv2', 'requests', 'captcha', 'tensorflow', 'ray'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
