"""How far a recipe is from the real images decides how far images are warped while learning."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from synth_engine import Recipe, Synthesizer

pytest.importorskip("tensorflow")

from classifier.adaptation.recipe_gap import FEWEST, WIDE_MIN, two_sample_accuracy
from classifier.learning.settings import NARROW, WIDE
from classifier.train import train

SMALL = ["--steps", "1", "--width", "4", "--depth", "2", "--batch-size", "4", "--adapt", "none"]


def test_only_images_that_differ_are_separated(tiny: Recipe) -> None:
    same = Synthesizer(tiny, 9).batch(0, 1000).images
    assert two_sample_accuracy(same, tiny, 0) < 0.6
    assert two_sample_accuracy(same[:, ::-1], tiny, 0) >= WIDE_MIN


def trained_on(images: np.ndarray, tiny: Recipe, folder: Path, *options: str) -> tuple[str, object]:
    """What the command says and, from its config, how far images are warped."""
    tiny.save(folder / "tiny.toml")
    (folder / "real").mkdir()
    for k, image in enumerate(images):
        Image.fromarray(image * 255).save(folder / "real" / f"{k}.png")
    places = ["--recipe", folder / "tiny.toml", "--real", folder / "real", "--run", folder / "run"]
    result = CliRunner().invoke(train, [*map(str, places), *SMALL, *options])
    assert result.exception is None, result.output
    return result.output, json.loads((folder / "run" / "config.json").read_text())["augmentation"]


@pytest.mark.parametrize("far", [False, True])
def test_warps_are_wide_where_the_recipe_is_far(tiny: Recipe, tmp_path: Path, far: bool) -> None:
    images = Synthesizer(tiny, 9).batch(0, 400).images
    said, augmentation = trained_on(images[:, ::-1] if far else images, tiny, tmp_path)
    assert ("warps are wide" in said, "warps are narrow" in said) == (far, not far)
    assert augmentation == vars(WIDE if far else NARROW)


def test_an_option_and_too_few_images_spare_the_test(tiny: Recipe, tmp_path: Path) -> None:
    images = Synthesizer(tiny, 9).batch(0, FEWEST - 1).images[:, ::-1]
    (tmp_path / "few").mkdir()
    said, augmentation = trained_on(images, tiny, tmp_path / "few")
    assert "fewer than" in said
    assert augmentation == vars(NARROW)
    (tmp_path / "told").mkdir()
    said, augmentation = trained_on(images, tiny, tmp_path / "told", "--augment", "wide")
    assert "warps are" not in said
    assert augmentation == vars(WIDE)


def test_a_resumed_run_warps_as_it_did(tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = Synthesizer(tiny, 9).batch(0, 60).images
    monkeypatch.setattr("classifier.adaptation.recipe_gap.two_sample_accuracy", lambda *_: 0.95)
    trained_on(images, tiny, tmp_path)
    monkeypatch.setattr("classifier.adaptation.recipe_gap.two_sample_accuracy", lambda *_: 0.5)
    (tmp_path / "real").rename(tmp_path / "moved")
    said, augmentation = trained_on(images, tiny, tmp_path, "--resume")
    assert "warps are" not in said
    assert augmentation == vars(WIDE)
