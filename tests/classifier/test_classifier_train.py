"""The command that trains: mistakes that must not cost the folder, the refiner's recipe, Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from synth_engine import Recipe, Synthesizer
from synth_engine.errors import SynthError
from synth_engine.recipe import Filter, Font

keras = pytest.importorskip("keras")

from classifier.learning.settings import WIDE_INFORMATION  # noqa: E402
from classifier.train import train  # noqa: E402

ROOT = Path(__file__).parents[2]
SMALL = ("--width", "4", "--depth", "2", "--batch-size", "4")


def save_refiner(folder: Path, recipe: Recipe, shape: tuple[int, int]) -> Path:
    folder.mkdir()
    keras.Sequential([keras.Input((*shape, 1)), keras.layers.Rescaling(1.0)]).save(folder / "refiner.keras")
    recipe.save(folder / "recipe.toml")
    return folder / "refiner.keras"


def refused(folder: Path, recipe: Recipe, *options: Any) -> str:
    """The error of a command that must not leave a run folder."""
    recipe.save(folder / "used.toml")
    arguments = ["--recipe", folder / "used.toml", "--run", folder / "run", *SMALL, "--steps", 1, *options]
    result = CliRunner().invoke(train, [str(argument) for argument in arguments])
    assert isinstance(result.exception, SynthError), result.output
    assert not (folder / "run").exists()
    return str(result.exception)


def test_a_recipe_that_renders_nothing_costs_no_folder(tiny: Recipe, tmp_path: Path) -> None:
    assert "rejected all" in refused(tmp_path, tiny.replace(filter=Filter(gap_px=64, tries_max=10)))
    assert "none.ttf" in refused(tmp_path, tiny.replace(fonts=(Font(file=str(tmp_path / "none.ttf"), size_px=16),)))


def test_options_that_do_not_fit_cost_no_folder(tiny: Recipe, tmp_path: Path) -> None:
    other = save_refiner(tmp_path / "gan", tiny, (24, 39))
    assert "train one with this recipe" in refused(tmp_path, tiny, "--refiner", other)
    assert "needs a refiner" in refused(tmp_path, tiny, "--data", "refined")
    assert "--network grid" in refused(tmp_path, tiny.replace(length=(1, 2)), "--network", "four-head")
    assert "none can be used" in refused(tmp_path, tiny, "--real", other)
    places = ("--network", "ctc", "--adapt-information", 0.5)
    assert "leave out --adapt-information" in refused(tmp_path, tiny, *places)


@pytest.mark.parametrize(
    ("options", "information"),
    [
        (["--augment", "wide"], WIDE_INFORMATION),
        (["--augment", "narrow"], 0.0),
        (["--augment", "wide", "--adapt-information", "0.0"], 0.0),
        (["--augment", "narrow", "--adapt-information", "0.5"], 0.5),
        (["--augment", "wide", "--network", "ctc"], 0.0),
    ],
)
def test_information_counts_where_warps_are_wide(
    tiny: Recipe, tmp_path: Path, options: list[str], information: float
) -> None:
    tiny.save(tmp_path / "tiny.toml")
    places = ["--recipe", str(tmp_path / "tiny.toml"), "--run", str(tmp_path / "run")]
    result = CliRunner().invoke(train, [*places, *SMALL, "--steps", "1", *options])
    assert result.exception is None, result.output
    assert json.loads((tmp_path / "run" / "config.json").read_text())["adaptation"]["information"] == information


def test_packages_that_are_missing_cost_no_folder(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synth_engine.training.tensorboard.find_spec", lambda _: None)
    assert "pip install tensorboard" in refused(tmp_path, tiny, "--tensorboard")
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    assert "TensorFlow expected, none is installed" in refused(tmp_path, tiny)


def test_real_images_of_another_size_are_refused_with_the_option_to_give(tiny: Recipe, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    Image.new("L", (40, 30)).save(tmp_path / "real" / "0.png")
    message = refused(tmp_path, tiny, "--real", tmp_path / "real")
    assert "40x30 px" in message
    assert message.endswith("or name a recipe of their size: --recipe NAME|TOML")


def test_ctrl_c_saves_a_checkpoint_to_go_on_from(tiny: Recipe, tmp_path: Path) -> None:
    tiny.save(tmp_path / "tiny.toml")
    places = ["--recipe", str(tmp_path / "tiny.toml"), "--run", str(tmp_path / "run")]
    command = [sys.executable, "-m", "classifier.train", *places, *SMALL, "--steps", "300"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith("train 50/300"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "go on with --resume" in errors
    assert not (tmp_path / "run" / "classifier.keras").exists()
    subprocess.run([*command, "--resume"], cwd=ROOT, check=True, capture_output=True, timeout=100)
    assert (tmp_path / "run" / "classifier.keras").is_file()


def weights(path: Path) -> dict[str, Any]:
    return {variable.path: keras.ops.convert_to_numpy(variable) for variable in keras.models.load_model(path).variables}


def test_going_on_from_a_network_may_change_its_statistics_alone(tiny: Recipe, tmp_path: Path) -> None:
    tiny.save(tmp_path / "tiny.toml")
    real = Synthesizer(tiny, 5).batch(0, 300).images
    (tmp_path / "real").mkdir()
    for k, image in enumerate(real):
        Image.fromarray(image * 255).save(tmp_path / "real" / f"{k}.png")

    def run(name: str, *options: Any) -> Path:
        arguments = ["--recipe", tmp_path / "tiny.toml", "--run", tmp_path / name, *SMALL, *options]
        result = CliRunner().invoke(train, [str(argument) for argument in arguments])
        assert result.exception is None, result.output
        return tmp_path / name / "classifier.keras"

    first = run("first", "--steps", 2)
    second = run("second", "--start-from", first, "--steps", 0, "--real", tmp_path / "real", "--adapt", "statistics")
    before, after = weights(first), weights(second)
    moved = {name.rsplit("/")[-1] for name in before if (before[name] != after[name]).any()}
    assert moved == {"moving_mean", "moving_variance"}
    folder = second.parent
    lines = (folder / "predictions.csv").read_text().splitlines()
    assert len(lines) == 301
    assert sum(float(row.rsplit(",", 1)[1]) for row in lines[1:]) / 300 == pytest.approx(
        json.loads((folder / "scores.json").read_text())["expected_right"], abs=1e-3
    )
    assert "statistics" in (folder / "report.html").read_text()


def test_no_steps_need_a_network_to_go_on_from(tiny: Recipe, tmp_path: Path) -> None:
    assert "--start-from" in refused(tmp_path, tiny, "--steps", 0)
