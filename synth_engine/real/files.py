"""Which files of a path hold real images, and reading a file up to a limit."""

from __future__ import annotations

import os
import re
from pathlib import Path

from synth_engine.errors import RealImagesError
from synth_engine.picture_formats import PICTURE_SUFFIXES

CHALLENGE_SUFFIXES = frozenset({"", ".json"})
IGNORED_SUFFIXES = frozenset({".csv", ".db", ".ini", ".log", ".md", ".toml", ".tsv", ".txt", ".yaml", ".yml"})
IMAGE_BYTES_MAX = 64 * 2**20
CHALLENGE_BYTES_MAX = 256 * 2**20


def list_files(path: Path) -> list[Path]:
    """``path`` itself if it is a file, else the folder's files in natural order (challenge-2 before challenge-10).

    Hidden files, folders inside it, and lists or notes (`IGNORED_SUFFIXES`) are passed over. Raises RealImagesError if
    ``path`` is missing, cannot be opened, or no file is left.
    """
    try:
        if path.is_file():
            return [path]
        if not path.is_dir():
            raise RealImagesError(_missing(path), path)
        files = sorted((file for file in path.iterdir() if _is_wanted(file)), key=_natural)
    except OSError as error:
        raise RealImagesError(f"cannot open {path}: {error.strerror}; check its permissions", path) from error
    if not files:
        raise RealImagesError(
            f"expected images or challenge files in {path}, found none (folders inside it are not searched); give the "
            "folder that holds them",
            path,
        )
    return files


def read_limited(file: Path, bytes_max: int) -> bytes:
    """The content of ``file``; raises RealImagesError if it is longer than ``bytes_max`` or cannot be read."""
    try:
        size = file.stat().st_size
        if size > bytes_max:
            raise RealImagesError(f"expected a file of at most {bytes_max:,} bytes, received {size:,}; split it", file)
        return file.read_bytes()
    except OSError as error:
        raise RealImagesError(f"cannot be read: {error.strerror}; check the file's permissions", file) from error


def shown_name(file: Path) -> str:
    """The file's name as text that can be printed, whatever bytes it holds."""
    return os.fsencode(file.name).decode(errors="replace")


def without_ending(name: str) -> str:
    """``name`` without the ending of an image file, if it has one."""
    stem, dot, ending = name.rpartition(".")
    return stem if stem and dot + ending.lower() in PICTURE_SUFFIXES else name


def _missing(path: Path) -> str:
    return (
        f"expected a folder of images or challenge files, or one such file; {path} does not exist: check the path, or "
        "fetch the images into it first"
    )


def _is_wanted(file: Path) -> bool:
    return file.is_file() and not file.name.startswith(".") and file.suffix.lower() not in IGNORED_SUFFIXES


def _natural(file: Path) -> list[tuple[int, str]]:
    """Sort key under which runs of digits compare as numbers."""
    parts = re.split(r"([0-9]+)", file.name)
    return [(int(part), part) if k % 2 else (-1, part) for k, part in enumerate(parts)]
