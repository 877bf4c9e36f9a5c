"""Superbatches: several batches in one block of bytes, and the memory that actors on this machine render into.

On the consumer's machine actors render straight into a `SharedBlock`, so nothing is copied. From other machines a block
comes through Ray's object store, binary images as one bit a pixel. A batch is a view of its block unless it must be
unpacked, and `Holds` counts the blocks that the consumer still refers to.
"""

from __future__ import annotations

import math
import mmap
import os
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from synth_engine.stream.core.buffers import ALIGNMENT
from synth_engine.stream.core.plan import StreamPlan


class SuperbatchLayout:
    """Where the arrays of one batch lie in its row of a block: each on a 64-byte boundary, which TensorFlow aliases.

    ``packed``: binary images as one bit a pixel, (N, H, ceil(W / 8)) in `numpy.packbits` order; others as they are.
    """

    def __init__(self, plan: StreamPlan, *, packed: bool = False) -> None:
        self.packed = packed and plan.recipe.color == "binary"
        images, labels, boxes = plan.shapes
        if self.packed:
            images = (*images[:2], math.ceil(images[2] / 8))
        self._parts: list[tuple[int, int, tuple[int, ...], str]] = []
        first = 0
        for shape, dtype in ((images, "u1"), (labels, "u1"), (boxes, "i2")):
            size = math.prod(shape) * np.dtype(dtype).itemsize
            self._parts.append((first, first + size, shape, dtype))
            first += math.ceil(size / ALIGNMENT) * ALIGNMENT
        self.row_bytes = first

    def views(self, row: NDArray[np.uint8]) -> list[NDArray[Any]]:
        """Images, labels and boxes of the batch in ``row`` (row_bytes,)."""
        return [row[first:last].view(dtype).reshape(shape) for first, last, shape, dtype in self._parts]


class BlockName(NamedTuple):
    """How another process on the same node opens a shared block; the inode proves that it is the same block."""

    node: str
    pid: int
    descriptor: int
    inode: int
    size: int


class SharedBlock:
    """``size`` bytes of memory without a name in any file system: freed with the last process that maps them.

    That holds however the processes end, SIGKILL included, so nothing is left to clean up. Linux alone has it:
    elsewhere `supported` is False.
    """

    supported = hasattr(os, "memfd_create")

    def __init__(self, size: int, node: str) -> None:
        self._descriptor = os.memfd_create("synth-stream")
        os.ftruncate(self._descriptor, size)
        inode = os.fstat(self._descriptor).st_ino
        self.name = BlockName(node, os.getpid(), self._descriptor, inode, size)
        self.memory: NDArray[np.uint8] = np.frombuffer(mmap.mmap(self._descriptor, size), np.uint8)

    def close(self) -> None:
        """Let no other process open it; existing maps stay."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def open_block(name: BlockName) -> NDArray[np.uint8] | None:
    """The block's memory in this process; None where it is out of reach (another container, another user)."""
    try:
        descriptor = os.open(f"/proc/{name.pid}/fd/{name.descriptor}", os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        if os.fstat(descriptor).st_ino != name.inode:
            return None
        mapped = mmap.mmap(descriptor, name.size, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE)
        return np.frombuffer(mapped, np.uint8)
    except OSError:
        return None
    finally:
        os.close(descriptor)


class Holds:
    """Counts the blocks lent to the consumer, each until the last array or tensor that refers to it is gone."""

    def __init__(self) -> None:
        self._lent: list[None] = []  # its length is the count: `append` and `pop` are atomic, `+=` is not

    def __len__(self) -> int:
        return len(self._lent)

    def lend(self, memory: NDArray[np.uint8], shared: SharedBlock | None, free: list[SharedBlock]) -> NDArray[np.uint8]:
        """The same bytes, read-only; ``shared`` is added to ``free`` once nothing refers to them any more."""
        lent = np.asarray(_Hold(memory, self._lent, shared, free))
        lent.flags.writeable = False
        return lent


class _Hold:
    """A lent block: NumPy keeps it as the base of every view."""

    __slots__ = ("__array_interface__", "_free", "_lent", "_memory", "_shared")

    def __init__(
        self, memory: NDArray[np.uint8], lent: list[None], shared: SharedBlock | None, free: list[SharedBlock]
    ) -> None:
        self.__array_interface__ = memory.__array_interface__
        self._memory, self._lent, self._shared, self._free = memory, lent, shared, free
        lent.append(None)

    def __del__(self) -> None:
        self._lent.pop()
        if self._shared is not None:
            self._free.append(self._shared)
