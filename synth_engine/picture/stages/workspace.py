"""The working memory of one thread: everything that a block of images needs on its way."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from synth_engine.picture.kernels.columns import PLACED

BLOCK_IMAGES = 32  # small enough that characters and pictures of a block stay in a core's cache
PARAMS = 32  # numbers that a stage may sample for an image


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """Arrays of B images with L characters on patches of S × S px, as `picture.kernels` describes them."""

    attempts: NDArray[np.int64]  # (B,) candidates that the image had before
    active: NDArray[np.bool_]  # (B,) images still without an accepted candidate
    accepted: NDArray[np.bool_]  # (B,)
    counts: NDArray[np.int64]  # (B,) characters
    fonts: NDArray[np.int64]  # (B,) faces
    placed: NDArray[np.float64]  # (B, L, PLACED), see `kernels.columns`
    ink: NDArray[np.uint8]  # (B, L, S, S)
    origin: NDArray[np.int32]  # (B, L, 2)
    extent: NDArray[np.int32]  # (B, L, 4)
    on: NDArray[np.bool_]  # (B,) images that have the stage at hand
    keys: NDArray[np.uint64]  # (B,)
    params: NDArray[np.float64]  # (B, PARAMS)
    no_attempts: NDArray[np.int64]  # (B,) zeros: painting is sampled once, whatever the attempt
    every: NDArray[np.bool_]  # (B,) ones
    levels: NDArray[np.float64]  # (B, L, C) the text's ink
    units: NDArray[np.float64]  # (B, L) uniform in [0, 1)
    means: NDArray[np.float64]  # (B,) the ground's grey level
    mark_levels: NDArray[np.float64]  # (B, 1, C) a mark's own ink
    opacity: NDArray[np.float64]  # (B,)
    cover: NDArray[np.uint8]  # (B, H, W)
    images: NDArray[np.uint8]  # (B, H, W, C)
    # Scratch of a single image.
    corners: NDArray[np.float64]  # (4, 2)
    inverse: NDArray[np.float64]  # (9,)
    patch: NDArray[np.uint8]  # see `warp_scratch`
    plane: NDArray[np.uint8]  # (H, W)
    columns: NDArray[np.int64]  # (W,)
    floats: NDArray[np.float32]  # (4, H, W, C)

    @classmethod
    def empty(cls, shape: tuple[int, int], length: int, side: int, channels: int) -> Workspace:
        """Room for `BLOCK_IMAGES` images of ``shape`` (H, W) px, ``length`` characters on patches of ``side`` px."""
        b = BLOCK_IMAGES
        return cls(
            attempts=np.zeros(b, np.int64),
            active=np.zeros(b, np.bool_),
            accepted=np.zeros(b, np.bool_),
            counts=np.zeros(b, np.int64),
            fonts=np.zeros(b, np.int64),
            placed=np.zeros((b, length, PLACED)),
            ink=np.zeros((b, length, side, side), np.uint8),
            origin=np.zeros((b, length, 2), np.int32),
            extent=np.zeros((b, length, 4), np.int32),
            on=np.zeros(b, np.bool_),
            keys=np.zeros(b, np.uint64),
            params=np.zeros((b, PARAMS)),
            no_attempts=np.zeros(b, np.int64),
            every=np.ones(b, np.bool_),
            levels=np.zeros((b, length, channels)),
            units=np.zeros((b, length)),
            means=np.zeros(b),
            mark_levels=np.zeros((b, 1, channels)),
            opacity=np.ones(b),
            cover=np.zeros((b, *shape), np.uint8),
            images=np.zeros((b, *shape, channels), np.uint8),
            corners=np.zeros((4, 2)),
            inverse=np.zeros(9),
            patch=warp_scratch(side),
            plane=np.zeros(shape, np.uint8),
            columns=np.zeros(shape[1], np.int64),
            floats=np.zeros((4, *shape, channels), np.float32),
        )

    def of(self, size: int) -> Workspace:
        """Room for the first ``size`` images, in the same memory."""
        if size == len(self.counts):
            return self
        single = {"corners", "inverse", "patch", "plane", "columns", "floats"}
        parts = {f.name: getattr(self, f.name) for f in fields(self)}
        return Workspace(**{name: array if name in single else array[:size] for name, array in parts.items()})


def warp_scratch(side_px: int) -> NDArray[np.uint8]:
    """The ``scratch`` of the warps' kernels for patches of ``side_px``; one a thread."""
    return np.empty((3, side_px + 2, side_px + 2), np.uint8)
