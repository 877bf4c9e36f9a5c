"""The kinds of clutter: what is sampled for an image that has it, and the kernel that paints its marks."""

from __future__ import annotations

from synth_engine.picture.kernels.stages import clutter as kernels
from synth_engine.picture.stages.stage import Ends, Registry, Stage
from synth_engine.recipe import Arcs, Curves, Dots, Lines, Range, low_high


def _line_columns(part: Lines | Curves, shape: tuple[int, int]) -> list[Ends]:  # noqa: ARG001
    return [low_high(part.count), *_both_ends(part.width_px)]


def _arc_columns(part: Arcs, shape: tuple[int, int]) -> list[Ends]:  # noqa: ARG001
    return [
        low_high(part.count),
        *_both_ends(part.width_px),
        *_both_ends(part.radius_px),
        *_both_ends(part.extent_deg),
    ]


def _dot_columns(part: Dots, shape: tuple[int, int]) -> list[Ends]:  # noqa: ARG001
    return [low_high(part.count), *_both_ends(part.radius_px)]


def _both_ends(value: Range) -> list[Ends]:
    """Two columns that hold the range itself: each mark samples its own number from it."""
    low, high = low_high(value)
    return [(low, low), (high, high)]


CLUTTER: Registry = {
    Lines: Stage(columns=_line_columns, kernel=kernels.lines),
    Arcs: Stage(columns=_arc_columns, kernel=kernels.arcs),
    Curves: Stage(columns=_line_columns, kernel=kernels.curves),
    Dots: Stage(columns=_dot_columns, kernel=kernels.dots),
}
