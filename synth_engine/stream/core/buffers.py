"""Memory for batches: aligned for TensorFlow, and reused only when nothing refers to it any more.

A fresh allocation of some megabytes costs a page fault for every 4 KiB, about as much time as rendering the images
that go into it. A pool keeps the memory instead. An array, a view of one, or a tensor that aliases it keeps its memory
alive, so a delivered batch is never overwritten.
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
    """Lends arrays like those of `aligned_empty`; their memory returns when the last reference to it is gone.

    ``keep`` is how many unused arrays of one shape and dtype are kept; further ones are freed. The array that returned
    last is lent first, while the processor's cache still holds some of it. Safe to use from several threads.
    """

    def __init__(self, keep: int) -> None:
        self._unused: defaultdict[tuple[object, ...], _Unused] = defaultdict(lambda: deque(maxlen=keep))

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """An uninitialised C-contiguous array on a 64-byte boundary that shares no memory with any living array."""
        unused = self._unused[shape, dtype]
        try:
            memory = unused.pop()
        except IndexError:
            memory = _Memory(shape, dtype)
        return np.asarray(_Loan(memory, unused))


class _Memory:
    """An array's memory, and its array interface: building that costs more than lending the array."""

    __slots__ = ("array", "interface")

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self.array = aligned_empty(shape, dtype)
        self.interface = self.array.__array_interface__


_Unused = deque[_Memory]


class _Loan:
    """Owner of lent memory: NumPy keeps it as the base of the array and of every view made of that."""

    __slots__ = ("__array_interface__", "_memory", "_unused")

    def __init__(self, memory: _Memory, unused: _Unused) -> None:
        self.__array_interface__ = memory.interface
        self._memory, self._unused = memory, unused

    def __del__(self) -> None:
        self._unused.append(self._memory)


def _aligned_bytes(size: int) -> NDArray[np.uint8]:
    memory = np.empty(size + ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % ALIGNMENT
    return memory[first : first + size]
