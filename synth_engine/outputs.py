"""What a renderer is given to fill, and what it gives back: shared by the fast path and the picture path."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class Outputs(NamedTuple):
    """The caller's arrays, checked: shapes and dtypes as in `synthesizer.Batch`; ``masks`` has no samples if unasked."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    boxes: NDArray[np.int16]
    centres: NDArray[np.float32]
    masks: NDArray[np.uint8]
    packed: bool


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
