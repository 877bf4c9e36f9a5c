"""Camera stages: what happens to a whole picture after it is painted.

All are compiled kernels whose bytes are the same on every machine, but for `jpeg`: that is OpenCV's, and its bytes are
those of the JPEG library which the installed OpenCV was built with.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth_engine.picture.kernels.stages.blur import blur, motion_blur
from synth_engine.picture.kernels.stages.noise import add_noise, invert, salt_pepper
from synth_engine.picture.kernels.stages.rescale import rescale
from synth_engine.picture.stages.stage import Ends, Registry, Shape, Stage
from synth_engine.recipe import (
    Blur,
    GaussianNoise,
    Invert,
    Jpeg,
    MotionBlur,
    Part,
    Range,
    Rescale,
    SaltPepper,
    low_high,
)

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Keys = NDArray[np.uint64]
Images = NDArray[np.uint8]
Scratch = NDArray[np.float32]

NORMAL_BITS = 12


@functools.cache
def normal_values() -> NDArray[np.float32]:
    """(4096,) equally likely values, increasing: the middle quantiles of N(0, 1), scaled to a variance of 1.

    The mean is 0; the distribution function is within 2⁻¹¹ of the normal one's; its tails end at ±3.67 (where
    1 in 4,100 normal values lies), and its fourth moment is 2.99.
    """
    count = 2**NORMAL_BITS
    upper = np.array([NormalDist().inv_cdf((v + 0.5) / count) for v in range(count // 2, count)])
    values = np.concatenate([-upper[::-1], upper])
    return np.asarray(values / values.std(), np.float32)


def gaussian_noise(on: Bools, params: Floats, keys: Keys, images: Images, scratch: Scratch) -> None:
    """Noise of sigma (column 0, levels) on every value, rounded to whole levels and cut off at 0 and 255.

    It is as normal as `normal_values` is; rounding adds 1/12 to its variance where sigma is above about 0.5, and
    leaves nothing of it under 0.14.
    """
    add_noise(normal_values(), on, params, keys, images, scratch)


def jpeg(on: Bools, params: Floats, keys: Keys, images: Images, scratch: Scratch) -> None:  # noqa: ARG001
    """Encoded and decoded by OpenCV, quality in column 0 (rounded, 1–100); colours lose half their resolution."""
    import cv2

    for i in np.flatnonzero(on):
        quality = min(max(math.floor(params[i, 0] + 0.5), 1), 100)
        image = images[i] if images.shape[3] == 1 else cv2.cvtColor(images[i], cv2.COLOR_RGB2BGR)
        _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        decoded: Any = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
        images[i] = decoded[..., None] if decoded.ndim == 2 else cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)


def _ranges(*names: str) -> Callable[[Part, Shape], list[Ends]]:
    """The columns of a part: its ranges of these names."""

    def columns(part: Part, shape: Shape) -> list[Ends]:  # noqa: ARG001
        ranges: list[Range] = [getattr(part, name) for name in names]
        return [low_high(value) for value in ranges]

    return columns


CAMERA: Registry = {
    Blur: Stage(columns=_ranges("sigma_px"), kernel=blur),
    MotionBlur: Stage(columns=_ranges("length_px", "angle_deg"), kernel=motion_blur),
    GaussianNoise: Stage(columns=_ranges("sigma"), kernel=gaussian_noise),
    SaltPepper: Stage(columns=_ranges("share"), kernel=salt_pepper),
    Invert: Stage(columns=_ranges("share"), kernel=invert),
    Rescale: Stage(columns=_ranges("factor"), kernel=rescale),
    Jpeg: Stage(columns=_ranges("quality"), kernel=jpeg),
}
