"""Clutter against its plain twin, and what its kernels leave alone."""

from __future__ import annotations

import numpy as np
import pytest

from synth_engine.picture.stages.clutter import CLUTTER
from synth_engine.recipe import Arcs, Curves, Dots, Lines
from tests.naive.clutter import naive_clutter, sample_numbers

SHAPE = (23, 37)
# Straight marks miss the twin's level by rounding alone; chains leave their curve by up to 0.03 px.
STRAIGHT, CHAINED = 1, 9
PARTS = [
    (Lines(count=(1, 4), width_px=(1, 5)), STRAIGHT),
    (Lines(count=2, width_px=60), STRAIGHT),
    (Dots(count=(5, 30), radius_px=(0.5, 4)), STRAIGHT),
    (Curves(count=(1, 4), width_px=(1, 4)), CHAINED),
    (Arcs(count=(1, 4), width_px=(1, 4)), CHAINED),
    (Arcs(count=8, width_px=6, radius_px=(1, 300), extent_deg=(-30, 30)), CHAINED),
]


def painted(part, images: int, start: int = 0, probability: float = 1.0, empty: int = 0):
    """Coverage of some samples; those without the stage keep the content ``empty``."""
    stage = CLUTTER[type(part)]
    on, params, keys = sample_numbers(stage.columns(part, SHAPE), images, start=start, probability=probability)
    cover = np.where(on[:, None, None], 0, np.full((images, *SHAPE), empty)).astype(np.uint8)
    stage.kernel(on, params, keys, cover)
    return cover, on, params, keys


@pytest.mark.parametrize(("part", "tolerance"), PARTS)
def test_marks_equal_twin(part, tolerance):
    cover, _, params, keys = painted(part, 5)
    assert cover.any(), "no mark anywhere"
    for i, image in enumerate(cover):
        twin = naive_clutter(type(part).__name__.lower(), params[i], keys[i], SHAPE)
        assert np.abs(image.astype(int) - twin).max() <= tolerance


@pytest.mark.parametrize("part", [part for part, _ in PARTS])
def test_samples_are_same_in_any_block(part):
    whole = painted(part, 12)[0]
    cuts = [painted(part, count, start)[0] for start, count in ((0, 1), (1, 7), (8, 4))]
    assert np.array_equal(np.concatenate(cuts), whole)


@pytest.mark.parametrize("part", [part for part, _ in PARTS])
def test_images_without_stage_stay(part):
    cover, on, *_ = painted(part, 12, probability=0.5, empty=7)
    assert 0 < on.sum() < 12
    assert (cover[~on] == 7).all()
    assert np.array_equal(cover[on], painted(part, 12)[0][on])


@pytest.mark.parametrize("kind", [Lines, Dots, Curves, Arcs])
def test_count_is_rounded_down_and_adds_marks_to_same_ones(kind):
    two, three, almost = (painted(kind(count=count), 4)[0] for count in (2.0, 3.0, 3.99))
    assert np.array_equal(three, almost)
    assert (three >= two).all()
    assert (three > two).any()


@pytest.mark.parametrize("kind", [Lines, Dots, Curves, Arcs])
def test_no_mark_paints_nothing(kind):
    assert not painted(kind(count=(0, 0.99)), 4)[0].any()


def test_columns_follow_part():
    columns = CLUTTER[Arcs].columns(Arcs(count=(1, 3), width_px=2, radius_px=(4, 9), extent_deg=(5, 6)), SHAPE)
    assert columns == [(1, 3), (2, 2), (2, 2), (4, 4), (9, 9), (5, 5), (6, 6)]
