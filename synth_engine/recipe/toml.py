"""Recipes as TOML: the one module of this room that reads and writes files.

What is read is plain data, with the files that it names put in their place: paths of fonts are absolute, a mask's
picture and a word list are part of the data.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
import numpy as np
from numpy.typing import NDArray

from synth_engine.atomic import write_bytes
from synth_engine.errors import RecipeError
from synth_engine.picture_formats import PICTURE_SUFFIXES
from synth_engine.recipe.part import Part
from synth_engine.recipe.picture import Pictures
from synth_engine.recipe.values import RecipeFields, mask_rows


def read_builtin(name: str) -> dict[str, Any]:
    """The built-in recipe of that name; raises RecipeError listing the names there are."""
    folder = resources.files("synth_engine.recipe") / "builtin"
    known = sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))
    if name not in known:
        raise RecipeError(f"no built-in recipe is called {name!r}: choose one of {', '.join(known)}", name)
    return _decode((folder / f"{name}.toml").read_bytes(), f"recipe {name}")


def read(path: Path) -> dict[str, Any]:
    """The recipe in a TOML file; paths in it are relative to the file's folder.

    Raises RecipeError for a file that cannot be read or is no TOML, and for a mask's picture or a word list that cannot
    be read. Entries of a wrong type stay as they are: whoever converts the data refuses them.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RecipeError(f"cannot read recipe {path}: {error.strerror}; give a TOML file", path) from error
    data = _decode(content, str(path))
    try:
        _resolve_files(data, path.parent)
    except ValueError as error:
        raise RecipeError(f"{path}: {error}", str(path)) from error
    return data


def write(path: Path, recipe: RecipeFields) -> None:
    """Write the recipe, whole or not at all."""
    write_bytes(path, msgspec.toml.encode(recipe))


def _decode(content: bytes, where: str) -> dict[str, Any]:
    try:
        return msgspec.toml.decode(content, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise RecipeError(f"{where}: {error}", where) from error


def _resolve_files(data: dict[str, Any], folder: Path) -> None:
    fonts, mask = data.get("fonts"), data.get("mask")
    for font in fonts if isinstance(fonts, list) else []:
        file = font.get("file") if isinstance(font, dict) else None
        if isinstance(file, str) and not file.startswith("package:"):
            font["file"] = str((folder / file).resolve())
    if isinstance(mask, dict) and isinstance(mask.get("file"), str):
        mask["rows"] = mask_rows(_read_ink(folder / mask.pop("file")))
    if isinstance(data.get("words_file"), str):
        data["words"] = _read_words(folder / data.pop("words_file"))


def _read_words(path: Path) -> list[str]:
    try:
        words = path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"`words_file` {path} cannot be read as UTF-8 text: {error}") from error
    if not words:
        raise ValueError(f"`words_file` {path} is empty; expected one word a line")
    return words


def _read_ink(path: Path) -> NDArray[np.bool_]:
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("L")) > 0
    except OSError as error:
        raise ValueError(f"`mask.file` {path} cannot be read as a picture: {error}") from error


# A ground of pictures: samples depend on the folder's content, so a recipe that is read holds its digest.


def with_content(ground: Pictures, folder: Path) -> Pictures:
    """The ground with an absolute path, relative to ``folder`` before, and with the digest of its pictures.

    A digest that is given stays: it is compared when the pictures are loaded. Raises RecipeError as `picture_files`.
    """
    absolute = (folder / ground.folder).resolve()
    content = ground.content or pictures_content(absolute)
    return msgspec.structs.replace(ground, folder=str(absolute), content=content)


def pictures_content(folder: str | Path) -> str:
    """SHA-256 (hex) of the names and bytes of the pictures in ``folder``; raises RecipeError as `picture_files`."""
    digest = hashlib.sha256()
    for file in picture_files(Path(folder)):
        content = _read_picture(file)
        digest.update(f"{file.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def picture_files(folder: Path) -> list[Path]:
    """The pictures in ``folder`` in the order of their names, without hidden files and without those in its folders.

    A picture is a file that ends in one of `PICTURE_SUFFIXES`. Raises RecipeError if there is none.
    """
    expected = ", ".join(sorted(PICTURE_SUFFIXES))
    try:
        files = [f for f in folder.iterdir() if f.suffix.lower() in PICTURE_SUFFIXES and not f.name.startswith(".")]
    except OSError as error:
        message = f"`ground.folder` {folder}: {error.strerror}; give a folder of pictures ({expected})"
        raise RecipeError(message, folder) from error
    if not files:
        raise RecipeError(f"`ground.folder` {folder} holds no picture; expected files ending in {expected}", folder)
    return sorted(files, key=lambda file: file.name)


def _read_picture(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise RecipeError(f"cannot read picture {file}: {error.strerror}; correct or remove it", file) from error


# Hints: what a key or a word was probably meant to be.


def hint(message: str) -> str:
    """What to add to msgspec's ``message`` about an entry that it refuses: the keys or words that are near, or none."""
    if found := re.search(r"unknown field `([^`]+)`", message):
        return _key_hint(found[1])
    if found := re.search(r"Invalid (?:enum )?value .*?(\w+)(?:\[\d+\])?(?:\.kind)?`$", message):
        expected = sorted({word for field in _fields() if field.name == found[1] for word in _words(field.type)})
        return f"; expected one of {', '.join(expected)}"
    return ""


def _key_hint(key: str) -> str:
    keys = sorted({field.name for field in _fields()})
    if key in keys:
        return "; that key belongs to another table"
    near = difflib.get_close_matches(key, keys, n=1)
    return f"; did you mean `{near[0]}`?" if near else "; remove it"


def _fields() -> list[msgspec.structs.FieldInfo]:
    return [field for part in _descendants(Part) for field in msgspec.structs.fields(part)]


def _words(annotation: Any) -> list[str]:
    """What a field of this type may say in words: the strings of a Literal, the kinds of its parts."""
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return [str(annotation.__struct_config__.tag)] if annotation.__struct_config__.tag else []
    return [word for inner in get_args(annotation) for word in _words(inner)]


def _descendants(part: type[Part]) -> list[type[Part]]:
    return [kind for child in part.__subclasses__() for kind in (child, *_descendants(child))]
