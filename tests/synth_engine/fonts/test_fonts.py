"""A font that would make labels lie is refused when the recipe is put to use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synth_engine import Recipe, Synthesizer
from synth_engine.errors import FontError
from synth_engine.fonts import faces
from synth_engine.fonts.faces import check_font, open_font
from synth_engine.fonts.glyph_bank import GlyphBank
from synth_engine.recipe import Font, Raster
from tests.conftest import ARIMO

CAPITALS_ONLY = "package:fontpkg_bebas_neue/files/BebasNeue-Regular.ttf"


def test_lacking_characters_are_named() -> None:
    with pytest.raises(FontError, match="lacks '漢字'"):
        check_font(Font(file=ARIMO, size_px=20), "ab漢字", Raster(tile_px=40))


def test_space_draws_nothing_and_is_lacking() -> None:
    with pytest.raises(FontError, match="lacks ' '"):
        check_font(Font(file=ARIMO, size_px=20), "a b", Raster(tile_px=40))


def test_capitals_under_small_labels_are_refused() -> None:
    font = Font(file=CAPITALS_ONLY, size_px=20)
    with pytest.raises(FontError, match="draws 'ab' like the other case"):
        check_font(font, "ab12", Raster(tile_px=40))
    check_font(font, "AB12", Raster(tile_px=40))


def test_unusable_fonts_are_found_when_the_recipe_is_put_to_use(tmp_path: Path, tiny: Recipe) -> None:
    tiny.replace(fonts=(Font(file=CAPITALS_ONLY, size_px=14),)).save(tmp_path / "r.toml")
    recipe = Recipe.load(tmp_path / "r.toml")
    with pytest.raises(FontError, match="draws 'acx' like the other case"):
        Synthesizer(recipe)


def test_tile_too_small_is_refused() -> None:
    with pytest.raises(FontError, match="past the tile of 20 px; raise `raster"):
        check_font(Font(file=ARIMO, size_px=26), "abw", Raster(tile_px=20))


@pytest.mark.parametrize(
    ("font", "message"),
    [
        (Font(file="package:no_such_package/a.ttf", size_px=9), "no_such_package is not installed"),
        (Font(file="package:no.such/a.ttf", size_px=9), "no.such is not installed"),
        (Font(file="package:fontpkg_arimo/files/none.ttf", size_px=9), "there is no file none.ttf"),
        (Font(file=__file__, size_px=9), "Pillow cannot open it"),
        (Font(file=ARIMO, size_px=9, axes={"Wieght": 700}), "has the axes Weight, not Wieght"),
        (Font(file=CAPITALS_ONLY, size_px=9, axes={"Weight": 700}), "has no axes to set"),
    ],
)
def test_unusable_fonts_say_why(font: Font, message: str) -> None:
    with pytest.raises(FontError, match=message):
        open_font(font)


def test_axes_change_the_ink(tiny: Recipe) -> None:
    bold = tiny.replace(fonts=(Font(file=ARIMO, size_px=16, axes={"Weight": 700}),))
    ink = [Synthesizer(recipe).batch(0, 50).images.mean() for recipe in (tiny, bold)]
    assert ink[1] > 1.15 * ink[0]


def test_banks_of_other_code_are_not_taken(tmp_path: Path, tiny: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTH_ENGINE_CACHE", str(tmp_path / "cache"))
    GlyphBank.of(tiny)
    changed = tmp_path / "fonts.py"
    changed.write_text(Path(faces.__file__).read_text() + "# changed")
    monkeypatch.setattr(faces, "__file__", str(changed))
    GlyphBank.of(tiny)
    assert len(list((tmp_path / "cache").glob("glyphs-*.npz"))) == 2


def test_damaged_bank_is_made_anew(tmp_path: Path, tiny: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTH_ENGINE_CACHE", str(tmp_path))
    first = GlyphBank.of(tiny)
    (stored,) = tmp_path.glob("glyphs-*.npz")
    stored.write_bytes(stored.read_bytes()[:100])
    assert np.array_equal(GlyphBank.of(tiny).rows, first.rows)
    assert stored.stat().st_size > 100


def test_unwritable_cache_is_no_failure(
    tmp_path: Path, tiny: Recipe, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SYNTH_ENGINE_CACHE", str(tmp_path / "file" / "cache"))
    assert len(GlyphBank.of(tiny).rows)
    assert "made anew at every start" in caplog.text
