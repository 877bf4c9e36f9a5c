"""What a command's page says of its options, from the command itself: what ``--help`` prints, as tables."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

PLACE = re.compile(r"<!-- options of (?P<module>[\w.]+):(?P<name>\w+), called (?P<program>[^>]+?) -->")


class Sections(click.HelpFormatter):
    """Keeps the sections of a help text, by title, in place of writing them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, list[tuple[str, str]]] = {}
        self.title = ""

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        self.title = name
        yield

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:  # noqa: ARG002
        self.found.setdefault(self.title, []).extend(rows)


def command_of(page: str) -> tuple[str, click.Command]:
    """The program that a command's page is about, and its command."""
    (place,) = PLACE.finditer(page)
    command = getattr(importlib.import_module(place["module"]), place["name"])
    assert isinstance(command, click.Command)
    return place["program"], command


def with_options(page: str) -> str:
    """The page, with usage, description and options where it asks for them."""
    program, command = command_of(page)
    context, sections = click.Context(command, info_name=program), Sections()
    command.format_options(context, sections)
    lines = ["```text", context.get_usage(), "```", "", inspect.cleandoc(command.help or ""), ""]
    for title, rows in sections.found.items():
        lines += [f"### {title}", "", "| option | meaning |", "|---|---|", *(row(*cells) for cells in rows), ""]
    return PLACE.sub(lambda _: "\n".join(lines), page)


def row(option: str, text: str) -> str:
    """One option as a row of a table; what stands in brackets at its end as code."""
    words, bracket, values = text.rpartition("  [")
    meaning = f"{words} `{values.removesuffix(']')}`" if bracket else text
    return f"| `{option}` | {meaning} |"
