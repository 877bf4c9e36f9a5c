"""Imports point one way, and importing the engine stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FORBIDDEN = {"synth_engine": {"gan", "classifier"}, "gan": {"classifier"}, "classifier": {"gan"}}
MODULES = sorted(path for package in FORBIDDEN for path in (ROOT / package).rglob("*.py"))


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    assert not {name.split(".")[0] for name in imported(path)} & FORBIDDEN[package]


@pytest.mark.parametrize("module", ["errors", "recipe", "atomic", "cache", "fonts", "glyphs", "plan", "synthesizer"])
def test_the_engine_knows_nothing_above_it(module: str) -> None:
    above = ("synth_engine.stream", "synth_engine.target", "synth_engine.cli", "synth_engine.runs")
    assert not [name for name in imported(ROOT / "synth_engine" / f"{module}.py") if name.startswith(above)]


def test_importing_the_engine_loads_no_heavy_library() -> None:
    code = "import sys, synth_engine; print(*{'tensorflow', 'keras', 'ray', 'cv2', 'requests'} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""
