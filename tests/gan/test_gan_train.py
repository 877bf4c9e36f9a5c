"""The command without data, and mistakes that must not cost the folder."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from synth_engine import Recipe
from synth_engine.errors import SynthError
from synth_engine.recipe import Filter

pytest.importorskip("tensorflow")
pytest.importorskip("captcha")

import keras

from gan.run.report import refinement_report
from gan.settings.config import _PRESETS, Config
from gan.simgan.model import SimGAN, build_simgan
from gan.train import train
from synth_engine.training.refinement_report import METRIC_COLUMNS, RefinerMetrics

SMALL = Config.preset(
    "modern", features=2, blocks=1, batch_size=2, history_batches=2, discriminator_pretrain_steps=1, steps=2,
    report_steps=1, sheet_steps=2, checkpoint_steps=2, assessed_images=4, read_images=4, two_sample_steps=1,
)  # fmt: skip


def run(folder: Path, *options: Any) -> Result:
    return CliRunner().invoke(train, [str(option) for option in ("--run", folder, *options)])


def refused(folder: Path, *options: Any) -> str:
    """The error of a command that must not leave a run folder."""
    result = run(folder / "run", *options)
    assert isinstance(result.exception, SynthError), result.output
    assert not (folder / "run").exists()
    return str(result.exception)


def test_without_real_images_it_renders_its_own_and_opens_no_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def eager(*arguments: Any) -> SimGAN:
        model = build_simgan(*arguments)
        model.run_eagerly = True
        return model

    monkeypatch.setitem(_PRESETS, "modern", SMALL)
    monkeypatch.setattr("gan.run.run.build_simgan", eager)
    monkeypatch.setattr("gan.train.DEMO_IMAGES", 6)
    opened: list[str] | None = []
    sys.addaudithook(lambda event, args: opened is not None and event == "open" and opened.append(str(args[0])))
    result = run(tmp_path / "run", "--batch-size", 2, "--steps", 2)
    seen, opened = opened, None  # a hook cannot be removed
    assert result.exit_code == 0, result.output
    assert "recipe captcha-draft, as no --real and no --recipe is given" in result.output
    written = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"refiner.keras", "sheet.png", "metrics.csv", "recipe.toml", "config.json", "demo"} <= written
    assert Recipe.load(tmp_path / "run" / "recipe.toml").name == "captcha-draft"
    assert len(list((tmp_path / "run" / "demo" / "images").iterdir())) == 6
    assert (tmp_path / "run" / "demo" / "truth.csv").is_file()
    assert any(path.endswith("demo-000005.png") for path in seen)
    assert not any(path.endswith("truth.csv") for path in seen)


def test_options_that_do_not_fit_cost_no_folder(tiny: Recipe, tmp_path: Path) -> None:
    tiny.replace(filter=Filter(gap_px=64, tries_max=10)).save(tmp_path / "impossible.toml")
    assert "rejected all" in refused(tmp_path, "--recipe", tmp_path / "impossible.toml")
    tiny.save(tmp_path / "tiny.toml")
    assert "none can be used" in refused(tmp_path, "--recipe", tmp_path / "tiny.toml")  # the demo is 100x50 px
    (tmp_path / "small").mkdir()
    Image.new("L", (40, 24)).save(tmp_path / "small" / "1.png")
    assert "--recipe NAME|TOML" in refused(tmp_path, "--real", tmp_path / "small")
    assert "give --real PATH" in refused(tmp_path, "--real-limit", 9)
    assert "does not exist" in refused(tmp_path, "--real", tmp_path / "none")


def test_a_weight_on_labels_without_a_reader_costs_no_folder(tmp_path: Path) -> None:
    assert "give --reader FILE" in refused(tmp_path, "--label-weight", 1)
    assert "does not exist" in refused(tmp_path, "--reader", tmp_path / "none.keras")


def test_a_reader_from_a_file_judges_and_teaches_at_the_weight_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, seen = Recipe.named("captcha-draft"), []
    images = keras.Input((*recipe.shape, 1))
    cells = keras.layers.AveragePooling2D(4, padding="same")(images)
    keras.Model(images, keras.layers.Conv2D(len(recipe.alphabet) + 1, 1)(cells)).save(tmp_path / "reader.keras")
    monkeypatch.setattr("gan.train.DEMO_IMAGES", 2)
    report = refinement_report(metrics := RefinerMetrics(**dict.fromkeys(METRIC_COLUMNS, 0)), metrics, "no reason")
    monkeypatch.setattr(
        "gan.run.run.RefinerRun",
        lambda config, *_, judge, **__: (
            seen.append((config.label_weight, judge)) or SimpleNamespace(train=lambda: report)
        ),
    )
    for k, weight in enumerate((7, 0)):
        result = run(tmp_path / str(k), "--reader", tmp_path / "reader.keras", "--label-weight", weight)
        assert result.exit_code == 0, result.output
    assert [weight for weight, _ in seen] == [7, 0]
    assert all(judge.characters == len(recipe.alphabet) for _, judge in seen)


def test_packages_that_are_missing_cost_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    with monkeypatch.context() as patch:
        patch.setattr("importlib.metadata.version", absent)
        assert "pip install captcha" in refused(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("synth_engine.training.tensorboard.find_spec", lambda _: None)
        assert "pip install tensorboard" in refused(tmp_path, "--tensorboard")
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    assert "TensorFlow expected, none is installed" in refused(tmp_path)
