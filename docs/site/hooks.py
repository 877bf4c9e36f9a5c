"""Pages and pictures that the site makes from the code while it is built: nothing of it is committed."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))  # the modules beside this one

from command_reference import PLACE, with_options
from draw_pictures import draw_guide
from recipe_reference import reference_page

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
FROM_ROOT = {"changelog.md": "CHANGELOG.md", "contributing.md": "CONTRIBUTING.md"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the recipe reference, the guide's pictures, and the pages that stand in the repository's root."""
    from mkdocs.structure.files import File

    files.append(File.generated(config, "recipes/reference.md", content=reference_page()))
    for name, png in draw_guide((ROOT / "docs" / "recipes" / "guide.md").read_text()).items():
        files.append(File.generated(config, f"recipes/{name}", content=png))
    for page, source in FROM_ROOT.items():
        text = (ROOT / source).read_text().replace("](docs/", "](")
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Put a command's options, and the table of rooms, where a page asks for them."""
    if PLACE.search(markdown):
        return with_options(markdown)
    source = (ROOT / "tests" / "test_structure.py").read_text()
    (layers,) = re.findall(r'^LAYERS = """\n(.*?)"""$', source, re.MULTILINE | re.DOTALL)
    return markdown.replace("<!-- LAYERS -->", f"```text\n{layers}```")
