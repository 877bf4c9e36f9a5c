"""Confidence fitted to images without labels: from agreement of views, and from classes that are read too often."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.calibration import (
    CALIBRATION,
    Calibration,
    Looks,
    along_the_line,
    class_ceilings,
    fit,
    soften,
    temperature_for,
)
from classifier.decode import PADDING
from classifier.readings import Readings
from synth_engine import Recipe, Synthesizer
from synth_engine.errors import ModelError

CLASSES = 10
UNIFORM = np.full(CLASSES, 1 / CLASSES, np.float32)


def readings(codes: np.ndarray, certainty: float | np.ndarray) -> Readings:
    shape = codes.shape
    sure = np.broadcast_to(np.float32(certainty), shape).astype(np.float32)
    nothing = np.zeros((*shape, 2), np.float32)
    return Readings(codes=codes.astype(np.uint8), certainty=sure, points=nothing, scores=nothing)


def looks(true: np.ndarray, hard: float, certainty: float) -> Looks:
    """A reader for whom a share of the characters is ``hard``: it tosses a coin between two classes at each look."""
    draws = np.random.default_rng(5)
    doubtful, other = draws.random(true.shape) < hard, (true + 1) % CLASSES
    read = [np.where(doubtful & (draws.random(true.shape) < 0.5), other, true) for _ in range(3)]
    return Looks(plain=readings(read[0], certainty), views=[readings(codes, certainty) for codes in read[1:]])


def test_a_boastful_reader_is_brought_to_what_it_gets_right() -> None:
    true = np.random.default_rng(9).integers(0, CLASSES, (4000, 4))
    synthetic, real = looks(true, 0.02, 0.999), looks(true[::-1], 0.2, 0.999)
    calibration = fit(real, synthetic, true.astype(np.uint8), UNIFORM)
    right = (real.plain.codes == true[::-1]).all(axis=1).mean()
    assert real.plain.confidence().mean() > right + 0.25
    assert calibration.apply(real.plain).confidence().mean() == pytest.approx(right, abs=0.03)


def test_a_class_read_too_often_is_trusted_no_further_than_it_occurs() -> None:
    codes = np.concatenate([np.tile(np.arange(1, CLASSES), 1000), np.zeros(3000, int)])  # 0 swallows two others
    ceilings = class_ceilings(codes, UNIFORM)
    assert ceilings[0] == pytest.approx(0.1 * len(codes) / 3000, rel=0.01)
    assert (ceilings[1:] == 1).all()


def test_chance_alone_sets_no_ceiling() -> None:
    lowest = [class_ceilings(np.random.default_rng(k).integers(0, CLASSES, 2000), UNIFORM).min() for k in range(20)]
    assert np.median(lowest) > 0.97


@given(st.floats(0.02, 0.98), st.floats(0.4, 4))
def test_softening_keeps_the_order_and_can_be_undone(certainty: float, temperature: float) -> None:
    both = np.array([certainty, certainty + 0.005], np.float32)
    softened = soften(both, temperature)
    assert softened[0] < softened[1]
    assert soften(softened, 1 / temperature) == pytest.approx(both, abs=1e-3)


def test_the_temperature_meets_the_share() -> None:
    certainty = np.random.default_rng(1).uniform(0.7, 1, (500, 3)).astype(np.float32)
    for share in (0.4, 0.8):
        softened = soften(certainty, temperature_for(certainty, share))
        assert softened.prod(axis=1).mean() == pytest.approx(share, abs=1e-3)


def test_a_view_that_costs_nothing_or_much_moves_the_estimate() -> None:
    assert along_the_line(0.9, 0.95, 0.95) == pytest.approx(0.9)
    assert along_the_line(0.9, 0.90, 0.95) == pytest.approx(0.95)


def test_texts_and_padding_stay() -> None:
    codes = np.array([[1, 2, PADDING]])
    calibration = Calibration(temperature=2.0, ceilings=(0.5,) * 4, agreement=0.5, estimate=0.5, images=1)
    applied = calibration.apply(readings(codes, np.array([[0.9, 0.9, 1.0]])))
    assert applied.codes.tolist() == codes.tolist()
    assert applied.certainty == pytest.approx(np.array([[0.375, 0.375, 1.0]]))


def test_it_lies_beside_its_own_model_and_no_other(tiny: Recipe, tmp_path: Path) -> None:
    keras = pytest.importorskip("keras")
    from classifier.calibrate import calibrate
    from classifier.files import Recogniser
    from classifier.networks import build

    keras.utils.set_random_seed(0)
    recogniser = Recogniser(build("grid", tiny, width=4, depth=2), tiny, batch_size=32)
    model = recogniser.save(tmp_path)
    images, lines = Synthesizer(tiny, 3).batch(0, 64).images, []
    calibrate(recogniser, images, model, lines.append)
    fitted = Recogniser.load(model)
    assert fitted.calibration is not None
    assert "of 64 texts" in lines[0]
    calm = replace(fitted.calibration, temperature=5.0)
    expected = calm.apply(recogniser.read(images)).certainty
    assert replace(fitted, calibration=calm).read(images).certainty == pytest.approx(expected, abs=1e-5)
    (tmp_path / CALIBRATION).write_text('{"temperature": 1}')
    with pytest.raises(ModelError, match="is damaged"):
        Recogniser.load(model)
    replace(fitted.calibration, model="another").save(tmp_path)
    with pytest.raises(ModelError, match="calibration of another network"):
        Recogniser.load(model)
    recogniser.save(tmp_path)
    assert Recogniser.load(model).calibration is None
