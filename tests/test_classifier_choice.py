"""Of the networks before and after adaptation the one is kept that scores better."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from classifier.config import Training
from classifier.readings import Readings
from synth_engine import Recipe, Synthesizer

pytest.importorskip("tensorflow")

from classifier import choice
from classifier.model import Learner, make_learner
from classifier.networks import build

EARLIER, ADAPTED = 1.0, 0.0


def view(codes: np.ndarray) -> Readings:
    certainty = np.ones(codes.shape, np.float32)
    points = np.zeros((*codes.shape, 2), np.float32)
    return Readings(codes=codes, certainty=certainty, points=points, scores=np.zeros((*codes.shape, 5), np.float32))


def kept(tiny: Recipe, monkeypatch: pytest.MonkeyPatch, earlier: list[Any], adapted: list[Any]) -> tuple[float, str]:
    """What the teacher's first weight is in the end, given two views' codes with each network; and what was said."""
    learner: Learner = make_learner(build("grid", tiny, width=4, depth=2), Training(precision="float32"))
    weights = learner.teacher.get_weights()
    before, after = ([np.full_like(weight, value) for weight in weights] for value in (EARLIER, ADAPTED))
    learner.teacher.set_weights(after)

    def read(reader: Any, *_: Any) -> tuple[Readings, Readings]:
        now = earlier if reader.network.get_weights()[0].max() == EARLIER else adapted
        return view(now[0]), view(now[1])

    monkeypatch.setattr(choice, "read_views", read)
    lines: list[str] = []
    choice.keep_better(learner, before, np.zeros((9, *tiny.shape), np.uint8), tiny, lines.append)
    return float(learner.teacher.get_weights()[0].max()), lines[0]


def test_a_collapse_brings_the_earlier_network_back(tiny: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = Synthesizer(tiny, 3).batch(0, 500).labels
    wavering = np.where(np.arange(500)[:, np.newaxis] < 50, (truth + 1) % 5, truth).astype(np.uint8)
    one_class = np.zeros_like(truth)
    weight, line = kept(tiny, monkeypatch, [truth, wavering], [one_class, one_class])
    assert weight == EARLIER
    assert "before adaptation views agree on 90.0% of texts" in line
    assert "after it views agree on 100.0%" in line
    assert line.endswith("the earlier network is kept")


def test_what_views_agree_on_more_is_kept(tiny: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = Synthesizer(tiny, 3).batch(0, 500).labels
    wavering = np.where(np.arange(500)[:, np.newaxis] < 50, (truth + 1) % 5, truth).astype(np.uint8)
    weight, line = kept(tiny, monkeypatch, [truth, wavering], [truth, truth])
    assert weight == ADAPTED
    assert line.endswith("the adapted network is kept")
