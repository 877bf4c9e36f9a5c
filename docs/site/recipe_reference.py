"""The recipe reference: every key that a recipe file may hold, from the types that read it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from synth_engine.recipe import Recipe

HEAD = """# Recipe reference

Every key of a recipe file, made from the types that read it. The [guide](guide.md) explains them in order.

- Lengths are in px, angles in degrees (counter-clockwise positive), levels 0 to 255, shares and probabilities 0 to 1.
- *number or range* takes one number, or `[lowest, highest]`: then each image gets its own value, uniformly.
- An unknown key, a value of the wrong type and a value out of bounds are errors that name the key.
"""
WORDS = {bool: "`true` or `false`", int: "integer", float: "number", str: "text"}
UNBOUNDED = 1e100
SINGLE = {"ge": "≥ {:,}", "gt": "> {:,}", "le": "≤ {:,}", "lt": "< {:,}"}


def reference_page() -> str:
    """The page in Markdown: a section with a table for each type."""
    return HEAD + "".join(section(part) for part in parts_of(Recipe))


def parts_of(root: type[msgspec.Struct]) -> list[type[msgspec.Struct]]:
    """``root`` and all parts below it, each once, in the order of the fields."""
    found: dict[type[msgspec.Struct], None] = {}

    def visit(part: type[msgspec.Struct]) -> None:
        if part not in found:
            found[part] = None
            for hint in hints_of(part).values():
                for inner in structs_in(hint):
                    visit(inner)

    visit(root)
    return list(found)


def hints_of(part: type[msgspec.Struct]) -> dict[str, Any]:
    """Type by field, in the order of the fields."""
    hints = get_type_hints(part, include_extras=True)
    return {field.name: hints[field.name] for field in msgspec.structs.fields(part)}


def structs_in(hint: Any) -> Iterator[type[msgspec.Struct]]:
    """The parts that a type mentions."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
    for inner in get_args(hint):
        yield from structs_in(inner)


def section(part: type[msgspec.Struct]) -> str:
    """Heading, docstring and table of one part."""
    lines = [f"\n## {part.__name__} {{ #{anchor(part)} }}\n", markdown(inspect.getdoc(part) or ""), ""]
    tag = part.__struct_config__.tag
    rows = [f'| `kind` | `"{tag}"` | required | |'] if tag else []
    hints = hints_of(part)
    rows += [row(part, field, hints[field.name]) for field in msgspec.structs.fields(part)]
    if rows:
        lines += ["| key | type | default | bounds |", "|---|---|---|---|", *rows, ""]
    return "\n".join(lines)


def row(part: type[msgspec.Struct], field: msgspec.structs.FieldInfo, hint: Any) -> str:
    """One field as a row of the table."""
    limits = [*dict.fromkeys(bounds_in(hint))]
    cells = (f"`{field.encode_name}`", name_of(hint), default_of(part, field), ", ".join(limits))
    return f"| {' | '.join(cells)} |"


def name_of(hint: Any) -> str:
    """A type in words, parts as links."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return name_of(inner[0])
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return f"[{hint.__name__}](#{anchor(hint)})"
    if origin is Literal:
        return either(f'`"{value}"`' for value in inner)
    if origin in (Union, UnionType):
        names = list(dict.fromkeys(name_of(one) for one in inner if one is not type(None)))
        return "number or range" if names == ["number", "`[number, number]`"] else either(names)
    if origin is dict:
        return f"table of {name_of(inner[1])}"
    if origin is tuple and inner[-1] is Ellipsis:
        return f"list of {name_of(inner[0])}"
    if origin is tuple:
        return "`[" + ", ".join(name_of(one) for one in inner) + "]`"
    return WORDS[hint]


def either(names: Iterable[str]) -> str:
    """Alternatives in words."""
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last


def bounds_in(hint: Any) -> Iterator[str]:
    """The limits that a type carries."""
    if get_origin(hint) is Annotated:
        for meta in get_args(hint)[1:]:
            if isinstance(meta, msgspec.Meta):
                yield from meta_words(meta)
            elif abs(meta.high) < UNBOUNDED:
                yield f"{meta.low:,g} to {meta.high:,g}"
    for inner in get_args(hint):
        yield from bounds_in(inner)


def meta_words(meta: msgspec.Meta) -> Iterator[str]:
    """The limits of a msgspec annotation."""
    if meta.ge is not None and meta.le is not None:
        yield f"{meta.ge:,} to {meta.le:,}"
    else:
        yield from (
            words.format(getattr(meta, name)) for name, words in SINGLE.items() if getattr(meta, name) is not None
        )
    if meta.min_length is not None or meta.max_length is not None:
        yield (
            f"{meta.min_length or 0} to {meta.max_length} of them" if meta.max_length else f"at least {meta.min_length}"
        )
    if meta.pattern:
        yield f"`{meta.pattern}`"


def default_of(part: type[msgspec.Struct], field: msgspec.structs.FieldInfo) -> str:
    """The default as TOML would write it; parts are filled from their own defaults."""
    if field.required:
        return "required"
    value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    if value is None:
        value = getattr(part, f"default_{field.name}", None)  # what stands in for a value that is not given
    if value is None:
        return "none"
    if isinstance(value, msgspec.Struct):
        return "its defaults"
    return f"`{msgspec.json.encode(value).decode()}`"


def markdown(docstring: str) -> str:
    """A docstring's double backticks as Markdown's single ones."""
    return re.sub(r"``([^`]+)``", r"`\1`", docstring)


def anchor(part: type[msgspec.Struct]) -> str:
    return part.__name__.lower()
