"""Parts of every recipe, and `RecipeFields`, which holds them all with what follows from them.

Pure values: nothing here checks one part against another (`checks`) or opens a file (`toml`). Lengths are in px,
angles in degrees (counter-clockwise positive, as in Pillow), probabilities and shares between 0 and 1. The original
generator is the one that the built-in recipe `hackmit` reproduces, quirks included.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from synth_engine.recipe.part import Bounds, Coordinate, Part, PositiveInt, Probability, Share, Span
from synth_engine.recipe.picture import Picture

Line = tuple[Coordinate, Coordinate, Coordinate, Coordinate]
FACES_MAX = 256
SIZE_MAX_PX = 1024
LENGTH_MAX = 64


class Canvas(Part, frozen=True, kw_only=True):
    """Size of the image in px."""

    width_px: Annotated[int, msgspec.Meta(ge=8, le=1024)]
    height_px: Annotated[int, msgspec.Meta(ge=8, le=1024)]


class Font(Part, frozen=True, kw_only=True):
    """One face. ``file`` is a path or ``package:NAME/PATH``, a file that the installed package NAME brings.

    ``size_px`` is one size, or a smallest and a largest: every whole size of that range is equally likely. ``axes``
    sets a variable font's axes by name (``{Weight = 700}``); ``share`` is how often samples get this font, relative to
    the others'.
    """

    file: str
    size_px: Annotated[int | tuple[int, int], Bounds(1, SIZE_MAX_PX)]
    axes: dict[str, Annotated[float, msgspec.Meta(ge=-32768, le=32767)]] = {}  # as OpenType stores them
    share: Share = 1.0

    @property
    def sizes_px(self) -> range:
        """Every size that samples get."""
        low, high = (self.size_px, self.size_px) if isinstance(self.size_px, int) else self.size_px
        return range(low, high + 1)


class Raster(Part, frozen=True, kw_only=True):
    """How a character becomes ink: rendered on a tile, which is rotated about its centre, expanded, and made binary.

    The tile is ``tile_px`` high, and as wide (``square``) or as wide as the character's ``advance``. The character
    stands at its left edge. Its baseline lies ``baseline_px`` from the top; without that, its ascender lies at the top,
    as in the original generator. ``edge`` is ``threshold`` (grey of at least ``threshold`` is ink) or ``dither``
    (Pillow's paste into a 1-bit image, as in the original). Angles are the midpoints of cells of ``angle_step_deg``.
    """

    tile_px: Annotated[int, msgspec.Meta(ge=8, le=512)] = 40
    tile_width: Literal["square", "advance"] = "square"
    baseline_px: Annotated[int, msgspec.Meta(ge=1, le=1024)] | None = None
    resample: Literal["nearest", "bilinear", "bicubic"] = "nearest"
    edge: Literal["threshold", "dither"] = "threshold"
    threshold: Annotated[int, msgspec.Meta(ge=1, le=255)] = 128
    angle_step_deg: Annotated[float, msgspec.Meta(ge=0.01, le=90)] = 0.5


class Turn(Part, frozen=True, kw_only=True):
    """One way of turning a character: a range of angles, a range of the tile's top edge, and how often it is taken.

    The top edge is y = trunc(y₀ + (y₁ - y₀)·u) with u uniform in [0, 1). ``share`` is relative to the other turns'.
    """

    angle_deg: Annotated[tuple[float, float], Bounds(-90, 90)]
    y_px: Annotated[tuple[float, float], Bounds(-4096, 4096)]
    share: Share = 1.0


class Placement(Part, frozen=True, kw_only=True):
    """Character k's tile starts at x = x_from_px + floor(pitch_px·k + x_span_px·u), u uniform in [0, 1).

    ``x_span_px`` is one number, or one for each character. Each character takes one of the ``turns``.
    """

    pitch_px: Annotated[float, msgspec.Meta(ge=0, le=1024)]
    turns: Annotated[tuple[Turn, ...], msgspec.Meta(min_length=1, max_length=16)]
    x_from_px: Coordinate = 0
    x_span_px: Span | tuple[Span, ...] = 0.0


class Filter(Part, frozen=True, kw_only=True):
    """The segmentation filter of the original generator, applied before the mask.

    A column is blank when its ink is under (minimum over columns) + ``slack_px``. An image passes when as many pairs of
    neighbouring blank columns lie at least ``gap_px`` apart as it has characters. After a rejected candidate the next
    samples ``all`` anew, which favours narrow letters, or the ``placement`` alone, which keeps labels uniform; a text
    that is rejected ``text_tries`` times is then replaced, and counted. It is an error if ``tries_max`` candidates of
    one sample are rejected.
    """

    gap_px: Annotated[int, msgspec.Meta(ge=2, le=64)] = 8  # the kernel shifts 64-bit words
    slack_px: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 2
    redraw: Literal["all", "placement"] = "all"
    text_tries: PositiveInt = 2_000
    tries_max: PositiveInt = 20_000


class Mask(Part, frozen=True, kw_only=True):
    """Ink that every image shares: straight lines (x0, y0, x1, y1 inclusive, px), packed rows of pixels, or both.

    Lines are those of Pillow, ``line_width_px`` wide; the order of their end points matters to it. ``rows`` holds one
    hexadecimal string per image row, bits in `numpy.packbits` order. In a TOML file ``file`` may name a picture
    instead, whose non-zero pixels are ink; loading replaces it by its rows, so that the recipe needs no second file.
    """

    lines: tuple[Line, ...] = ()
    line_width_px: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 1
    rows: tuple[str, ...] = ()


class Noise(Part, frozen=True, kw_only=True):
    """Pixel noise after the mask: each pixel flips with this probability, in steps of 2⁻¹⁶."""

    flip_probability: Probability = 0.0


class Binarize(Part, frozen=True, kw_only=True):
    """How a real image becomes ink: where its grey value is above (``light``) or below (``dark``) ``threshold``.

    ``zero_is_ink`` adds the value 0. ``open_px`` then keeps only ink that some all-ink square of that side covers
    (morphological opening; 0 is off). It is applied to synthetic images too, so that both are alike.
    """

    threshold: Annotated[int, msgspec.Meta(ge=0, le=255)] = 128
    ink: Literal["light", "dark"] = "light"
    zero_is_ink: bool = False
    open_px: Annotated[int, msgspec.Meta(ge=0, le=15)] = 0

    def is_ink(self, grey: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Which of the ``grey`` values, of any shape, are ink: bool of that shape. ``open_px`` is not applied."""
        ink = grey > self.threshold if self.ink == "light" else grey < self.threshold
        if self.zero_is_ink:
            ink |= grey == 0
        return ink


class RecipeFields(Part, frozen=True, kw_only=True):
    """The parts of a recipe, unchecked, and what follows from them; `Recipe` adds checks and files."""

    name: str
    alphabet: Annotated[str, msgspec.Meta(min_length=2, max_length=255)]
    length: Annotated[int | tuple[int, int], Bounds(1, LENGTH_MAX)]
    canvas: Canvas
    fonts: Annotated[tuple[Font, ...], msgspec.Meta(min_length=1, max_length=256)]
    placement: Placement | None = None
    alphabets: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    drawn_as: dict[str, str] = {}
    raster: Raster = Raster()
    filter: Filter | None = None
    mask: Mask = Mask()
    noise: Noise = Noise()
    binarize: Binarize = Binarize()
    picture: Picture | None = None

    @property
    def length_range(self) -> tuple[int, int]:
        """Fewest and most characters of an image."""
        return (self.length, self.length) if isinstance(self.length, int) else self.length

    @property
    def length_max(self) -> int:
        """Most characters of an image: the second axis of labels and boxes."""
        return self.length_range[1]

    @property
    def faces(self) -> tuple[Font, ...]:
        """Every font at every one of its sizes, its share divided among them."""
        return tuple(
            msgspec.structs.replace(font, size_px=size, share=font.share / len(font.sizes_px))
            for font in self.fonts
            for size in font.sizes_px
        )

    @property
    def glyphs(self) -> str:
        """The characters that fonts are asked for, one for each of ``alphabet``."""
        return "".join(self.drawn_as.get(character, character) for character in self.alphabet)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the image in px."""
        return self.canvas.height_px, self.canvas.width_px

    @property
    def color(self) -> str:
        """The kind of the images: ``binary``, ``grey`` or ``rgb``."""
        return self.picture.color if self.picture else "binary"

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of one image's array: `shape`, with a third axis of 3 for RGB."""
        return (*self.shape, 3) if self.color == "rgb" else self.shape


def mask_rows(ink: ArrayLike) -> tuple[str, ...]:
    """`Mask.rows` for an array of shape (H, W), non-zero where there is ink."""
    return tuple(row.tobytes().hex() for row in np.packbits(np.asarray(ink) != 0, axis=1))
