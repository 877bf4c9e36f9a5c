"""GlyphBank: every character of a recipe, in every face and at every angle, rasterised once and bit-packed.

The bank is a function of the recipe's glyphs, fonts, raster and turns. It is kept on disk under a digest of these, so
that a second start costs one read.
"""

from __future__ import annotations

import hashlib
import logging
import math
import zipfile
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

from synth_engine.atomic import write_with
from synth_engine.cache import cache_folder
from synth_engine.errors import FontError
from synth_engine.fonts import faces as font_faces
from synth_engine.njit import LANES
from synth_engine.recipe import Raster, Recipe, Turn

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class GlyphBank:
    """Glyph (face f, character c, angle a) has number (f·C + c)·A + a, of G glyphs.

    rows: (words, R) uint64, bit b of word w is column 64·w + b of the ink; there are `LANES` blank rows before, between
    and after the glyphs. place: (G, 5) int32, first row, x and y of the ink in the rotated tile, height and width of
    the ink, all in px.
    """

    rows: NDArray[np.uint64]
    place: NDArray[np.int32]

    @classmethod
    def of(cls, recipe: Recipe) -> GlyphBank:
        """The bank of ``recipe``, read from the cache or made now; raises FontError as `check_fonts` does."""
        path = cache_folder() / f"glyphs-{_key(recipe)}.npz"
        bank = _read(path)
        if bank is None:
            bank = _build(recipe)
            _store(bank, path)
        return bank


def turn_angles(turn: Turn, step_deg: float) -> NDArray[np.float64]:
    """(A,) float64: midpoints in degrees of equal cells, at most ``step_deg`` wide, over the turn's range."""
    low, high = turn.angle_deg
    cells = max(1, math.ceil((high - low) / step_deg))
    return low + (np.arange(cells) + 0.5) * (high - low) / cells


def rotate_ink(tile: Image.Image, angle_deg: float, raster: Raster) -> NDArray[np.bool_]:
    """(h, w) bool: ink of the tile turned by ``angle_deg``, on a canvas that is expanded to hold all of it."""
    turned = tile.rotate(angle_deg, Image.Resampling[raster.resample.upper()], expand=True)
    if raster.edge == "threshold":
        return np.asarray(turned) >= raster.threshold
    paper = Image.new("1", turned.size)
    paper.paste(turned, (0, 0), turned)
    return np.asarray(paper)


def _key(recipe: Recipe) -> str:
    faces = [
        (font.size_px, sorted(font.axes.items()), _digest(font_faces.font_path(font.file))) for font in recipe.faces
    ]
    turns = [turn.angle_deg for turn in recipe.require_placement().turns]
    sources = [_digest(Path(__file__)), _digest(Path(font_faces.__file__))]  # a change in these may change the ink
    versions = (sources, features.version("pil"), features.version("freetype2"))
    content = msgspec.json.encode((versions, recipe.glyphs, recipe.raster, faces, turns))
    return hashlib.sha256(content).hexdigest()[:32]


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise FontError(f"font {path.name} cannot be read: {error.strerror}", path) from error


def _build(recipe: Recipe) -> GlyphBank:
    font_faces.check_fonts(recipe)
    angles = np.concatenate(
        [turn_angles(turn, recipe.raster.angle_step_deg) for turn in recipe.require_placement().turns]
    )
    inks = [ink for font in range(len(recipe.faces)) for ink in _font_inks(recipe, font, angles)]
    words = max((ink.shape[1] + 63) // 64 for _, _, ink in inks)
    heights = np.array([ink.shape[0] for _, _, ink in inks])
    first = LANES + np.concatenate([[0], np.cumsum(heights + LANES)])
    place = [(row, x, y, *ink.shape) for row, (x, y, ink) in zip(first[:-1], inks, strict=True)]
    rows = np.zeros((words, first[-1]), np.uint64)
    for row, (_, _, ink) in zip(first[:-1], inks, strict=True):
        rows[:, row : row + len(ink)] = pack_rows(ink, words)
    return GlyphBank(rows=rows, place=np.array(place, dtype=np.int32))


def glyph_table(bank: GlyphBank, *, profiles: bool) -> NDArray[np.uint64]:
    """(…, 2) uint64: what the kernels look up for a glyph, in neighbouring entries, so that it costs one cache miss.

    Entry 2·g: first row + 2³²·height + 2⁴⁸·width of glyph g; x + 2³²·y of its ink in the tile (px).
    Entry 2·g + 1: its columns with at least one, and with at least two, inked px.
    With ``profiles``, for glyphs one word wide, 2·R + 1 more entries of such columns follow. The first R are of the
    glyph that row r belongs to, from its first row to r; the next R, from r to its last row; the last is blank.
    """
    first, x, y, height, width = bank.place.astype(np.uint64).T
    found = np.zeros((2 * len(first), 2), np.uint64)
    found[::2, 0] = first | height << np.uint64(32) | width << np.uint64(48)
    found[::2, 1] = x | y << np.uint64(32)
    if not profiles:
        return found
    parts = _profiles(bank)
    found[1::2] = parts[first + height - np.uint64(1)]
    return np.concatenate([found, parts])


def _profiles(bank: GlyphBank) -> NDArray[np.uint64]:
    first, height = bank.place[:, 0].astype(np.int64), bank.place[:, 3].astype(np.int64)
    count = bank.rows.shape[1]
    found = np.zeros((2 * count + 1, 2), np.uint64)
    for start, step, offset in ((first, 1, 0), (first + height - 1, -1, count)):
        one, two = np.zeros(len(first), np.uint64), np.zeros(len(first), np.uint64)
        for i in range(int(height.max())):
            at = start + step * np.minimum(i, height - 1)
            two |= np.where(i < height, one & bank.rows[0, at], np.uint64(0))
            one |= bank.rows[0, at]
            found[offset + at] = np.stack([one, two], axis=1)
    return found


def _font_inks(recipe: Recipe, font: int, angles: NDArray[np.float64]) -> list[tuple[int, int, NDArray[np.bool_]]]:
    spec = recipe.faces[font]
    face = font_faces.open_font(spec)
    tiles = [font_faces.render_tile(face, character, recipe.raster) for character in recipe.glyphs]
    return [_trim(rotate_ink(tile, float(angle), recipe.raster)) for tile in tiles for angle in angles]


def _trim(ink: NDArray[np.bool_]) -> tuple[int, int, NDArray[np.bool_]]:
    """(x, y, ink) of the smallest box that holds all ink; a blank box of one px where rotation left none."""
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not rows.size:
        return 0, 0, np.zeros((1, 1), dtype=np.bool_)
    x, y = int(columns[0]), int(rows[0])
    return x, y, ink[y : rows[-1] + 1, x : columns[-1] + 1]


def pack_rows(ink: NDArray[np.bool_], words: int) -> NDArray[np.uint64]:
    """(words, H) uint64: bit b of word w of a row is its column 64·w + b."""
    wide = np.zeros((ink.shape[0], 64 * words), dtype=np.bool_)
    wide[:, : ink.shape[1]] = ink
    return np.ascontiguousarray(np.packbits(wide, axis=1, bitorder="little").view("<u8").astype(np.uint64).T)


def _read(path: Path) -> GlyphBank | None:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return GlyphBank(rows=stored["rows"], place=stored["place"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        log.warning("glyph bank %s is damaged (%s); it is made anew", path.name, error)
        return None


def _store(bank: GlyphBank, path: Path) -> None:
    try:
        write_with(path, lambda temporary: np.savez(temporary, **vars(bank)))
    except OSError as error:
        log.warning("glyph bank cannot be kept in %s (%s); it is made anew at every start", path.parent, error)
