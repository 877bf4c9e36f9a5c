"""What a stage of the picture path is: the ranges sampled for it, and the kernel that applies what was sampled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from synth_engine.errors import RecipeError
from synth_engine.picture.kernels.sampling import sample_stage
from synth_engine.picture.stages.workspace import PARAMS, Workspace
from synth_engine.recipe import Part

Ends = tuple[float, float]
Shape = tuple[int, int]

# Numbers of stages: random numbers depend on (seed, sample, attempt, number), so a stage added changes no other's.
INK_NUMBER, GROUND_NUMBER, WARP_NUMBER, CLUTTER_NUMBER, CAMERA_NUMBER = 3, 4, 16, 48, 80


def no_growth(part: Part, side_px: float, shape: Shape) -> float:  # noqa: ARG001
    """The patch that holds a character need not grow for this stage."""
    return 0.0


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One kind of stage.

    columns: from the part and the canvas's (height, width) px, the (lowest, highest) of each number that is sampled
    for an image; what is not random is a column whose ends are equal. kernel: see `picture.kernels` for each domain's
    form. grow_px: for warps, half of how much a character's ink, up to ``side_px`` wide and high, may become wider or
    higher on a canvas of ``shape``; the next warp's ``side_px`` is side_px + 2 · grow_px, and the last is the patches'
    side. A warp slides patches along with their ink, so that nothing is cut wherever it lay on its patch.
    """

    columns: Callable[[Any, Shape], list[Ends]]
    kernel: Callable[..., None]
    grow_px: Callable[[Any, float, Shape], float] = no_growth

    def apply(self, start: int, *arguments: object) -> None:  # noqa: ARG002
        """Run the kernel with its domain's ``arguments``; ``start``: index of the block's first sample."""
        self.kernel(*arguments)


Registry = dict[type[Part], Stage]


class SampledRanges:
    """The numbers of one stage of a recipe, sampled for each image under the stage's ``number``."""

    def __init__(self, columns: Sequence[Ends], number: int, probability: float = 1.0) -> None:
        if len(columns) > PARAMS:
            raise RecipeError(f"a stage has {len(columns)} ranges; expected at most {PARAMS}: take some out", columns)
        self.low = np.array([ends[0] for ends in columns], np.float64)
        self.high = np.array([ends[1] for ends in columns], np.float64)
        self._number, self._probability = number, probability

    def sample(self, work: Workspace, seed: np.uint64, start: int, *, again: bool = False) -> None:
        """Fill ``on``, ``params`` and ``keys`` of ``work``.

        With ``again``, for the active images alone, by the attempt that each is at.
        """
        attempts, active = (work.attempts, work.active) if again else (work.no_attempts, work.every)
        sample_stage(
            seed, start, self._number, attempts, active, self._probability, self.low, self.high,
            work.on, work.params, work.keys,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class RecipeStage:
    """A stage of one recipe: its numbers, and `Stage.apply` of its kind."""

    ranges: SampledRanges
    apply: Callable[..., None]
