"""Presets, changes to them, the arithmetic of phases, and the command line before it trains."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from gan.settings.config import PRESETS, Config
from gan.simgan.schedule import phases
from gan.train import _stored_precision, train
from synth_engine.errors import RealImagesError, RunError
from synth_engine.json_files import write_json
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
    assert _stored_precision(str(tmp_path)) == "float32"  # nothing there: refused later
    for stored, expected in (({}, "float32"), ({"precision": "mixed_bfloat16"}, "mixed_bfloat16")):
        write_json(tmp_path / CONFIG, CONFIG_KIND, stored)
        assert _stored_precision(str(tmp_path)) == expected


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
