"""Challenge files: JSON ``{"images": [{"name": …, "jpg_base64": …}, …]}``, as the HackMIT contest's server sent them.

Splits such a file into named, still compressed images. One damaged entry costs no other. `images` decodes them, and
`unpack` writes them out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from synth_engine.errors import RealImagesError
from synth_engine.real.files import without_ending

NAME_BYTES_MAX = 200

# RecursionError: brackets within brackets, ten thousand deep
_DAMAGED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


class _File(msgspec.Struct):
    images: list[msgspec.Raw]


class _Image(msgspec.Struct):
    name: str
    jpg_base64: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a challenge file.

    ``name`` has no ending and is safe as a file's name; it is ``FILE[k]`` where the entry's own cannot be used.
    ``content`` is the compressed image, or None where ``problem`` says what is damaged.
    """

    name: str
    content: bytes | None
    problem: str | None = None


def parse_challenge(content: bytes, where: str) -> Iterator[Entry]:
    """The entries of a challenge file in their order, decoded from base64 one at a time as they are asked for.

    ``where`` is the file's name, for messages. Raises RealImagesError (at once) if the content is no challenge file or
    holds no entry; a damaged entry is given with its ``problem``.
    """
    try:
        raw = msgspec.json.decode(content, type=_File).images
    except _DAMAGED as error:
        raise RealImagesError(
            f'expected JSON {{"images": [{{"name", "jpg_base64"}}, …]}}, received damaged or other data ({error}); '
            "fetch the file again or remove it",
            where,
        ) from error
    if not raw:
        raise RealImagesError("expected at least one entry under `images`, received none; fetch the file again", where)
    return (_entry(entry, f"{where}[{k}]") for k, entry in enumerate(raw))


def name_problem(name: str) -> str | None:
    """Why ``name`` cannot be a file's name on every system, or None if it can.

    Names come from a server: one with a path separator, a leading dot or a reserved word could leave the folder it
    is written to, or hide there.
    """
    if not name or len(name.encode()) > NAME_BYTES_MAX:
        return f"expected a name of 1 to {NAME_BYTES_MAX} bytes, received {len(name.encode())}"
    if _FORBIDDEN.search(name) or name.startswith(".") or name.endswith((".", " ")) or _RESERVED.fullmatch(name):
        return f"the name {name!r} is unsafe as a file's name"
    return None


def _entry(raw: msgspec.Raw, place: str) -> Entry:
    try:
        image = msgspec.json.decode(raw, type=_Image)
    except _DAMAGED as error:
        return Entry(place, None, f"damaged entry: {error}")
    name = without_ending(image.name)
    problem = name_problem(name)
    return Entry(place, None, problem) if problem else Entry(name, image.jpg_base64)
