"""Images packed for the way between machines."""

from __future__ import annotations

import numpy as np
import pytest

from synth_engine.fast.kernels.unpack import PIXELS, unpack_rows


@pytest.mark.parametrize("width", [1, 7, 8, 9, 100, 128])
def test_unpacking_undoes_packbits(width: int) -> None:
    pixels = np.random.default_rng(width).integers(0, 2, (21, width), dtype=np.uint8)
    rows = np.full_like(pixels, 9)
    unpack_rows(np.packbits(pixels, axis=1), PIXELS, rows)
    np.testing.assert_array_equal(rows, pixels)
