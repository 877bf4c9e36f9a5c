"""Every number of a recipe has bounds, and what leaves them is refused by the name of its field."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

import msgspec
import pytest

from synth_engine import Recipe, Synthesizer
from synth_engine.errors import RecipeError, RejectionError
from synth_engine.recipe import Bounds, Filter, Font, Mask, Part, Placement, Turn
from tests.conftest import ARIMO


def part_types(base: type[Part] = Part) -> list[type[Part]]:
    return [kind for child in base.__subclasses__() for kind in (child, *part_types(child))]


def is_bounded(metadata: Any) -> bool:
    if isinstance(metadata, Bounds):
        return math.isfinite(metadata.low) and math.isfinite(metadata.high)
    least, most = (metadata.ge, metadata.gt), (metadata.le, metadata.lt)
    return least != (None, None) and most != (None, None)


def numbers(annotation: Any, bounded: bool = False) -> Iterator[bool]:
    """Whether it has bounds, for each number that a value of this type may hold."""
    if get_origin(annotation) is Annotated:
        yield from numbers(annotation.__origin__, any(map(is_bounded, annotation.__metadata__)))
    elif annotation in (int, float):
        yield bounded
    else:
        for inner in get_args(annotation):
            yield from numbers(inner, bounded)


@pytest.mark.parametrize("kind", part_types(), ids=lambda kind: kind.__name__)
def test_every_number_has_bounds(kind: type[Part]) -> None:
    unbounded = [field.name for field in msgspec.structs.fields(kind) if not all(numbers(field.type))]
    assert not unbounded


def test_the_search_for_numbers_sees_through_types() -> None:
    assert list(numbers(dict[str, float | tuple[float, float]])) == [False] * 3
    assert list(numbers(Annotated[int, msgspec.Meta(ge=1)])) == [False]
    assert list(numbers(Annotated[float, Bounds(0, 1)] | None)) == [True]
    assert list(numbers(bool | str)) == []


def placement(**changes: Any) -> Placement:
    whole: dict[str, Any] = {"pitch_px": 19.0, "turns": (Turn(angle_deg=(-9, 9), y_px=(0, 4)),), **changes}
    return Placement(**whole)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pitch_px": 1e18}, r"`float` <= 1024.0 - at `\$.placement.pitch_px`"),
        ({"pitch_px": math.nan}, r"`float` >= 0.0 - at `\$.placement.pitch_px`"),
        ({"x_from_px": 2**31 - 1}, r"`int` <= 4096 - at `\$.placement.x_from_px`"),
        ({"x_from_px": -(2**31)}, r"`int` >= -4096 - at `\$.placement.x_from_px`"),
        ({"x_span_px": math.inf}, r"`float` <= 4096.0 - at `\$.placement.x_span_px`"),
        ({"x_span_px": (1.0, 1e9)}, r"`float` <= 4096.0 - at `\$.placement.x_span_px\[1\]`"),
        ({"turns": (Turn(angle_deg=(-91, 0), y_px=(0, 1)),)}, r"`placement.turns\[0\].angle_deg` is .* expected -90"),
        ({"turns": (Turn(angle_deg=(0, math.nan), y_px=(0, 1)),)}, r"`placement.turns\[0\].angle_deg` .* finite"),
        ({"turns": (Turn(angle_deg=(0, 1), y_px=(0, 1e7)),)}, r"`placement.turns\[0\].y_px` is .* to 4096"),
        ({"turns": (Turn(angle_deg=(0, 1), y_px=(0, 1), share=math.inf),)}, r"<= 1000000.0 - at .*turns\[0\].share"),
    ],
)
def test_placements_out_of_bounds_are_refused(tiny: Recipe, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        tiny.replace(placement=placement(**changes))


def test_two_characters_may_have_falling_spans(tiny: Recipe) -> None:
    """A span for each of two characters is no range that runs from its lowest value to its highest."""
    spans = tiny.replace(placement=placement(x_span_px=(6.0, 2.0))).require_placement().x_span_px
    assert spans == (6.0, 2.0)


@pytest.mark.parametrize("ends", [(-4096, -4096), (4096, 4096), (-4096, 4096)])
@pytest.mark.parametrize("rule", [None, Filter(gap_px=8, tries_max=3)])
def test_places_at_the_bounds_draw_nothing_wrong(tiny: Recipe, ends: tuple[int, int], rule: Filter | None) -> None:
    far = placement(pitch_px=1024.0, x_from_px=ends[0], x_span_px=4096.0, turns=(Turn(angle_deg=(-90, 90), y_px=ends),))
    recipe = tiny.replace(placement=far, filter=rule, mask=Mask(lines=((-4096, 0, 4096, 4096),), line_width_px=1024))
    if rule is None:
        batch = Synthesizer(recipe).batch(0, 200)
        assert (batch.boxes >= 0).all()
        assert (batch.boxes[..., 2] <= 40).all()
    else:
        with pytest.raises(RejectionError, match="rejected all 3 candidates"):
            Synthesizer(recipe).batch(0, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"alphabets": ("ac",)}, "`alphabets` has 1 entries for up to 2 characters"),
        ({"alphabets": ("ac", "")}, r"`alphabets\[1\]` is ''"),
        ({"alphabets": ("ac", "aa")}, r"`alphabets\[1\]` is 'aa'"),
        ({"alphabets": ("ac", "xb")}, "`alphabets` holds 'xb', but `alphabet` lacks 'b'"),
        ({"words": ("ax", "axe")}, "`words` holds 'axe' of 3 characters; `length` allows 2 to 2"),
        ({"words": ("ax", "ay")}, "`words` holds 'ay', but `alphabet` lacks 'y'"),
        ({"words": ("ax",), "alphabets": ("a", "x")}, "both given"),
        ({"fonts": (Font(file=ARIMO, size_px=(20, 16)),)}, r"`fonts\[0\].size_px` is \[20, 16\]; a range runs from"),
        ({"fonts": (Font(file=ARIMO, size_px=0),)}, r"`fonts\[0\].size_px` is 0; expected 1 to 1024"),
        ({"fonts": (Font(file=ARIMO, size_px=(4, 300)),)}, "makes 297 faces, one a size; expected at most 256"),
    ],
)
def test_wrong_texts_and_sizes_are_refused(tiny: Recipe, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        tiny.replace(**changes)


def test_mask_of_another_size_is_refused(tiny: Recipe) -> None:
    with pytest.raises(RecipeError, match="has 3 rows; the canvas has 24"):
        tiny.replace(mask=Mask(rows=("00" * 5,) * 3))
    with pytest.raises(RecipeError, match="takes 10 lower-case hexadecimal digits"):
        tiny.replace(mask=Mask(rows=("00",) * 24))
