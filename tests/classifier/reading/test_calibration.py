"""A calibration: what it does to certainties, and its file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.networks.readings import Readings
from classifier.reading.calibration import CALIBRATION, Calibration, soften
from synth_engine.errors import ModelError
from synth_engine.json_files import write_json
from synth_engine.samples import PADDING


def readings(codes: np.ndarray, certainty: float | np.ndarray) -> Readings:
    shape = codes.shape
    sure = np.broadcast_to(np.float32(certainty), shape).astype(np.float32)
    nothing = np.zeros((*shape, 2), np.float32)
    return Readings(codes=codes.astype(np.uint8), certainty=sure, points=nothing, scores=nothing)


@given(st.floats(0.02, 0.98), st.floats(0.4, 4))
def test_softening_keeps_the_order_and_can_be_undone(certainty: float, temperature: float) -> None:
    both = np.array([certainty, certainty + 0.005], np.float32)
    softened = soften(both, temperature)
    assert softened[0] < softened[1]
    assert soften(softened, 1 / temperature) == pytest.approx(both, abs=1e-3)


def test_texts_and_padding_stay() -> None:
    codes = np.array([[1, 2, PADDING]])
    calibration = Calibration(temperature=2.0, ceilings=(0.5,) * 4, agreement=0.5, estimate=0.5, images=1)
    applied = calibration.apply(readings(codes, np.array([[0.9, 0.9, 1.0]])))
    assert applied.codes.tolist() == codes.tolist()
    assert applied.certainty == pytest.approx(np.array([[0.375, 0.375, 1.0]]))


def test_what_is_saved_is_loaded_with_a_second_reader_or_without(tmp_path: Path) -> None:
    alone = Calibration(temperature=2.0, ceilings=(1.0,), agreement=0.5, estimate=0.5, images=9, model="m")
    both = replace(alone, second_agreement=0.25)
    assert [Calibration.load(each.save(tmp_path)) for each in (alone, both)] == [alone, both]
    assert "two readers" not in alone.line()
    assert "two readers on 25.0%" in both.line()


def test_a_file_without_a_version_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / CALIBRATION).write_text(
        '{"temperature": 2.0, "ceilings": [1.0], "agreement": 0.5, "estimate": 0.5, "images": 9, "model": "m"}'
    )
    with pytest.raises(ModelError, match=r"no `format_version`.*make it again with classifier\.calibrate"):
        Calibration.load(tmp_path / CALIBRATION)


def test_a_file_with_a_value_of_another_type_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / CALIBRATION, "calibration", {"temperature": "warm"})
    with pytest.raises(ModelError, match=r"is damaged .*make it again with classifier\.calibrate"):
        Calibration.load(tmp_path / CALIBRATION)
