"""Kernels of the stages, one module a kind of stage; `picture.kernels` says what each domain's kernels are given."""

from __future__ import annotations

from pathlib import Path

from synth_engine import njit
from synth_engine.cache import kernel_cache
from synth_engine.picture import kernels

with kernel_cache(Path(__file__).parent, kernels.FOLDER, njit.FOLDER):
    from synth_engine.picture.kernels.stages import (
        binarizing,
        blur,
        clutter,
        ground,
        noise,
        rescale,
        strokes,
        thickness,
        warps,
    )

__all__ = ["binarizing", "blur", "clutter", "ground", "noise", "rescale", "strokes", "thickness", "warps"]
