"""PictureRenderer: the samples of a recipe with a `Picture`, painted block by block."""

from __future__ import annotations

import threading

import numpy as np

from synth_engine.errors import RecipeError
from synth_engine.picture.binarizing import Binarizer
from synth_engine.picture.kernels import labels
from synth_engine.picture.painting import Painting
from synth_engine.picture.placing import Placing
from synth_engine.picture.stages.workspace import BLOCK_IMAGES, Workspace
from synth_engine.recipe import Recipe
from synth_engine.samples import Outputs, Rendered


class PictureRenderer:
    """Renders samples of (recipe, seed) in grey, RGB, or binarised; one instance serves any number of threads."""

    def __init__(self, recipe: Recipe, seed: int) -> None:
        picture = recipe.picture
        if picture is None:
            raise RecipeError(
                f"recipe {recipe.name} has no `picture` to paint; the fast renderer serves it", recipe.name
            )
        self._recipe, self._seed = recipe, seed
        self._placing = Placing(recipe, picture, np.uint64(seed))
        self._painting = Painting(recipe, picture, np.uint64(seed))
        self._binarizer = Binarizer(recipe) if recipe.color == "binary" else None
        self._local = threading.local()

    @property
    def tries_max(self) -> int:
        """Candidates that a sample is tried before it is an error."""
        return self._placing.tries_max

    def render(self, out: Outputs, start: int) -> Rendered:
        """Fill ``out``, whose arrays fit and are contiguous, with the samples from ``start`` on."""
        candidates = relabelled = 0
        for first in range(0, len(out.labels), BLOCK_IMAGES):
            work = self._workspace(min(BLOCK_IMAGES, len(out.labels) - first))
            part = out.part(first, first + BLOCK_IMAGES)
            failed = self._placing.place(work, part.labels, start + first)
            candidates += int(work.attempts.sum()) + len(part.labels)
            relabelled += int((work.attempts // self._placing.text_tries).sum())
            if failed >= 0:
                self.render(part.part(0, failed), start + first)  # what comes before it is whole
                return Rendered(first + failed, candidates, relabelled)
            self._write(work, part, start + first)
        return Rendered(-1, candidates, relabelled)

    def _write(self, work: Workspace, out: Outputs, start: int) -> None:
        layers = work.counts, work.ink, work.origin, work.extent
        labels.write_boxes(*layers, self._recipe.shape, out.boxes)
        if len(out.centres):
            labels.write_centres(*layers, self._recipe.shape, out.centres)
        if len(out.masks):
            labels.write_masks(*layers, out.masks)
        if self._binarizer is None:
            self._painting.paint(work, out.images.reshape(work.images.shape), start)
            return
        self._painting.paint(work, work.images, start)
        if out.packed:
            self._binarizer.binarize(self._seed, start, work.images, work.cover)
            out.images[:] = np.packbits(work.cover, axis=2)
        else:
            self._binarizer.binarize(self._seed, start, work.images, out.images)

    def _workspace(self, size: int) -> Workspace:
        if not hasattr(self._local, "workspace"):
            self._local.workspace = Workspace.empty(
                self._recipe.shape, self._recipe.length_max, self._placing.side, self._painting.channels
            )
        whole: Workspace = self._local.workspace
        return whole.of(size)
