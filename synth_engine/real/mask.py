"""Ink that all images share, such as the fixed lines of a captcha: found by counting how often each pixel is inked.

Images are counted in blocks, so that little memory is needed beside them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synth_engine.errors import RealImagesError

Ink = npt.NDArray[np.uint8]

_BLOCK_IMAGES = 1024


def ink_counts(images: Ink) -> npt.NDArray[np.int64]:
    """In how many of the images (N, H, W), uint8 {0, 1}, each pixel is inked: (H, W) int64.

    Raises RealImagesError without at least one image.
    """
    if images.ndim != 3 or len(images) == 0:
        raise RealImagesError(f"expected binary images (N, H, W) with N ≥ 1, received {images.shape}; read some first")
    counts = np.zeros(images.shape[1:], np.int64)
    for start in range(0, len(images), _BLOCK_IMAGES):
        counts += images[start : start + _BLOCK_IMAGES].sum(axis=0, dtype=np.uint16)
    return counts


def mean_mask(images: Ink, share: float = 0.9) -> Ink:
    """Pixels inked in more than ``share`` (0 ≤ share < 1) of the images (N, H, W): uint8 {0, 1} of shape (H, W)."""
    if not 0 <= share < 1:
        raise RealImagesError(f"expected a share from 0 to below 1, received {share}", share)
    return (ink_counts(images) > share * len(images)).astype(np.uint8)


def and_mask(images: Ink, tolerance: int | float = 0) -> Ink:
    """The bit-wise AND of all images (N, H, W), uint8 {0, 1}: (H, W), with a tolerance.

    A pixel is kept if at most ``tolerance`` images lack it. An int counts images, a float (0 ≤ tolerance < 1) is a
    share of them; 0 is the plain AND.
    """
    is_share = isinstance(tolerance, float)
    if tolerance < 0 or (is_share and tolerance >= 1):
        raise RealImagesError(
            f"expected images (int ≥ 0) or a share (float below 1) as tolerance, received {tolerance}"
        )
    lacking = len(images) - ink_counts(images)
    return (lacking <= (tolerance * len(images) if is_share else tolerance)).astype(np.uint8)


def remove_mask(images: Ink, mask: Ink) -> Ink:
    """The images, (H, W) or (N, H, W) uint8 {0, 1}, without ink where ``mask`` (H, W) has it."""
    return np.where(mask == 0, images, np.uint8(0))
