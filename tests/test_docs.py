"""README and its kin: no gaps left open, every link leads somewhere, every command shown exists."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "bench" / "README.md", ROOT / "docs" / "scale.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere_and_no_gap_is_left(page: Path) -> None:
    text = page.read_text()
    assert "@@" not in text
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (page.parent / link).exists(), link


def test_options_shown_in_the_readme_exist() -> None:
    commands = re.findall(r"python -m ((?:gan|classifier)\.\w+|synth_engine \w+)\s([^\n#`|]*)", PAGES[0].read_text())
    assert len(commands) > 5
    for command, rest in commands:
        options = re.findall(r"--[\w-]+", rest)
        shown = subprocess.run(
            [sys.executable, "-m", *command.split(), "--help"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert all(option in shown.stdout for option in options), (command, options)
