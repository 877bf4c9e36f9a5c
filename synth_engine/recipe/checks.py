"""Whether a recipe makes sense: each range within its bounds, and the parts in agreement with each other.

Each check raises ValueError, whose message names the field, what it holds, and what is expected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from math import isfinite
from typing import Annotated, Any, get_args, get_origin

import msgspec

from synth_engine.recipe.part import Bounds, Part, Range, low_high
from synth_engine.recipe.picture import Picture
from synth_engine.recipe.values import FACES_MAX, Placement, RecipeFields


def check_recipe(recipe: RecipeFields) -> None:
    """Raise ValueError for a range out of its bounds, and for parts that contradict each other."""
    check_ranges(recipe)
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


def check_ranges(part: Part, path: str = "") -> None:
    """Raise ValueError for a range in ``part``, or in a part of it, that leaves the `Bounds` of its type.

    ``path`` is where ``part`` stands in the recipe, such as ``picture.ink.``: the message starts with it.
    """
    bounds = _range_bounds(type(part))
    for name in part.__struct_fields__:
        _check_value(getattr(part, name), f"{path}{name}", bounds.get(name))


def _check_value(value: Any, path: str, bounds: Bounds | None) -> None:
    if isinstance(value, Part):
        check_ranges(value, f"{path}.")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_value(inner, f"{path}.{key}", bounds)
    elif isinstance(value, tuple) and not _is_range(value, bounds):
        for i, inner in enumerate(value):
            _check_value(inner, f"{path}[{i}]", bounds)
    elif isinstance(value, tuple | int | float) and bounds is not None:
        _check_range(value, path, bounds)


def _is_range(value: tuple[Any, ...], bounds: Bounds | None) -> bool:
    return bounds is not None and len(value) == 2 and all(isinstance(end, int | float) for end in value)


def _check_range(value: Range, path: str, bounds: Bounds) -> None:
    low, high = low_high(value)
    shown = list(value) if isinstance(value, tuple) else value
    if not (isfinite(low) and isfinite(high)):
        raise ValueError(f"`{path}` is {shown}; expected a finite number, or two")
    if low > high:
        raise ValueError(f"`{path}` is {shown}; a range runs from its lowest value to its highest")
    if low < bounds.low or high > bounds.high:
        raise ValueError(f"`{path}` is {shown}; expected {bounds.low:g} to {bounds.high:g}")


@cache
def _range_bounds(kind: type[Part]) -> dict[str, Bounds]:
    """The bounds of each field of this type whose values are ranges, or hold ranges."""
    found = {field.name: next(_bounds_in(field.type), None) for field in msgspec.structs.fields(kind)}
    return {name: bounds for name, bounds in found.items() if bounds is not None}


def _bounds_in(annotation: Any) -> Iterator[Bounds]:
    if get_origin(annotation) is Annotated:
        yield from (metadata for metadata in annotation.__metadata__ if isinstance(metadata, Bounds))
    for inner in get_args(annotation):
        yield from _bounds_in(inner)


def _check_picture(recipe: RecipeFields, picture: Picture) -> None:
    if picture.layout is not None and recipe.placement is not None:
        raise ValueError("`placement` and `picture.layout` both say where characters stand; remove one of them")
    if picture.character.turn_first and picture.character.stretch == "none":
        raise ValueError(
            "`picture.character.turn_first` says when characters are stretched, and none are; give `stretch` there too"
        )
    if recipe.color != "binary" and recipe.noise.flip_probability:
        raise ValueError(f"`noise` flips binary pixels; in a {recipe.color} picture use a stage of `picture.camera`")


def _check_placement(recipe: RecipeFields, placement: Placement) -> None:
    spans = placement.x_span_px
    if isinstance(spans, tuple) and len(spans) != recipe.length_max:
        raise ValueError(f"`placement.x_span_px` has {len(spans)} entries for up to {recipe.length_max} characters")


def _check_texts(recipe: RecipeFields) -> None:
    low, high = recipe.length_range
    if len(set(recipe.alphabet)) != len(recipe.alphabet):
        twice = sorted({c for c in recipe.alphabet if recipe.alphabet.count(c) > 1})
        raise ValueError(f"`alphabet` holds {''.join(twice)!r} more than once; name each character once")
    if recipe.words and recipe.alphabets:
        raise ValueError("`words` and `alphabets` are both given; texts are sampled from one of them")
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


def _check_glyphs(recipe: RecipeFields) -> None:
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


def _check_sizes(recipe: RecipeFields) -> None:
    count = sum(len(font.sizes_px) for font in recipe.fonts)
    if count > FACES_MAX:
        raise ValueError(f"`fonts` makes {count} faces, one a size; expected at most {FACES_MAX}: narrow `size_px`")


def _check_mask(recipe: RecipeFields) -> None:
    height, width = recipe.shape
    digits = 2 * ((width + 7) // 8)
    rows = recipe.mask.rows
    if rows and len(rows) != height:
        raise ValueError(f"`mask.rows` has {len(rows)} rows; the canvas has {height}")
    if any(not re.fullmatch(f"[0-9a-f]{{{digits}}}", row) for row in rows):
        raise ValueError(f"each of `mask.rows` takes {digits} lower-case hexadecimal digits for {width} px")
