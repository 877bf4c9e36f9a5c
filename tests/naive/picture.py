"""A plain twin of the picture path's core: texts, layout, characters, labels and ink, in Python floats and NumPy.

It renders each character over the whole canvas by solving for the mapping of its corners, and interpolates by the
textbook; the stages have twins of their own in the modules `warps`, `clutter`, `ground` and `camera`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from synth_engine.fonts.faces import kerning_of, open_font
from synth_engine.recipe import Flow, Free, Recipe, low_high
from tests.naive.fast import PLACE, SPREAD, TEXT, WORD, choose, mix, naive_mask, sample_key, word

MARGIN = 200  # px around the canvas that are rendered too: what is clipped must be known


@dataclass
class Glyph:
    """A character: its ink as grey 0–255, where it lies from the pen's origin, and its corners on the canvas."""

    letter: int
    ink: np.ndarray
    corners: np.ndarray


def unit(key: int, n: int) -> float:
    return (word(key, n) >> 11) / 2**53


def sample(ends: object, key: int, n: int) -> float:
    low, high = low_high(ends)
    return low + (high - low) * unit(key, n)


class NaivePicture:
    """Characters of sample ``index`` of (recipe, seed) at its ``attempt``."""

    def __init__(self, recipe: Recipe, seed: int) -> None:
        self.recipe, self.seed = recipe, seed
        self.faces = [open_font(font) for font in recipe.fonts]

    def text(self, index: int, attempt: int) -> tuple[list[int], int]:
        """Letters and face; as the fast path's twin samples them."""
        recipe, key = self.recipe, mix(sample_key(self.seed, index) ^ TEXT)
        low, high = recipe.length_range
        first = attempt * (recipe.length_max + 1)
        bits = word(key, first)
        length = low + ((bits & 0xFFFFFFFF) * (high - low + 1) >> 32)
        letters = [(word(key, first + 1 + k) >> 32) * len(recipe.alphabet) >> 32 for k in range(length)]
        return letters, choose([font.share for font in recipe.fonts], (bits >> 32) / 2**32)

    def paper(self, face: int, letter: int) -> Image.Image:
        """A character on ample paper, its pen at (150, 250)."""
        paper = Image.new("L", (400, 400))
        ImageDraw.Draw(paper).text((150, 250), self.recipe.glyphs[letter], 255, self.faces[face], anchor="ls")
        return paper

    def glyph(self, face: int, letter: int) -> tuple[np.ndarray, int, int]:
        """(ink, x, y): cut to what is not blank."""
        paper = self.paper(face, letter)
        x0, y0, x1, y1 = paper.getbbox()
        if self.recipe.picture.character.stretch != "none":
            high = self.faces[face].getmetrics()[0]
            cell = (round(self.advance(face, letter)), high + max(0, y1 - 250))
            ink = paper.crop((x0, y0, x1, y1)).resize(cell, Image.BILINEAR)
            return np.asarray(ink).astype(float), 0, math.floor(-high / 2 - cell[1] / 2)
        return np.asarray(paper)[y0:y1, x0:x1].astype(float), x0 - 150, y0 - 250

    def advance(self, face: int, letter: int) -> float:
        lengths = [self.faces[face].getlength(character) for character in self.recipe.glyphs]
        return sum(lengths) / len(lengths) if self.recipe.picture.character.stretch == "even" else lengths[letter]

    def glyphs(self, index: int, attempt: int = 0, text_attempt: int = 0) -> list[Glyph]:
        letters, face = self.text(index, text_attempt)
        key = (mix(sample_key(self.seed, index) ^ PLACE) + attempt * SPREAD) & WORD
        key = mix(key)
        inks = [self.glyph(face, letter) for letter in letters]
        shapes = [self.shape(key, k) for k in range(len(letters))]
        middles, relative, turned = self.stand(key, face, letters, inks, shapes)
        return [
            Glyph(letter, ink, self.corners(key, k, face, letter, ink, middles[k], relative[k], turned[k], shapes[k]))
            for k, (letter, (ink, _, _)) in enumerate(zip(letters, inks, strict=True))
        ]

    def shape(self, key: int, k: int) -> tuple[float, float, float, float]:
        s, first = self.recipe.picture.character, (k + 1) * 16
        return tuple(sample(v, key, first + p) for p, v in enumerate((s.angle_deg, s.scale, s.aspect, s.shear)))

    def stand(self, key, face, letters, inks, shapes):
        """Each character's middle, its ink's top left from there, and the angle its cell adds."""
        layout = self.recipe.picture.layout
        halves = [np.array(ink.shape[::-1]) / 2 for ink, _, _ in inks]
        if isinstance(layout, Flow):
            return self.flow(key, face, letters, inks, shapes, halves), [-h for h in halves], [0.0] * len(inks)
        if isinstance(layout, Free):
            xs = sorted(sample(layout.x_px, key, (k + 1) * 16 + 5) for k in range(len(inks)))
            ys = [sample(layout.y_px, key, (k + 1) * 16 + 6) for k in range(len(inks))]
            return list(zip(xs, ys, strict=True)), [-h for h in halves], [0.0] * len(inks)
        cells = [self.cell(key, k, face, letters[k], inks[k]) for k in range(len(inks))]
        return [c[0] for c in cells], [c[1] for c in cells], [c[2] for c in cells]

    def flow(self, key, face, letters, inks, shapes, halves):
        layout, font = self.recipe.picture.layout, self.recipe.fonts[face]
        characters = [self.recipe.glyphs[letter] for letter in letters]
        pen, middles = 0.0, []
        for k, ((_, x, y), (_, scale, aspect, _)) in enumerate(zip(inks, shapes, strict=True)):
            if k:
                pen += sample(layout.gap_px, key, (k + 1) * 16 + 5)
                if layout.kerning:
                    pen += kerning_of(font, characters[k - 1] + characters[k])[0, 1] * scale * aspect
            if unit(key, (k + 1) * 16 + 4) < layout.space_share:
                pen += sample(layout.space_px, key, (k + 1) * 16 + 7)
            baseline = sample(layout.y_px, key, 1) + sample(layout.jitter_px, key, (k + 1) * 16 + 6)
            middles.append([pen + (x + halves[k][0]) * scale * aspect, baseline + (y + halves[k][1]) * scale])
            pen += self.advance(face, letters[k]) * scale * aspect
        left, centred = sample(layout.x_px, key, 0), layout.align == "centre"
        longest = math.inf if layout.fit_px is None else sample(layout.fit_px, key, 2)
        squeeze = longest / pen if pen > longest else 1.0
        if centred:
            left += self.recipe.shape[1] / 2 - pen * squeeze / 2
        shapes[:] = [(angle, scale, aspect * squeeze, shear) for angle, scale, aspect, shear in shapes]
        return [(x * squeeze + left, y) for x, y in middles]

    def cell(self, key, k, face, letter, ink):
        placement, raster = self.recipe.placement, self.recipe.raster
        bits = word(key, (k + 1) * 16 + 4)
        u_turn, u_angle, u_x, u_y = ((bits >> shift & 0xFFFF) / 2**16 for shift in (0, 16, 32, 48))
        turn = placement.turns[choose([turn.share for turn in placement.turns], u_turn)]
        angle = turn.angle_deg[0] + (turn.angle_deg[1] - turn.angle_deg[0]) * u_angle
        font = self.faces[face]
        width = raster.tile_px if raster.tile_width == "square" else max(1, math.ceil(self.advance(face, letter)))
        height = raster.tile_px
        baseline = font.getmetrics()[0] if raster.baseline_px is None else raster.baseline_px
        c, s = abs(math.cos(math.radians(angle))), abs(math.sin(math.radians(angle)))
        span = placement.x_span_px[k] if isinstance(placement.x_span_px, tuple) else placement.x_span_px
        x = placement.x_from_px + placement.pitch_px * k + span * u_x + (width * c + height * s) / 2
        y = turn.y_px[0] + (turn.y_px[1] - turn.y_px[0]) * u_y + (width * s + height * c) / 2
        return (x, y), (ink[1] - width / 2, ink[2] + baseline - height / 2), angle

    def corners(self, key, k, face, letter, ink, middle, relative, turned, shape) -> np.ndarray:
        """(4, 2): top left, top right, bottom right, bottom left on the canvas."""
        (height, width), (angle, scale, aspect, shear) = ink.shape, shape
        most = self.recipe.picture.character.perspective
        angle = math.radians(angle + turned)
        turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        moves = [[most * (2 * unit(key, (k + 1) * 16 + 8 + n + axis) - 1) for axis in (0, 1)] for n in (0, 2, 4, 6)]
        if self.recipe.picture.character.turn_first:
            x0, y0, x1, y1 = self.paper(face, letter).getbbox()
            cell = np.array([width * scale * aspect, height * scale])
            top_left = middle + np.array(relative) * [scale * aspect, scale]
            return top_left + cell * in_unit_square(turn, x1 - x0, y1 - y0, shear, np.array(moves))
        corners = []
        for c, (right, down) in enumerate([(0, 0), (1, 0), (1, 1), (0, 1)]):
            x, y = relative[0] + right * width, relative[1] + down * height
            move = moves[c]
            x, y = (x * aspect - shear * y) * scale, y * scale
            point = [x + move[0] * width * scale * aspect / 2, y + move[1] * height * scale / 2]
            corners.append(np.array(middle) + turn @ point)
        return np.array(corners)

    def coverage(self, glyph: Glyph) -> np.ndarray:
        """(H + 2·MARGIN, W + 2·MARGIN) of 0–255: the glyph's ink seen through the mapping of its corners."""
        height, width = glyph.ink.shape
        source = [(0, 0), (width, 0), (width, height), (0, height)]
        rows, values = [], []
        for (x, y), (u, v) in zip(glyph.corners, source, strict=True):
            rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
            values += [u, v]
        a = np.append(np.linalg.solve(rows, values), 1).reshape(3, 3)
        size = np.array(self.recipe.shape) + 2 * MARGIN
        y, x = np.mgrid[: size[0], : size[1]] - MARGIN + 0.5
        u, v, w = (a @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])).reshape(3, *size)
        behind = w * np.sign((a @ [*glyph.corners.mean(axis=0), 1])[2]) <= 0
        interpolate = nearest if self.recipe.picture.character.interpolation == "nearest" else bilinear
        values = interpolate(glyph.ink, u / w - 0.5, v / w - 0.5)
        return np.where(behind, 0, np.floor(values + 0.5))

    def boxes(self, index: int) -> list[tuple[int, int, int, int]]:
        return [box_of(on_canvas(self.coverage(glyph)) >= 128) for glyph in self.glyphs(index)]

    def cover(self, index: int) -> np.ndarray:
        """(H, W) of 0–255: all characters and the shared mask."""
        layers = [on_canvas(self.coverage(glyph)) for glyph in self.glyphs(index)]
        return np.max([*layers, 255.0 * naive_mask(self.recipe)], axis=0)


def in_unit_square(turn: np.ndarray, width: float, height: float, shear: float, moves: np.ndarray) -> np.ndarray:
    """(4, 2): a slanted and turned rectangle's corners, squeezed to touch the unit square, whose corners have moved."""
    around = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    corners = around * [width / 2, height / 2] @ np.array([[1, 0], [-shear, 1]]) @ turn.T
    inside = (corners / np.abs(corners).max(axis=0) + 1) / 2
    u, v = inside.T
    top, bottom = (np.outer(1 - u, moves[a]) + np.outer(u, moves[b]) for a, b in ((0, 1), (3, 2)))
    return inside + ((1 - v)[:, None] * top + v[:, None] * bottom) / 2


def bilinear(ink: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """``ink`` at fractional positions, zero outside."""
    wide = np.pad(ink, 2)
    x, y = np.clip(x + 2, 0, wide.shape[1] - 1.001), np.clip(y + 2, 0, wide.shape[0] - 1.001)
    x0, y0 = x.astype(int), y.astype(int)
    fx, fy = x - x0, y - y0
    upper = wide[y0, x0] * (1 - fx) + wide[y0, x0 + 1] * fx
    lower = wide[y0 + 1, x0] * (1 - fx) + wide[y0 + 1, x0 + 1] * fx
    return upper * (1 - fy) + lower * fy


def nearest(ink: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The pixel of ``ink`` nearest to each position, zero outside."""
    wide = np.pad(ink, 1)
    x, y = np.floor(x + 1.5).astype(int), np.floor(y + 1.5).astype(int)
    return wide[np.clip(y, 0, wide.shape[0] - 1), np.clip(x, 0, wide.shape[1] - 1)]


def on_canvas(wide: np.ndarray) -> np.ndarray:
    return wide[MARGIN:-MARGIN, MARGIN:-MARGIN]


def box_of(ink: np.ndarray) -> tuple[int, int, int, int]:
    ys, xs = np.nonzero(ink)
    return (int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1) if len(xs) else (0, 0, 0, 0)
