"""No label of a real image is within reach of what trains."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from synth_engine import Recipe, Synthesizer

pytest.importorskip("tensorflow")

ROOT = Path(__file__).parents[2]


SCORING = {"classifier.scoring.labels", "classifier.evaluate", "classifier.scoring.scores"}


def imported(node: ast.AST) -> list[str]:
    """Modules that an import statement may load: `from X import y` loads X and may load X.y."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return ["a relative import"] if isinstance(node, ast.ImportFrom) else []


def source(module: str) -> Path | None:
    """The file of a module or package of this project."""
    path = ROOT / module.replace(".", "/")
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def test_nothing_that_trains_names_the_label_reader() -> None:
    reached, waiting = set(), ["classifier.train", "classifier.calibrate", "classifier.compare"]
    while waiting:
        name = waiting.pop()
        path = source(name)
        if name in reached or path is None:
            continue
        reached.add(name)
        waiting.append(name.rpartition(".")[0])  # importing a module runs its packages' __init__.py
        waiting += [module for node in ast.walk(ast.parse(path.read_text())) for module in imported(node)]
        assert "a relative import" not in waiting
    assert {"classifier.adaptation.self_training", "classifier.reading.calibration", "synth_engine.real"} <= reached
    assert {"classifier.confidence.agreement", "classifier.confidence.independent_readers"} <= reached
    assert not SCORING & reached


def test_importing_what_trains_loads_no_label_reader() -> None:
    code = "import sys, classifier.train, classifier.compare, classifier.run.session; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    loaded = set(result.stdout.split())
    assert "classifier.adaptation.self_training" in loaded
    assert not SCORING & loaded


@pytest.mark.parametrize(
    "line",
    [
        "from classifier.scoring import labels",
        "import classifier.scoring.labels as x",
        "from classifier.scoring.labels import COLUMNS",
    ],
)
def test_the_search_sees_every_form_of_import(line: str) -> None:
    assert "classifier.scoring.labels" in imported(ast.parse(line).body[0])


def test_training_beside_a_label_file_does_not_open_it(tiny: Recipe, tmp_path: Path) -> None:
    tiny.save(tmp_path / "tiny.toml")
    for k, image in enumerate(Synthesizer(tiny, 2).batch(0, 4).images):
        Image.fromarray(image * 255).save(tmp_path / f"image{k}.png")
    (tmp_path / "labels.csv").write_text("name,text\nimage0,ac\n")
    code = (
        "import sys\nopened = []\n"
        "sys.addaudithook(lambda event, args: event == 'open' and opened.append(str(args[0])))\n"
        "from classifier.train import train\ntrain.main(sys.argv[1:], standalone_mode=False)\n"
        "assert any(path.endswith('image0.png') for path in opened), 'the hook sees nothing'\n"
        "assert not any('labels.csv' in path for path in opened)"
    )
    sizes = ["--steps", "2", "--width", "4", "--batch-size", "4", "--adapt-steps", "2", "--adapt-rounds", "1"]
    options = ["--real", tmp_path, "--recipe", tmp_path / "tiny.toml", "--run", tmp_path / "run", *sizes]
    subprocess.run([sys.executable, "-c", code, *map(str, options)], cwd=ROOT, check=True, capture_output=True)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (config["recipe"], config["data"], config["steps"]) == ("tiny", "raw", 2)
    assert Recipe.load(tmp_path / "run" / "recipe.toml") == tiny
