"""The camera's stages against plain twins, and the statistics of its noises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_engine.picture.stages.camera import CAMERA, normal_values
from synth_engine.recipe import Blur, GaussianNoise, Invert, Jpeg, MotionBlur, Part, Rescale, SaltPepper
from tests.naive import camera as naive

STRENGTHS: list[tuple[type[Part], tuple[float, ...]]] = [
    (Blur, (1.3,)), (MotionBlur, (6.5, 30.0)), (GaussianNoise, (12.0,)), (SaltPepper, (0.2,)),
    (Invert, (0.3,)), (Rescale, (0.6,)), (Jpeg, (50.0,)),
]  # fmt: skip
SHAPES = st.sampled_from([(8, 8, 1), (8, 8, 3), (9, 21, 1), (17, 10, 3)])


def picture(count: int, shape: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


def shot(kind: type[Part], images: np.ndarray, *params: float, start: int = 0, on: Any = True) -> np.ndarray:
    """``images`` after a stage; image i has the key start + i + 1."""
    count, out = len(images), images.copy()
    keys = np.arange(start + 1, start + count + 1, dtype=np.uint64)
    scratch = np.full((4, *images.shape[1:]), np.nan, np.float32)
    on = np.full(count, True) & on
    sampled = np.where(on[:, None], np.array(params, np.float64), np.nan)  # nothing is sampled for the others
    CAMERA[kind].kernel(on, sampled, keys, out, scratch)
    return out


def off_by(got: np.ndarray, expected: np.ndarray) -> int:
    return int(np.abs(got.astype(int) - expected).max())


def same(got: np.ndarray, expected: np.ndarray) -> bool:
    """Equal, but for at most two values that float32 rounds to the neighbouring level."""
    return off_by(got, expected) <= 1 and (got != expected).sum() <= 2


@settings(max_examples=25)
@given(shape=SHAPES, sigma=st.floats(0.05, 6), seed=st.integers(0, 99))
def test_blur_is_the_twins(shape: tuple[int, int, int], sigma: float, seed: int) -> None:
    images = picture(1, shape, seed)
    assert same(shot(Blur, images, sigma)[0], naive.blur(images[0], sigma))


@settings(max_examples=25)
@given(shape=SHAPES, length=st.floats(0.1, 12), angle=st.floats(-180, 360), seed=st.integers(0, 99))
def test_motion_blur_is_the_twins(shape: tuple[int, int, int], length: float, angle: float, seed: int) -> None:
    images = picture(1, shape, seed)
    assert off_by(shot(MotionBlur, images, length, angle)[0], naive.motion_blur(images[0], length, angle)) <= 1


@pytest.mark.parametrize(("angle", "moved"), [(0, (0, 1)), (90, (1, 0)), (45, (-1, 1)), (135, (1, 1))])
def test_motion_smears_a_point_along_its_direction(angle: float, moved: tuple[int, int]) -> None:
    """Counter-clockwise: at 45° towards the upper right."""
    images = np.zeros((1, 15, 15, 1), np.uint8)
    images[0, 7, 7] = 255
    smeared = shot(MotionBlur, images, 5, angle)[0, ..., 0]
    assert smeared[7 + moved[0], 7 + moved[1]] > 40
    assert smeared[7 + moved[1], 7 - moved[0]] < 20


@settings(max_examples=25)
@given(shape=SHAPES, factor=st.floats(0.02, 3), seed=st.integers(0, 99))
def test_rescale_is_the_twins(shape: tuple[int, int, int], factor: float, seed: int) -> None:
    images = picture(1, shape, seed)
    assert same(shot(Rescale, images, factor)[0], naive.rescale(images[0], factor))


@given(shape=SHAPES, strength=st.floats(0, 1), seed=st.integers(0, 99))
def test_noises_are_the_twins(shape: tuple[int, int, int], strength: float, seed: int) -> None:
    images = picture(2, shape, seed)
    for image, key in ((0, seed + 1), (1, seed + 2)):
        salted = naive.salt_pepper(images[image], strength, key)
        inverted = naive.invert(images[image], strength, key)
        noisy = naive.gaussian_noise(images[image], 40 * strength, key)
        assert np.array_equal(shot(SaltPepper, images, strength, start=seed)[image], salted)
        assert np.array_equal(shot(Invert, images, strength, start=seed)[image], inverted)
        assert same(shot(GaussianNoise, images, 40 * strength, start=seed)[image], noisy)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("kind", "params"), STRENGTHS)
def test_images_without_the_stage_stay(kind: type[Part], params: tuple[float, ...], channels: int) -> None:
    images, on = picture(4, (8, 8, channels)), np.array([True, False, False, True])
    out = shot(kind, images, *params, on=on)
    assert np.array_equal(out[1:3], images[1:3])
    assert (out[on] != images[on]).any(axis=(1, 2, 3)).all()


@pytest.mark.parametrize(("kind", "params"), STRENGTHS)
def test_a_block_may_be_cut_anywhere(kind: type[Part], params: tuple[float, ...]) -> None:
    images = picture(7, (12, 20, 3))
    parts = [shot(kind, images[a:b], *params, start=a) for a, b in ((0, 1), (1, 5), (5, 7))]
    assert np.array_equal(np.concatenate(parts), shot(kind, images, *params))


@pytest.mark.parametrize(
    ("kind", "params"),
    [(Blur, (0,)), (MotionBlur, (0, 77)), (GaussianNoise, (0,)), (SaltPepper, (0,)), (Invert, (0,)), (Rescale, (1,))],
)
def test_strength_zero_changes_nothing(kind: type[Part], params: tuple[float, ...]) -> None:
    images = picture(3, (11, 13, 3))
    assert np.array_equal(shot(kind, images, *params), images)


@pytest.mark.parametrize(("kind", "params"), [(Blur, (7.0,)), (MotionBlur, (30.0, 20.0)), (Rescale, (0.1,))])
@pytest.mark.parametrize("level", [0, 255])
def test_plain_images_stay_plain(kind: type[Part], params: tuple[float, ...], level: int) -> None:
    images = np.full((1, 20, 30, 3), level, np.uint8)
    assert np.array_equal(shot(kind, images, *params), images)


def test_inverting_everything_makes_the_negative() -> None:
    images = picture(2, (9, 9, 3))
    assert np.array_equal(shot(Invert, images, 1.0), 255 - images)


@pytest.mark.parametrize("kind", [SaltPepper, Invert])
def test_pixels_change_whole(kind: type[Part]) -> None:
    changed = shot(kind, np.full((5, 40, 50, 3), 100, np.uint8), 0.3) != 100
    assert np.array_equal(changed.any(axis=3), changed.all(axis=3))


def within(share: float, expected: float, count: int) -> bool:
    return abs(share - expected) < 4 * (expected * (1 - expected) / count) ** 0.5


@pytest.mark.parametrize("share", [2.0**-14, 0.01, 0.25, 0.9])
def test_shares_are_those_asked_for(share: float) -> None:
    images = np.full((400, 50, 100, 1), 100, np.uint8)
    salted, inverted = shot(SaltPepper, images, share), shot(Invert, images, share)
    assert within((salted == 255).mean(), share / 2, images.size)
    assert within((salted == 0).mean(), share / 2, images.size)
    assert within((inverted == 155).mean(), share, images.size)


@pytest.mark.parametrize("sigma", [1.0, 5.0, 20.0])
def test_noise_has_its_mean_and_variance(sigma: float) -> None:
    images = np.full((60, 50, 100, 1), 128, np.uint8)
    noise = shot(GaussianNoise, images, sigma).astype(float) - 128
    variance = sigma**2 + 1 / 12  # rounding's share
    assert abs(noise.mean()) < 4 * (variance / noise.size) ** 0.5
    assert abs(noise.var() - variance) < 4 * variance * (2 / noise.size) ** 0.5
    neighbours = (noise[:, :, 1:] * noise[:, :, :-1]).mean() / variance
    assert abs(neighbours) < 4 * noise.size**-0.5


def test_normal_values_are_as_normal_as_they_say() -> None:
    values = normal_values().astype(float)
    assert values.mean() == pytest.approx(0, abs=1e-9)
    assert values.var() == pytest.approx(1, abs=1e-6)
    assert (values**4).mean() == pytest.approx(2.99, abs=0.005)
    assert values.max() == pytest.approx(3.67, abs=0.005)
    assert np.array_equal(values, -values[::-1])
    assert (np.diff(values) > 0).all()


def test_noise_is_cut_off_at_black_and_white() -> None:
    dark, light = (shot(GaussianNoise, np.full((4, 20, 20, 1), level, np.uint8), 30) for level in (2, 253))
    assert (dark == 0).mean() > 0.3
    assert dark.max() < 150
    assert (light == 255).mean() > 0.3
    assert light.min() > 105


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_loses_less_at_high_quality(channels: int) -> None:
    images = shot(Blur, picture(3, (48, 64, channels)), 2.0)
    poor, good = (np.abs(shot(Jpeg, images, quality).astype(float) - images).mean() for quality in (5, 95))
    assert 0 < good < 0.4 * poor < 20


def test_jpeg_keeps_colours_in_their_channels() -> None:
    images = np.zeros((1, 16, 16, 3), np.uint8)
    images[...] = (200, 120, 40)
    assert off_by(shot(Jpeg, images, 90), images) <= 4


def test_columns_are_the_parts_ranges() -> None:
    part = MotionBlur(length_px=(1.0, 4.0))
    assert CAMERA[MotionBlur].columns(part, (50, 100)) == [(1.0, 4.0), (0.0, 180.0)]
    assert CAMERA[Jpeg].columns(Jpeg(quality=80.0), (50, 100)) == [(80.0, 80.0)]
