"""Which batches a stream delivers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from synth_engine.errors import StreamError
from synth_engine.recipe import Recipe
from synth_engine.synthesizer import SAMPLES_MAX


@dataclass(frozen=True, kw_only=True)
class StreamPlan:
    """Batches ``start_batch``, ``start_batch + 1``, … of (recipe, seed): ``batches`` of them, or without end.

    Batch b holds samples b·batch_size … (b + 1)·batch_size - 1. Raises StreamError for numbers out of range.
    """

    recipe: Recipe
    seed: int
    batch_size: int
    start_batch: int = 0
    batches: int | None = None

    def __post_init__(self) -> None:
        _at_least("batch_size", self.batch_size, 1)
        _at_least("start_batch", self.start_batch, 0)
        if self.batches is not None:
            _at_least("batches", self.batches, 0)
        if (self.start_batch + (self.batches or 1)) * self.batch_size > SAMPLES_MAX:
            raise StreamError(
                f"`start_batch` is {self.start_batch}; expected batches that end at sample 2**62 at the latest",
                self.start_batch,
            )

    @property
    def shapes(self) -> tuple[tuple[int, ...], tuple[int, int], tuple[int, int, int]]:
        """Shapes of a batch's images (N, H, W) or (N, H, W, 3), labels (N, L) and boxes (N, L, 4)."""
        size, length = self.batch_size, self.recipe.length_max
        return (size, *self.recipe.image_shape), (size, length), (size, length, 4)

    @property
    def batch_bytes(self) -> int:
        """Size of one batch's images, labels and boxes."""
        return self.batch_size * (math.prod(self.recipe.image_shape) + 9 * self.recipe.length_max)

    def indices(self) -> Iterator[int]:
        """Indices of the batches, in order."""
        return count(self.start_batch) if self.batches is None else iter(range(self.start_batch, self.stop_batch))

    @property
    def stop_batch(self) -> int:
        """Index after the last batch's; raises StreamError for a plan without end."""
        if self.batches is None:
            raise StreamError("an endless stream has no last batch; give `batches`")
        return self.start_batch + self.batches


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise StreamError(f"`{name}` is {value}; expected an integer of at least {least}", value)
