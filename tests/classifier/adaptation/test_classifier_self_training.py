"""The parts of adaptation: shares, splits, views, and what a round leaves for a resumed one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifier.adaptation.pseudo_labels import RoundScores
from classifier.learning.lesson import PseudoLabels
from classifier.learning.settings import TrainingSettings
from synth_engine import Recipe, Synthesizer
from synth_engine.errors import RunError

keras = pytest.importorskip("keras")

from classifier.adaptation import self_training as adapt  # noqa: E402
from classifier.networks.heads import build  # noqa: E402
from classifier.reading.reader import Reader  # noqa: E402


@pytest.mark.parametrize(
    ("batch", "share", "split"), [(64, 0.5, (32, 32)), (64, 0.0, (63, 1)), (64, 1.0, (1, 63)), (2, 0.9, (1, 1))]
)
def test_both_domains_are_in_every_batch(batch: int, share: float, split: tuple[int, int]) -> None:
    assert adapt.Split.of(batch, share) == adapt.Split(*split)


def test_an_unwarped_second_view_equals_the_first(tiny: Recipe) -> None:
    keras.utils.set_random_seed(0)
    teacher = Reader.of(build("grid", tiny, width=4, depth=2), tiny, batch_size=4)
    settings = TrainingSettings()
    still = replace(settings.adaptation.view, rotation_deg=0.0, scale=0.0, shear=0.0, shift_px=0.0, level=0.0)
    settings = replace(settings, adaptation=replace(settings.adaptation, view=still))
    first, second = adapt.read_views(teacher, Synthesizer(tiny, 1).batch(0, 7).images, settings, 0)
    assert np.array_equal(first.codes, second.codes)
    assert second.points == pytest.approx(first.points, abs=1e-3)


def test_a_round_s_lesson_comes_back_as_it_was_written(tmp_path: Path) -> None:
    pseudo = PseudoLabels(
        labels=np.array([[1, 255]], np.uint8),
        points=np.ones((1, 2, 2), np.float32),
        weights=np.eye(2, dtype="f4")[:1],
        costs=np.array([-1.5, 0.5, 0.0], np.float32),
    )
    scores = RoundScores(
        kept=0.5, whole=0.25, agreement=0.75, rarest=1, rarest_ratio=0.5, commonest=0, commonest_ratio=1.5
    )
    adapt._save(tmp_path / "round.npz", pseudo, scores)
    stored, stored_scores = adapt._load(tmp_path / "round.npz")
    assert stored_scores == scores
    assert all(np.array_equal(value, getattr(stored, name)) for name, value in vars(pseudo).items())
    assert "'b' is read x0.50 as often as expected, 'a' x1.50" in stored_scores.line("abc")


@pytest.mark.parametrize("keep", [0, 100, -1])
def test_a_damaged_lesson_is_named_with_the_remedy(tmp_path: Path, keep: int) -> None:
    np.savez_compressed(path := tmp_path / "round.npz", labels=np.zeros((1, 2), np.uint8))  # lacks the other arrays
    path.write_bytes(path.read_bytes()[:keep] if keep >= 0 else path.read_bytes())
    with pytest.raises(RunError, match=r"round\.npz is damaged .* remove it and go on with --resume"):
        adapt._load(path)
