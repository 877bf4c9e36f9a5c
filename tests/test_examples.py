"""The examples run, small, and deliver the synthesizer's samples; PyTorch is imitated where it is not installed."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from synth_engine import Recipe, Synthesizer

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(path for path in (ROOT / "examples").glob("*.py") if path.stem != "stages")


@pytest.fixture
def small(tiny: Recipe, tmp_path: Path) -> list[str]:
    tiny.save(tmp_path / "tiny.toml")
    return ["--recipe", str(tmp_path / "tiny.toml"), "--batch-size", "8"]


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """As much of PyTorch as the example imports; ``info`` is what its workers are told about themselves."""
    told = SimpleNamespace(info=None)
    torch, utils, data = (ModuleType(name) for name in ("torch", "torch.utils", "torch.utils.data"))
    vars(torch).update(Tensor=np.ndarray, from_numpy=lambda array: array)
    vars(data).update(IterableDataset=object, DataLoader=None, get_worker_info=lambda: told.info)
    for module in (torch, utils, data):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return told


def load(name: str) -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "examples" / f"{name}.py"))


def run(name: str, *options: str) -> str:
    result = CliRunner().invoke(load(name)["main"], options, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_numpy_loop_reads_its_last_sample(tiny: Recipe, small: list[str]) -> None:
    output = run("numpy_loop", *small, "--batches", "3")
    expected = Synthesizer(tiny, 7).batch(23, 1)
    (text,) = expected.texts()
    assert re.search(rf"^24 images, .*\nsample 23 reads '{text}'\n", output)
    for character, (x0, y0, x1, y1) in zip(text, expected.boxes[0], strict=True):
        assert f"{character}: x {x0} to {x1}, y {y0} to {y1} px" in output


def test_tf_data_takes_every_batch_and_learns(small: list[str]) -> None:
    output = run("tf_data", *small, "--batches", "100")
    found = re.match(r"100 steps of 8 images, loss (\S+) to (\S+) ", output)
    assert found, output
    assert float(found[2]) < 0.9 * float(found[1])


def test_ray_actors_deliver_and_let_ray_go(small: list[str]) -> None:
    output = run("ray_actors", *small, "--seconds", "0")
    assert output == "1 batches, the last one from sample 0 on; 0 actors replaced\n"
    assert not sys.modules["ray"].is_initialized()


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_torch_workers_share_the_batches_out_in_turn(tiny: Recipe, worker: SimpleNamespace, workers: int) -> None:
    dataset = load("torch_iterable")["SyntheticText"](tiny, 7, batch_size=8, batches=7)
    expected = list(dataset)
    assert len(expected) == len(dataset) == 7
    for worker_id in range(workers):
        worker.info = SimpleNamespace(id=worker_id, num_workers=workers)
        for got, wanted in zip(dataset, expected[worker_id::workers], strict=True):
            for array, other in zip(got, wanted, strict=True):
                np.testing.assert_array_equal(array, other)
    np.testing.assert_array_equal(expected[6][0], Synthesizer(tiny, 7).batch(48, 8).images)


@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed; install the extra `examples`")
def test_torch_data_loader_gives_the_same_whatever_the_workers(small: list[str]) -> None:
    example = [sys.executable, str(ROOT / "examples" / "torch_iterable.py"), *small, "--batches", "7", "--workers"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    printed = [subprocess.check_output([*example, workers], text=True, env=environment) for workers in ("0", "2")]
    assert printed[0] == printed[1]
    assert re.search("7 batches of 8 images, checksum [0-9a-f]{8} ", printed[0])


def test_without_torch_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(
        SystemExit, match=r"PyTorch expected, none is installed; pip install 'synth-engine\[examples\]'"
    ):
        load("torch_iterable")


def test_stages_of_ones_own_darken_lines_and_draw_screws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    example = load("own_stage")
    example["main"](str(tmp_path / "plates.png"))
    assert Image.open(tmp_path / "plates.png").size[0] > 6 * 160
    plain = replace(example["PLATES"], clutter=(), camera=())
    drawn, bare = (Synthesizer(recipe, 1).batch(0, 4).images.astype(float) for recipe in (example["PLATES"], plain))
    jumps, smooth = (np.abs(np.diff(images.mean(axis=2))).mean() for images in (drawn, bare))
    assert jumps > 5 * smooth


def replace(recipe: Recipe, **changes: Any) -> Recipe:
    return recipe.replace(picture=msgspec.structs.replace(recipe.picture, **changes))


def test_each_style_is_drawn_on_a_sheet_of_its_own(tmp_path: Path) -> None:
    output = run("peer_styles", "--out", str(tmp_path), "--count", "8")
    styles = ["captcha", "neots", "synthtiger", "trdg", "wheezy"]
    assert [line.split(":")[0] for line in output.splitlines()] == styles
    assert sorted(path.stem for path in tmp_path.glob("*.png")) == styles


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short_and_says_how_to_run_it(path: Path) -> None:
    text = path.read_text()
    assert f"    python examples/{path.name} " in text.split('"""')[1]
    assert len(text.splitlines()) <= 65
