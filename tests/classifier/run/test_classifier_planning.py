"""From options to a plan: the recipe that is used and why, settings, and combinations that are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from classifier.learning.settings import WIDE
from classifier.run.options import DataOptions, TrainOptions
from classifier.run.planning import choose_recipe
from classifier.train import train
from synth_engine import Recipe
from synth_engine.errors import SynthError


def test_a_refiner_brings_its_recipe(tiny: Recipe, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "refiner.keras").touch()
    tiny.save(tmp_path / "recipe.toml")
    refiner = str(tmp_path / "refiner.keras")
    assert choose_recipe(DataOptions(refiner=refiner, real="real")) == tiny
    assert choose_recipe(DataOptions(refiner=refiner, recipe=str(tmp_path / "recipe.toml"))) == tiny
    assert "WARNING" not in caplog.text
    caplog.clear()
    assert choose_recipe(DataOptions(refiner=refiner, recipe="hackmit")) == Recipe.named("hackmit")
    (warning,) = caplog.messages
    assert "trained with recipe tiny" in warning
    assert "--recipe is hackmit" in warning


@pytest.mark.parametrize(("real", "name"), [(None, "hackmit"), ("real", "hackmit-target")])
def test_a_default_recipe_is_named_with_what_it_is_for(
    real: str | None, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    assert choose_recipe(DataOptions(real=real)) == Recipe.named(name)
    assert caplog.messages[0].startswith(f"recipe {name}: the default, ")
    assert caplog.messages[0].endswith(
        "captchas of the reference task; for images of another kind give --recipe NAME|TOML"
    )


def test_options_reach_the_settings_and_clashing_ones_are_refused() -> None:
    options = TrainOptions.of(preset="quick", steps=7, adapt_rounds=2, augment="wide", seed=3, precision="float32")
    settings = options.settings()
    assert (settings.steps, settings.seed, settings.augmentation) == (7, 3, WIDE)
    assert (settings.adaptation.rounds, settings.adaptation.steps) == (2, 400)
    for data in ("mixed", "refined"):
        with pytest.raises(SynthError, match=f"--data {data} needs a refiner; give --refiner FILE"):
            TrainOptions.of(data=data)
    with pytest.raises(SynthError, match="--real-limit limits real images, and there are none"):
        TrainOptions.of(real_limit=9)
    with pytest.raises(TypeError, match="no option is called speed"):
        TrainOptions.of(speed=3)


def test_every_parameter_of_the_command_is_an_option() -> None:
    TrainOptions.of(**{parameter.name: parameter.default for parameter in train.params if parameter.expose_value})
