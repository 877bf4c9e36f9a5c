"""PictureRenderer: the samples of a recipe with a `parts.Picture`, painted block by block."""

from __future__ import annotations

import threading

import numpy as np

from synth_engine.picture.binarizing import Ender
from synth_engine.picture.kernels import labels
from synth_engine.picture.painting import Painting
from synth_engine.picture.placing import Placing
from synth_engine.picture.stages.user_stages import samples_from
from synth_engine.picture.workspace import BLOCK, Block
from synth_engine.recipe import Recipe
from synth_engine.samples import Outputs, Rendered


class PictureRenderer:
    """Draws samples of (recipe, seed) in grey, RGB, or binarised; one instance serves any number of threads."""

    def __init__(self, recipe: Recipe, seed: int) -> None:
        self._recipe, self._seed = recipe, seed
        self._placing, self._painting = Placing(recipe, np.uint64(seed)), Painting(recipe, np.uint64(seed))
        self._end = Ender(recipe) if recipe.color == "binary" else None
        self._local = threading.local()

    @property
    def tries_max(self) -> int:
        """Candidates that a sample is tried before it is an error."""
        return self._placing.tries_max

    def render(self, out: Outputs, start: int) -> Rendered:
        """Fill ``out``, whose arrays fit and are contiguous, with the samples from ``start`` on."""
        candidates = relabelled = 0
        for first in range(0, len(out.labels), BLOCK):
            block = self._block(min(BLOCK, len(out.labels) - first))
            part = out.part(first, first + BLOCK)
            with samples_from(start + first):
                failed = self._placing.place(block, part.labels, start + first)
            candidates += int(block.attempts.sum()) + len(part.labels)
            relabelled += int((block.attempts // self._placing.text_tries).sum())
            if failed >= 0:
                self.render(part.part(0, failed), start + first)  # what comes before it is whole
                return Rendered(first + failed, candidates, relabelled)
            with samples_from(start + first):
                self._write(block, part, start + first)
        return Rendered(-1, candidates, relabelled)

    def _write(self, block: Block, out: Outputs, start: int) -> None:
        layers = block.counts, block.ink, block.origin, block.extent
        labels.write_boxes(*layers, self._recipe.shape, out.boxes)
        if len(out.centres):
            labels.write_centres(*layers, self._recipe.shape, out.centres)
        if len(out.masks):
            labels.write_masks(*layers, out.masks)
        if self._end is None:
            self._painting.paint(block, out.images.reshape(block.images.shape), start)
            return
        self._painting.paint(block, block.images, start)
        if out.packed:
            self._end.finish(self._seed, start, block.images, block.cover)
            out.images[:] = np.packbits(block.cover, axis=2)
        else:
            self._end.finish(self._seed, start, block.images, out.images)

    def _block(self, size: int) -> Block:
        if not hasattr(self._local, "block"):
            self._local.block = Block.empty(
                self._recipe.shape, self._recipe.length_max, self._placing.side, self._painting.channels
            )
        whole: Block = self._local.block
        return whole.of(size)
