"""Unpacking challenge files: their images as files of a folder, byte for byte.

Nothing is encoded again, so there is no second JPEG loss. A name from inside a file never leads out of the folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from synth_engine.atomic import write_bytes
from synth_engine.errors import RealImagesError
from synth_engine.real.challenge import Entry, parse_challenge
from synth_engine.real.files import CHALLENGE_BYTES_MAX, CHALLENGE_SUFFIXES, list_files, read_limited, shown_name
from synth_engine.real.images import decode_grey

_ENDINGS = ((b"\xff\xd8", ".jpg"), (b"\x89PNG", ".png"), (b"BM", ".bmp"), (b"RIFF", ".webp"))


@dataclass(slots=True)
class Unpacked:
    """What became of the entries: the number ``written``, and (name, reason) of those left out."""

    written: int = 0
    damaged: list[tuple[str, str]] = field(default_factory=list)


def unpack(path: str | Path, folder: str | Path) -> Unpacked:
    """Write each image of the challenge file ``path``, or of a folder of them, as ``folder/<name>.jpg``.

    The ending follows the content (.jpg, .png, .bmp, .webp). A file of that name already there is replaced. Damaged
    entries, unsafe names and repeated names are left out and named in the result. Raises RealImagesError if ``path`` is
    missing or holds no challenge file.
    """
    done, seen = Unpacked(), set[str]()
    for entry in _entries(_challenge_files(Path(path))):
        problem = entry.problem or _problem(entry, seen)
        seen.add(entry.name)
        if problem:
            done.damaged.append((entry.name, problem))
        elif entry.content is not None:
            write_bytes(Path(folder) / (entry.name + _ending(entry.content)), entry.content, flush=False)
            done.written += 1
    return done


def _challenge_files(path: Path) -> list[Path]:
    files = [file for file in list_files(path) if file == path or file.suffix.lower() in CHALLENGE_SUFFIXES]
    if not files:
        raise RealImagesError(f"expected challenge files (.json or without an ending) in {path}, found none", path)
    return files


def _entries(files: list[Path]) -> Iterator[Entry]:
    for file in files:
        name = shown_name(file)
        try:
            yield from parse_challenge(read_limited(file, CHALLENGE_BYTES_MAX), name)
        except RealImagesError as error:
            yield Entry(name, None, str(error))


def _problem(entry: Entry, seen: set[str]) -> str | None:
    if entry.name in seen:
        return "repeats the name of an earlier image"
    try:
        decode_grey(entry.content or b"")
    except RealImagesError as error:
        return str(error)
    return None


def _ending(content: bytes) -> str:
    return next((ending for start, ending in _ENDINGS if content.startswith(start)), ".jpg")
