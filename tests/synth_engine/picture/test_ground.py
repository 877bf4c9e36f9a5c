"""Grounds against their plain twin, folders of pictures, and ink kept away from its ground."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth_engine.errors import RecipeError
from synth_engine.picture.kernels.stages.ground import ground_mean, set_contrast
from synth_engine.picture.stages import ground_images
from synth_engine.picture.stages.ground import make_ground
from synth_engine.picture.stages.ink_levels import ink_columns, level_columns
from synth_engine.recipe import Flat, Gradient, Grain, Ink, Pictures
from synth_engine.recipe.toml import pictures_content, with_content
from tests.naive.clutter import sample_numbers
from tests.naive.ground import BT601, color, naive_crop, naive_gradient, naive_grain, naive_ink, rounded

SHAPE = (14, 27)
RGB = ((0.0, 90.0), (50.0, 200.0), (190.0, 255.0))
COLORS = [(1, None), (3, None), (1, RGB), (3, RGB)]


def painted(part, channels: int, images: int = 6, start: int = 0, shape: tuple[int, int] = SHAPE):
    """Some samples' grounds, painted over what lay there before, and the numbers that were sampled for them."""
    painter = make_ground(part, shape, channels)
    _, params, keys = sample_numbers(painter.columns, images, start=start)
    out = np.full((images, *shape, channels), 99, np.uint8)
    painter.paint(params, keys, out)
    return out, params, keys


def near(image: np.ndarray, twin: np.ndarray) -> bool:
    """Equal, but for levels that single precision rounds the other way."""
    return np.abs(image.astype(int) - twin).max() <= 1


@pytest.mark.parametrize(("channels", "rgb"), COLORS)
def test_flat_equals_twin(channels, rgb):
    out, params, _ = painted(Flat(level=(0, 255), rgb=rgb), channels)
    for image, numbers in zip(out, params, strict=True):
        assert (image == rounded(color(numbers, channels))).all()


@pytest.mark.parametrize(("channels", "rgb"), COLORS)
def test_gradient_equals_twin(channels, rgb):
    out, params, _ = painted(Gradient(rgb=rgb), channels)
    for image, numbers in zip(out, params, strict=True):
        assert near(image, naive_gradient(numbers, SHAPE, channels))


@pytest.mark.parametrize(("channels", "rgb"), COLORS)
@pytest.mark.parametrize("grain_px", [1.0, 4.0, 11.3, 256.0])
def test_grain_equals_twin(channels, rgb, grain_px):
    out, params, keys = painted(Grain(rgb=rgb, sigma=(0, 80), grain_px=grain_px), channels, images=2)
    for image, numbers, key in zip(out, params, keys, strict=True):
        assert near(image, naive_grain(numbers, key, SHAPE, channels, grain_px))


@pytest.mark.parametrize("grain_px", [1.0, 2.0, 7.5])
def test_grain_has_its_sigma_at_every_pixel(grain_px):
    out, *_ = painted(Grain(level=(128, 128), sigma=20, grain_px=grain_px), 1, images=6000)
    spread = out[..., 0].std(axis=0)
    assert np.abs(spread / 20 - 1).max() < 0.06  # five standard errors of one pixel's figure
    assert abs(spread.mean() / 20 - 1) < 0.02
    assert abs(out.mean() - 128) < 0.5


def test_level_counts_in_grey_where_it_is_given_beside_rgb():
    assert make_ground(Flat(level=(10, 20), rgb=RGB), SHAPE, 1).columns == [(10, 20)]
    assert make_ground(Flat(level=(10, 20), rgb=RGB), SHAPE, 3).columns == list(RGB)


@pytest.mark.parametrize("part", [Flat, Grain])
def test_a_level_that_equals_the_default_is_given_all_the_same(part):
    assert make_ground(part(level=part.default_level, rgb=RGB), SHAPE, 1).columns[0] == part.default_level
    assert make_ground(part(rgb=RGB), SHAPE, 1).columns[:3] == list(RGB)
    assert make_ground(part(), SHAPE, 1).columns[0] == part.default_level


def test_an_inks_level_that_equals_the_default_is_given_all_the_same():
    assert ink_columns(Ink(level=Ink.default_level, rgb=RGB), 1) == ink_columns(Ink(), 1) == [Ink.default_level]
    assert ink_columns(Ink(rgb=RGB), 1) == level_columns(None, RGB, 1)


@pytest.mark.parametrize("part", [Flat(rgb=RGB), Gradient(), Grain(rgb=RGB)])
def test_samples_are_same_in_any_block(part):
    whole = painted(part, 3, images=9)[0]
    cuts = [painted(part, 3, count, start)[0] for start, count in ((0, 1), (1, 6), (7, 2))]
    assert np.array_equal(np.concatenate(cuts), whole)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four pictures in grey, RGB and RGBA; a.PNG must be enlarged to cover the canvas."""
    random = np.random.default_rng(0)
    for name, shape in (("b.png", (20, 40)), ("a.PNG", (7, 9, 3)), ("c.bmp", (14, 27, 3)), ("d.webp", (30, 31, 4))):
        Image.fromarray(random.integers(0, 256, shape, np.uint8)).save(tmp_path / name, lossless=True)
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_pictures_are_cut_from_folder(folder, channels, mode):
    loaded = []
    for name in ("a.PNG", "b.png", "c.bmp", "d.webp"):
        with Image.open(folder / name) as picture:
            white = Image.new("RGBA", picture.size, "white")
            plain = Image.alpha_composite(white, picture.convert("RGBA")).convert(mode)
            cover = plain.resize((27, 21), Image.Resampling.BICUBIC) if name == "a.PNG" else plain
            loaded.append(np.asarray(cover).reshape(*cover.size[::-1], channels))
    out, params, _ = painted(Pictures(folder=str(folder)), channels, images=40)
    assert len(set((params[:, 0] * 4).astype(int))) == 4
    for image, numbers in zip(out, params, strict=True):
        assert np.array_equal(image, naive_crop(numbers, loaded, SHAPE))


def test_sixteen_bits_are_scaled(tmp_path):
    Image.fromarray(np.full((20, 30), 200 * 256, np.uint16)).save(tmp_path / "deep.png")
    for channels in (1, 3):
        assert (painted(Pictures(folder=str(tmp_path)), channels)[0] == 200).all()


def test_prepared_pictures_have_absolute_folder_and_content(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    part = with_content(Pictures(folder=folder.name), Path())
    assert Path(part.folder) == folder.resolve()
    assert part.content == pictures_content(folder)
    assert with_content(part, Path("elsewhere")) == part


def test_changed_pictures_are_refused(folder):
    part = with_content(Pictures(folder=str(folder)), folder)
    make_ground(part, SHAPE, 1)
    (folder / "b.png").rename(folder / "e.png")
    with pytest.raises(RecipeError, match="have changed since the recipe was saved"):
        make_ground(part, SHAPE, 1)


def test_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(RecipeError, match=r"gone.*give a folder of pictures"):
        make_ground(Pictures(folder=str(tmp_path / "gone")), SHAPE, 1)
    with pytest.raises(RecipeError, match=r"holds no picture.*\.webp"):
        with_content(Pictures(folder="."), tmp_path)


@pytest.mark.parametrize("kept", [20, 500])
def test_damaged_picture_is_named(folder, kept):
    (folder / "b.png").write_bytes((folder / "b.png").read_bytes()[:kept])
    with pytest.raises(RecipeError, match=r"b\.png is damaged.*replace or remove it"):
        make_ground(Pictures(folder=str(folder)), SHAPE, 1)


def test_folder_too_large_to_hold_is_refused(folder, monkeypatch):
    monkeypatch.setattr(ground_images, "DECODED_BYTES_MAX", 1500)
    with pytest.raises(RecipeError, match=r"up to c\.bmp take .* MiB decoded; expected at most .* remove some"):
        make_ground(Pictures(folder=str(folder)), SHAPE, 1)


@pytest.mark.parametrize("channels", [1, 3])
def test_ground_mean_is_grey_mean(channels):
    images = np.random.default_rng(1).integers(0, 256, (5, *SHAPE, channels), np.uint8)
    out = np.empty(5)
    ground_mean(images, out)
    grey = images[..., 0] if channels == 1 else images @ BT601
    assert np.allclose(out, grey.mean(axis=(1, 2)), rtol=0, atol=1e-9)


@pytest.mark.parametrize(("channels", "low", "high"), [(1, 40, 90), (3, 40, 90), (1, 0, 255), (1, 200, 255)])
def test_ink_equals_twin(channels, low, high):
    random = np.random.default_rng(2)
    sampled, means, units = (
        random.uniform(0, 255, (50, 3, channels)),
        random.uniform(0, 255, 50),
        random.random((50, 3)),
    )
    levels = sampled.copy()
    set_contrast(levels, means, float(low), float(high), units)
    for i, k in np.ndindex(50, 3):
        assert np.allclose(levels[i, k], naive_ink(sampled[i, k], means[i], low + (high - low) * units[i, k]))


def test_ink_keeps_its_side_where_there_is_room():
    levels = np.array([200.0, 60.0, 130.0, 90.0, 120.0]).reshape(-1, 1, 1)
    set_contrast(levels, np.array([180.0, 100.0, 120.0, 100.0, 120.0]), 70.0, 70.0, np.zeros((5, 1)))
    assert levels.ravel().tolist() == [250.0, 30.0, 190.0, 30.0, 50.0]
    levels[:, 0, 0] = [200.0, 60.0, 130.0, 90.0, 120.0]
    set_contrast(levels, np.array([180.0, 100.0, 120.0, 100.0, 140.0]), 150.0, 150.0, np.zeros((5, 1)))
    assert levels.ravel().tolist() == [30.0, 250.0, 255.0, 250.0, 0.0]
