"""Images as they travel between machines: a bit a pixel, and back."""

from __future__ import annotations

import numpy as np
from numba import njit, uint64

PIXELS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).copy().view("<u8").ravel()


@njit(cache=True, nogil=True)
def unpack_rows(packed, pixels, rows):
    """Write ``rows`` (R, W) uint8 {0, 1} from ``packed`` (R, ceil(W / 8)) uint8 in `numpy.packbits` order.

    ``pixels`` (256,) uint64 is `PIXELS`: the eight pixels of each byte, as bytes.
    """
    whole = rows.shape[1] >> 3
    for r in range(rows.shape[0]):
        for j in range(whole):
            eight = pixels[packed[r, j]]
            for k in range(8):
                rows[r, 8 * j + k] = np.uint8(eight >> uint64(8 * k))
        for x in range(8 * whole, rows.shape[1]):
            rows[r, x] = (packed[r, whole] >> np.uint8(7 - (x & 7))) & np.uint8(1)
