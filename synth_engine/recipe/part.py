"""What parts of a recipe are made of: their base class, and numbers and ranges with their bounds.

A range is one number or (lowest, highest), sampled uniformly for every image. Every number has bounds, which
stand with its type: `msgspec.Meta` for a plain number, which msgspec checks when it converts a recipe; `Bounds` for a
range, which `checks` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeAlias

import msgspec

Range: TypeAlias = float | tuple[float, float]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A piece of a recipe: immutable, keyword-only, unknown keys refused."""


@dataclass(frozen=True)
class Bounds:
    """Metadata of a range's type: both of its ends are finite and from ``low`` to ``high``, and the lower comes first.

    `msgspec.Meta` cannot stand in its place: msgspec 0.22 crashes with one on a union of a number and a pair.
    """

    low: float
    high: float


Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]
PositiveInt = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
Share = Annotated[float, msgspec.Meta(gt=0, le=1_000_000)]
Span = Annotated[float, msgspec.Meta(ge=0, le=4096)]
Coordinate = Annotated[int, msgspec.Meta(ge=-4096, le=4096)]

Level = Annotated[Range, Bounds(0, 255)]
ShareRange = Annotated[Range, Bounds(0, 1)]
CountRange = Annotated[Range, Bounds(0, 10_000)]
Degrees = Annotated[Range, Bounds(-360, 360)]
Position = Annotated[Range, Bounds(-4096, 4096)]
Offset = Annotated[Range, Bounds(-1024, 1024)]
Width = Annotated[Range, Bounds(0, 64)]
Scale = Annotated[Range, Bounds(0.1, 10)]
AnyNumber = Annotated[Range, Bounds(-1e300, 1e300)]


def low_high(value: Range) -> tuple[float, float]:
    """The lowest and the highest value of a range."""
    return value if isinstance(value, tuple) else (value, value)
