"""Writing files whole or not at all, so that a killed process or a full disk never leaves half of one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` (same ending); on success it replaces ``path``, otherwise it is removed.

    Raises OSError as the file system does (disk full, no permission); ``path`` then keeps its former content.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def staging(path: Path) -> Iterator[Path]:
    """Give an empty hidden folder beside ``path`` to make it in, to be moved from there; the folder is removed.

    Its name follows from ``path``, so what a killed process left is cleared away by the next that makes ``path``. Only
    one process at a time may.
    """
    parts = path.parent / f".{path.name}.part"
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir(parents=True)
    try:
        yield parts
    finally:
        shutil.rmtree(parts, ignore_errors=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` and flush it to the disk before the file appears under its name."""

    def fill(temporary: Path) -> None:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    write_with(path, fill)


def write_with(path: Path, save: Callable[[Path], object]) -> None:
    """Let ``save`` (a library's own writer) fill the temporary file, then put it in place."""
    with replacing(path) as temporary:
        save(temporary)
