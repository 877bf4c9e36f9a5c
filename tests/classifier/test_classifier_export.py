"""Other formats read what the network reads; the example reads with onnxruntime alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth_engine import Recipe, Synthesizer
from synth_engine.errors import ModelError, RunError

keras = pytest.importorskip("keras")

from classifier.networks.heads import build  # noqa: E402
from classifier.reading.export_formats import FORMATS  # noqa: E402
from classifier.reading.exporting import TABLE, export, prove  # noqa: E402
from classifier.reading.reader import Reader, save_reader  # noqa: E402

ROOT = Path(__file__).parents[2]
NEEDS = {"onnx": ("onnx", "tf2onnx", "onnxruntime")}


@pytest.fixture(scope="module")
def reader(tiny: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """An untrained network whose scores differ from image to image."""
    keras.utils.set_random_seed(0)
    network = build("grid", tiny, width=8, depth=2)
    scores = network.get_layer("scores")
    scores.kernel.assign(np.random.default_rng(0).normal(0, 9, scores.kernel.shape))
    return Reader.load(save_reader(network, tiny, tmp_path_factory.mktemp("run")))


@pytest.fixture
def images(tiny: Recipe) -> np.ndarray:
    return Synthesizer(tiny, 4).batch(0, 40).images


@pytest.mark.parametrize("form", FORMATS)
def test_each_format_reads_the_same(
    reader: Reader, images: np.ndarray, form: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for module in NEEDS.get(form, ()):
        pytest.importorskip(module)
    path, difference = export(reader, form, tmp_path / "out", images)
    assert difference < 1e-3
    assert sorted(file.name for file in path.parent.iterdir()) == sorted([path.name, TABLE, "recipe.toml"])
    assert len(set(reader.read(images).texts(reader.recipe.alphabet))) > 1, "the proof would prove nothing"
    assert "TensorFlow Lite" not in capfd.readouterr().err


def test_a_folder_that_is_taken_is_left_alone(reader: Reader, images: np.ndarray, tmp_path: Path) -> None:
    """Such as the folder of another run, whose recipe.toml must stay."""
    (tmp_path / "recipe.toml").write_text("another")
    with pytest.raises(RunError, match="not an empty folder: choose another --out"):
        export(reader, "keras", tmp_path, images)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("recipe.toml", "another")]


def test_a_file_that_reads_otherwise_is_not_written(
    reader: Reader, images: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = FORMATS["keras"]._replace(open=lambda _: lambda part: np.flip(reader.forward(part), axis=-2))
    monkeypatch.setitem(FORMATS, "keras", wrong)
    with pytest.raises(ModelError, match=r"\d+ are read differently"):
        export(reader, "keras", tmp_path / "out", images)
    assert not list(tmp_path.iterdir())


def test_the_proof_covers_every_image(reader: Reader, images: np.ndarray) -> None:
    many = np.concatenate([images] * 7)
    seen: list[int] = []

    def score(part: np.ndarray) -> np.ndarray:
        seen.append(len(part))
        return np.asarray(reader.forward(part))

    assert prove(reader, score, many, Path("reader")) == 0
    assert sum(seen) == len(many)


def test_the_example_reads_with_onnxruntime_alone(reader: Reader, images: np.ndarray, tmp_path: Path) -> None:
    for module in NEEDS["onnx"]:
        pytest.importorskip(module)
    export(reader, "onnx", tmp_path / "out", images)
    paths = [tmp_path / f"{k}.png" for k in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image * 255).save(path)
    code = (
        "import runpy, sys\nsys.argv = sys.argv[1:]\nrunpy.run_path(sys.argv[0], run_name='__main__')\n"
        "assert not {'tensorflow', 'keras', 'synth_engine', 'classifier'} & set(sys.modules)"
    )
    example = [str(ROOT / "examples" / "read_onnx.py"), str(tmp_path / "out"), *map(str, paths)]
    printed = subprocess.run([sys.executable, "-c", code, *example], capture_output=True, text=True, check=True).stdout
    expected = reader.read(images).texts(reader.recipe.alphabet)
    assert [line.rpartition(" ")[2] for line in printed.splitlines()] == expected
    assert json.loads((tmp_path / "out" / TABLE).read_text())["alphabet"] == reader.recipe.alphabet
