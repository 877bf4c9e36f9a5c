"""Applying a refiner: pixels, names and labels written whole, and errors that say what to do."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

pytest.importorskip("tensorflow")

import keras

from gan.refine import refine, refine_images
from gan.settings.config import Config
from gan.simgan.networks import build_refiner, clipped
from synth_engine import Recipe, Synthesizer
from synth_engine.errors import ModelError, RunError
from synth_engine.training.refiner import RANGE, Refiner
from synth_engine.training.value_range import from_network


@pytest.fixture
def refiner(tiny: Recipe, tmp_path: Path) -> Path:
    """A run folder's refiner.keras, which has not learned anything, and its recipe.toml."""
    path = tmp_path / "run" / "refiner.keras"
    path.parent.mkdir()
    clipped(build_refiner(tiny.shape, Config.preset("modern", features=8, blocks=1))).save(path)
    tiny.save(path.parent / "recipe.toml")
    return path


def run(*options: Any) -> Result:
    return CliRunner().invoke(refine, [str(option) for option in options])


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_a_recipes_images_come_refined_and_labelled(refiner: Path, tiny: Recipe, tmp_path: Path) -> None:
    result = run(
        "--refiner", refiner, "--recipe", refiner.with_name("recipe.toml"), "--count", 3, "--out", tmp_path / "out"
    )
    assert result.exit_code == 0, result.output
    batch = Synthesizer(tiny, 0).batch(0, 3)
    with (tmp_path / "out" / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == batch.texts()
    for row, image in zip(rows, batch.images, strict=True):
        np.testing.assert_array_equal(pixels(tmp_path / "out" / f"{row['name']}.png"), image * 255)


def test_real_images_keep_their_names_and_others_are_reported(refiner: Path, tiny: Recipe, tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    image = Synthesizer(tiny, 1).batch(0, 1).images[0] * np.uint8(255)
    Image.fromarray(image).save(real / "good.png")
    Image.fromarray(image[:, :-1]).save(real / "narrow.png")
    (real / "broken.png").write_bytes(b"\x89PNG")
    result = run("--refiner", refiner, real, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good.png"]
    np.testing.assert_array_equal(pixels(tmp_path / "out" / "good.png"), image)
    assert "1 read, 1 damaged, 1 of another size" in result.output
    assert "narrow" in result.output


def test_refined_images_are_the_networks_output_whatever_the_batch(
    tiny: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gan.refine.BATCH", 4)
    network = keras.Sequential([keras.Input((*tiny.shape, 1)), keras.layers.Rescaling(-0.5)])
    images = Synthesizer(tiny, 0).batch(0, 10).images
    grey = np.where(images, np.float32(-0.5), np.float32(0.5))[..., None]
    expected = from_network(Refiner(network).binarise(grey, 3))
    np.testing.assert_array_equal(refine_images(Refiner(network), images, 3), expected)
    assert (expected == 255)[images == 1].mean() == pytest.approx((1 - 0.5 / RANGE) / 2, abs=0.05)


def test_without_a_recipe_beside_it_nobody_knows_how_to_binarise(refiner: Path, tmp_path: Path) -> None:
    (refiner.parent / "recipe.toml").unlink()
    result = run("--refiner", refiner, tmp_path, "--out", tmp_path / "out")
    assert isinstance(result.exception, ModelError)
    assert "recipe.toml" in str(result.exception)


def test_a_folder_that_is_taken_is_left_alone(refiner: Path, tmp_path: Path) -> None:
    result = run("--refiner", refiner, tmp_path, "--out", refiner.parent)
    assert isinstance(result.exception, RunError)
    assert "not an empty folder" in str(result.exception)


def test_a_failure_half_way_leaves_no_folder(
    refiner: Path, tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gan.refine.BATCH", 2)
    made = iter([np.zeros((2, *tiny.shape), np.uint8)])
    monkeypatch.setattr("gan.refine.refine_images", lambda *_: next(made))
    before = sorted(tmp_path.iterdir())
    result = run(
        "--refiner", refiner, "--recipe", refiner.with_name("recipe.toml"), "--count", 4, "--out", tmp_path / "out"
    )
    assert isinstance(result.exception, StopIteration)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("options", [(), ("--recipe", "hackmit"), ("x", "--recipe", "hackmit", "--count", 2)])
def test_path_and_recipe_exclude_each_other(options: tuple[Any, ...], tmp_path: Path) -> None:
    result = run("--refiner", "refiner.keras", *options, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "either PATH, or --recipe with --count" in result.output
