"""From grey to ink: the one rule that turns real images into what the engine draws.

The rule is the recipe's (`Binarize`); this module applies it and knows nothing of files.
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
    binary = rule.is_ink(grey).view(np.uint8)
    return _opened(binary, rule.open_px) if rule.open_px > 1 else binary


def _opened(ink: Ink, side_px: int) -> Ink:
    if ink.ndim == 2:
        return _open_one(ink, side_px)
    out = np.empty_like(ink)
    for image, opened in zip(ink, out, strict=True):
        opened[...] = _open_one(image, side_px)
    return out


def _open_one(ink: Ink, side_px: int) -> Ink:
    """Morphological opening of one image: erosion, then dilation by the mirrored square."""
    import cv2

    square = np.ones((side_px, side_px), np.uint8)
    first, last = (side_px - 1) // 2, side_px // 2  # mirrored anchors: with an even side one anchor would shift the ink
    ground = {"borderType": cv2.BORDER_CONSTANT, "borderValue": 0}
    eroded = cv2.erode(ink, square, anchor=(first, first), **ground)
    return np.asarray(cv2.dilate(eroded, square, anchor=(last, last), **ground), dtype=np.uint8)
