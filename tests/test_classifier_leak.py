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

ROOT = Path(__file__).parents[1]


def test_nothing_that_trains_can_reach_the_label_reader() -> None:
    reached, waiting = set(), ["classifier.train"]
    while waiting:
        name = waiting.pop()
        path = ROOT / (name.replace(".", "/") + ".py")
        if name in reached or not path.is_file():
            continue
        reached.add(name)
        nodes = list(ast.walk(ast.parse(path.read_text())))
        waiting += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
        waiting += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    assert {"classifier.adapt", "classifier.model", "classifier.pseudo"} <= reached
    assert not {"classifier.labels", "classifier.evaluate", "classifier.scoring"} & reached


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
