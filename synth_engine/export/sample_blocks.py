"""The samples of a shard in blocks, with their pictures as PNG."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth_engine.errors import ArrayError
from synth_engine.export.plan import ExportPlan
from synth_engine.samples import Batch
from synth_engine.synthesizer import Synthesizer

BLOCK_SAMPLES_MAX = 512
BLOCK_BYTES_MAX = 64 << 20


@dataclass(frozen=True)
class SampleBlock:
    """Consecutive samples: their `Batch`, and what is stored of it. ``color`` is the recipe's."""

    batch: Batch
    color: str

    def __len__(self) -> int:
        return len(self.batch)

    @property
    def indices(self) -> range:
        """Index of each sample."""
        return range(self.batch.start, self.batch.start + len(self))

    def names(self) -> list[str]:
        """The indices in nine digits or more."""
        return [f"{index:09d}" for index in self.indices]

    def picture(self, i: int) -> bytes:
        """Sample ``i`` of the block as PNG: 8-bit grey (H, W), ink of binary recipes 255, or 8-bit RGB."""
        image = self.batch.images[i]
        return _encode(image * np.uint8(255) if self.color == "binary" else image)

    def mask(self, i: int) -> bytes:
        """The masks of sample ``i`` as PNG (L·H, W), 0 or 255: one character's ink below the other's, then zeros.

        Raises ArrayError for a block without masks.
        """
        if self.batch.masks is None:
            raise ArrayError("this block has no masks; expected a plan with `masks=True`")
        planes = self.batch.masks[i].reshape(-1, self.batch.masks.shape[-1])
        return _encode(np.where(planes != 0, np.uint8(255), np.uint8(0)))


def blocks_of(synth: Synthesizer, plan: ExportPlan, shard: int, tick: Callable[[int], object]) -> Iterator[SampleBlock]:
    """The blocks of ``shard`` in order; after each, ``tick`` gets the number of its samples."""
    span, most = plan.span(shard), block_size(plan)
    for first in range(span.start, span.stop, most):
        batch = synth.batch(first, min(most, span.stop - first), masks=plan.masks)
        yield SampleBlock(batch, plan.recipe.color)
        tick(len(batch))


def block_size(plan: ExportPlan) -> int:
    """Samples in a block: as many as fit into `BLOCK_BYTES_MAX`, at most `BLOCK_SAMPLES_MAX`."""
    pixels = math.prod(plan.recipe.image_shape)
    masks = plan.recipe.length_max * math.prod(plan.recipe.shape) if plan.masks else 0
    return max(1, min(BLOCK_SAMPLES_MAX, BLOCK_BYTES_MAX // (pixels + masks)))


def _encode(image: NDArray[np.uint8]) -> bytes:
    import cv2  # encodes these images twice as fast as Pillow

    rgb = image.ndim == 3
    done, content = cv2.imencode(".png", image[..., ::-1] if rgb else image, _options(cv2, rgb))
    if not done:
        raise ValueError(f"OpenCV cannot write an image of shape {image.shape} as PNG")
    return bytes(content)


def _options(cv2: Any, rgb: bool) -> list[int]:
    """Run lengths make flat pictures a fifth smaller than string matches do, and faster; colour gains by matches."""
    strategy = cv2.IMWRITE_PNG_STRATEGY_DEFAULT if rgb else cv2.IMWRITE_PNG_STRATEGY_RLE
    return [
        cv2.IMWRITE_PNG_COMPRESSION, 1,
        cv2.IMWRITE_PNG_STRATEGY, strategy,
        cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE,
    ]  # fmt: skip
