"""No label of a real image is within reach of what trains: what is loaded, and what is opened.

`tests/test_structure.py` shows the same of every import.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from synth_engine import Recipe, Synthesizer

pytest.importorskip("tensorflow")

ROOT = Path(__file__).parents[2]


COMMANDS = ("classifier.train", "classifier.calibrate", "classifier.compare", "classifier.predict")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_needs_no_labels_loads_no_code_that_reads_them(command: str) -> None:
    code = f"import sys, {command}, classifier.run.session, classifier.confidence.calibrating; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    loaded = set(result.stdout.split())
    assert "classifier.adaptation.self_training" in loaded
    assert not {name for name in loaded if name.startswith(("classifier.scoring", "classifier.evaluate"))}


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
