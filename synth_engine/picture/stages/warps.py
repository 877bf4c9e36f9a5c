"""The warps: what is sampled for each, which kernel applies it, and how much larger it may make a character's ink."""

from __future__ import annotations

from itertools import product
from math import ceil, cos, floor, pi, radians, sin

import numpy as np
from numpy.typing import NDArray

from synth_engine.errors import RecipeError
from synth_engine.picture.kernels import homography as perspective
from synth_engine.picture.kernels.stages.thickness import stroke
from synth_engine.picture.kernels.stages.warps import LEAST, curve, elastic, rotate, sine, tilt
from synth_engine.picture.stages.stage import Ends, Registry, Shape, Stage
from synth_engine.recipe import Curve, Elastic, Range, Rotate, Sine, Stroke, Tilt, low_high

PERIOD_MIN_PX = 2.0


def _largest(value: Range) -> float:
    return max(abs(end) for end in low_high(value))


def _stroke_columns(part: Stroke, shape: Shape) -> list[Ends]:  # noqa: ARG001
    return [low_high(part.px)]


def _stroke_growth(part: Stroke, side_px: float, shape: Shape) -> float:  # noqa: ARG001
    return float(max(0, ceil(low_high(part.px)[1])))


def _rotate_columns(part: Rotate, shape: Shape) -> list[Ends]:  # noqa: ARG001
    return [low_high(part.angle_deg)]


def _rotate_growth(part: Rotate, side_px: float, shape: Shape) -> float:  # noqa: ARG001
    """A turned box is wider by |cos| + |sin|, most at an odd multiple of 45°; 1 px for the pixels at the rim."""
    low, high = low_high(part.angle_deg)
    diagonal = floor((high - 45) / 90) >= ceil((low - 45) / 90)
    wider = 2**0.5 if diagonal else max(abs(cos(radians(a))) + abs(sin(radians(a))) for a in (low, high))
    return (wider * (side_px + 1) - side_px) / 2 + 1


def _tilt_columns(part: Tilt, shape: Shape) -> list[Ends]:  # noqa: ARG001
    return [(-part.share, part.share)] * 8


def _tilt_growth(part: Tilt, side_px: float, shape: Shape) -> float:
    """Measured: corners moved all the way, and less, while a box stands everywhere on the canvas or half off it.

    Not beyond the canvas's longer side: of ink that perspective makes larger than that, what lies outside is cut.
    """
    if part.share == 0:
        return 0.0
    boxes = _boxes(side_px + 1, shape)
    moves = np.array(list(product((-part.share, part.share), repeat=8)))
    scales = (1.0,) if part.share < 0.25 else (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
    largest = max(_side_seen(scale * each, boxes, shape) for each in moves for scale in scales)
    return max(1.0, min(largest + 2, max(shape)) - side_px) / 2


def _boxes(side_px: float, shape: Shape) -> NDArray[np.float64]:
    """Corners (N, 4, 2) x, y of boxes from half left of to half right of the canvas, and so in height."""
    xs, ys = (np.linspace(-side_px / 2, length - side_px / 2, 5) for length in (shape[1], shape[0]))
    corner = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 1, 2)
    return corner + side_px * np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float64)


def _side_seen(moves: NDArray[np.float64], boxes: NDArray[np.float64], shape: Shape) -> float:
    """The longest side of any of the ``boxes`` after the perspective."""
    a, b, c, d, e, f, g, h, i = perspective.homography(moves, float(shape[1]), float(shape[0]))
    x, y = boxes[..., 0], boxes[..., 1]
    z = np.maximum(g * x + h * y + i, LEAST)
    seen = np.stack([(a * x + b * y + c) / z, (d * x + e * y + f) / z], axis=-1)
    return float(np.ptp(seen, axis=1).max())


def _sine_columns(part: Sine, shape: Shape) -> list[Ends]:  # noqa: ARG001
    if low_high(part.period_px)[0] < PERIOD_MIN_PX:
        raise RecipeError(f"sine: `period_px` is {part.period_px}; expected at least {PERIOD_MIN_PX:g} px", part)
    along = float(part.along == "y")
    return [low_high(part.amplitude_px), low_high(part.period_px), low_high(part.phase_deg), (along, along)]


def _sine_growth(part: Sine, side_px: float, shape: Shape) -> float:  # noqa: ARG001
    """Half of how much the movement differs over a character; 1 px for fractions of a pixel."""
    waves = min(0.5, side_px / low_high(part.period_px)[0])
    return _largest(part.amplitude_px) * sin(pi * waves) + 1


def _curve_columns(part: Curve, shape: Shape) -> list[Ends]:  # noqa: ARG001
    return [low_high(part.bend_px)]


def _curve_growth(part: Curve, side_px: float, shape: Shape) -> float:
    """As `_sine_growth`; a parabola is steepest at the canvas's ends, where a character may stand beyond."""
    across = side_px / shape[1]
    return _largest(part.bend_px) * 2 * across * (1 + across) + 1


def _elastic_columns(part: Elastic, shape: Shape) -> list[Ends]:  # noqa: ARG001
    return [low_high(part.amplitude_px), (part.cell_px, part.cell_px)]


def _elastic_growth(part: Elastic, side_px: float, shape: Shape) -> float:  # noqa: ARG001
    return _largest(part.amplitude_px) + 1


WARPS: Registry = {
    Stroke: Stage(columns=_stroke_columns, kernel=stroke, grow_px=_stroke_growth),
    Rotate: Stage(columns=_rotate_columns, kernel=rotate, grow_px=_rotate_growth),
    Tilt: Stage(columns=_tilt_columns, kernel=tilt, grow_px=_tilt_growth),
    Sine: Stage(columns=_sine_columns, kernel=sine, grow_px=_sine_growth),
    Curve: Stage(columns=_curve_columns, kernel=curve, grow_px=_curve_growth),
    Elastic: Stage(columns=_elastic_columns, kernel=elastic, grow_px=_elastic_growth),
}
