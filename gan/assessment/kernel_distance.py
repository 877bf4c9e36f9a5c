"""The kernel distance between two sets of features: pure NumPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def kernel_distance(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Squared MMD, unbiased, of features (N, D) and (M, D), N and M ≥ 2, under the kernel (x·y / D + 1)³.

    Bińkowski et al. 2018, "Demystifying MMD GANs" (arXiv 1801.01401), section 4.3: KID, with the features of another
    network than theirs. About 0, and possibly negative, for two sets from one distribution.
    """
    x, y = one.astype(np.float64), other.astype(np.float64)
    within = [_off_diagonal_mean(_kernel(part, part)) for part in (x, y)]
    return float(sum(within) - 2.0 * _kernel(x, y).mean())


def _kernel(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    return (one @ other.T / one.shape[1] + 1.0) ** 3


def _off_diagonal_mean(values: NDArray[np.float64]) -> float:
    count = len(values)
    return float((values.sum() - np.trace(values)) / (count * (count - 1)))
