"""Which of many real images to take: some, spread over all of them, or all of them in random order, pass after pass."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt


def evenly(count: int, wanted: int) -> npt.NDArray[np.intp]:
    """Ascending indices of ``wanted`` of ``count`` items, first and last included; of all where there are fewer.

    >>> evenly(10, 4)
    array([0, 3, 6, 9])
    """
    return np.unique(np.linspace(0, count - 1, min(wanted, count)).astype(np.intp))


def pass_indices(total: int, start: int, count: int, seed: int) -> npt.NDArray[np.int64]:
    """Elements ``start`` … ``start`` + ``count`` - 1 of an endless series of permutations of range(``total``).

    Each follows from (``seed``, its position) alone, so that a resumed run goes on where it stopped::

        pass_indices(3, 1, 6, seed=0)  # [0, 1,  2, 0, 1,  2]: the rest of a pass, another one, the start of a third
    """
    first, last = start // total, -(-(start + count) // total)
    passes = [_permutation(total, seed, number) for number in range(first, last)]
    return np.concatenate([*passes, np.empty(0, np.int64)])[start - first * total :][:count]


@lru_cache(maxsize=4)
def _permutation(total: int, seed: int, number: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng([seed, number]).permutation(total)
