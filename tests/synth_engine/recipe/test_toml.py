"""Recipes in TOML files: written, read again, and refused with the place and a hint."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth_engine import Recipe
from synth_engine.errors import RecipeError
from synth_engine.recipe import Flow, Mask, Picture, Pictures, mask_rows, toml
from synth_engine.renderer_inputs import mask_pixels


def test_saved_recipe_loads_equal(tmp_path: Path, hackmit: Recipe) -> None:
    recipe = hackmit.replace(mask=Mask(lines=((0, 0, 9, 9),), rows=mask_rows(np.eye(50, 100))), length=(2, 5))
    recipe.save(tmp_path / "r.toml")
    assert Recipe.load(tmp_path / "r.toml") == recipe
    assert Recipe.load(tmp_path / "r.toml").key == recipe.key


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


def test_word_files_become_part_of_the_recipe(tiny: Recipe, tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    tiny.save(path)
    path.write_text('words_file = "words.txt"\n' + path.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "words.txt").write_text("ax\n\n17\n", encoding="utf-8")
    recipe = Recipe.load(path)
    assert recipe.words == ("ax", "17")
    recipe.save(tmp_path / "copy.toml")
    assert Recipe.load(tmp_path / "copy.toml") == recipe


@pytest.mark.parametrize(("content", "message"), [(None, "cannot be read"), (b"", "is empty"), (b"\xff", "UTF-8")])
def test_unusable_word_files_are_named(tiny: Recipe, tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "recipe.toml"
    tiny.save(path)
    path.write_text('words_file = "list.txt"\n' + path.read_text(encoding="utf-8"), encoding="utf-8")
    if content is not None:
        (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(RecipeError, match=rf"list.txt.*{message}"):
        Recipe.load(path)


@pytest.fixture
def wallpapered(tiny: Recipe, tmp_path: Path) -> Path:
    """A recipe's file beside the folder ``walls``, whose two pictures are its ground."""
    (tmp_path / "walls").mkdir()
    for name, level in (("b.png", 90), ("a.png", 200)):
        Image.fromarray(np.full((30, 50), level, np.uint8)).save(tmp_path / "walls" / name)
    picture = Picture(layout=Flow(y_px=18), ground=Pictures(folder="walls"))
    tiny.replace(placement=None, picture=picture).save(tmp_path / "recipe.toml")
    return tmp_path / "recipe.toml"


def ground_of(path: Path) -> Pictures:
    picture = Recipe.load(path).picture
    assert picture
    assert isinstance(picture.ground, Pictures)
    return picture.ground


def test_a_recipe_from_a_file_holds_its_pictures_digest(wallpapered: Path) -> None:
    walls = wallpapered.parent / "walls"
    digest = hashlib.sha256()
    for file in (walls / "a.png", walls / "b.png"):
        content = file.read_bytes()
        digest.update(f"{file.name}\0{len(content)}\0".encode() + content)
    assert ground_of(wallpapered) == Pictures(folder=str(walls.resolve()), content=digest.hexdigest())


def test_a_digest_that_a_file_gives_stays(wallpapered: Path) -> None:
    Recipe.load(wallpapered).save(wallpapered)
    before = ground_of(wallpapered)
    (wallpapered.parent / "walls" / "b.png").unlink()
    assert ground_of(wallpapered) == before


def test_a_missing_folder_of_pictures_is_named(wallpapered: Path) -> None:
    wallpapered.write_text(wallpapered.read_text().replace("walls", "wals"))
    with pytest.raises(RecipeError, match=r"wals: .*; give a folder of pictures"):
        Recipe.load(wallpapered)


@pytest.mark.parametrize("module", ["part", "picture", "values", "checks"])
def test_values_and_checks_know_no_files(module: str) -> None:
    tree = ast.parse((Path(toml.__file__).parent / f"{module}.py").read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not imported & {"os", "pathlib", "PIL", "synth_engine.atomic", "synth_engine.recipe.toml"}
