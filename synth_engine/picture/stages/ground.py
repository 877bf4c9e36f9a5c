"""Grounds: what is sampled for each kind, and how it fills a block of images with that.

With one channel, levels come from the part's ``level``, or, where only ``rgb`` is given, are its luminance (ITU-R
BT.601). With three, they come from ``rgb`` where it is given, else all channels have the one level that is sampled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth_engine.picture.kernels.stages import ground as kernels
from synth_engine.picture.stages.ground_images import load_pictures
from synth_engine.picture.stages.stage import Ends
from synth_engine.recipe import Flat, Gradient, Grain, Ground, Pictures, low_high

Paint = Callable[[NDArray[np.float64], NDArray[np.uint64], NDArray[np.uint8]], None]


@dataclass(frozen=True, kw_only=True)
class Painter:
    """A ground for one canvas.

    columns: the (lowest, highest) of each number that is sampled for an image. paint: from params (B, P) float64 and
    keys (B,) uint64 of `sampling.sample_stage`, fills every image of images (B, H, W, C) uint8, contiguous.
    """

    columns: list[Ends]
    paint: Paint


def make_ground(part: Ground, shape: tuple[int, int], channels: int) -> Painter:
    """The painter for images of ``shape`` (H, W) px with 1 or 3 channels; raises RecipeError as `load_pictures`."""
    makers: dict[type, Callable[[Any, tuple[int, int], int], Painter]] = {
        Flat: _flat,
        Gradient: _gradient,
        Grain: _grain,
        Pictures: _pictures,
    }
    return makers[type(part)](part, shape, channels)


def _flat(part: Flat, shape: tuple[int, int], channels: int) -> Painter:  # noqa: ARG001
    color = _color(part, channels)
    return Painter(columns=color, paint=lambda params, _, images: kernels.flat(params, len(color), images))


def _gradient(part: Gradient, shape: tuple[int, int], channels: int) -> Painter:  # noqa: ARG001
    color = _color(part, channels)
    return Painter(
        columns=[*color, *color, low_high(part.angle_deg)],
        paint=lambda params, _, images: kernels.gradient(params, len(color), images),
    )


def _grain(part: Grain, shape: tuple[int, int], channels: int) -> Painter:  # noqa: ARG001
    color = _color(part, channels)
    return Painter(
        columns=[*color, low_high(part.sigma)],
        paint=lambda params, keys, images: kernels.grain(params, len(color), images, keys, part.grain_px),
    )


def _pictures(part: Pictures, shape: tuple[int, int], channels: int) -> Painter:
    loaded = load_pictures(part, shape, channels)
    return Painter(
        columns=[(0.0, 1.0)] * 3,
        paint=lambda params, _, images: kernels.crop(params, loaded.pixels, loaded.table, images),
    )


def _color(part: Flat | Gradient | Grain, channels: int) -> list[Ends]:
    """One column for a level, three for red, green and blue."""
    if part.rgb is not None and (channels == 3 or part.level is None):
        return [low_high(level) for level in part.rgb]
    return [low_high(part.default_level if part.level is None else part.level)]
