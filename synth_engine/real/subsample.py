"""Taking some of many images, spread over all of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def evenly(count: int, wanted: int) -> npt.NDArray[np.intp]:
    """Ascending indices of ``wanted`` of ``count`` items, first and last included; of all where there are fewer.

    >>> evenly(10, 4)
    array([0, 3, 6, 9])
    """
    return np.unique(np.linspace(0, count - 1, min(wanted, count)).astype(np.intp))
