"""The real images one by one, as grey pixels: from a folder of them, from challenge files, or from one file.

Every image becomes one `Found`, lazily and in a fixed order; an image that cannot be read is named with its reason, and
the rest are read. `intake` decides which can be used.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from synth_engine.errors import RealImagesError
from synth_engine.picture_formats import PICTURE_FORMATS, PICTURE_SUFFIXES, opaque
from synth_engine.real.challenge import parse_challenge
from synth_engine.real.files import (
    CHALLENGE_BYTES_MAX,
    CHALLENGE_SUFFIXES,
    IMAGE_BYTES_MAX,
    list_files,
    read_limited,
    shown_name,
    without_ending,
)

PIXELS_MAX = 4_000_000

_EXPECTED = "expected a picture (png, jpg, jpeg, bmp, webp) or a challenge file (.json or without an ending)"


@dataclass(frozen=True, slots=True)
class Found:
    """One image: its name without an ending, and its pixels or what is wrong with it.

    ``grey`` is (H, W) uint8, 0 black to 255 white; None where ``problem`` says what is damaged.
    """

    name: str
    grey: npt.NDArray[np.uint8] | None
    problem: str | None = None


def iter_grey(path: str | Path) -> Iterator[Found]:
    """Every image in ``path``, lazily: a folder of images or of challenge files, one challenge file or one image.

    Files of a folder come in natural order (challenge-2 before challenge-10); folders inside it, hidden files, lists
    and notes (`files.IGNORED_SUFFIXES`) are passed over. Raises RealImagesError at once if ``path`` is missing, cannot
    be opened or holds no file to read; a damaged file or entry is given with its ``problem`` instead.
    """
    files = list_files(Path(path))
    return (found for file in files for found in _found_in(file))


def iter_listed(lines: Iterable[str]) -> Iterator[Found]:
    """The images of a list of paths, one a line; a path that `iter_grey` refuses is given with its ``problem``."""
    for path in filter(None, (line.rstrip("\r\n") for line in lines)):
        try:
            yield from iter_grey(path)
        except RealImagesError as error:
            yield Found(path, None, str(error))


def image_count(path: str | Path) -> int | None:
    """How many images `iter_grey` gives for ``path``; None where challenge files would have to be opened for that."""
    files = list_files(Path(path))
    return len(files) if all(file.suffix.lower() in PICTURE_SUFFIXES for file in files) else None


def decode_grey(content: bytes) -> npt.NDArray[np.uint8]:
    """A compressed picture as (H, W) uint8 grey (ITU-R 601 luma); transparent parts are laid on white.

    Raises RealImagesError if it is no PNG, JPEG, BMP or WebP, is damaged, or has more than `PIXELS_MAX` pixels.
    """
    try:
        with Image.open(io.BytesIO(content), formats=PICTURE_FORMATS) as picture:
            width, height = picture.size
            if width * height > PIXELS_MAX:
                raise RealImagesError(f"expected at most {PIXELS_MAX:,} px, received {width}x{height} px", picture.size)
            return np.array(opaque(picture).convert("L"))
    except RealImagesError:
        raise
    except UnidentifiedImageError as error:
        raise RealImagesError(f"expected a picture in {', '.join(PICTURE_FORMATS)}, received none of these") from error
    except Exception as error:  # Pillow raises SyntaxError, struct.error, zlib.error and more on damaged data
        raise RealImagesError(f"damaged picture: {error}") from error


def _found_in(file: Path) -> Iterator[Found]:
    name, ending = shown_name(file), file.suffix.lower()
    try:
        if ending in PICTURE_SUFFIXES:
            yield _decoded(without_ending(name), read_limited(file, IMAGE_BYTES_MAX))
        elif ending in CHALLENGE_SUFFIXES:
            yield from _sniffed(name, read_limited(file, CHALLENGE_BYTES_MAX))
        else:
            yield Found(name, None, f"{_EXPECTED}, received *{ending}; move it elsewhere")
    except RealImagesError as error:
        yield Found(name, None, str(error))


def _sniffed(name: str, content: bytes) -> Iterator[Found]:
    """The images of a file whose name does not tell what it holds: JSON, or else one picture."""
    if content.lstrip()[:1] not in (b"{", b"["):
        found = _decoded(name, content)
        yield Found(name, None, f"{_EXPECTED}, received neither") if found.problem else found
        return
    for entry in parse_challenge(content, name):
        yield Found(entry.name, None, entry.problem) if entry.content is None else _decoded(entry.name, entry.content)


def _decoded(name: str, content: bytes) -> Found:
    try:
        return Found(name, decode_grey(content))
    except RealImagesError as error:
        return Found(name, None, str(error))
