"""The rooms of the code base: which may import which, how large they are, and that a name stands for one thing."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("synth_engine", "gan", "classifier")
FILES_MAX = 14

# A room is a folder, or a file at the root of synth_engine. It may import rooms of the lines above its own.
LAYERS = """
synth_engine.errors
synth_engine.atomic synth_engine.cache synth_engine.picture_formats synth_engine.tensorflow_setup
synth_engine.json_files
synth_engine.njit synth_engine.recipe synth_engine.samples
synth_engine.fonts
synth_engine.renderer_inputs
synth_engine.fast.kernels synth_engine.picture.kernels
synth_engine.picture.kernels.stages
synth_engine.picture.stages
synth_engine.fast synth_engine.picture
synth_engine.synthesizer
synth_engine
synth_engine.contact_sheet
synth_engine.stream.core
synth_engine.stream.ray
synth_engine.stream synth_engine.export synth_engine.real
synth_engine.training
synth_engine.cli
gan.settings classifier.networks
gan.simgan classifier.reading
gan.assessment classifier.learning
classifier.confidence
classifier.adaptation
gan.run classifier.run
classifier.scoring
gan classifier synth_engine.__main__
"""
RANK = {room: rank for rank, line in enumerate(LAYERS.split("\n")) for room in line.split()}
OPENS_LABELS = {"classifier.evaluate"}  # of all modules outside of classifier.scoring


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}


def room_of(module: str) -> str:
    """The longest of the table's rooms that holds the module."""
    parts = module.split(".")
    names = (".".join(parts[:k]) for k in range(len(parts), 0, -1))
    return next(name for name in names if name in RANK)


def imports_of(path: Path) -> set[str]:
    """Modules of the project that a file imports, in functions and for type checkers too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module, f"{path}: import by the full name"
            assert not node.level, f"{path}: import by the full name"
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name for name in submodules if name in MODULES} or {node.module}
    return {name for name in found if name in MODULES}


IMPORTS = {module: imports_of(path) for module, path in MODULES.items()}


def refusal(module: str, imported: str) -> str | None:
    """Why ``module`` may not import ``imported``; None where it may."""
    source, target = room_of(module), room_of(imported)
    if source == target:
        return None
    if {source.split(".")[0], target.split(".")[0]} == {"gan", "classifier"}:
        return "gan and classifier meet in files alone"
    if target == "classifier.scoring" and module not in OPENS_LABELS:
        return "labels of real images are read by evaluate alone"
    return None if RANK[target] < RANK[source] else "the table allows no such direction"


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module: str) -> None:
    refused = {name: why for name in IMPORTS[module] if (why := refusal(module, name))}
    assert not refused


def test_no_modules_import_each_other() -> None:
    try:
        TopologicalSorter(IMPORTS).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("synth_engine.recipe.values", "synth_engine.fonts.faces"),
        ("synth_engine.training.metrics", "gan.run"),
        ("gan.train", "classifier.networks"),
        ("classifier.train", "classifier.scoring.labels"),
        ("classifier.run.session", "classifier.scoring"),
    ],
)
def test_the_table_refuses(module: str, imported: str) -> None:
    assert refusal(module, imported)


def test_a_room_has_few_files() -> None:
    sizes = Counter(path.parent for path in MODULES.values())
    assert not {str(folder.relative_to(ROOT)): size for folder, size in sizes.items() if size > FILES_MAX}


def test_a_class_name_is_used_once() -> None:
    trees = [ast.parse(path.read_text()) for path in MODULES.values()]
    names = Counter(node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    assert not [name for name, count in names.items() if count > 1]


def test_importing_the_engine_loads_no_heavy_library() -> None:
    code = "import sys, synth_engine; print(*{'tensorflow', 'keras', 'ray', 'cv2', 'requests'} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""
