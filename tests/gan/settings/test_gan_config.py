"""Presets and changes to them, the arithmetic of phases, and the options of the command as one value."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from gan.settings.config import PRESETS, Config
from gan.settings.options import GanTrainOptions
from gan.simgan.schedule import phases
from gan.train import _default_precision, train
from synth_engine.errors import RealImagesError, RunError
from synth_engine.json_files import write_json
from synth_engine.training.refinement_report import RefinerRequest
from synth_engine.training.run_folder import CONFIG, CONFIG_KIND


def test_changes_that_are_none_keep_the_presets_values() -> None:
    config = Config.preset("paper", steps=7, batch_size=None)
    assert config.steps == 7
    assert config.batch_size == Config.preset("paper").batch_size


@pytest.mark.parametrize(
    ("change", "named"), [({"batch_size": 3}, "batch_size"), ({"steps": -1}, "steps"), ({"speed": 1}, "speed")]
)
def test_a_change_that_makes_no_sense_is_named(change: dict[str, int], named: str) -> None:
    with pytest.raises(RunError, match=named):
        Config.preset("modern", **change)


def test_a_run_goes_on_in_its_own_precision_whatever_the_machine(tmp_path: Path) -> None:
    options = options_of(folder=str(tmp_path), resume=True)
    assert _default_precision(options) == "float32"  # nothing there: refused later
    for stored, expected in (({}, "float32"), ({"precision": "mixed_bfloat16"}, "mixed_bfloat16")):
        write_json(tmp_path / CONFIG, CONFIG_KIND, stored)
        assert _default_precision(options) == expected


def options_of(**given: Any) -> GanTrainOptions:
    """From a command line on which only these are given."""
    names = {parameter.name: None for parameter in train.params} | {
        "preset": "modern",
        "folder": "runs/gan",
        "resume": False,
        "seed": 0,
    }
    return GanTrainOptions.of(names | {"workers": 0, "tensorboard": False} | given)


def test_without_a_reader_no_label_loss_counts_and_one_that_is_asked_for_is_refused() -> None:
    assert options_of().config.label_weight == 0.0
    assert options_of(reader="classifier.keras").config.label_weight == Config().label_weight
    assert options_of(reader="classifier.keras", label_weight=3.0).config.label_weight == 3.0
    with pytest.raises(RunError, match="give --reader FILE or leave --label-weight out"):
        options_of(label_weight=3.0)
    with pytest.raises(RunError, match="give --reader FILE"):
        GanTrainOptions(config=Config(), folder="runs/gan")


def test_a_limit_of_real_images_without_any_is_refused() -> None:
    with pytest.raises(RunError, match="give --real PATH"):
        options_of(real_limit=5)


def test_the_command_takes_what_others_ask_of_it() -> None:
    request = RefinerRequest(
        real="real", recipe="tiny.toml", reader="classifier.keras", run="run", steps=5, precision="float32", seed=7,
        workers=2, real_limit=50, ray_address="host:6379", threads=3, resume=True,
    )  # fmt: skip
    with train.make_context("train", request.options()) as context:
        options = GanTrainOptions.of(context.params)
    asked = msgspec.structs.asdict(request)
    assert (options.folder, options.config.steps, options.config.seed) == tuple(
        map(asked.pop, ("run", "steps", "seed"))
    )
    assert {name: getattr(options, name) for name in asked} == asked


def test_an_unknown_preset_lists_the_known_ones() -> None:
    with pytest.raises(RunError, match=r"'gpu'.*modern, paper"):
        Config.preset("gpu")


@pytest.mark.parametrize("preset", PRESETS)
def test_every_step_of_a_run_takes_batches_of_its_own(preset: str) -> None:
    config = Config.preset(preset, steps=5, refiner_updates=3, discriminator_updates=2)
    spans = [
        (phase.synthetic_at(step), phase.synthetic_at(step) + phase.synthetic_per_step)
        for phase in phases(config)
        for step in range(phase.first, phase.end)
    ]
    assert spans[0][0] == 0
    assert all(end == start for (_, end), (start, _) in pairwise(spans))
    assert spans[-1][1] - spans[-1][0] == 5


def test_a_wrong_path_does_not_take_the_run_folder(tmp_path: Path) -> None:
    result = CliRunner().invoke(train, ["--real", str(tmp_path / "nowhere"), "--run", str(tmp_path / "run")])
    assert isinstance(result.exception, RealImagesError)
    assert not (tmp_path / "run").exists()
