"""Memory for batches: aligned for TensorFlow, and used again only once nobody refers to it any more.

A fresh allocation of some megabytes costs one page fault for every 4 KiB, about as much time as drawing the images
that go into it. A pool keeps the memory instead. Whoever holds an array (or a view of one, or a tensor that aliases
it) holds its memory, so a batch that was handed out is never overwritten.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

ALIGNMENT = 64  # TensorFlow aliases NumPy memory on such boundaries and copies it elsewhere


def aligned_empty(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """A new uninitialised C-contiguous array whose first byte lies on a 64-byte boundary."""
    return _aligned_bytes(math.prod(shape) * np.dtype(dtype).itemsize).view(dtype).reshape(shape)


class BufferPool:
    """Hands out arrays like `aligned_empty` does, from memory that comes back by itself.

    ``keep``: blocks of one size that are kept while unused; further ones are freed. Safe to use from several threads.
    """

    def __init__(self, keep: int) -> None:
        self._unused: defaultdict[int, deque[NDArray[np.uint8]]] = defaultdict(lambda: deque(maxlen=keep))

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """An uninitialised C-contiguous array on a 64-byte boundary that shares no memory with any living array."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        unused = self._unused[size]
        try:
            memory = unused.pop()
        except IndexError:
            memory = _aligned_bytes(size)
        return np.asarray(_Loan(memory, unused)).view(dtype).reshape(shape)


class _Loan:
    """Owner of one block: NumPy keeps it as the base of every array and view made of the block."""

    __slots__ = ("__array_interface__", "_memory", "_unused")

    def __init__(self, memory: NDArray[np.uint8], unused: deque[NDArray[np.uint8]]) -> None:
        self.__array_interface__ = memory.__array_interface__
        self._memory, self._unused = memory, unused

    def __del__(self) -> None:
        self._unused.append(self._memory)


def _aligned_bytes(size: int) -> NDArray[np.uint8]:
    memory = np.empty(size + ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % ALIGNMENT
    return memory[first : first + size]
