"""A plain twin of the fast path, in Python integers, Pillow and NumPy; slow, and easy to believe.

It shares with the engine only the recipe's values, the opening of fonts and the numbering of random words; it renders
as the original generator does: text on a tile, rotated, pasted into a one-bit image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from synth_engine.fonts.faces import open_font, render_tile
from synth_engine.recipe import Recipe

WORD = 2**64 - 1
GOLDEN, SPREAD = 0x9E3779B97F4A7C15, 0xD1342543DE82EF95
FREE_WORD = 64  # the first word of a picture stage's key that its own numbers do not use
TEXT, PLACE, NOISE = 0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0


def mix(z: int) -> int:
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
    return z ^ (z >> 31)


def word(key: int, n: int) -> int:
    return mix((key + (n + 1) * GOLDEN) & WORD)


def sample_key(seed: int, index: int) -> int:
    return mix((mix((seed + GOLDEN) & WORD) + index * SPREAD) & WORD)


@dataclass
class Sample:
    """One finished image (H, W) bool, its text, its boxes (half-open, clipped), and the candidates it took."""

    image: np.ndarray
    text: str
    boxes: list[tuple[int, int, int, int]]
    candidates: int
    characters: list[Character]


@dataclass
class Character:
    """One character: what, in which font, turned how far, its rotated tile's top left."""

    character: str
    font: int
    angle_deg: float
    x: int
    y: int


class Naive:
    """Renders sample ``index`` of (recipe, seed); ``tiles`` may keep rotated tiles between calls, or not."""

    def __init__(self, recipe: Recipe, seed: int) -> None:
        self.recipe, self.seed = recipe, seed
        self.faces = [open_font(face) for face in recipe.faces]

    def sample(self, index: int) -> Sample:
        recipe, key = self.recipe, sample_key(self.seed, index)
        tries = recipe.filter.tries_max if recipe.filter else 1
        for attempt in range(tries):
            candidate = self.candidate(key, attempt)
            canvas, boxes = self.compose(candidate)
            if recipe.filter is None or well_formed(canvas, len(candidate), recipe.filter):
                image = self.finish(canvas, key)
                return Sample(image, "".join(c.character for c in candidate), boxes, attempt + 1, candidate)
        raise RuntimeError(f"no candidate of {tries} passed for sample {index}")

    def candidate(self, key: int, attempt: int) -> list[Character]:
        """What candidate number ``attempt`` of the sample shows, and where."""
        recipe = self.recipe
        most, (low, high) = recipe.length_max, recipe.length_range
        text_tries = recipe.filter.text_tries if recipe.filter and recipe.filter.redraw == "placement" else 1
        first = attempt // text_tries * (most + 1)
        text_key, place_key = mix(key ^ TEXT), mix(key ^ PLACE)
        bits = word(text_key, first)
        length = low + ((bits & 0xFFFFFFFF) * (high - low + 1) >> 32)
        font = choose([face.share for face in recipe.faces], (bits >> 32) / 2**32)
        pools = recipe.alphabets or [recipe.alphabet] * most
        text = [pool[(word(text_key, first + 1 + k) >> 32) * len(pool) >> 32] for k, pool in enumerate(pools)]
        if recipe.words:
            text = list(recipe.words[(bits & 0xFFFFFFFF) * len(recipe.words) >> 32])
            length = len(text)
        places = [self.place(word(place_key, attempt * most + k), k) for k in range(length)]
        return [Character(c, font, *place) for c, place in zip(text[:length], places, strict=True)]

    def place(self, bits: int, k: int) -> tuple[float, int, int]:
        """Angle in degrees and the tile's top left in px, 16 random bits each."""
        turns, placement = self.recipe.placement.turns, self.recipe.placement
        u_turn, u_angle, u_x, u_y = ((bits >> shift & 0xFFFF) / 2**16 for shift in (0, 16, 32, 48))
        turn = turns[choose([turn.share for turn in turns], u_turn)]
        low, high = turn.angle_deg
        cells = max(1, math.ceil((high - low) / self.recipe.raster.angle_step_deg))
        angle = low + (int(u_angle * cells) + 0.5) * (high - low) / cells
        span = placement.x_span_px[k] if isinstance(placement.x_span_px, tuple) else placement.x_span_px
        x = math.floor(placement.x_from_px + placement.pitch_px * k + span * u_x)
        y = math.trunc(turn.y_px[0] + (turn.y_px[1] - turn.y_px[0]) * u_y)
        return angle, x, y

    def tile(self, c: Character) -> Image.Image:
        """The character's rotated tile, as a one-bit picture."""
        raster = self.recipe.raster
        resample = {"nearest": Image.NEAREST, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}[raster.resample]
        turned = render_tile(self.faces[c.font], c.character, raster).rotate(c.angle_deg, resample, expand=1)
        if raster.edge == "threshold":
            return turned.point(lambda grey: 255 * (grey >= raster.threshold)).convert("1")
        paper = Image.new("1", turned.size)
        paper.paste(turned, (0, 0), turned)
        return paper

    def compose(self, characters: list[Character]) -> tuple[np.ndarray, list[tuple[int, int, int, int]]]:
        height, width = self.recipe.shape
        canvas, boxes = Image.new("1", (width, height)), []
        for c in characters:
            tile = self.tile(c)
            canvas.paste(1, (c.x, c.y), tile)
            x0, y0, x1, y1 = tile.getbbox()
            box = np.clip([c.x + x0, c.y + y0, c.x + x1, c.y + y1], 0, [width, height, width, height])
            boxes.append(tuple(int(v) for v in box))
        return np.array(canvas), boxes

    def masks(self, sample: Sample) -> list[np.ndarray]:
        """Each character's own ink (H, W) bool, whatever covers it."""
        return [self.compose([c])[0] for c in sample.characters]

    def finish(self, canvas: np.ndarray, key: int) -> np.ndarray:
        """The mask OR-ed in, every pixel flipped with the recipe's probability, then the ink opened."""
        noisy = (canvas | naive_mask(self.recipe)) ^ self.flips(mix(key ^ NOISE))
        return opened(noisy, self.recipe.binarize.open_px)

    def flips(self, key: int) -> np.ndarray:
        height, width = self.recipe.shape
        q, words = round(self.recipe.noise.flip_probability * 2**16), (width + 63) // 64
        flips = np.zeros((height, width), bool)
        if q == 0:
            return flips
        for y, x in np.ndindex(height, width):
            digits = [word(key, (y * words + x // 64) * 16 + d) >> (x % 64) & 1 for d in range(16)]
            # The pixel's 16 digits, lowest first, make a number below 2^16; it flips when that is under q.
            flips[y, x] = sum((1 - digit) << d for d, digit in enumerate(digits)) < q
        return flips


def centre(mask: np.ndarray) -> tuple[float, float]:
    """Mean (x, y) of the middles of a mask's pixels; (0, 0) for an empty one."""
    ink = np.argwhere(mask)[:, ::-1] + 0.5
    return tuple(np.float32(ink.mean(axis=0))) if len(ink) else (0.0, 0.0)


def choose(shares: list[float], u: float) -> int:
    """The entry that u in [0, 1) falls on when shares are laid end to end."""
    edges = np.cumsum(shares) / np.sum(shares)
    return int(np.searchsorted(edges[:-1], u, side="right"))


def opened(ink: np.ndarray, side: int) -> np.ndarray:
    """The union of all squares of ``side`` px that are wholly ink."""
    if side < 2:
        return ink
    kept = np.zeros_like(ink)
    for y, x in np.ndindex(max(0, ink.shape[0] - side + 1), max(0, ink.shape[1] - side + 1)):
        square = np.s_[y : y + side, x : x + side]
        kept[square] |= ink[square].all()
    return kept


def naive_mask(recipe: Recipe) -> np.ndarray:
    height, width = recipe.shape
    picture = Image.new("1", (width, height))
    for line in recipe.mask.lines:
        ImageDraw.Draw(picture).line(line, fill=1, width=recipe.mask.line_width_px)
    mask = np.array(picture)
    for y, row in enumerate(recipe.mask.rows):
        bits = bin(int(row, 16))[2:].zfill(4 * len(row))
        mask[y] |= np.array([bit == "1" for bit in bits[:width]])
    return mask


def well_formed(canvas: np.ndarray, length: int, rule: object) -> bool:
    """The original's test: as many wide gaps between blank columns as characters."""
    ink = canvas.sum(axis=0)
    blank = np.flatnonzero(ink < ink.min() + rule.slack_px)
    return int((np.diff(blank) >= rule.gap_px).sum()) == length
