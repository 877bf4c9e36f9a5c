"""Synthesizer: any range of samples of (recipe, seed) as arrays.

It checks and allocates, which the renderers do not. Sample ``i`` is one fixed image with one fixed label, for any batch
size, thread or machine.
"""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from synth_engine.errors import ArrayError, RejectionError
from synth_engine.recipe import Recipe
from synth_engine.samples import NO_CENTRES, NO_MASKS, Batch, FillCount, Outputs, Renderer

SAMPLES_MAX = 2**62


class Synthesizer:
    """Makes the samples of ``recipe`` under ``seed`` (0 ≤ seed < 2⁶⁴). Thread-safe; releases the GIL while it renders.

    Raises RecipeError for a recipe that makes no sense. Raises FontError for a font that is missing, lacks a character
    of the recipe, draws one past the tile, or draws one like the other case.
    """

    def __init__(self, recipe: Recipe, seed: int = 0) -> None:
        if not 0 <= seed < 2**64:
            raise ArrayError(f"`seed` is {seed}; expected an integer from 0 to 2**64 - 1", seed)
        recipe = recipe.checked()  # it may have been built in Python, where nothing checks the types
        self.recipe, self.seed = recipe, seed
        self._renderer = _renderer(recipe, seed)
        self._local = threading.local()

    def __reduce__(self) -> tuple[type[Synthesizer], tuple[Recipe, int]]:
        return Synthesizer, (self.recipe, self.seed)

    def batch(
        self, start: int, count: int, *, packed: bool = False, centres: bool = False, masks: bool = False
    ) -> Batch:
        """Samples ``start`` … ``start + count - 1`` in new arrays; raises RejectionError as `fill` does."""
        shapes = self._shapes(count, packed)
        images, labels = np.empty(shapes["images"], np.uint8), np.empty(shapes["labels"], np.uint8)
        boxes = np.empty(shapes["boxes"], np.int16)
        middles = np.empty(shapes["centres"], np.float32) if centres else None
        inks = np.empty(shapes["masks"], np.uint8) if masks else None
        cost = self.fill(images, labels, start, boxes=boxes, centres=middles, masks=inks, packed=packed)
        return Batch(
            images=images,
            labels=labels,
            boxes=boxes,
            alphabet=self.recipe.alphabet,
            start=start,
            candidates=cost.candidates,
            relabelled=cost.relabelled,
            centres=middles,
            masks=inks,
        )

    def fill(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        start: int,
        *,
        boxes: NDArray[np.int16] | None = None,
        centres: NDArray[np.float32] | None = None,
        masks: NDArray[np.uint8] | None = None,
        packed: bool = False,
    ) -> FillCount:
        """Write samples from ``start`` on into the caller's C-contiguous arrays, of the shapes and dtypes of `Batch`.

        Nothing is allocated per sample. Raises ArrayError for arrays that do not fit. Raises RejectionError when no
        candidate of a sample passes the filter; the samples before it are written.
        """
        count = len(labels)
        if boxes is None:
            boxes = self._spare_boxes(count)
        out = Outputs(
            images=images,
            labels=labels,
            boxes=boxes,
            centres=NO_CENTRES if centres is None else centres,
            masks=NO_MASKS if masks is None else masks,
            packed=packed,
        )
        self._check(out, count, start, asked={"centres": centres is not None, "masks": masks is not None})
        return self.fill_unchecked(out, start)

    def fill_unchecked(self, out: Outputs, start: int) -> FillCount:
        """As `fill`, into arrays that are known to fit, such as a stream's own; raises RejectionError."""
        failed, candidates, relabelled = self._renderer.render(out, start)
        if failed >= 0:
            self._raise_rejected(start + failed)
        return FillCount(candidates, relabelled)

    def _shapes(self, count: int, packed: bool) -> dict[str, tuple[int, ...]]:
        (height, width), length = self.recipe.shape, self.recipe.length_max
        return {
            "images": (count, height, (width + 7) // 8) if packed else (count, *self.recipe.image_shape),
            "labels": (count, length),
            "boxes": (count, length, 4),
            "centres": (count, length, 2),
            "masks": (count, length, height, width),
        }

    def _check(self, out: Outputs, count: int, start: int, asked: dict[str, bool]) -> None:
        if out.packed and self.recipe.color != "binary":
            raise ArrayError(f"`packed` is for binary recipes; {self.recipe.name} is {self.recipe.color}", out.packed)
        dtypes: dict[str, type[np.generic]] = {
            "images": np.uint8,
            "labels": np.uint8,
            "boxes": np.int16,
            "centres": np.float32,
            "masks": np.uint8,
        }
        for name, shape in self._shapes(count, out.packed).items():
            if asked.get(name, True):
                _check_array(name, getattr(out, name), shape, dtypes[name])
        if not 0 <= start <= SAMPLES_MAX:
            raise ArrayError(f"`start` is {start}; expected a sample index from 0 to 2**62", start)

    def _raise_rejected(self, index: int) -> None:
        limits = self.recipe.picture and self.recipe.picture.limits
        rules = [name for name, rule in (("filter", self.recipe.filter), ("picture.limits", limits)) if rule]
        raise RejectionError(
            f"recipe {self.recipe.name}: the {' and '.join(name.rpartition('.')[2] for name in rules)} rejected all "
            f"{self._renderer.tries_max:,} candidates for sample {index} (100.0%); widen the placement, shorten the "
            f"text, or relax {' or '.join(f'`{name}`' for name in rules)}",
            index,
        )

    def _spare_boxes(self, count: int) -> NDArray[np.int16]:
        """Memory of this thread for boxes that nobody asked for."""
        spare: NDArray[np.int16] | None = getattr(self._local, "boxes", None)
        if spare is None or len(spare) < count:
            spare = self._local.boxes = np.empty((count, self.recipe.length_max, 4), np.int16)
        return spare[:count]


def _renderer(recipe: Recipe, seed: int) -> Renderer:
    # Imported here because renderers load Numba: importing the package alone does not need it.
    if recipe.picture is not None:
        from synth_engine.picture.renderer import PictureRenderer

        return PictureRenderer(recipe, seed)
    from synth_engine.fast.renderer import BinaryRenderer

    return BinaryRenderer(recipe, seed)


def _check_array(name: str, array: object, shape: tuple[int, ...], dtype: type[np.generic]) -> None:
    if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype != dtype:
        found = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        raise ArrayError(f"`{name}`: expected {np.dtype(dtype)} {shape}, received {found}", array)
    if not (array.flags.c_contiguous and array.flags.writeable):
        raise ArrayError(f"`{name}`: expected a writable C-contiguous array; pass a fresh one or a leading slice")
