"""How often each class occurs among codes, and in a recipe's images."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.reading.class_shares import class_shares, expected_shares
from synth_engine import Recipe
from synth_engine.samples import PADDING

CODES = np.array([[0, 2, PADDING], [2, 2, PADDING]], np.uint8)


def test_shares_sum_to_one_and_leave_padding_out() -> None:
    assert class_shares(CODES, 3).tolist() == [0.25, 0.0, 0.75]


def test_padding_is_a_class_of_its_own_among_256() -> None:
    assert class_shares(CODES, 256)[[0, 2, PADDING]] == pytest.approx([1 / 6, 3 / 6, 2 / 6])


def test_nothing_read_has_no_shares() -> None:
    assert class_shares(np.full((2, 3), PADDING, np.uint8), 3).tolist() == [0.0, 0.0, 0.0]


def test_expected_shares_are_those_of_the_recipe(tiny: Recipe) -> None:
    shares = expected_shares(tiny, 0)
    assert shares.sum() == pytest.approx(1.0)
    assert shares == pytest.approx(np.full(5, 0.2), abs=0.02)
