"""The warps against their plain twins, and what they promise about ink, patches and what they leave alone."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
import pytest

from synth_engine.errors import RecipeError
from synth_engine.picture.kernels.homography import NEAREST, homography, inverse
from synth_engine.picture.kernels.trig import cosine_sine
from synth_engine.picture.stages.warps import WARPS
from synth_engine.picture.stages.workspace import warp_scratch
from synth_engine.recipe import Curve, Elastic, Rotate, Sine, Stroke, Tilt, Warp
from tests.naive import warps as naive

HEIGHT, WIDTH, MARGIN = 50, 90, 70
SHAPE = (HEIGHT, WIDTH)

# A part whose ranges are sampled, and its twin: given the canvas, the sampled columns and the image's key.
CASES = {
    "stroke": (Stroke(px=(-2.5, 2.5)), lambda c, p, _: naive.stroke(c, p[0])),
    "rotate": (Rotate(angle_deg=(-200, 200)), lambda c, p, _: naive.rotate(c, MARGIN, SHAPE, p[0])),
    "tilt": (Tilt(share=0.2), lambda c, p, _: naive.tilt(c, MARGIN, SHAPE, list(p))),
    "sine": (
        Sine(amplitude_px=(-6, 6), period_px=(15, 80)),
        lambda c, p, _: naive.sine(c, MARGIN, p[0], p[1], p[2], "x"),
    ),
    "sideways": (
        Sine(amplitude_px=(-6, 6), period_px=(15, 80), along="y"),
        lambda c, p, _: naive.sine(c, MARGIN, p[0], p[1], p[2], "y"),
    ),
    "curve": (Curve(bend_px=(-12, 12)), lambda c, p, _: naive.curve(c, MARGIN, WIDTH, p[0])),
    "elastic": (
        Elastic(amplitude_px=(0, 4), cell_px=9),
        lambda c, p, key: naive.elastic(c, MARGIN, key, p[0], p[1]),
    ),
}
NONE = [
    Stroke(px=0.0), Rotate(angle_deg=0.0), Tilt(share=0.0), Sine(amplitude_px=0.0, period_px=20.0),
    Sine(amplitude_px=0.0, period_px=20.0, along="y"), Curve(bend_px=0.0), Elastic(amplitude_px=0.0, cell_px=7.0),
]  # fmt: skip


@dataclass
class Patches:
    """Characters on patches of their own, as a warp's kernel takes them."""

    ink: np.ndarray
    origin: np.ndarray
    extent: np.ndarray

    @classmethod
    def of(cls, glyphs: list[list[np.ndarray]], places: np.ndarray, side: int, rng: np.random.Generator) -> Patches:
        """``places`` (B, L, 2): x, y of each glyph's top left on the canvas; on its patch it lies anywhere."""
        shape = places.shape[:2]
        patches = cls(
            np.zeros((*shape, side, side), np.uint8), np.zeros((*shape, 2), "i4"), np.zeros((*shape, 4), "i4")
        )
        for at in np.ndindex(*shape):
            h, w = glyphs[at[0]][at[1]].shape
            if h * w:
                x, y = rng.integers(side - w + 1), rng.integers(side - h + 1)
                patches.ink[at][y : y + h, x : x + w] = glyphs[at[0]][at[1]]
                patches.extent[at] = x, y, x + w, y + h
                patches.origin[at] = places[at] - (x, y)
        return patches

    def warp(self, part: Warp, params: np.ndarray, keys: np.ndarray, on: np.ndarray | None = None) -> Patches:
        count, length, side = self.ink.shape[:3]
        out = Patches(self.ink.copy(), self.origin.copy(), self.extent.copy())
        scratch = np.full_like(warp_scratch(side), 77)
        WARPS[type(part)].kernel(
            np.ones(count, bool) if on is None else on, params, keys, np.full(count, length), out.ink, out.origin,
            out.extent, scratch, *SHAPE,
        )  # fmt: skip
        return out

    def canvas(self, i: int, k: int) -> np.ndarray:
        """The character on a canvas with a margin; ink beyond that is left out."""
        canvas = np.zeros((HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN))
        y, x = np.nonzero(self.ink[i, k])
        at_x, at_y = x + self.origin[i, k, 0] + MARGIN, y + self.origin[i, k, 1] + MARGIN
        inside = (at_x >= 0) & (at_y >= 0) & (at_x < canvas.shape[1]) & (at_y < canvas.shape[0])
        canvas[at_y[inside], at_x[inside]] = self.ink[i, k][y[inside], x[inside]]
        return canvas


def sample_params(part: Warp, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.array(WARPS[type(part)].columns(part, SHAPE)).T
    return rng.uniform(low, high, (count, len(low))), rng.integers(0, 2**63, count).astype(np.uint64)


def glyphs_of(count: int, rng: np.random.Generator, side: int = 24) -> list[list[np.ndarray]]:
    """Noise with gaps in it, of any size, and one without a pixel in each image."""
    sizes = rng.integers(1, side + 1, (count, 2))
    noisy = [rng.integers(1, 256, size) * (rng.random(size) < 0.7) for size in sizes]
    return [[glyph, np.zeros((0, 0))] for glyph in noisy]


def blob(side: int = 24) -> np.ndarray:
    """A ring with soft edges, as a character's stroke has."""
    y, x = np.mgrid[:side, :side] + 0.5 - side / 2
    return np.clip(255 * (3 - abs(np.hypot(x, y) - side / 2 + 4)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", CASES)
def test_every_pixel_is_the_twins_rounded(name: str) -> None:
    part, twin = CASES[name]
    rng, count = np.random.default_rng(1), 3 if name == "elastic" else 12
    params, keys = sample_params(part, count, rng)
    places = rng.integers((-30, -30), (WIDTH, HEIGHT), (count, 2, 2))
    before = Patches.of(glyphs_of(count, rng), places, 64, rng)
    after = before.warp(part, params, keys)
    for i in range(count):
        expected = twin(before.canvas(i, 0), params[i], int(keys[i]))
        assert np.abs(after.canvas(i, 0) - expected).max() <= 0.51
        assert not after.ink[i, 1].any()
        assert not after.extent[i, 1].any()


@pytest.mark.parametrize("name", CASES)
def test_extents_are_tight(name: str) -> None:
    part, rng = CASES[name][0], np.random.default_rng(2)
    after = Patches.of(glyphs_of(20, rng), rng.integers(-20, 60, (20, 2, 2)), 64, rng).warp(
        part, *sample_params(part, 20, rng)
    )
    for at in np.ndindex(20, 2):
        y, x = np.nonzero(after.ink[at])
        tight = (x.min(), y.min(), x.max() + 1, y.max() + 1) if len(x) else (0, 0, 0, 0)
        assert tuple(after.extent[at]) == tight


@pytest.mark.parametrize("name", CASES)
def test_only_images_that_have_the_stage_change(name: str) -> None:
    part, rng = CASES[name][0], np.random.default_rng(3)
    before = Patches.of([[blob()]] * 6, rng.integers(0, 40, (6, 1, 2)), 64, rng)
    on = np.arange(6) % 2 == 0
    after = before.warp(part, *sample_params(part, 6, rng), on)
    changed = [not np.array_equal(before.canvas(i, 0), after.canvas(i, 0)) for i in range(6)]
    assert changed == list(on)
    assert np.array_equal(before.ink[~on], after.ink[~on])
    assert np.array_equal(before.origin[~on], after.origin[~on])


@pytest.mark.parametrize("part", NONE, ids=lambda part: type(part).__name__)
def test_a_warp_by_nothing_changes_no_byte(part: Warp) -> None:
    rng = np.random.default_rng(4)
    before = Patches.of([[blob()]] * 4, rng.integers(-20, 60, (4, 1, 2)), 64, rng)
    after = before.warp(part, *sample_params(part, 4, rng))
    for i in range(4):
        assert np.array_equal(before.canvas(i, 0), after.canvas(i, 0))


@pytest.mark.parametrize("name", ["rotate", "sine", "sideways", "curve", "elastic"])
def test_ink_is_kept(name: str) -> None:
    part, rng = CASES[name][0], np.random.default_rng(5)
    before = Patches.of([[blob()]] * 40, rng.integers(0, 60, (40, 1, 2)), 64, rng)
    share = before.warp(part, *sample_params(part, 40, rng)).ink.sum(axis=(1, 2, 3)) / before.ink.sum(axis=(1, 2, 3))
    assert abs(share.mean() - 1) < 0.05
    assert abs(share - 1).max() < (0.3 if name == "elastic" else 0.05)  # a random field stretches here, shrinks there


def test_strokes_thicken_with_px() -> None:
    rng, px = np.random.default_rng(6), np.linspace(-3, 3, 25)
    patches = Patches.of([[blob()]] * 25, np.full((25, 1, 2), 20), 40, rng)
    after = patches.warp(Stroke(px=0.0), px[:, None].copy(), np.zeros(25, np.uint64))
    canvases = np.array([after.canvas(i, 0) for i in range(25)])
    assert (np.diff(canvases, axis=0) >= 0).all()
    assert (np.diff(canvases.sum(axis=(1, 2))) > 0).all()


@pytest.mark.parametrize("px", [-30.0, -13.0, -11.6, -7.5, 0.3, 9.0])
def test_strokes_change_by_any_px_in_a_patch_without_room(px: float) -> None:
    """Thinner as the twin; thicker by what the patch holds: nothing."""
    glyph = np.full((24, 24), 200)
    patches = Patches.of([[glyph]], np.full((1, 1, 2), 20), 24, np.random.default_rng(0))
    after = patches.warp(Stroke(px=px), np.array([[px]]), np.zeros(1, np.uint64))
    expected = naive.stroke(patches.canvas(0, 0), min(px, 0))
    assert np.abs(after.canvas(0, 0) - expected).max() <= 0.51


GROWING = [case[0] for case in CASES.values()] + [Rotate(angle_deg=(-9, 9)), Sine(amplitude_px=9, period_px=(100, 300))]


@pytest.mark.parametrize("part", [*GROWING, *(Tilt(share=share) for share in (0.05, 0.4, 0.8))], ids=str)
def test_a_patch_as_large_as_the_growth_says_cuts_nothing(part: Warp) -> None:
    rng, side, count = np.random.default_rng(7), 24, 60
    params, keys = sample_params(part, count, rng)
    ends = np.array(WARPS[type(part)].columns(part, SHAPE))
    params[::2] = np.where(rng.random(params[::2].shape) < 0.5, ends[:, 0], ends[:, 1])
    small = ceil(side + 2 * WARPS[type(part)].grow_px(part, side, SHAPE))
    glyphs = [[np.full((side, side), 255)]] * count
    places = rng.integers((-12, -12), (WIDTH - 12, HEIGHT - 12), (count, 1, 2))
    tight = Patches.of(glyphs, places, small, rng).warp(part, params, keys)
    roomy = Patches.of(glyphs, places, 3 * small, rng).warp(part, params, keys)
    shown = slice(MARGIN, -MARGIN) if isinstance(part, Tilt) else slice(None)  # perspective may cut off the canvas
    for i in range(count):
        assert np.array_equal(tight.canvas(i, 0)[shown, shown], roomy.canvas(i, 0)[shown, shown])


def test_ink_larger_than_its_patch_is_cut_and_nothing_else_is_touched() -> None:
    rng = np.random.default_rng(8)
    for name in CASES:
        part = CASES[name][0]
        patches = Patches.of([[np.full((24, 24), 255)]] * 20, rng.integers(0, 60, (20, 1, 2)), 24, rng)
        after = patches.warp(part, *sample_params(part, 20, rng))
        assert (after.extent >= 0).all()
        assert (after.extent <= 24).all()


def test_corners_that_leave_no_convex_quadrilateral_are_moved_back() -> None:
    rng = np.random.default_rng(9)
    grid = np.stack([*np.meshgrid([0.0, 45, 90], [0.0, 25, 50]), np.ones((3, 3))])
    for moves in rng.choice([-0.8, 0.8], (200, 8)):
        forward = homography(moves, 90.0, 50.0)
        seen = np.einsum("ij,jyx->iyx", np.array(forward).reshape(3, 3), grid)
        assert seen[2].min() >= NEAREST * seen[2].max() - 1e-9
        back = np.einsum("ij,jyx->iyx", np.array(inverse(forward)).reshape(3, 3), seen / seen[2])
        assert np.allclose(back / back[2], grid)


def test_cosine_and_sine_are_the_librarys() -> None:
    turns = np.linspace(-3, 3, 997)
    ours = np.array([cosine_sine(t) for t in turns])
    assert np.allclose(ours, np.stack([np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)], 1), rtol=0, atol=4e-15)
    assert cosine_sine(0.25) == (0.0, 1.0)


def test_a_wave_shorter_than_two_pixels_is_refused() -> None:
    part = Sine(amplitude_px=2.0, period_px=(0.0, 30.0))
    with pytest.raises(RecipeError, match=r"period_px.*at least 2 px"):
        WARPS[Sine].columns(part, SHAPE)
