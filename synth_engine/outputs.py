"""What a renderer is given to fill, and what it gives back: shared by the fast path and the picture path."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

NO_CENTRES: NDArray[np.float32] = np.empty((0, 0, 2), np.float32)
NO_MASKS: NDArray[np.uint8] = np.empty((0, 0, 0, 0), np.uint8)


class Outputs(NamedTuple):
    """Arrays that fit; shapes and dtypes as in `synthesizer.Batch`. What was not asked for is empty."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    boxes: NDArray[np.int16]
    centres: NDArray[np.float32] = NO_CENTRES
    masks: NDArray[np.uint8] = NO_MASKS
    packed: bool = False

    def part(self, first: int, last: int) -> Outputs:
        """Samples ``first`` … ``last - 1`` of the same arrays."""
        images, labels, boxes = self.images[first:last], self.labels[first:last], self.boxes[first:last]
        return Outputs(images, labels, boxes, self.centres[first:last], self.masks[first:last], self.packed)


class Rendered(NamedTuple):
    """failed: index in the batch of the sample that no candidate passed for, or -1; the rest as in `Batch`."""

    failed: int
    candidates: int
    relabelled: int


class Renderer(Protocol):
    """Draws the samples of one (recipe, seed). Thread-safe."""

    @property
    def tries_max(self) -> int:
        """Candidates that a sample is tried before it is an error."""

    def render(self, out: Outputs, start: int) -> Rendered:
        """Fill ``out`` with the samples from ``start`` on."""
