"""Synthesizer: any range of sample indices of (recipe, seed) as arrays.

The checks and allocations that the kernels leave out are here. Sample ``i`` is one fixed image with one fixed label,
whatever the batch size, the thread, or the machine.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from synth_engine.errors import ArrayError, RejectionError
from synth_engine.glyphs import GlyphBank
from synth_engine.kernels import MIRRORED, PIXELS, Glyphs, Plan, Scratch, render
from synth_engine.plan import plan_of
from synth_engine.recipe import Recipe

PADDING = 255


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Samples ``start`` … ``start + N - 1``.

    images: (N, H, W) uint8, ink 1 and ground 0; packed: (N, H, ceil(W / 8)) uint8 in `numpy.packbits` order.
    labels: (N, L) uint8, indices into ``alphabet``, 255 where a text is shorter than L.
    boxes: (N, L, 4) int16, x0, y0, x1, y1 in px of each character's ink before mask and noise, half-open, clipped to
    the canvas; zeros where padded.
    candidates: images drawn, rejected ones included; relabelled: texts given up because no placement passed (with
    ``redraw = "all"`` that is every rejected candidate).
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    boxes: NDArray[np.int16]
    alphabet: str
    start: int
    candidates: int
    relabelled: int

    def __len__(self) -> int:
        return len(self.labels)

    def texts(self) -> list[str]:
        """The labels as strings."""
        return ["".join(self.alphabet[i] for i in label if i != PADDING) for label in self.labels]


class FillCount(NamedTuple):
    """What a fill cost: candidates drawn and texts given up, as in `Batch`."""

    candidates: int
    relabelled: int


class Synthesizer:
    """Makes the samples of ``recipe`` under ``seed`` (0 ≤ seed < 2⁶⁴). Thread-safe; releases the GIL while drawing.

    Raises RecipeError for a recipe built from values that make no sense, and FontError for a font that cannot be used.
    """

    def __init__(self, recipe: Recipe, seed: int = 0) -> None:
        if not 0 <= seed < 2**64:
            raise ArrayError(f"`seed` is {seed}; expected an integer from 0 to 2**64 - 1", seed)
        recipe = recipe.replace()  # recipes built in Python have not been checked yet
        self.recipe, self.seed = recipe, seed
        bank = GlyphBank.of(recipe)
        self._glyphs = Glyphs(bank.rows, bank.place, bank.columns)
        self._plan: Plan = plan_of(recipe)
        self._local = threading.local()

    def __reduce__(self) -> tuple[type[Synthesizer], tuple[Recipe, int]]:
        return Synthesizer, (self.recipe, self.seed)

    def batch(self, start: int, count: int, *, packed: bool = False) -> Batch:
        """Samples ``start`` … ``start + count - 1`` in new arrays; raises RejectionError as `fill` does."""
        height, width = self.recipe.shape
        images = np.empty((count, height, (width + 7) // 8 if packed else width), np.uint8)
        labels = np.empty((count, self.recipe.length_max), np.uint8)
        boxes = np.empty((count, self.recipe.length_max, 4), np.int16)
        cost = self.fill(images, labels, start, boxes=boxes, packed=packed)
        return Batch(
            images=images, labels=labels, boxes=boxes, alphabet=self.recipe.alphabet, start=start, **cost._asdict()
        )

    def fill(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        start: int,
        *,
        boxes: NDArray[np.int16] | None = None,
        packed: bool = False,
    ) -> FillCount:
        """Write samples from ``start`` on into the caller's C-contiguous arrays (shapes as in `Batch`).

        Nothing is allocated per sample. Raises ArrayError for arrays that do not fit, and RejectionError when no
        candidate for a sample passes the filter; the samples before it have been written.
        """
        count = len(labels)
        if boxes is None:
            boxes = self._spare_boxes(count)
        self._check(images, labels, boxes, start, packed)
        failed, candidates, relabelled = render(
            self._glyphs,
            self._plan,
            self._scratch(),
            np.uint64(self.seed),
            start,
            packed,
            images,
            _as_words(images, packed),
            labels,
            boxes,
        )
        if failed >= 0:
            self._raise_rejected(start + failed)
        return FillCount(int(candidates), int(relabelled))

    def _check(self, images: object, labels: object, boxes: object, start: int, packed: bool) -> None:
        count = len(labels)  # type: ignore[arg-type]
        height, width = self.recipe.shape
        length = self.recipe.length_max
        _check_array("images", images, (count, height, (width + 7) // 8 if packed else width), np.uint8)
        _check_array("labels", labels, (count, length), np.uint8)
        _check_array("boxes", boxes, (count, length, 4), np.int16)
        if not 0 <= start <= 2**62:
            raise ArrayError(f"`start` is {start}; expected a sample index from 0 to 2**62", start)

    def _raise_rejected(self, index: int) -> None:
        tries = self._plan.filter[3]
        raise RejectionError(
            f"recipe {self.recipe.name}: the filter rejected all {tries:,} candidates for sample {index} "
            f"(100.0%); widen the placement, shorten the text, or relax `filter`",
            index,
        )

    def _scratch(self) -> Scratch:
        if not hasattr(self._local, "scratch"):
            height, width = self.recipe.shape
            pad, words = self._glyphs.rows.shape[1], (width + 63) // 64
            self._local.scratch = Scratch(
                canvas=np.zeros((height, pad + words + pad + 1), np.uint64),
                profile=np.zeros((3, pad + words + pad + 1), np.uint64),
                inked=np.zeros(words + 1, np.uint64),
                counts=np.zeros(width, np.int64),
                pixels=PIXELS,
                mirrored=MIRRORED,
                stream=np.zeros(height * width // 64 + 2, np.uint64),
                placed=np.zeros((self.recipe.length_max, 3), np.int64),
            )
        scratch: Scratch = self._local.scratch
        return scratch

    def _spare_boxes(self, count: int) -> NDArray[np.int16]:
        """Boxes nobody asked for, written to memory that the thread keeps."""
        spare: NDArray[np.int16] | None = getattr(self._local, "boxes", None)
        if spare is None or len(spare) < count:
            spare = self._local.boxes = np.empty((count, self.recipe.length_max, 4), np.int16)
        return spare[:count]


def _as_words(images: NDArray[np.uint8], packed: bool) -> NDArray[np.uint64]:
    """The same memory as 64-bit words, one row an image; no columns where an image's bytes do not divide by 8."""
    size = images[0].size if len(images) else 0
    if packed or size % 8 or images.ctypes.data % 8:
        return np.empty((len(images), 0), np.uint64)
    return images.reshape(len(images), size).view(np.uint64)


def _check_array(name: str, array: object, shape: tuple[int, ...], dtype: type[np.generic]) -> None:
    if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype != dtype:
        found = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        raise ArrayError(f"`{name}`: expected {np.dtype(dtype)} {shape}, received {found}", array)
    if not (array.flags.c_contiguous and array.flags.writeable):
        raise ArrayError(f"`{name}`: expected a writable C-contiguous array; pass a fresh one or a leading slice")
