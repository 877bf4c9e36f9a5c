"""Of the networks before and after adaptation the one is kept that scores better."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from classifier.learning.settings import TrainingSettings
from classifier.networks.readings import Readings
from synth_engine import Recipe, Synthesizer

pytest.importorskip("tensorflow")

from classifier.adaptation import keep_better as choice
from classifier.learning.learner import Learner, make_learner
from classifier.networks.heads import build
from classifier.train import train

EARLIER, ADAPTED = 1.0, 0.0
NONE = 255


def view(codes: np.ndarray) -> Readings:
    certainty = np.ones(codes.shape, np.float32)
    points = np.zeros((*codes.shape, 2), np.float32)
    return Readings(codes=codes, certainty=certainty, points=points, scores=np.zeros((*codes.shape, 5), np.float32))


def kept(tiny: Recipe, monkeypatch: pytest.MonkeyPatch, earlier: list[Any], adapted: list[Any]) -> tuple[float, str]:
    """What the teacher's first weight is in the end, given two views' codes with each network; and what was said."""
    learner: Learner = make_learner(build("grid", tiny, width=4, depth=2), TrainingSettings(precision="float32"))
    weights = learner.teacher.get_weights()
    before, after = ([np.full_like(weight, value) for weight in weights] for value in (EARLIER, ADAPTED))
    learner.teacher.set_weights(after)

    def read(reader: Any, *_: Any) -> tuple[Readings, Readings]:
        now = earlier if reader.network.get_weights()[0].max() == EARLIER else adapted
        return view(now[0]), view(now[1])

    monkeypatch.setattr(choice, "read_views", read)
    found = choice.keep_better(learner, before, np.zeros((9, *tiny.shape), np.uint8), tiny)
    return float(learner.teacher.get_weights()[0].max()), str(found)


def half_right(truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two views of a weak reader: a third of the images is read as one class, and views differ in half of them."""
    place = np.arange(len(truth))[:, np.newaxis]
    plain = np.where(place % 3 == 0, 2, truth).astype(np.uint8)
    return plain, np.where(place % 2 == 0, (plain + 1) % 5, plain).astype(np.uint8)


@pytest.mark.parametrize("collapsed", [[2, 2], [NONE, NONE], [3, NONE]])
def test_a_collapse_brings_even_a_weak_reader_back(
    tiny: Recipe, monkeypatch: pytest.MonkeyPatch, collapsed: list[int]
) -> None:
    truth = Synthesizer(tiny, 3).batch(0, 600).labels
    same = np.broadcast_to(np.array(collapsed, np.uint8), truth.shape)
    weight, line = kept(tiny, monkeypatch, list(half_right(truth)), [same, same])
    assert weight == EARLIER
    assert "before adaptation views agree on 50.0% of texts" in line
    assert "after it views agree on 100.0%" in line
    assert line.endswith("the earlier network is kept")


def test_what_views_agree_on_more_is_kept(tiny: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = Synthesizer(tiny, 3).batch(0, 600).labels
    weight, line = kept(tiny, monkeypatch, list(half_right(truth)), [truth, truth])
    assert weight == ADAPTED
    assert line.endswith("the adapted network is kept")


def test_a_run_says_which_network_it_kept_and_why(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worse = choice.AdaptationDecision(choice.AdaptationScore(0.9, 0.1, 2), choice.AdaptationScore(0.1, 0.1, 2))
    monkeypatch.setattr("classifier.run.session.keep_better", lambda *_: worse)
    tiny.save(tmp_path / "tiny.toml")
    (tmp_path / "real").mkdir()
    for k, image in enumerate(Synthesizer(tiny, 5).batch(0, 8).images):
        Image.fromarray(image * 255).save(tmp_path / "real" / f"{k}.png")
    places = ["--recipe", tmp_path / "tiny.toml", "--real", tmp_path / "real", "--run", tmp_path / "run"]
    sizes = ["--steps", 1, "--width", 4, "--depth", 2, "--batch-size", 4, "--adapt-steps", 1, "--adapt-rounds", 1]
    result = CliRunner().invoke(train, [str(each) for each in (*places, *sizes)])
    assert result.exception is None, result.output
    assert "classes are off by 10.0%: the earlier network is kept" in result.output
    scores = json.loads((tmp_path / "run" / "scores.json").read_text())
    assert scores["adaptation"]["kept"] == "earlier"
    assert "earlier" in (tmp_path / "run" / "report.html").read_text()
