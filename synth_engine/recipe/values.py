"""Recipe: the frozen description of how an image of the target is made.

A recipe is a value: compared by content, read from and written to TOML, checked when it is loaded, replaced or put to
use. It draws nothing itself; `glyphs` and `synthesizer` turn it into pixels. Lengths are in px, angles in degrees
(counter-clockwise positive, as in Pillow), probabilities and shares between 0 and 1.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

import msgspec

from synth_engine.atomic import write_bytes
from synth_engine.errors import RecipeError
from synth_engine.recipe.checks import check_ranges
from synth_engine.recipe.picture import Part, Picture, Pictures, Probability

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PositiveInt = Annotated[int, msgspec.Meta(ge=1)]
Share = Annotated[float, msgspec.Meta(gt=0)]
Span = Annotated[float, msgspec.Meta(ge=0)]
Line = tuple[int, int, int, int]
FACES_MAX = 256
SIZE_MAX_PX = 1024


class Canvas(Part, frozen=True, kw_only=True):
    """Size of the image in px."""

    width_px: Annotated[int, msgspec.Meta(ge=8, le=1024)]
    height_px: Annotated[int, msgspec.Meta(ge=8, le=1024)]


class Font(Part, frozen=True, kw_only=True):
    """One face. ``file`` is a path or ``package:NAME/PATH``, a file that the installed package NAME brings.

    ``size_px`` is one size, or a smallest and a largest of which every whole size is drawn alike. ``axes`` sets a
    variable font's axes by name (``{Weight = 700}``); ``share`` is its weight in the draw of a font for each sample.
    """

    file: str
    size_px: int | tuple[int, int]  # with a least value, msgspec 0.22 crashes at the next garbage collection
    axes: dict[str, float] = {}
    share: Share = 1.0

    @property
    def sizes_px(self) -> range:
        """Every size that is drawn."""
        low, high = (self.size_px, self.size_px) if isinstance(self.size_px, int) else self.size_px
        return range(low, high + 1)


class Raster(Part, frozen=True, kw_only=True):
    """How a character becomes ink: drawn on a tile, the tile rotated about its centre and expanded, made binary.

    The tile is ``tile_px`` high, and as wide (``square``) or as wide as the character's ``advance``. Text starts at
    its left edge, with the baseline ``baseline_px`` from the top, or (None) its ascender at the top, as the original
    did. ``edge`` is ``threshold`` (grey of at least ``threshold`` is ink) or ``dither`` (Pillow's paste into a 1-bit
    image, as the original did). Angles are the midpoints of cells of ``angle_step_deg``.
    """

    tile_px: Annotated[int, msgspec.Meta(ge=8, le=512)] = 40
    tile_width: Literal["square", "advance"] = "square"
    baseline_px: PositiveInt | None = None
    resample: Literal["nearest", "bilinear", "bicubic"] = "nearest"
    edge: Literal["threshold", "dither"] = "threshold"
    threshold: Annotated[int, msgspec.Meta(ge=1, le=255)] = 128
    angle_step_deg: Annotated[float, msgspec.Meta(gt=0, le=90)] = 0.5


class Turn(Part, frozen=True, kw_only=True):
    """One way of turning a character: its share, its range of angles, and the range of the tile's top edge.

    The top edge is y = trunc(y₀ + (y₁ - y₀)·u) with u uniform in [0, 1).
    """

    angle_deg: tuple[float, float]
    y_px: tuple[float, float]
    share: Share = 1.0


class Placement(Part, frozen=True, kw_only=True):
    """Character k's tile starts at x = x_from_px + floor(pitch_px·k + x_span_px·u), u uniform in [0, 1).

    ``x_span_px`` is one number, or one for each character.
    """

    pitch_px: Annotated[float, msgspec.Meta(ge=0)]
    turns: Annotated[tuple[Turn, ...], msgspec.Meta(min_length=1, max_length=16)]
    x_from_px: int = 0
    x_span_px: Span | tuple[Span, ...] = 0.0


class Filter(Part, frozen=True, kw_only=True):
    """The segmentation filter of the original generator, applied before the mask.

    A column is blank when its ink is under (minimum over columns) + ``slack_px``. An image passes when exactly as
    many pairs of neighbouring blank columns lie at least ``gap_px`` apart as it has characters. A rejected candidate
    redraws ``all`` (biased towards narrow letters) or the ``placement`` alone (labels stay uniform; a text that fails
    ``text_tries`` times is replaced, and counted). After ``tries_max`` candidates for one sample it is an error.
    """

    gap_px: Annotated[int, msgspec.Meta(ge=2, le=64)] = 8  # the kernel shifts 64-bit words
    slack_px: PositiveInt = 2
    redraw: Literal["all", "placement"] = "all"
    text_tries: PositiveInt = 2_000
    tries_max: PositiveInt = 20_000


class Mask(Part, frozen=True, kw_only=True):
    """Ink that every image shares: straight lines (x0, y0, x1, y1 inclusive, px) and/or packed rows of pixels.

    Lines are drawn as Pillow draws them, ``line_width_px`` wide; the order of their end points matters to it.
    ``rows`` holds one hexadecimal string per image row, bits in `numpy.packbits` order. In a TOML file ``file`` may
    name a picture instead (non-zero is ink); loading replaces it by its rows, so that a recipe needs no second file.
    """

    lines: tuple[Line, ...] = ()
    line_width_px: PositiveInt = 1
    rows: tuple[str, ...] = ()


class Noise(Part, frozen=True, kw_only=True):
    """Pixel noise: each pixel flips with this probability (resolution 2⁻¹⁶), after the mask."""

    flip_probability: Probability = 0.0


class Binarize(Part, frozen=True, kw_only=True):
    """How a real image becomes ink: grey value above (``light``) or below (``dark``) ``threshold``.

    ``zero_is_ink`` adds the value 0. ``open_px`` then keeps only ink that some all-ink square of that side covers
    (morphological opening; 0 = off), on synthetic images too: both domains must be of one kind.
    """

    threshold: Annotated[int, msgspec.Meta(ge=0, le=255)] = 128
    ink: Literal["light", "dark"] = "light"
    zero_is_ink: bool = False
    open_px: Annotated[int, msgspec.Meta(ge=0, le=15)] = 0

    def is_ink(self, grey: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Which of the grey values, an array of any shape, are ink; `open_px` is not applied."""
        ink = grey > self.threshold if self.ink == "light" else grey < self.threshold
        if self.zero_is_ink:
            ink |= grey == 0
        return ink


class Recipe(Part, frozen=True, kw_only=True):
    """How an image is made. See the parts for units; `Recipe.named` lists what comes built in.

    Without ``picture`` an image is binary: turned characters in cells, a shared mask, pixel noise; the fastest path.
    With it, characters stand where ``placement`` or ``picture.layout`` says, and the rest of `parts` applies.

    Every position draws from ``alphabet``, or from its own entry of ``alphabets`` (as many as the longest text has
    characters); or texts are drawn from ``words``, all alike (in a TOML file ``words_file`` may name a file with one
    a line instead). Labels index ``alphabet`` in any case. ``drawn_as`` names characters that fonts draw otherwise than
    the target does, and another one's glyph to draw for each: O for a 0 that stands without the fonts' dot or slash.
    """

    name: str
    alphabet: Annotated[str, msgspec.Meta(min_length=2, max_length=255)]
    length: int | tuple[int, int]
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

    def __post_init__(self) -> None:
        _check(self)

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
        """What is drawn: every font at every one of its sizes, its share divided among them."""
        return tuple(
            msgspec.structs.replace(font, size_px=size, share=font.share / len(font.sizes_px))
            for font in self.fonts
            for size in font.sizes_px
        )

    @property
    def glyphs(self) -> str:
        """What fonts are asked for: a character for each of ``alphabet``."""
        return "".join(self.drawn_as.get(character, character) for character in self.alphabet)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the image in px."""
        return self.canvas.height_px, self.canvas.width_px

    @property
    def color(self) -> str:
        """What images are made of: ``binary``, ``grey`` or ``rgb``."""
        return self.picture.color if self.picture else "binary"

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of one image's array: `shape`, with a third axis of 3 for RGB."""
        return (*self.shape, 3) if self.color == "rgb" else self.shape

    @property
    def key(self) -> str:
        """SHA-256 of the recipe's content (hex): equal recipes have equal keys."""
        normal = msgspec.convert(msgspec.to_builtins(self), Recipe)  # 6 px and 6.0 px are one length
        return hashlib.sha256(msgspec.json.encode(normal, order="deterministic")).hexdigest()

    @classmethod
    def named(cls, name: str) -> Recipe:
        """The built-in recipe of that name; raises RecipeError listing the names there are, FontError as `load`."""
        folder = resources.files("synth_engine.recipe") / "builtin"
        known = sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))
        if name not in known:
            raise RecipeError(f"no built-in recipe is called {name!r}: choose one of {', '.join(known)}", name)
        return _decode((folder / f"{name}.toml").read_bytes(), where=f"recipe {name}", folder=None)

    @classmethod
    def load(cls, path: str | Path) -> Recipe:
        """The recipe in a TOML file; relative font and mask paths are taken from the file's folder.

        Raises RecipeError saying where the file is wrong, and FontError for a font that is missing, lacks a glyph that
        is drawn, draws one past the tile, or draws one like another case.
        """
        path = Path(path)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise RecipeError(f"cannot read recipe {path}: {error.strerror}; give a TOML file", path) from error
        return _decode(content, where=str(path), folder=path.parent)

    @classmethod
    def resolve(cls, name_or_path: str) -> Recipe:
        """A built-in recipe's name, or the path of a TOML file (anything ending in ``.toml``)."""
        return cls.load(name_or_path) if name_or_path.endswith(".toml") else cls.named(name_or_path)

    def require_binary(self) -> Recipe:
        """This recipe; raises RecipeError for one in grey or RGB, which the trainers and the target cannot use."""
        if self.color != "binary":
            raise RecipeError(
                f"recipe {self.name} paints in {self.color}, and real images are binarised: "
                'set `picture.color = "binary"`, and `binarize` as it suits them',
                self.color,
            )
        return self

    def save(self, path: str | Path) -> None:
        """Write the recipe as TOML, whole or not at all."""
        write_bytes(Path(path), msgspec.toml.encode(self))

    def replace(self, **changes: Any) -> Recipe:
        """A copy with these parts exchanged, checked anew."""
        try:
            return msgspec.convert(msgspec.to_builtins(msgspec.structs.replace(self, **changes)), Recipe)
        except (TypeError, ValueError) as error:
            raise RecipeError(f"recipe {self.name} cannot be changed so: {error}", changes) from error


def _check(recipe: Recipe) -> None:
    if len(set(recipe.alphabet)) != len(recipe.alphabet):
        twice = sorted({c for c in recipe.alphabet if recipe.alphabet.count(c) > 1})
        raise ValueError(f"`alphabet` holds {''.join(twice)!r} more than once; name each character once")
    low, high = recipe.length_range
    if not 1 <= low <= high <= 64:
        raise ValueError(f"`length` is {recipe.length}; expected 1 to 64, the fewest first")
    _check_texts(recipe)
    _check_glyphs(recipe)
    _check_sizes(recipe)
    if recipe.picture is not None:
        _check_picture(recipe, recipe.picture)
    if recipe.placement is not None:
        _check_placement(recipe, recipe.placement)
    elif recipe.picture is None or recipe.picture.layout is None:
        raise ValueError("nothing says where characters stand; give `placement`, or `picture.layout`")
    _check_mask(recipe)


def _check_picture(recipe: Recipe, picture: Picture) -> None:
    check_ranges(picture)
    if picture.layout is not None and recipe.placement is not None:
        raise ValueError("`placement` and `picture.layout` both say where characters stand; remove one of them")
    if picture.character.turn_first and picture.character.stretch == "none":
        raise ValueError(
            "`picture.character.turn_first` says when characters are stretched, and none are; give `stretch` there too"
        )
    if recipe.color != "binary" and recipe.noise.flip_probability:
        raise ValueError(f"`noise` flips binary pixels; in a {recipe.color} picture use a stage of `picture.camera`")


def _check_placement(recipe: Recipe, placement: Placement) -> None:
    for turn in placement.turns:
        if turn.angle_deg[0] > turn.angle_deg[1] or turn.y_px[0] > turn.y_px[1]:
            raise ValueError(f"a turn's ranges must run upwards, received {turn.angle_deg} and {turn.y_px}")
        if not all(-90 <= angle <= 90 for angle in turn.angle_deg):
            raise ValueError(f"`angle_deg` is {turn.angle_deg}; expected -90 to 90")
    spans = placement.x_span_px
    if isinstance(spans, tuple) and len(spans) != recipe.length_max:
        raise ValueError(f"`x_span_px` has {len(spans)} entries for up to {recipe.length_max} characters")


def _check_texts(recipe: Recipe) -> None:
    low, high = recipe.length_range
    if recipe.words and recipe.alphabets:
        raise ValueError("`words` and `alphabets` are both given; texts are drawn from one of them")
    if recipe.alphabets and len(recipe.alphabets) != high:
        raise ValueError(f"`alphabets` has {len(recipe.alphabets)} entries for up to {high} characters")
    for k, letters in enumerate(recipe.alphabets):
        if not letters or len(set(letters)) != len(letters):
            raise ValueError(f"`alphabets[{k}]` is {letters!r}; expected each of its characters once, and one at least")
    for word in recipe.words:
        if not low <= len(word) <= high:
            raise ValueError(f"`words` holds {word!r} of {len(word)} characters; `length` allows {low} to {high}")
    for where, text in [("alphabets", text) for text in recipe.alphabets] + [("words", word) for word in recipe.words]:
        unknown = "".join(sorted(set(text) - set(recipe.alphabet)))
        if unknown:
            raise ValueError(f"`{where}` holds {text!r}, but `alphabet` lacks {unknown!r}; add it there")


def _check_glyphs(recipe: Recipe) -> None:
    for character, glyph in recipe.drawn_as.items():
        if len(character) != 1 or character not in recipe.alphabet:
            raise ValueError(
                f"`drawn_as` names {character!r}, which `alphabet` lacks; add it there or leave it out here"
            )
        if len(glyph) != 1:
            raise ValueError(f"`drawn_as` draws {character!r} as {glyph!r}; expected one character")
        alike = [c for c, drawn in zip(recipe.alphabet, recipe.glyphs, strict=True) if drawn == glyph]
        if len(alike) > 1:
            raise ValueError(f"`drawn_as` draws {' and '.join(alike)} alike, as {glyph!r}; draw one of them otherwise")


def _check_sizes(recipe: Recipe) -> None:
    for font in recipe.fonts:
        if not font.sizes_px or font.sizes_px[0] < 1 or font.sizes_px[-1] > SIZE_MAX_PX:
            raise ValueError(
                f"`size_px` of {font.file} is {font.size_px}; expected 1 to {SIZE_MAX_PX}, the smaller size first"
            )
    count = sum(len(font.sizes_px) for font in recipe.fonts)
    if count > FACES_MAX:
        raise ValueError(f"`fonts` makes {count} faces, one a size; expected at most {FACES_MAX}: narrow `size_px`")


def _check_mask(recipe: Recipe) -> None:
    height, width = recipe.shape
    digits = 2 * ((width + 7) // 8)
    rows = recipe.mask.rows
    if rows and len(rows) != height:
        raise ValueError(f"`mask.rows` has {len(rows)} rows; the canvas has {height}")
    if any(not re.fullmatch(f"[0-9a-f]{{{digits}}}", row) for row in rows):
        raise ValueError(f"each of `mask.rows` takes {digits} lower-case hexadecimal digits for {width} px")


def _decode(content: bytes, *, where: str, folder: Path | None) -> Recipe:
    try:
        data = msgspec.toml.decode(content)
        if folder is not None:
            _resolve_paths(data, folder)
        recipe = _with_pictures(msgspec.convert(data, Recipe), folder)
    except (msgspec.DecodeError, ValueError) as error:
        raise RecipeError(f"{where}: {error}{_hint(str(error))}", where) from error
    from synth_engine.fonts.faces import check_coverage  # opens files with Pillow: not for a module that is all values

    in_cells = recipe.placement is not None  # other layouts draw on no tile that could cut a character
    for face in recipe.faces:
        check_coverage(face, recipe.glyphs, recipe.raster if in_cells else None)
    return recipe


def _with_pictures(recipe: Recipe, folder: Path | None) -> Recipe:
    """The recipe with the content of its ground's pictures, which its samples depend on."""
    picture = recipe.picture
    if picture is None or not isinstance(picture.ground, Pictures) or folder is None:
        return recipe
    from synth_engine.picture.stages.ground_images import prepare_pictures  # reads files with Pillow

    return recipe.replace(picture=msgspec.structs.replace(picture, ground=prepare_pictures(picture.ground, folder)))


def _resolve_paths(data: dict[str, Any], folder: Path) -> None:
    """Make paths absolute, read the mask's picture and the words; what has a wrong type is left to the conversion."""
    fonts, mask = data.get("fonts"), data.get("mask")
    for font in fonts if isinstance(fonts, list) else []:
        file = font.get("file") if isinstance(font, dict) else None
        if isinstance(file, str) and not file.startswith("package:"):
            font["file"] = str((folder / file).resolve())
    if isinstance(mask, dict) and isinstance(mask.get("file"), str):
        mask["rows"] = mask_rows(_read_picture(folder / mask.pop("file")))
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


def _read_picture(path: Path) -> Any:
    import numpy as np
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("L")) > 0
    except OSError as error:
        raise ValueError(f"`mask.file` {path} cannot be read as a picture: {error}") from error


def mask_rows(ink: Any) -> tuple[str, ...]:
    """`Mask.rows` for an array of shape (H, W), non-zero where there is ink."""
    import numpy as np

    return tuple(row.tobytes().hex() for row in np.packbits(np.asarray(ink) != 0, axis=1))


def _hint(message: str) -> str:
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


def _words(kind: Any) -> list[str]:
    """What a field of this type may say in words: the strings of a Literal, the kinds of its parts."""
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Part):
        return [str(kind.__struct_config__.tag)] if kind.__struct_config__.tag else []
    return [word for inner in get_args(kind) for word in _words(inner)]


def _descendants(part: type[Part]) -> list[type[Part]]:
    return [kind for child in part.__subclasses__() for kind in (child, *_descendants(child))]
