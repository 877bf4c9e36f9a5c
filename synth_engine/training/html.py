"""Parts of report.html: a run on one page that needs no other file. Text in, text out.

Pictures lie in the page as base64; `charts` makes those of curves. What a page says is up to its callers.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em; color: #222 }}
table {{ border-collapse: collapse }} td, th {{ padding: .2em .8em; border-bottom: 1px solid #ddd; text-align: left }}
figure {{ display: inline-block; margin: 0 1em 1em 0 }} img {{ max-width: 100% }}
.yes {{ color: #3f7d20 }} .no {{ color: #c2410c }}
</style>
<h1>{title}</h1>
<p>{lead}</p>
{sections}
</html>
"""


def page(title: str, lead: str, sections: Mapping[str, str]) -> str:
    """The whole page; ``title`` and ``lead`` are text, ``sections`` headings with HTML below."""
    parts = "\n".join(f"<h2>{escape(heading)}</h2>{content}" for heading, content in sections.items())
    return PAGE.format(title=escape(title), lead=escape(lead), sections=parts)


def table(rows: Iterable[Sequence[object]], head: Sequence[str] = ()) -> str:
    """Rows of cells, which are shown as text."""
    first = "".join(f"<th>{escape(cell)}" for cell in head)
    lines = ("".join(f"<td>{escape(str(cell))}" for cell in row) for row in rows)
    return f"<table>{first and '<tr>' + first}{''.join(f'<tr>{line}' for line in lines)}</table>"


def flat(values: Mapping[str, object], before: str = "") -> dict[str, object]:
    """Nested values under dotted names: ``{"a": {"b": 1}}`` as ``{"a.b": 1}``."""
    found: dict[str, object] = {}
    for name, value in values.items():
        found |= flat(value, f"{before}{name}.") if isinstance(value, Mapping) else {f"{before}{name}": value}
    return found


def picture(path: Path) -> str:
    """A PNG or GIF file under its name."""
    data = base64.b64encode(path.read_bytes()).decode()
    kind = path.suffix[1:]
    return f'<p>{escape(path.name)}<br><img alt="{escape(path.stem)}" src="data:image/{kind};base64,{data}">'
