"""Draw the recipe guide's pictures from the TOML that the guide shows, with the package's public API.

    python docs/site/draw_pictures.py pictures     # writes pictures/step-1.png, …

Each block of TOML that has a title changes the recipe of the block before it, or starts a new one if it has a name. The
picture `step-1.png` of the block `step 1` shows eight samples of what comes out.
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from PIL import Image

from synth_engine import Recipe, Synthesizer

COLUMNS, ROWS, ZOOM, GAP_PX = 4, 2, 2, 6
BLOCK = re.compile(r"^```toml title=\"(?P<title>[\w ]+)\"\n(?P<toml>.*?)^```$", re.MULTILINE | re.DOTALL)


def recipes_of(guide: str) -> dict[str, Recipe]:
    """The recipe after each titled TOML block of the page, by its picture's name."""
    found: dict[str, Recipe] = {}
    data: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for block in BLOCK.finditer(guide):
            changes = tomllib.loads(block["toml"])
            data = changes if "name" in changes else merged(data, changes)
            path = Path(folder) / "recipe.toml"
            path.write_bytes(tomli_w.dumps(data).encode())
            found[f"{block['title'].replace(' ', '-')}.png"] = Recipe.load(path)
    return found


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """``old`` with the tables and values of ``new``; lists are replaced."""
    both = dict(old)
    for key, value in new.items():
        known = both.get(key)
        both[key] = merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return both


def draw_guide(guide: str) -> dict[str, bytes]:
    """A PNG file's content for each titled block of the page, by file name."""
    return {name: sheet(recipe) for name, recipe in recipes_of(guide).items()}


def sheet(recipe: Recipe) -> bytes:
    """Eight samples side by side, twice their size."""
    images = Synthesizer(recipe, seed=1).batch(0, COLUMNS * ROWS).images
    if recipe.color == "binary":
        images = images * np.uint8(255)
    rgb = images if images.ndim == 4 else np.repeat(images[..., None], 3, axis=-1)
    _, height, width, _ = rgb.shape
    paper = np.full((ROWS * (height + GAP_PX) + GAP_PX, COLUMNS * (width + GAP_PX) + GAP_PX, 3), 128, np.uint8)
    for index, image in enumerate(rgb):
        y, x = (GAP_PX + (size + GAP_PX) * k for size, k in zip((height, width), divmod(index, COLUMNS), strict=True))
        paper[y : y + height, x : x + width] = image
    picture = Image.fromarray(paper).resize((paper.shape[1] * ZOOM, paper.shape[0] * ZOOM), Image.Resampling.NEAREST)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def main(folder: str = "pictures") -> None:
    """Write the guide's pictures into ``folder``."""
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    guide = (Path(__file__).parents[1] / "recipes" / "guide.md").read_text()
    for name, png in draw_guide(guide).items():
        (out / name).write_bytes(png)


if __name__ == "__main__":
    main(*sys.argv[1:2])
