"""What a stage of the picture path is: the ranges that are drawn for it, and the kernel that applies the draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from synth_engine.parts import Part

Ends = tuple[float, float]


def no_growth(part: Any) -> float:  # noqa: ARG001
    """The patch that holds a character need not grow for this stage."""
    return 0.0


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One kind of stage.

    columns: from the part and the canvas's (height, width), the (lowest, highest) of each number that is drawn for an
    image; what is not random is a column whose ends are equal. kernel: see `picture.kernels` for each domain's form.
    grow_px: by how much ink of a character may move relative to its middle, px (warps only).
    """

    columns: Callable[[Any, tuple[int, int]], list[Ends]]
    kernel: Callable[..., None]
    grow_px: Callable[[Any], float] = no_growth


Registry = dict[type[Part], Stage]
