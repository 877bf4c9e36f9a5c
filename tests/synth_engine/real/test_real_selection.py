"""The order of real images: each pass shows all of them, and goes on anywhere."""

from __future__ import annotations

import numpy as np
import pytest

from synth_engine.real.selection import pass_indices


def test_every_pass_shows_all_before_any_comes_again() -> None:
    passes = pass_indices(7, 0, 21, seed=3).reshape(3, 7)
    assert all(sorted(one) == list(range(7)) for one in passes)
    assert len({tuple(one) for one in passes}) == 3


@pytest.mark.parametrize(("start", "count"), [(0, 5), (5, 11), (7, 7), (6, 1), (14, 0)])
def test_a_series_goes_on_anywhere(start: int, count: int) -> None:
    whole = pass_indices(7, 0, 21, seed=3)
    np.testing.assert_array_equal(pass_indices(7, start, count, seed=3), whole[start : start + count])


def test_passes_are_not_alike() -> None:
    one, other = pass_indices(20_000, 0, 40_000, seed=0).reshape(2, 20_000)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.03
    where = np.argsort(other)
    near = np.abs(np.diff(where[one])) < 5  # neighbours in one pass, four places apart at most in the other
    assert near.mean() < 0.002
