"""What a stage of the picture path is: the ranges that are drawn for it, and the kernel that applies the draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from synth_engine.recipe import Part

Ends = tuple[float, float]
Shape = tuple[int, int]


def no_growth(part: Any, side_px: float, shape: Shape) -> float:  # noqa: ARG001
    """The patch that holds a character need not grow for this stage."""
    return 0.0


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One kind of stage.

    columns: from the part and the canvas's (height, width), the (lowest, highest) of each number that is drawn for an
    image; what is not random is a column whose ends are equal. kernel: see `picture.kernels` for each domain's form.
    grow_px: for warps, half of how much a character's ink, up to ``side_px`` wide and high, may become wider or higher
    on a canvas of ``shape``; the next warp's ``side_px`` is side_px + 2 · grow_px, and the last is the patches' side.
    A warp slides patches along with their ink, so that nothing is cut wherever it lay on its patch.
    """

    columns: Callable[[Any, Shape], list[Ends]]
    kernel: Callable[..., None]
    grow_px: Callable[[Any, float, Shape], float] = no_growth


Registry = dict[type[Part], Stage]
