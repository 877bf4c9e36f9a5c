"""The stages of a recipe: each part with its kernel, its ranges as arrays, and the number that its draws hang on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from synth_engine.errors import RecipeError
from synth_engine.picture.kernels.draws import draw_stage
from synth_engine.picture.stages.stage import Ends, Registry, Stage
from synth_engine.picture.stages.user_stages import Domain, own_stage
from synth_engine.picture.workspace import PARAMS, Block
from synth_engine.recipe import Own, OwnMark

# Numbers of stages: a draw depends on (seed, sample, attempt, number), so another stage added changes no other's.
INK, GROUND, WARP, CLUTTER, CAMERA = 3, 4, 16, 48, 80


class DrawnStage:
    """A stage of one recipe: draws its numbers for a block, and applies its kernel."""

    def __init__(self, columns: Sequence[Ends], kernel: Callable[..., None], number: int, probability: float = 1.0):
        if len(columns) > PARAMS:
            raise RecipeError(f"a stage may draw {PARAMS} numbers, this one asks for {len(columns)}", columns)
        self.low = np.array([ends[0] for ends in columns], np.float64)
        self.high = np.array([ends[1] for ends in columns], np.float64)
        self.kernel, self.number, self.probability = kernel, number, probability

    def draw(self, block: Block, seed: Any, start: int, *, again: bool = False) -> None:
        """Fill the block's ``on``, ``params`` and ``keys``; ``again``: for the active images and their attempt."""
        attempts, active = (block.attempts, block.active) if again else (block.never, block.every)
        draw_stage(
            seed, start, self.number, attempts, active, self.probability, self.low, self.high,
            block.on, block.params, block.keys,
        )  # fmt: skip


def find_stage(part: Any, registry: Registry, domain: Domain) -> Stage:
    """The engine's stage for ``part``, or the user's that it names; raises RecipeError where that is not to be had."""
    return own_stage(part, domain) if isinstance(part, Own | OwnMark) else registry[type(part)]


def stages_of(
    parts: Sequence[Any], registry: Registry, domain: Domain, number: int, shape: tuple[int, int]
) -> list[DrawnStage]:
    """The parts of one list, numbered from ``number``."""
    stages = [find_stage(part, registry, domain) for part in parts]
    return [
        DrawnStage(stage.columns(part, shape), stage.kernel, number + i, part.probability)
        for i, (part, stage) in enumerate(zip(parts, stages, strict=True))
    ]
