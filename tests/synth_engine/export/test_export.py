"""What each format's own reader finds in an exported data set."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from synth_engine import Batch, Recipe, Synthesizer
from synth_engine.export import FORMATS, export_dataset
from synth_engine.export.sample_blocks import SampleBlock
from synth_engine.fast.renderer import BinaryRenderer
from synth_engine.samples import Outputs, Rendered
from tests.synth_engine.export.export_tools import READERS, ROOT, contents, pixels


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("format", FORMATS)
def test_each_formats_own_reader_finds_the_samples(tmp_path: Path, tiny: Recipe, format: str, shards: int) -> None:
    export_dataset(tiny, tmp_path, count=700, seed=3, start=50, format=format, shards=shards)
    batch = Synthesizer(tiny, seed=3).batch(50, 700)
    samples = list(READERS[format](tmp_path))
    assert [sample.index for sample in samples] == list(range(50, 750))
    assert [sample.text for sample in samples] == batch.texts()
    assert np.array_equal([pixels(sample.picture) for sample in samples], batch.images * 255)
    assert np.array_equal([sample.boxes for sample in samples], batch.boxes.reshape(700, -1))


def fill_masks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Masks with a pattern of each sample's index, in place of the renderer's."""
    render = BinaryRenderer.render

    def rendering(self: BinaryRenderer, out: Outputs, start: int) -> Rendered:
        for i, masks in enumerate(out.masks):
            masks[...] = np.random.default_rng(start + i).integers(0, 2, masks.shape, np.uint8)
        return render(self, out._replace(masks=np.empty((0, 0, 0, 0), np.uint8)), start)

    monkeypatch.setattr(BinaryRenderer, "render", rendering)


@pytest.mark.parametrize("format", FORMATS)
def test_masks_lie_one_below_the_other(
    tmp_path: Path, tiny: Recipe, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_masks(monkeypatch)
    export_dataset(tiny, tmp_path, count=5, format=format, masks=True)
    masks = Synthesizer(tiny).batch(0, 5, masks=True).masks
    assert masks is not None
    found = [pixels(sample.mask or b"") for sample in READERS[format](tmp_path)]
    assert np.array_equal(found, masks.reshape(5, 2 * 24, 40) * 255)


def test_what_is_not_asked_for_is_not_stored(tmp_path: Path, tiny: Recipe) -> None:
    export_dataset(tiny, tmp_path, count=2, boxes=False)
    assert sorted(contents(tmp_path)) == ["000000000.png", "000000001.png", "dataset.toml", "labels.csv", "recipe.toml"]


@pytest.mark.parametrize("shape", [(24, 40), (24, 40, 3)], ids=["grey", "rgb"])
def test_grey_and_colour_are_stored_as_they_are(shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, *shape), np.uint8)
    labels, boxes = np.zeros((2, 1), np.uint8), np.zeros((2, 1, 4), np.int16)
    batch = Batch(images=images, labels=labels, boxes=boxes, alphabet="ab", start=0, candidates=2, relabelled=0)
    block = SampleBlock(batch, "rgb" if len(shape) == 3 else "grey")
    assert np.array_equal([pixels(block.picture(i)) for i in range(2)], images)


def test_parquet_says_what_it_holds(tmp_path: Path, tiny: Recipe) -> None:
    from pyarrow import parquet

    export_dataset(tiny, tmp_path, count=3, seed=2**63 + 1, format="parquet")
    stored = parquet.read_schema(tmp_path / "shard-00000.parquet").metadata
    assert (stored[b"recipe_key"].decode(), int(stored[b"seed"])) == (tiny.key, 2**63 + 1)
    assert Recipe.load(tmp_path / "recipe.toml") == tiny


def test_importing_the_export_loads_no_format() -> None:
    heavy = {"tensorflow", "webdataset", "pyarrow", "cv2"}
    code = f"import sys, synth_engine.export; print(*{heavy} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""
