"""Samples as arrays: what a caller gets, what a renderer fills, and what it returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

PADDING = 255
NO_CENTRES: NDArray[np.float32] = np.empty((0, 0, 2), np.float32)
NO_MASKS: NDArray[np.uint8] = np.empty((0, 0, 0, 0), np.uint8)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Samples ``start`` … ``start + N - 1``.

    images: (N, H, W) uint8, ink 1 and ground 0 (binary recipes) or 0–255 (grey), (N, H, W, 3) for RGB; packed binary
    images: (N, H, ceil(W / 8)) uint8 in `numpy.packbits` order.
    labels: (N, L) uint8, indices into ``alphabet``, 255 where a text is shorter than L.
    boxes: (N, L, 4) int16, x0, y0, x1, y1 in px of each character's ink before mask and noise, half-open, clipped to
    the canvas; zeros where padded.
    centres: (N, L, 2) float32, x, y in px: mean position of the pixels of each character's mask, where the middle of
    pixel (0, 0) is (0.5, 0.5); zeros where padded or wholly off the canvas. None unless they were asked for.
    masks: (N, L, H, W) uint8, 1 where a character has ink, covered by others or not. None unless they were asked for.
    candidates: images tried, rejected ones included. relabelled: texts given up because no placement passed; with
    ``redraw = "all"``, every rejected candidate.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    boxes: NDArray[np.int16]
    alphabet: str
    start: int
    candidates: int
    relabelled: int
    centres: NDArray[np.float32] | None = None
    masks: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def texts(self) -> list[str]:
        """The labels as strings."""
        return ["".join(self.alphabet[i] for i in label if i != PADDING) for label in self.labels]


class FillCount(NamedTuple):
    """What filling arrays took: candidates tried and texts given up, as in `Batch`."""

    candidates: int
    relabelled: int


class Outputs(NamedTuple):
    """Arrays to fill; shapes and dtypes as in `Batch`. Those that were not asked for are empty."""

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
    """failed: index in the batch of the first sample that no candidate passed for, or -1; the rest as in `Batch`."""

    failed: int
    candidates: int
    relabelled: int


class Renderer(Protocol):
    """Renders the samples of one (recipe, seed). Thread-safe."""

    @property
    def tries_max(self) -> int:
        """Most candidates of one sample; if all are rejected, it is an error."""

    def render(self, out: Outputs, start: int) -> Rendered:
        """Fill ``out`` with the samples from ``start`` on."""
