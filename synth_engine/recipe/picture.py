"""Parts of a recipe that paints pictures: layout, characters, warps, ink, ground, clutter, camera.

Lengths are in px, angles in degrees (counter-clockwise positive), levels 0–255, shares and probabilities 0–1. Every
stage has a ``probability`` with which an image gets it. The stages' mathematics is in `picture.kernels.stages`, one
module a domain.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias

import msgspec

from synth_engine.recipe.part import (
    AnyNumber,
    Bounds,
    CountRange,
    Degrees,
    Level,
    Offset,
    Part,
    Position,
    PositiveInt,
    Probability,
    Range,
    Scale,
    ShareRange,
    Width,
)

# Layout: where the characters of a text stand.


class Flow(Part, frozen=True, kw_only=True, tag="flow", tag_field="kind"):
    """A line of text as a typesetter sets it: advance widths, and ``gap_px`` between neighbours.

    The line starts at ``x_px`` (``align = "left"``), or its middle lies ``x_px`` right of the canvas's middle
    (``centre``). Its baseline is at ``y_px``; each character stands ``jitter_px`` below it. A ``space_share`` of the
    characters, the first one included, have a space of ``space_px`` before them. A line longer than ``fit_px`` is
    squeezed to that length, its characters too. ``kerning`` moves pairs as the font says. Pillow reads kerning with
    Raqm, which needs the system's FriBiDi; without them it is a FontError.
    """

    y_px: Position
    x_px: Position = 0.0
    align: Literal["left", "centre"] = "centre"
    gap_px: Offset = 0.0
    space_px: Offset = 0.0
    space_share: Probability = 0.0
    fit_px: Annotated[Range, Bounds(1, 4096)] | None = None
    jitter_px: Offset = 0.0
    kerning: bool = False


class Free(Part, frozen=True, kw_only=True, tag="free", tag_field="kind"):
    """Each character's middle lies anywhere in ``x_px`` × ``y_px``; the text reads from left to right."""

    x_px: Position
    y_px: Position


Layout: TypeAlias = Flow | Free


class Character(Part, frozen=True, kw_only=True):
    """Each character's own shape: turned, scaled, slanted (``shear``: px to the right for each px up), in perspective.

    ``perspective`` moves each corner of the character's box by up to this share of half its sides, in x and in y.

    ``stretch`` first stretches the character's ink to a cell. Cells reach from the face's ascender to the baseline, or
    to where the character ends below it, and their middles stand on one line: an x becomes as tall as an 8, as if
    characters had been cut out and resized to one height. A cell is as wide as its character's ``advance``, or all are
    as wide as the face's characters on average (``even``).

    With ``turn_first`` the ink is slanted and turned before it is stretched: the box around the turned ink fills the
    cell, which ``scale`` and ``aspect`` then size, and whose corners ``perspective`` moves.

    ``interpolation`` is how the pixels of a turned or resized character are taken from its upright ones. ``nearest``,
    the default of Pillow's ``rotate`` and ``transform``, frays edges.
    """

    stretch: Literal["none", "advance", "even"] = "none"
    turn_first: bool = False
    angle_deg: Degrees = 0.0
    scale: Scale = 1.0
    aspect: Scale = 1.0
    shear: Annotated[Range, Bounds(-2, 2)] = 0.0
    perspective: Annotated[float, msgspec.Meta(ge=0, le=0.45)] = 0.0
    interpolation: Literal["bilinear", "nearest"] = "bilinear"


# Stages: each gets what was painted so far and changes it.


class Own(Part, frozen=True, kw_only=True, tag="own", tag_field="kind"):
    """A user's own stage: ``function`` is ``package.module:name``, of the form that `picture.stages.user_stages` says.

    It gets a number sampled from each of the ranges in ``values``, in the alphabetical order of their names. A warp
    that makes ink larger says in ``grow_px`` by how much at most, on every side.
    """

    function: Annotated[str, msgspec.Meta(pattern=r"^[\w.]+:\w+$")]
    values: dict[str, AnyNumber] = {}
    grow_px: Annotated[float, msgspec.Meta(ge=0, le=256)] = 0.0
    probability: Probability = 1.0


class Stroke(Part, frozen=True, kw_only=True, tag="stroke", tag_field="kind"):
    """Strokes become ``px`` thicker (positive) or thinner (negative) on every side."""

    px: Annotated[Range, Bounds(-64, 64)]
    probability: Probability = 1.0


class Rotate(Part, frozen=True, kw_only=True, tag="rotate", tag_field="kind"):
    """The whole line is turned about the canvas's middle."""

    angle_deg: Degrees
    probability: Probability = 1.0


class Tilt(Part, frozen=True, kw_only=True, tag="tilt", tag_field="kind"):
    """The whole line is seen in perspective: each corner of the canvas moves by up to ``share`` of half its sides."""

    share: Annotated[float, msgspec.Meta(ge=0, le=0.45)]
    probability: Probability = 1.0


class Sine(Part, frozen=True, kw_only=True, tag="sine", tag_field="kind"):
    """Ink moves by amplitude · sin(2π·x / period + phase): up and down along x, or sideways along y (``along``)."""

    amplitude_px: Annotated[Range, Bounds(0, 256)]
    period_px: Annotated[Range, Bounds(2, 100_000)]
    phase_deg: Annotated[Range, Bounds(-3600, 3600)] = (0.0, 360.0)
    along: Literal["x", "y"] = "x"
    probability: Probability = 1.0


class Curve(Part, frozen=True, kw_only=True, tag="curve", tag_field="kind"):
    """The line is bent to a parabola: its middle stands ``bend_px`` lower than its ends (negative: higher)."""

    bend_px: Offset
    probability: Probability = 1.0


class Elastic(Part, frozen=True, kw_only=True, tag="elastic", tag_field="kind"):
    """Ink moves by a smooth random field: up to ``amplitude_px`` in x and y at nodes ``cell_px`` apart."""

    amplitude_px: Annotated[Range, Bounds(0, 256)]
    cell_px: Annotated[float, msgspec.Meta(ge=4, le=512)] = 16.0
    probability: Probability = 1.0


Warp: TypeAlias = Stroke | Rotate | Tilt | Sine | Curve | Elastic | Own


class ClutterPart(Part, frozen=True, kw_only=True):
    """What all clutter has. It lies behind or before the text, in the text's ink or in an ink of its own.

    It has its own ink where ``level`` or ``rgb`` is given; which of the two counts is as in `Ink`.
    """

    behind: bool = False
    level: Level | None = None
    rgb: tuple[Level, Level, Level] | None = None
    opacity: ShareRange = 1.0
    probability: Probability = 1.0


class Lines(ClutterPart, frozen=True, kw_only=True, tag="lines", tag_field="kind"):
    """Straight strokes between two points anywhere on the canvas; ``count`` is rounded down."""

    count: CountRange = 1.0
    width_px: Width = 1.5


class Arcs(ClutterPart, frozen=True, kw_only=True, tag="arcs", tag_field="kind"):
    """Pieces of ellipses: middles anywhere on the canvas, half axes ``radius_px``, ``extent_deg`` of the whole turn."""

    count: CountRange = 1.0
    width_px: Width = 1.5
    radius_px: Annotated[Range, Bounds(0, 512)] = (10.0, 60.0)
    extent_deg: Annotated[Range, Bounds(0, 360)] = (60.0, 200.0)


class Curves(ClutterPart, frozen=True, kw_only=True, tag="curves", tag_field="kind"):
    """Cubic Bézier curves from the left to the right edge; their four points lie anywhere in height."""

    count: CountRange = 1.0
    width_px: Width = 1.5


class Dots(ClutterPart, frozen=True, kw_only=True, tag="dots", tag_field="kind"):
    """Round dots anywhere on the canvas."""

    count: CountRange = 20.0
    radius_px: Annotated[Range, Bounds(0, 512)] = 1.0


class OwnMark(ClutterPart, frozen=True, kw_only=True, tag="own", tag_field="kind"):
    """A user's own clutter; see `Own`."""

    function: Annotated[str, msgspec.Meta(pattern=r"^[\w.]+:\w+$")]
    values: dict[str, AnyNumber] = {}


Clutter: TypeAlias = Lines | Arcs | Curves | Dots | OwnMark


class Blur(Part, frozen=True, kw_only=True, tag="blur", tag_field="kind"):
    """Gaussian blur of standard deviation ``sigma_px``."""

    sigma_px: Annotated[Range, Bounds(0, 32)]
    probability: Probability = 1.0


class MotionBlur(Part, frozen=True, kw_only=True, tag="motion", tag_field="kind"):
    """The mean over a straight movement of ``length_px`` in the direction ``angle_deg``."""

    length_px: Width
    angle_deg: Degrees = (0.0, 180.0)
    probability: Probability = 1.0


class GaussianNoise(Part, frozen=True, kw_only=True, tag="noise", tag_field="kind"):
    """Independent Gaussian noise on every pixel and channel, of standard deviation ``sigma`` levels."""

    sigma: Annotated[Range, Bounds(0, 255)]
    probability: Probability = 1.0


class SaltPepper(Part, frozen=True, kw_only=True, tag="salt_pepper", tag_field="kind"):
    """A ``share`` of the pixels becomes white or black, equally often."""

    share: ShareRange
    probability: Probability = 1.0


class Invert(Part, frozen=True, kw_only=True, tag="invert", tag_field="kind"):
    """Each pixel flips to 255 − level with probability ``share``; 1 makes a negative of the image."""

    share: ShareRange = 1.0
    probability: Probability = 1.0


class Rescale(Part, frozen=True, kw_only=True, tag="rescale", tag_field="kind"):
    """The image is scaled to ``factor`` of its size (area means below 1, bilinear above) and back (bilinear)."""

    factor: Annotated[Range, Bounds(0.05, 8)]
    probability: Probability = 1.0


class Jpeg(Part, frozen=True, kw_only=True, tag="jpeg", tag_field="kind"):
    """The image is encoded as JPEG of ``quality`` 1–100 and decoded again, by OpenCV."""

    quality: Annotated[Range, Bounds(1, 100)]
    probability: Probability = 1.0


Camera: TypeAlias = Blur | MotionBlur | GaussianNoise | SaltPepper | Invert | Rescale | Jpeg | Own


# Ink and ground.


class Ink(Part, frozen=True, kw_only=True):
    """The text's ink: a grey ``level`` (black unless given), or ``rgb``; one for the ``image``, or ``per`` character.

    A grey picture takes ``level`` where it is given, else the luminance of ``rgb``. A colour picture prefers ``rgb``.
    The recipe's mask, and clutter without an ink of its own, take the first character's.

    With ``contrast`` the distance of the ink's grey level from the ground's mean is sampled from that range. The ink
    stays on the sampled level's side of the ground if 0–255 has room there; else it changes sides, or goes as far as it
    can. Colours shift alike.
    """

    default_level: ClassVar[Level] = (0.0, 0.0)

    level: Level | None = None
    rgb: tuple[Level, Level, Level] | None = None
    per: Literal["image", "character"] = "image"
    contrast: Level | None = None


class Flat(Part, frozen=True, kw_only=True, tag="flat", tag_field="kind"):
    """Ground of one ``level`` (white unless given) or ``rgb``; which of the two is as in `Ink`."""

    default_level: ClassVar[Level] = (255.0, 255.0)

    level: Level | None = None
    rgb: tuple[Level, Level, Level] | None = None


class Gradient(Part, frozen=True, kw_only=True, tag="gradient", tag_field="kind"):
    """Ground that changes linearly across the canvas, from one sampled colour to another, in a direction ``angle_deg``.

    ``level`` is 160 to 255 unless it is given; ``level`` or ``rgb``: as in `Ink`.
    """

    default_level: ClassVar[Level] = (160.0, 255.0)

    level: Level | None = None
    rgb: tuple[Level, Level, Level] | None = None
    angle_deg: Degrees = (0.0, 360.0)


class Grain(Part, frozen=True, kw_only=True, tag="grain", tag_field="kind"):
    """Ground of smooth noise: standard deviation ``sigma`` levels about a sampled colour, grains ``grain_px`` wide.

    ``level`` is 200 to 255 unless it is given; ``level`` or ``rgb``: as in `Ink`.
    """

    default_level: ClassVar[Level] = (200.0, 255.0)

    level: Level | None = None
    rgb: tuple[Level, Level, Level] | None = None
    sigma: Annotated[Range, Bounds(0, 255)] = 10.0
    grain_px: Annotated[float, msgspec.Meta(ge=1, le=256)] = 4.0


class Pictures(Part, frozen=True, kw_only=True, tag="pictures", tag_field="kind"):
    """Ground cut at random from the pictures in ``folder``; those that are smaller than the canvas are scaled up.

    ``content`` is the SHA-256 (hex) of the pictures, since samples depend on them. Loading a recipe fills it in.
    """

    folder: str
    content: str = ""


Ground: TypeAlias = Flat | Gradient | Grain | Pictures


class Limits(Part, frozen=True, kw_only=True):
    """An image is rejected if more than these shares of a character's ink are clipped by the canvas or covered.

    Then the whole placement is sampled again, up to ``text_tries`` times, then the text too. Each candidate is counted,
    and it is an error if ``tries_max`` candidates of one sample are rejected. In a recipe with a filter, the filter's
    numbers of tries hold for both.
    """

    clipped_share: Probability = 1.0
    covered_share: Probability = 1.0
    text_tries: PositiveInt = 50
    tries_max: PositiveInt = 1_000


class Picture(Part, frozen=True, kw_only=True):
    """How a picture is painted: characters, warps that move their ink, ink on ground with clutter, then a camera.

    ``color`` is ``grey``, ``rgb`` or ``binary``: a grey picture, binarised by the recipe's `Binarize` rule as a real
    image is. Stages of one list are applied in its order.
    """

    color: Literal["binary", "grey", "rgb"] = "grey"
    layout: Layout | None = None
    character: Character = Character()
    warps: Annotated[tuple[Warp, ...], msgspec.Meta(max_length=16)] = ()
    ink: Ink = Ink()
    ground: Ground = Flat()
    clutter: Annotated[tuple[Clutter, ...], msgspec.Meta(max_length=16)] = ()
    camera: Annotated[tuple[Camera, ...], msgspec.Meta(max_length=16)] = ()
    limits: Limits | None = None
