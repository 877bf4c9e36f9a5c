"""A whole picture against the plain twins, stage after stage: that order, numbering and inks are as documented."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from synth_engine import Synthesizer
from synth_engine.picture.stages.camera import CAMERA
from synth_engine.picture.stages.clutter import CLUTTER
from synth_engine.picture.stages.ground import make_ground
from synth_engine.picture.stages.ink_levels import level_columns
from synth_engine.picture.stages.warps import WARPS
from synth_engine.recipe import Blur, Curves, Dots, GaussianNoise, Gradient, Invert, Lines, Part, Recipe, Sine
from tests.naive import camera as naive_camera
from tests.naive import warps as naive_warps
from tests.naive.clutter import naive_clutter
from tests.naive.fast import SPREAD, WORD, mix, sample_key
from tests.naive.ground import naive_gradient
from tests.naive.picture import MARGIN, NaivePicture, on_canvas, unit
from tests.synth_engine.picture.test_picture import recipe_of

SEED = 11
WHOLE = recipe_of(
    warps=(Sine(amplitude_px=(2, 4), period_px=(30, 60)),),
    ground=Gradient(level=(120, 255)),
    clutter=(
        Dots(count=9, radius_px=2, behind=True, level=(90, 110)),
        Curves(width_px=2),
        Lines(count=(1, 3), width_px=(1, 3), level=(0, 255), opacity=(0.3, 0.9), probability=0.5),
    ),
    camera=(Blur(sigma_px=(0.4, 1), probability=0.6), Invert(share=0.02), GaussianNoise(sigma=(1, 9))),
)


def stage_numbers(index: int, number: int, columns: list[tuple[float, float]]) -> tuple[int, np.ndarray, float]:
    """Key, parameters, and the number that decides whether the image has the stage."""
    key = mix(mix(sample_key(SEED, index) ^ mix(number)) + 0 * SPREAD & WORD)
    return key, np.array([low + (high - low) * unit(key, p + 1) for p, (low, high) in enumerate(columns)]), unit(key, 0)


class Whole:
    """Sample ``index`` of `WHOLE`, painted by the twins."""

    def __init__(self, index: int) -> None:
        self.index, self.picture, self.shape = index, WHOLE.picture, WHOLE.shape
        self.text_cover = self.characters()
        self.ink = stage_numbers(index, 3, [self.picture.ink.level])
        low, high = self.picture.ink.level
        self.level = low + (high - low) * unit(self.ink[0], 64)

    def characters(self) -> np.ndarray:
        twin, part = NaivePicture(WHOLE, SEED), self.picture.warps[0]
        _, (amplitude, period, phase, *_), _ = stage_numbers(self.index, 16, WARPS[Sine].columns(part, self.shape))
        layers = [twin.coverage(glyph) for glyph in twin.glyphs(self.index)]
        warped = [naive_warps.sine(layer, MARGIN, amplitude, period, phase, "x") for layer in layers]
        return np.max([on_canvas(layer) for layer in warped], axis=0)

    def paint(self) -> np.ndarray:
        image = self.ground()
        for i, part in enumerate(self.picture.clutter):
            if part.behind:
                image = self.mark(image, i, part)
        image = over(image, np.maximum(self.text_cover, self.in_text_ink()), self.level, 1.0)
        for i, part in enumerate(self.picture.clutter):
            if not part.behind and part.level is not None:
                image = self.mark(image, i, part)
        return self.camera(image[..., None].astype(np.uint8))[..., 0]

    def ground(self) -> np.ndarray:
        ground = make_ground(self.picture.ground, self.shape, 1)
        return naive_gradient(stage_numbers(self.index, 4, ground.columns)[1], self.shape, 1)[..., 0].astype(float)

    def in_text_ink(self) -> np.ndarray:
        """Clutter in the text's ink is one layer with it."""
        part = self.picture.clutter[1]
        columns = CLUTTER[Curves].columns(part, self.shape)
        key, params, _ = stage_numbers(self.index, 49, columns)
        return naive_clutter("curves", params, key, self.shape).astype(float)

    def mark(self, image: np.ndarray, i: int, part: Part) -> np.ndarray:
        columns = CLUTTER[type(part)].columns(part, self.shape)
        opacity = part.opacity if isinstance(part.opacity, tuple) else (part.opacity, part.opacity)
        key, params, chance = stage_numbers(
            self.index, 48 + i, [*columns, opacity, *level_columns(part.level, None, 1)]
        )
        if chance >= part.probability:
            return image
        cover = naive_clutter(type(part).__name__.lower(), params, key, self.shape)
        return over(image, cover.astype(float), params[-1], params[-2])

    def camera(self, image: np.ndarray) -> np.ndarray:
        for i, part in enumerate(self.picture.camera):
            key, params, chance = stage_numbers(self.index, 80 + i, CAMERA[type(part)].columns(part, self.shape))
            if chance < part.probability:
                if isinstance(part, Blur):
                    image = naive_camera.blur(image, params[0])
                elif isinstance(part, Invert):
                    image = naive_camera.invert(image, params[0], key)
                else:
                    image = naive_camera.gaussian_noise(image, params[0], key)
        return image


def over(image: np.ndarray, cover: np.ndarray, level: float, opacity: float) -> np.ndarray:
    return np.floor(image + (round(level) - image) * cover / 255 * opacity + 0.5)


@pytest.mark.parametrize("index", [0, 7, 2**33])
def test_a_whole_picture_is_the_twins(index: int) -> None:
    """Curves are chains of straight pieces, within 7 levels of the true ones (`test_clutter`)."""
    got = Synthesizer(WHOLE, SEED).batch(index, 1).images[0].astype(int)
    difference = np.abs(got - Whole(index).paint().astype(int))
    assert difference.max() <= 9
    assert difference.mean() < 0.4


def test_another_stage_changes_no_other_stages_numbers() -> None:
    def boxes(recipe: Recipe) -> np.ndarray:
        return Synthesizer(recipe, SEED).batch(0, 20).boxes

    picture = WHOLE.picture
    assert picture is not None
    fewer = WHOLE.replace(picture=msgspec.structs.replace(picture, clutter=(), camera=()))
    assert np.array_equal(boxes(WHOLE), boxes(fewer))
