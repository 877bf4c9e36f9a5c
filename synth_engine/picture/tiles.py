"""TileBank: every character of a recipe in every face, rasterised once in 8-bit grey, with its metrics."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from synth_engine.fonts import faces as fonts
from synth_engine.picture.kernels.characters import BORDER
from synth_engine.recipe import Flow, Recipe


@dataclass(frozen=True, kw_only=True)
class TileBank:
    """Glyph (face f, character c) has number f·C + c. Positions are px from the pen's origin on the baseline, y down.

    quads: all tiles end to end, uint32, each (h + 1, w + 1): four neighbouring pixels of the tile with a border of
    zeros, from the lowest byte on upper left, upper right, lower left, lower right: one load for one interpolation.
    place: (G, 3) int64: first quad, height and width of the ink.
    ink: (G, 2) float64: x and y of the ink's top left.
    natural: (G, 2) float64: width and height of the ink before it is stretched.
    tile: (G, 3) float64: width and height of the raster's tile, and its baseline from the top, as `Raster` says.
    advance: (G,) float64; kerning: (F, C, C) float64, what the pair (first, second) moves together or
    apart; (1, 1, 1) where the layout has none.
    """

    quads: NDArray[np.uint32]
    place: NDArray[np.int64]
    ink: NDArray[np.float64]
    natural: NDArray[np.float64]
    tile: NDArray[np.float64]
    advance: NDArray[np.float64]
    kerning: NDArray[np.float64]

    @classmethod
    def of(cls, recipe: Recipe) -> TileBank:
        """The bank of ``recipe``; raises FontError for fonts that cannot be used."""
        fonts.check_fonts(recipe)
        faces = [fonts.open_font(font) for font in recipe.faces]
        advances = [_advances(face, recipe) for face in faces]
        stretch = recipe.picture is not None and recipe.picture.character.stretch != "none"
        drawn = [
            _draw(face, character, advance if stretch else None)
            for face, wide in zip(faces, advances, strict=True)
            for character, advance in zip(recipe.glyphs, wide, strict=True)
        ]
        quads = [_quads(one.tile) for one in drawn]
        sizes = [quad.size for quad in quads]
        first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        return cls(
            quads=np.concatenate([quad.ravel() for quad in quads]),
            place=np.array([(a, d.tile.shape[0] - 2, d.tile.shape[1] - 2) for a, d in zip(first, drawn, strict=True)]),
            ink=np.array([(one.x, one.y) for one in drawn], np.float64),
            natural=np.array([one.natural for one in drawn], np.float64),
            tile=np.array(
                [_tile(face, advance, recipe) for face, wide in zip(faces, advances, strict=True) for advance in wide]
            ),
            advance=np.concatenate(advances),
            kerning=_kerning(recipe),
        )


def _advances(face: ImageFont.FreeTypeFont, recipe: Recipe) -> NDArray[np.float64]:
    """(C,): how far the pen moves on over each character, or over any where their cells are alike."""
    own = np.array([face.getlength(character) for character in recipe.glyphs], np.float64)
    even = recipe.picture is not None and recipe.picture.character.stretch == "even"
    return np.full_like(own, own.mean()) if even else own


class _Drawn(NamedTuple):
    """A character's bordered ink, where it lies, and how wide and high it was before it was stretched."""

    tile: NDArray[np.uint8]
    x: int
    y: int
    natural: tuple[int, int]


def _draw(face: ImageFont.FreeTypeFont, character: str, cell: float | None) -> _Drawn:
    """One character, cut to its ink, or that stretched to a ``cell`` so wide."""
    left, top, right, bottom = (round(v) for v in face.getbbox(character, anchor="ls"))
    paper = Image.new("L", (right - left + 2, bottom - top + 2))
    ImageDraw.Draw(paper).text((1 - left, 1 - top), character, font=face, fill=255, anchor="ls")
    box = paper.getbbox() or (1, 1, 2, 2)
    ink, x, y = paper.crop(box), left - 1 + box[0], top - 1 + box[1]
    natural = ink.size
    if cell is not None:
        ascent = face.getmetrics()[0]
        height = ascent + max(0, y + ink.height)
        ink = ink.resize((max(1, round(cell)), height), Image.Resampling.BILINEAR)
        x, y = 0, -(ascent + height) // 2
    return _Drawn(np.pad(np.asarray(ink), BORDER), x, y, natural)


def _quads(tile: NDArray[np.uint8]) -> NDArray[np.uint32]:
    wide = tile.astype(np.uint32)
    quads = wide[:-1, :-1] | wide[:-1, 1:] << 8 | wide[1:, :-1] << 16 | wide[1:, 1:] << 24
    return quads.astype(np.uint32)


def _tile(face: ImageFont.FreeTypeFont, advance: float, recipe: Recipe) -> tuple[float, float, float]:
    raster = recipe.raster
    width = raster.tile_px if raster.tile_width == "square" else max(1, math.ceil(advance))
    baseline = face.getmetrics()[0] if raster.baseline_px is None else raster.baseline_px
    return width, raster.tile_px, baseline


def _kerning(recipe: Recipe) -> NDArray[np.float64]:
    layout = recipe.picture and recipe.picture.layout
    if isinstance(layout, Flow) and layout.kerning:
        return np.stack([fonts.kerning_of(face, recipe.glyphs) for face in recipe.faces])
    return np.zeros((1, 1, 1))
