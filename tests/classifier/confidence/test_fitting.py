"""Confidence fitted to images without labels: from agreement of views, and from classes that are read too often."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from classifier.confidence.fitting import Looks, along_the_line, class_ceilings, fit, temperature_for
from classifier.networks.readings import Readings
from classifier.reading.calibration import soften

CLASSES = 10
UNIFORM = np.full(CLASSES, 1 / CLASSES, np.float32)


def readings(codes: np.ndarray, certainty: float | np.ndarray) -> Readings:
    shape = codes.shape
    sure = np.broadcast_to(np.float32(certainty), shape).astype(np.float32)
    nothing = np.zeros((*shape, 2), np.float32)
    return Readings(codes=codes.astype(np.uint8), certainty=sure, points=nothing, scores=nothing)


def looks(true: np.ndarray, hard: float, certainty: float, seed: int = 5) -> Looks:
    """A reader for whom a share of the characters is ``hard``: it tosses a coin between two classes at each look."""
    rng = np.random.default_rng(seed)
    doubtful, other = np.random.default_rng(4).random(true.shape) < hard, (true + 1) % CLASSES
    read = [np.where(doubtful & (rng.random(true.shape) < 0.5), other, true) for _ in range(3)]
    return Looks(plain=readings(read[0], certainty), views=[readings(codes, certainty) for codes in read[1:]])


def test_an_overconfident_reader_is_brought_to_its_accuracy() -> None:
    true = np.random.default_rng(9).integers(0, CLASSES, (4000, 4))
    synthetic, real = looks(true, 0.02, 0.999), looks(true[::-1], 0.2, 0.999)
    calibration = fit(real, synthetic, true.astype(np.uint8), UNIFORM)
    right = (real.plain.codes == true[::-1]).all(axis=1).mean()
    assert real.plain.confidence().mean() > right + 0.25
    assert calibration.apply(real.plain).confidence().mean() == pytest.approx(right, abs=0.03)


def test_the_ceiling_of_a_class_read_too_often_is_its_share() -> None:
    codes = np.concatenate([np.tile(np.arange(1, CLASSES), 1000), np.zeros(3000, int)])  # 0 swallows two others
    ceilings = class_ceilings(codes, UNIFORM)
    assert ceilings[0] == pytest.approx(0.1 * len(codes) / 3000, rel=0.01)
    assert (ceilings[1:] == 1).all()


def test_chance_alone_sets_no_ceiling() -> None:
    lowest = [class_ceilings(np.random.default_rng(k).integers(0, CLASSES, 2000), UNIFORM).min() for k in range(20)]
    assert np.median(lowest) > 0.97


def test_the_temperature_meets_the_share() -> None:
    certainty = np.random.default_rng(1).uniform(0.7, 1, (500, 3)).astype(np.float32)
    for share in (0.4, 0.8):
        softened = soften(certainty, temperature_for(certainty, share))
        assert softened.prod(axis=1).mean() == pytest.approx(share, abs=1e-3)


def test_a_view_that_costs_nothing_or_much_moves_the_estimate() -> None:
    assert along_the_line(0.9, 0.95, 0.95) == pytest.approx(0.9)
    assert along_the_line(0.9, 0.90, 0.95) == pytest.approx(0.95)


def test_a_second_seed_finds_the_errors_that_views_repeat() -> None:
    true = np.random.default_rng(9).integers(0, CLASSES, (4000, 4))
    tossed = [looks(true, 0.3, 0.999, seed).plain for seed in (5, 6)]
    calm = looks(true, 0.02, 0.999)
    synthetic = replace(calm, second=calm.views[0])
    blind = Looks(plain=tossed[0], views=[tossed[0]])  # views of one network that waver with it
    both_seeds, labels = replace(blind, second=tossed[1]), true.astype(np.uint8)
    alone, both = (fit(real, synthetic, labels, UNIFORM) for real in (blind, both_seeds))
    right = (tossed[0].codes == true).all(axis=1).mean()
    assert alone.estimate > right + 0.25
    assert both.estimate == pytest.approx(right, abs=0.03)
    assert alone.second_agreement is None
    assert both.second_agreement == pytest.approx((tossed[0].codes == tossed[1].codes).all(axis=1).mean(), abs=1e-4)


def test_a_second_seed_never_raises_the_estimate() -> None:
    true = np.random.default_rng(9).integers(0, CLASSES, (4000, 4))
    synthetic, real = looks(true, 0.02, 0.999), looks(true, 0.2, 0.999)
    same, second = replace(real, second=real.plain), replace(synthetic, second=synthetic.views[0])
    labels = true.astype(np.uint8)
    assert fit(same, second, labels, UNIFORM).estimate == fit(real, synthetic, labels, UNIFORM).estimate


def test_seeds_that_agree_on_every_synthetic_image_cost_no_more_than_so_many_can_show() -> None:
    true = np.random.default_rng(9).integers(0, CLASSES, (2000, 4))
    slip, other = true.copy(), true.copy()
    slip[0], other[:200] = (true[0] + 1) % CLASSES, (true[:200] + 1) % CLASSES  # 1 in 2,000 and 200 of them
    same, apart = readings(slip, 0.9), readings(other, 0.9)
    synthetic, real = Looks(plain=same, views=[same], second=same), Looks(plain=same, views=[same], second=apart)
    assert 0.85 < fit(real, synthetic, true.astype(np.uint8), UNIFORM).estimate < 0.9
