"""TileBank: every character of a recipe in every face, rasterised once in 8-bit grey, with its metrics."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from synth_engine.fonts import faces as font_faces
from synth_engine.picture.kernels.characters import BORDER
from synth_engine.recipe import Flow, Layout, Picture, Raster, Recipe


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
    def of(cls, recipe: Recipe, picture: Picture) -> TileBank:
        """The bank of ``recipe``; raises FontError for fonts that cannot be used."""
        font_faces.check_fonts(recipe)
        faces = [font_faces.open_font(font) for font in recipe.faces]
        advances = [_advances(face, recipe.glyphs, even=picture.character.stretch == "even") for face in faces]
        stretch = picture.character.stretch != "none"
        tiles = [
            _render(face, character, advance if stretch else None)
            for face, wide in zip(faces, advances, strict=True)
            for character, advance in zip(recipe.glyphs, wide, strict=True)
        ]
        quads = [_quads(one.ink) for one in tiles]
        sizes = [quad.size for quad in quads]
        first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        return cls(
            quads=np.concatenate([quad.ravel() for quad in quads]),
            place=np.array([(at, *one.size) for at, one in zip(first, tiles, strict=True)]),
            ink=np.array([(one.x, one.y) for one in tiles], np.float64),
            natural=np.array([one.natural for one in tiles], np.float64),
            tile=np.array(
                [
                    _raster_tile(face, advance, recipe.raster)
                    for face, wide in zip(faces, advances, strict=True)
                    for advance in wide
                ]
            ),
            advance=np.concatenate(advances),
            kerning=_kerning(recipe, picture.layout),
        )


def _advances(face: ImageFont.FreeTypeFont, characters: str, *, even: bool) -> NDArray[np.float64]:
    """(C,) px: how far the pen moves on over each of ``characters``, or over any of them where cells are ``even``."""
    own = np.array([face.getlength(character) for character in characters], np.float64)
    return np.full_like(own, own.mean()) if even else own


class _Tile(NamedTuple):
    """A character's bordered ink, where it lies, and how wide and high it was before it was stretched."""

    ink: NDArray[np.uint8]
    x: int
    y: int
    natural: tuple[int, int]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the ink without its border, px."""
        return self.ink.shape[0] - 2 * BORDER, self.ink.shape[1] - 2 * BORDER


def _render(face: ImageFont.FreeTypeFont, character: str, cell: float | None) -> _Tile:
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
    return _Tile(np.pad(np.asarray(ink), BORDER), x, y, natural)


def _quads(tile: NDArray[np.uint8]) -> NDArray[np.uint32]:
    wide = tile.astype(np.uint32)
    quads = wide[:-1, :-1] | wide[:-1, 1:] << 8 | wide[1:, :-1] << 16 | wide[1:, 1:] << 24
    return quads.astype(np.uint32)


def _raster_tile(face: ImageFont.FreeTypeFont, advance: float, raster: Raster) -> tuple[float, float, float]:
    """Width, height and baseline from the top, px, of the tile that `Raster` stands a character on."""
    width = raster.tile_px if raster.tile_width == "square" else max(1, math.ceil(advance))
    baseline = face.getmetrics()[0] if raster.baseline_px is None else raster.baseline_px
    return width, raster.tile_px, baseline


def _kerning(recipe: Recipe, layout: Layout | None) -> NDArray[np.float64]:
    if isinstance(layout, Flow) and layout.kerning:
        return np.stack([font_faces.kerning_of(face, recipe.glyphs) for face in recipe.faces])
    return np.zeros((1, 1, 1))
