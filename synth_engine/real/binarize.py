"""From grey to ink: the rule that turns real images into binary ones, as the engine renders them.

The rule is the recipe's (`Binarize`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synth_engine.errors import RealImagesError
from synth_engine.recipe import Binarize

Ink = npt.NDArray[np.uint8]


def binarize(grey: npt.NDArray[np.uint8], rule: Binarize) -> Ink:
    """Ink of grey images: uint8 {0, 1} of the same shape, (H, W) or (N, H, W), from uint8 0..255.

    Ink is value > threshold (``light``) or value < threshold (``dark``), and value == 0 with ``zero_is_ink``; then,
    with ``open_px``, only pixels that some all-ink square of that side (within the image) covers. Raises
    RealImagesError for another shape or dtype.
    """
    if grey.dtype != np.uint8 or grey.ndim not in (2, 3):
        raise RealImagesError(
            f"expected grey images (H, W) or (N, H, W) of uint8, received {grey.shape} of {grey.dtype}"
        )
    ink = np.ascontiguousarray(rule.is_ink(grey)).view(np.uint8)
    if rule.open_px > 1 and ink.size:
        _open(ink, rule.open_px)
    return ink


def _open(ink: Ink, side_px: int) -> None:
    """Open contiguous ``ink`` in place, by the code that opens synthetic ink."""
    from synth_engine.njit.finishing import new_canvas, open_images  # Numba is loaded with the first opening

    height, width = ink.shape[-2:]
    open_images(ink.reshape(-1), height, width, side_px, new_canvas(height, width))
