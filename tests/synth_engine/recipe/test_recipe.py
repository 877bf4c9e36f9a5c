"""Recipes are values: compared by content, changed by replacement."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from synth_engine import Recipe, Synthesizer
from synth_engine.errors import RecipeError
from synth_engine.recipe import Canvas, Flow, Noise, Picture


def test_key_does_not_tell_whole_numbers_from_floats(tmp_path: Path, tiny: Recipe) -> None:
    tiny.save(tmp_path / "r.toml")
    assert Recipe.load(tmp_path / "r.toml").key == tiny.key


def test_key_changes_with_content(hackmit: Recipe) -> None:
    assert hackmit.replace(noise=Noise(flip_probability=0.01)).key != hackmit.key


def test_a_recipe_that_is_built_in_python_is_checked_when_asked(tiny: Recipe) -> None:
    small = msgspec.structs.replace(tiny, canvas=Canvas(width_px=-3, height_px=24))
    with pytest.raises(RecipeError, match=r"recipe tiny: Expected `int` >= 8 - at `\$.canvas.width_px`"):
        small.checked()
    assert tiny.checked() == tiny
    assert np.array_equal(Synthesizer(tiny.checked(), 1).batch(0, 5).images, Synthesizer(tiny, 1).batch(0, 5).images)


def test_a_replacement_that_makes_no_sense_names_the_recipe(tiny: Recipe) -> None:
    with pytest.raises(RecipeError, match=r"recipe tiny cannot be changed so: `length` is 65; expected 1 to 64"):
        tiny.replace(length=65)
    with pytest.raises(RecipeError, match=r"recipe tiny cannot be changed so: .*colour"):
        tiny.replace(colour="red")


def test_what_only_some_recipes_have_is_asked_for(tiny: Recipe) -> None:
    flowing = tiny.replace(placement=None, picture=Picture(layout=Flow(y_px=18)))
    assert tiny.require_placement() is tiny.placement
    with pytest.raises(RecipeError, match="recipe tiny has no `placement`"):
        flowing.require_placement()
    assert tiny.require_binary() is tiny
    with pytest.raises(RecipeError, match=r"recipe tiny paints in grey.*set `picture.color"):
        flowing.require_binary()
