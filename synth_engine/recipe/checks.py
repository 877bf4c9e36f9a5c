"""What the ranges of a picture's parts may hold; the message names the part and the field."""

from __future__ import annotations

from math import inf, isfinite
from typing import Any

from synth_engine.recipe.picture import Part, low_high

# By the field's name, the same in every part.
BOUNDS: dict[str, tuple[float, float]] = {
    "level": (0, 255),
    "rgb": (0, 255),
    "contrast": (0, 255),
    "scale": (0.1, 10),
    "aspect": (0.1, 10),
    "shear": (-2, 2),
    "angle_deg": (-360, 360),
    "x_px": (-4096, 4096),
    "y_px": (-4096, 4096),
    "gap_px": (-1024, 1024),
    "space_px": (-1024, 1024),
    "fit_px": (1, 4096),
    "jitter_px": (-1024, 1024),
    "px": (-64, 64),
    "bend_px": (-1024, 1024),
    "phase_deg": (-3600, 3600),
    "period_px": (2, 100_000),
    "amplitude_px": (0, 256),
    "count": (0, 10_000),
    "width_px": (0, 64),
    "radius_px": (0, 512),
    "extent_deg": (0, 360),
    "opacity": (0, 1),
    "sigma_px": (0, 32),
    "length_px": (0, 64),
    "sigma": (0, 255),
    "share": (0, 1),
    "factor": (0.05, 8),
    "quality": (1, 100),
}


def check_ranges(part: Part) -> None:
    """Raise ValueError for a range in ``part``, or a part of it, that is not finite, descends, or leaves its bounds."""
    for name in part.__struct_fields__:
        for value in _values(getattr(part, name)):
            if isinstance(value, Part):
                check_ranges(value)
            elif isinstance(value, tuple | int | float):
                _check_range(type(part).__name__.lower(), name, value)


def _values(value: Any) -> list[Any]:
    """The parts or ranges in one field."""
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, tuple) and not (len(value) == 2 and all(isinstance(v, int | float) for v in value)):
        return list(value)
    return [value]


def _check_range(part: str, name: str, value: Any) -> None:
    low, high = low_high(value)
    least, most = BOUNDS.get(name, (-inf, inf))
    shown = list(value) if isinstance(value, tuple) else value
    if not (isfinite(low) and isfinite(high)):
        raise ValueError(f"`{part}.{name}` is {shown}; expected a finite number, or two")
    if low > high:
        raise ValueError(f"`{part}.{name}` is {shown}; a range runs from its lowest value to its highest")
    if low < least or high > most:
        raise ValueError(f"`{part}.{name}` is {shown}; expected {least:g} to {most:g}")
