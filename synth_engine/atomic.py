"""Writing files whole or not at all: a killed process or a full disk never leaves half of one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``, of the same suffix; on success it replaces ``path``, else it is removed.

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
    """Yield an empty hidden folder beside ``path`` to make ``path`` in, and to move it from; it is removed at the end.

    Its name follows from ``path``: the next process that makes ``path`` clears away what a killed one left. Only one
    process may make ``path`` at a time.
    """
    parts = path.parent / f".{path.name}.part"
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir(parents=True)
    try:
        yield parts
    finally:
        shutil.rmtree(parts, ignore_errors=True)


def write_bytes(path: Path, content: bytes, *, flush: bool = True) -> None:
    """Write ``content``; with ``flush`` it is on the disk before the file appears under its name.

    Without it, thousands of small files take seconds instead of minutes, and a power cut may leave some empty.
    """

    def fill(temporary: Path) -> None:
        with temporary.open("wb") as file:
            file.write(content)
            if flush:
                file.flush()
                os.fsync(file.fileno())

    write_with(path, fill)


def write_with(path: Path, save: Callable[[Path], object]) -> None:
    """Let ``save``, such as a library's own writer, fill a temporary file, then put it in the place of ``path``."""
    with replacing(path) as temporary:
        save(temporary)
