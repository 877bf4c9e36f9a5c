"""Compiled kernels of the picture path: Numba code only, no checks, no allocation an image, nothing global.

Every kernel works on a block of B images and gets what `sampling.sample_stage` sampled for one stage,

    on (B,) bool        the images that have the stage; all others must stay as they are
    params (B, P) f8    the sampled numbers, in the order of the stage's columns
    keys (B,) uint64    a key an image for whatever else is sampled: its words from `njit.random.FREE_WORD` on

and then, by domain, in place:

    warp     (on, params, keys, counts, ink, origin, extent, scratch, height, width)
             ink (B, L, S, S) uint8 coverage of each character on a patch of its own, 0 outside `extent`;
             origin (B, L, 2) int32 x, y of the patch's top left on the canvas, anywhere on or off it;
             extent (B, L, 4) int32 x0, y0, x1, y1 of the patch's non-zero part, half-open; empty: all 0;
             counts (B,) int64 characters; scratch (3, S + 2, S + 2) uint8, any content; height, width of the canvas
    clutter  (on, params, keys, cover)
             cover (B, H, W) uint8 coverage, 0 where `on`; marks are painted with `max`
    camera   (on, params, keys, images, scratch)
             images (B, H, W, C) uint8; scratch (4, H, W, C) float32, any content

Lengths are in px. A pixel (x, y) covers [x, x+1) × [y, y+1); its middle is (x + ½, y + ½). Coverage 255 is full ink.
Levels are 0–255. The kernels of the stages are in `picture.kernels.stages`.
"""

from __future__ import annotations

from pathlib import Path

from synth_engine import njit
from synth_engine.cache import kernel_cache

FOLDER = Path(__file__).parent  # a part of the stages' cache's key, which inline these functions

with kernel_cache(FOLDER, njit.FOLDER):
    from synth_engine.picture.kernels import (
        blend,
        characters,
        columns,
        homography,
        ink_levels,
        labels,
        layout,
        resample,
        sampling,
        texts,
        trig,
    )

__all__ = [
    "FOLDER",
    "blend",
    "characters",
    "columns",
    "homography",
    "ink_levels",
    "labels",
    "layout",
    "resample",
    "sampling",
    "texts",
    "trig",
]
