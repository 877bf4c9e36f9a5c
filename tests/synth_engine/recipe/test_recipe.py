"""Recipes are values: read, checked, compared, written."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from synth_engine import Recipe
from synth_engine.errors import RecipeError
from synth_engine.recipe import Mask, Noise, mask_rows
from synth_engine.renderer_inputs import mask_pixels


def test_saved_recipe_loads_equal(tmp_path: Path, hackmit: Recipe) -> None:
    recipe = hackmit.replace(mask=Mask(lines=((0, 0, 9, 9),), rows=mask_rows(np.eye(50, 100))), length=(2, 5))
    recipe.save(tmp_path / "r.toml")
    assert Recipe.load(tmp_path / "r.toml") == recipe
    assert Recipe.load(tmp_path / "r.toml").key == recipe.key


def test_key_does_not_tell_whole_numbers_from_floats(tmp_path: Path, tiny: Recipe) -> None:
    tiny.save(tmp_path / "r.toml")
    assert Recipe.load(tmp_path / "r.toml").key == tiny.key


def test_key_changes_with_content(hackmit: Recipe) -> None:
    assert hackmit.replace(noise=Noise(flip_probability=0.01)).key != hackmit.key


def test_the_draft_differs_from_the_demo_in_its_ink_alone() -> None:
    demo, draft = Recipe.named("captcha-demo"), Recipe.named("captcha-draft")
    assert demo.picture
    assert draft.picture
    ink = {name: getattr(demo.picture, name) for name in ("ink", "ground", "camera", "clutter")}
    assert draft.replace(name=demo.name, picture=msgspec.structs.replace(draft.picture, **ink)) == demo


def test_failed_save_keeps_the_former_file(tmp_path: Path, tiny: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.save(tmp_path / "r.toml")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left"):
        tiny.replace(length=3).save(tmp_path / "r.toml")
    assert Recipe.load(tmp_path / "r.toml") == tiny
    assert [path.name for path in tmp_path.iterdir()] == ["r.toml"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("width_px = 100", "widht_px = 100", r"unknown field `widht_px` - at `\$.canvas`; did you mean `width_px`"),
        (
            "width_px = 100",
            "edge = 1",
            r"unknown field `edge` - at `\$.canvas`; that key belongs to another table",
        ),
        ('edge = "dither"', 'edge = "soft"', r"value 'soft' - at .*; expected one of dither, threshold"),
        ("[canvas]", '[picture]\nlayout = {kind = "flwo"}\n[canvas]', r"'flwo' - at .*; expected one of flow, free"),
        ("width_px = 100", 'width_px = "100"', r"Expected `int`, got `str` - at `\$.canvas.width_px`"),
        ("length = 4", "length = 0", "`length` is 0; expected 1 to 64"),
        ('alphabet = "abc', 'alphabet = "aabc', "holds 'a' more than once"),
        ("length = 4", 'length = 4\ndrawn_as = { "Q" = "O" }', "names 'Q', which `alphabet` lacks; add it"),
        ("length = 4", 'length = 4\ndrawn_as = { "0" = "OO" }', "draws '0' as 'OO'; expected one character"),
        ("length = 4", 'length = 4\ndrawn_as = { "0" = "o" }', "draws o and 0 alike, as 'o'; draw one"),
        ("[canvas]", "[canvas", "bad.toml"),
        (
            "angle_deg = [0, 20]",
            "angle_deg = [20, 0]",
            r"`placement.turns\[0\].angle_deg` is \[20.0, 0.0\]; a range runs from",
        ),
        ("slack_px = 2", "slack_px = 0", "Expected `int` >= 1"),
        ("gap_px = 8", "gap_px = 65", "Expected `int` <= 64"),
        ("[mask]", "[mask]\nfile = 5", r"unknown field `file`"),
    ],
)
def test_bad_toml_says_where(tmp_path: Path, old: str, new: str, message: str) -> None:
    source = Path(__file__).parents[3] / "synth_engine" / "recipe" / "builtin" / "hackmit.toml"
    assert old in source.read_text()
    (tmp_path / "bad.toml").write_text(source.read_text().replace(old, new))
    with pytest.raises(RecipeError, match=message):
        Recipe.load(tmp_path / "bad.toml")


@pytest.mark.parametrize("text", ["fonts = 3", "mask = 3", "[fonts]\nfile = 'a'", "name = ['x']"])
def test_entries_of_a_wrong_type_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(RecipeError, match=r"bad\.toml: "):
        Recipe.load(tmp_path / "bad.toml")


def test_unknown_names_and_paths() -> None:
    with pytest.raises(RecipeError, match=r"no built-in recipe is called 'hackmitt': choose one of .*hackmit"):
        Recipe.named("hackmitt")
    with pytest.raises(RecipeError, match=r"cannot read recipe nowhere\.toml"):
        Recipe.resolve("nowhere.toml")


def test_mask_picture_is_inlined(tmp_path: Path, tiny: Recipe) -> None:
    pixels = np.zeros((24, 40), np.uint8)
    pixels[3, 5:30] = 255
    Image.fromarray(pixels).save(tmp_path / "mask.png")
    tiny.save(tmp_path / "r.toml")
    with (tmp_path / "r.toml").open("a") as file:
        file.write('\n[mask]\nfile = "mask.png"\n')
    (tmp_path / "r.toml").write_text((tmp_path / "r.toml").read_text().replace("[mask]\n\n[mask]", "[mask]"))
    recipe = Recipe.load(tmp_path / "r.toml")
    assert np.array_equal(mask_pixels(recipe), pixels > 0)


def test_mask_of_another_size_is_refused(tiny: Recipe) -> None:
    with pytest.raises(RecipeError, match="has 3 rows; the canvas has 24"):
        tiny.replace(mask=Mask(rows=("00" * 5,) * 3))
    with pytest.raises(RecipeError, match="takes 10 lower-case hexadecimal digits"):
        tiny.replace(mask=Mask(rows=("00",) * 24))
