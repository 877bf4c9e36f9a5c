"""A recipe's fonts: opened with Pillow, and checked to draw what the labels say."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, features

from synth_engine.errors import FontError
from synth_engine.recipe import Font, Raster, Recipe

MISSING = "\uffff"  # a noncharacter: no font may map it, so it shows what the font draws for what it lacks


def font_path(file: str) -> Path:
    """The path of a recipe's font ``file``; raises FontError if it, or the package that brings it, is missing."""
    if not file.startswith("package:"):
        path = Path(file)
    else:
        package, _, inside = file.removeprefix("package:").partition("/")
        spec = importlib.util.find_spec(package) if package.isidentifier() else None
        if spec is None or not spec.submodule_search_locations:
            raise FontError(f"font {file}: the package {package} is not installed; install it with pip", file)
        path = Path(spec.submodule_search_locations[0]) / inside
    if not path.is_file():
        raise FontError(f"font {file}: there is no file {path.name} there; correct `file` in the recipe", file)
    return path


def open_font(font: Font, engine: ImageFont.Layout = ImageFont.Layout.BASIC) -> ImageFont.FreeTypeFont:
    """The face at its size and axes; raises FontError for a damaged file or an axis that the face does not have."""
    path = font_path(font.file)
    try:
        face = ImageFont.truetype(str(path), font.sizes_px[0], layout_engine=engine)
    except OSError as error:
        raise FontError(f"font {font.file}: Pillow cannot open it ({error}); give a TTF, OTF or WOFF file") from error
    if font.axes:
        _set_axes(face, font)
    return face


def _set_axes(face: ImageFont.FreeTypeFont, font: Font) -> None:
    try:
        axes = face.get_variation_axes()
    except OSError as error:
        raise FontError(f"font {font.file} has no axes to set; remove `axes` from the recipe", font.file) from error
    names = [bytes(axis["name"] or b"").decode() for axis in axes]
    unknown = sorted(set(font.axes) - set(names))
    if unknown:
        raise FontError(f"font {font.file} has the axes {', '.join(names)}, not {', '.join(unknown)}", font.file)
    face.set_variation_by_axes([font.axes.get(n, a["default"] or 0) for n, a in zip(names, axes, strict=True)])


def kerning_of(font: Font, characters: str) -> NDArray[np.float64]:
    """Kerning of each pair (first, second) of ``characters``, (C, C) px; raises FontError without Raqm.

    Pillow's basic layout will not do: it ignores GPOS tables, and applies a 64th of what a ``kern`` table says.
    """
    if not features.check("raqm"):
        raise FontError(
            f"font {font.file}: this Pillow cannot read kerning, for want of Raqm or of the system's FriBiDi "
            "(libfribidi); install it, or set `kerning = false` in `picture.layout`",
            font.file,
        )
    face = open_font(font, ImageFont.Layout.RAQM)

    def length(pair: str, kern: str) -> float:
        return face.getlength(pair, features=[kern, "-liga", "-clig", "-calt"])

    return np.array([[length(a + b, "kern") - length(a + b, "-kern") for b in characters] for a in characters])


def render_tile(face: ImageFont.FreeTypeFont, character: str, raster: Raster) -> Image.Image:
    """``character`` in white on a black tile of 8-bit grey, which is as large as `Raster` says."""
    width = raster.tile_px if raster.tile_width == "square" else math.ceil(face.getlength(character))
    tile = Image.new("L", (max(1, width), raster.tile_px))
    at, anchor = _origin(raster)
    ImageDraw.Draw(tile).text(at, character, font=face, fill=255, anchor=anchor)
    return tile


def _origin(raster: Raster) -> tuple[tuple[int, int], str]:
    """Where on its tile a character is written, and which of its points lies there, as Pillow's text anchor."""
    return ((0, 0), "la") if raster.baseline_px is None else ((0, raster.baseline_px), "ls")


def check_fonts(recipe: Recipe) -> None:
    """Raise FontError unless every face of ``recipe`` draws each of its characters, whole and unlike the other case."""
    raster = recipe.raster if recipe.placement is not None else None  # without cells there is no tile to cut them off
    for face in recipe.faces:
        check_font(face, recipe.glyphs, raster)


def check_font(font: Font, characters: str, raster: Raster | None) -> None:
    """Raise FontError for ``characters`` that the face lacks, draws past the tile, or draws like the other case."""
    face, size = open_font(font), font.sizes_px[0]

    @cache
    def drawn(character: str) -> bytes:
        # On an ample square tile: shapes are compared here, wherever they stand.
        return render_tile(face, character, Raster(tile_px=max(8, 3 * size))).tobytes()

    lacking = [c for c in characters if drawn(c) == drawn(MISSING) or not any(drawn(c))]
    if lacking:
        raise FontError(
            f"font {font.file} lacks {''.join(lacking)!r}; choose another font, alphabet or `drawn_as`", lacking
        )
    clipped = [c for c in characters if _overflows(face, c, raster)] if raster else []
    if raster and clipped:
        raise FontError(
            f"font {font.file} at {size} px draws {''.join(clipped)!r} past the tile of {raster.tile_px} px; "
            "raise `raster.tile_px` or lower `size_px`",
            clipped,
        )
    confused = [c for c in characters if _drawn_as_other_case(c, drawn)]
    if confused:
        raise FontError(
            f"font {font.file} draws {''.join(confused)!r} like the other case, so the labels would be wrong; "
            "choose another font, or the alphabet in the case it draws",
            confused,
        )


def _overflows(face: ImageFont.FreeTypeFont, character: str, raster: Raster) -> bool:
    """A tenth of the tile may be lost on each side: the original generator cuts the tail of its j so."""
    at, anchor = _origin(raster)
    left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).textbbox(at, character, font=face, anchor=anchor)
    slack = raster.tile_px / 10
    width = raster.tile_px if raster.tile_width == "square" else face.getlength(character)
    return left < -slack or right > width + slack or top < -slack or bottom > raster.tile_px + slack


def _drawn_as_other_case(character: str, drawn: Callable[[str], bytes]) -> bool:
    other = character.swapcase()
    if len(other) != 1 or other == character or drawn(character) != drawn(other):
        return False
    return character.islower() != _has_ascenders(drawn)


def _has_ascenders(drawn: Callable[[str], bytes]) -> bool:
    """Whether a font of one case draws small letters: b, d and l are then taller than a, c and e."""

    def height(character: str) -> int:
        pixels = np.frombuffer(drawn(character), np.uint8)
        side = int(pixels.size**0.5)
        return int((pixels.reshape(side, side) > 0).any(axis=1).sum())

    return min(map(height, "bdl")) > 1.1 * max(map(height, "ace"))
