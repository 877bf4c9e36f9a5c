"""Data sets on disk: what each format's own reader finds, and that shards are whole and the same bytes from anybody."""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from synth_engine import Batch, Recipe, Synthesizer
from synth_engine.cli.engine import cli
from synth_engine.errors import RunError, SynthError
from synth_engine.export import FORMATS, ExportPlan, export_dataset
from synth_engine.export.sample_blocks import SampleBlock
from synth_engine.export.workers import interrupts_held
from synth_engine.fast.renderer import BinaryRenderer
from synth_engine.recipe import Filter
from synth_engine.samples import Outputs, Rendered

ROOT = Path(__file__).parents[3]


class Sample(NamedTuple):
    index: int
    text: str
    picture: bytes
    boxes: list[int]
    mask: bytes | None


def read_png(folder: Path) -> Iterator[Sample]:
    for part in sorted(folder.glob("shard-*")) or [folder]:
        boxes = list(csv.DictReader((part / "boxes.csv").open()))
        for row in csv.DictReader((part / "labels.csv").open()):
            name, mask = row["name"], part / "masks" / f"{row['name']}.mask.png"
            own = [int(box[side]) for box in boxes if box["name"] == name for side in ("x0", "y0", "x1", "y1")]
            picture = (part / f"{name}.png").read_bytes()
            yield Sample(int(name), row["text"], picture, own, mask.read_bytes() if mask.exists() else None)


def read_webdataset(folder: Path) -> Iterator[Sample]:
    from webdataset import WebDataset

    for found in WebDataset([str(path) for path in sorted(folder.glob("*.tar"))], shardshuffle=False):
        about = json.loads(found["json"])
        yield Sample(
            int(found["__key__"]),
            about["text"],
            found["png"],
            [side for box in about["boxes"] for side in box],
            found.get("mask.png"),
        )


def read_tfrecord(folder: Path) -> Iterator[Sample]:
    import tensorflow as tf

    for record in tf.data.TFRecordDataset([str(path) for path in sorted(folder.glob("*.tfrecord"))]):
        feature = tf.train.Example.FromString(record.numpy()).features.feature
        mask = feature["mask/encoded"].bytes_list.value
        yield Sample(
            feature["index"].int64_list.value[0],
            feature["text"].bytes_list.value[0].decode(),
            feature["image/encoded"].bytes_list.value[0],
            list(feature["boxes"].int64_list.value),
            mask[0] if mask else None,
        )


def read_parquet(folder: Path) -> Iterator[Sample]:
    from pyarrow import parquet

    for path in sorted(folder.glob("*.parquet")):
        for row in parquet.read_table(path).to_pylist():
            yield Sample(row["index"], row["text"], row["image"], row["boxes"], row.get("mask"))


READERS = {"png": read_png, "webdataset": read_webdataset, "tfrecord": read_tfrecord, "parquet": read_parquet}


def pixels(picture: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(picture)))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file by its path in the folder, hidden ones included."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


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


@pytest.mark.parametrize(("samples", "shards"), [(1, 1), (7, 7), (10, 3), (1001, 16)])
def test_shards_share_the_samples_out(tiny: Recipe, samples: int, shards: int) -> None:
    plan = ExportPlan(recipe=tiny, seed=0, start=5, count=samples, shards=shards)
    spans = [plan.span(shard) for shard in range(shards)]
    assert [index for span in spans for index in span] == list(range(5, 5 + samples))
    assert max(map(len, spans)) - min(map(len, spans)) <= 1


def test_parquet_says_what_it_holds(tmp_path: Path, tiny: Recipe) -> None:
    from pyarrow import parquet

    export_dataset(tiny, tmp_path, count=3, seed=2**63 + 1, format="parquet")
    stored = parquet.read_schema(tmp_path / "shard-00000.parquet").metadata
    assert (stored[b"recipe_key"].decode(), int(stored[b"seed"])) == (tiny.key, 2**63 + 1)
    assert Recipe.load(tmp_path / "recipe.toml") == tiny


KILLED = """
import os, signal, sys
from itertools import count
from synth_engine import Recipe
from synth_engine.export import export_dataset
from synth_engine.export.sample_blocks import SampleBlock
calls, picture = count(), SampleBlock.picture
SampleBlock.picture = lambda block, i: os.kill(os.getpid(), signal.SIGKILL) if next(calls) == 25 else picture(block, i)
recipe, out, format, shards = sys.argv[1:]
export_dataset(Recipe.load(recipe), out, count=40, format=format, shards=int(shards))
"""


@pytest.mark.parametrize(("format", "shards"), [("png", 1), ("png", 3), ("webdataset", 3), ("parquet", 3)])
def test_a_killed_export_goes_on_to_the_same_bytes(tmp_path: Path, tiny: Recipe, format: str, shards: int) -> None:
    tiny.save(tmp_path / "tiny.toml")
    out, whole = tmp_path / "out", tmp_path / "whole"
    command = [sys.executable, "-c", KILLED, str(tmp_path / "tiny.toml"), str(out), format, str(shards)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    assert list(out.glob(".*.part"))
    kept = {path: path.stat().st_mtime_ns for path in out.rglob("[!.]*") if path.is_file() and ".part" not in str(path)}
    done = export_dataset(tiny, out, count=40, format=format, shards=shards)
    export_dataset(tiny, whole, count=40, format=format, shards=shards)
    assert contents(out) == contents(whole)
    assert done.kept == (shards > 1)
    assert len(kept) > 2
    assert all(path.stat().st_mtime_ns == then for path, then in kept.items())


def test_machines_share_a_folder(tmp_path: Path, tiny: Recipe) -> None:
    tiny.save(tmp_path / "tiny.toml")
    common = ["--recipe", str(tmp_path / "tiny.toml"), "--count", "50", "--format", "webdataset", "--shards", "4"]
    base = [sys.executable, "-m", "synth_engine", "export", *common, "--out", str(tmp_path / "out"), "--workers", "0"]
    parts = [subprocess.Popen([*base, *some]) for some in (["--shard", "0:2"], ["--shard", "2", "--shard", "3"])]
    assert [part.wait(timeout=60) for part in parts] == [0, 0]
    export_dataset(tiny, tmp_path / "one", count=50, format="webdataset", shards=4)
    assert contents(tmp_path / "out") == contents(tmp_path / "one")


def test_workers_write_the_same_bytes(tmp_path: Path, tiny: Recipe) -> None:
    for workers in (0, 2):
        done = export_dataset(tiny, tmp_path / str(workers), count=1300, format="webdataset", shards=3, workers=workers)
        assert (done.images, done.made, done.kept) == (1300, 3, 0)
    assert contents(tmp_path / "0") == contents(tmp_path / "2")


def test_a_workers_failure_comes_home_with_its_shard(tmp_path: Path, tiny: Recipe) -> None:
    never = tiny.replace(filter=Filter(gap_px=39, tries_max=20))
    with pytest.raises(RunError, match=r"shard \d of 2: recipe tiny: the filter rejected all 20 candidates") as caught:
        export_dataset(never, tmp_path, count=8, shards=2, workers=2)
    assert caught.value.value in (0, 1)
    assert sorted(contents(tmp_path)) == ["dataset.toml", "recipe.toml"]


@pytest.mark.usefixtures("interruptible")
def test_interrupt_ends_the_workers_and_leaves_whole_shards(tmp_path: Path, tiny: Recipe) -> None:
    tiny.save(tmp_path / "tiny.toml")
    out, plan = tmp_path / "out", ["--count", "4000000", "--shards", "1000", "--format", "webdataset", "--workers", "2"]
    command = ["-m", "synth_engine", "export", "--recipe", str(tmp_path / "tiny.toml"), *plan, "--out", str(out)]
    export = subprocess.Popen([sys.executable, *command], stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not list(out.glob("shard-*")) and export.poll() is None:
        time.sleep(0.05)
    os.killpg(export.pid, signal.SIGINT)  # as a terminal does, to the workers too
    assert export.communicate(timeout=60)[1].split() == ["interrupted"]
    assert export.returncode == 130
    found = contents(out)
    made = [int(name[6:11]) for name in found if name.startswith("shard-")]
    assert len(found) == 2 + len(made)
    export_dataset(tiny, tmp_path / "one", count=4_000_000, shards=1000, format="webdataset", only=made[:1])
    assert contents(tmp_path / "one").items() <= found.items()


def interrupted_start() -> str:
    """What a process started while Ctrl-C is held says of its own signals; by then Ctrl-C has been pressed."""
    code = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"
    signal.raise_signal(signal.SIGINT)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_waits_until_processes_have_started_and_never_reaches_them() -> None:
    blocked = []
    with pytest.raises(KeyboardInterrupt), interrupts_held():
        blocked.append(interrupted_start())
    assert blocked == ["True\n"]


def test_a_lost_worker_is_an_error_that_says_how_to_go_on(tmp_path: Path, tiny: Recipe) -> None:
    def kill_one() -> None:
        while not list(tmp_path.glob("shard-*")):
            time.sleep(0.01)
        multiprocessing.active_children()[0].kill()

    threading.Thread(target=kill_one).start()
    with pytest.raises(RunError, match="a worker was lost without a word"):
        export_dataset(tiny, tmp_path, count=4_000_000, shards=1000, format="webdataset", workers=2)


ORPHANS = """
import multiprocessing, os, pathlib, signal, sys, threading, time
from synth_engine import Recipe
from synth_engine.export import export_dataset

def die(out):
    while not list(out.glob("shard-*")):
        time.sleep(0.02)
    print(*(worker.pid for worker in multiprocessing.active_children()), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

recipe, out = sys.argv[1:]
threading.Thread(target=die, args=[pathlib.Path(out)]).start()
export_dataset(Recipe.load(recipe), out, count=4_000_000, shards=1000, format="webdataset", workers=2)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux which processes run")
def test_workers_end_with_a_killed_parent(tmp_path: Path, tiny: Recipe) -> None:
    tiny.save(tmp_path / "tiny.toml")
    command = [sys.executable, "-c", ORPHANS, str(tmp_path / "tiny.toml"), str(tmp_path / "out")]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    workers = done.stdout.split()
    assert (done.returncode, len(workers)) == (-signal.SIGKILL, 2)
    patience = time.monotonic() + 30
    while any(is_running(worker) for worker in workers):
        assert time.monotonic() < patience
        time.sleep(0.02)


def is_running(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def full_disk(*_: object) -> bytes:
    raise OSError(28, "No space left on device", "x.png")


@pytest.mark.parametrize("format", FORMATS)
def test_a_full_disk_leaves_no_part_of_a_file(
    tmp_path: Path, tiny: Recipe, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, picture = count(), SampleBlock.picture
    failing = lambda block, i: full_disk() if next(calls) == 5 else picture(block, i)  # noqa: E731
    monkeypatch.setattr(SampleBlock, "picture", failing)
    with pytest.raises(RunError, match=r"shard 1 of 3: .*No space left on device") as caught:
        export_dataset(tiny, tmp_path, count=9, format=format, shards=3)
    assert caught.value.value == 1
    assert {path.name.split(".")[0] for path in tmp_path.iterdir()} == {"dataset", "recipe", "shard-00000"}
    assert export_dataset(tiny, tmp_path, count=9, format=format, shards=3).made == 2
    assert len(list(READERS[format](tmp_path))) == 9


SMALL_FILES = """
import resource, sys
from synth_engine import Recipe
from synth_engine.errors import RunError
from synth_engine.export import export_dataset

recipe, format, unlimited, out = sys.argv[1:]
export_dataset(Recipe.load(recipe), unlimited, count=9, format=format)  # what is compiled now is kept on disk
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, resource.RLIM_INFINITY))
try:
    export_dataset(Recipe.load(recipe), out, count=200, format=format)
except RunError as error:
    print(error)
"""


@pytest.mark.parametrize("format", ["webdataset", "tfrecord", "parquet"])
def test_a_library_that_cannot_write_leaves_no_part_of_a_file(tmp_path: Path, tiny: Recipe, format: str) -> None:
    """A library's own writer meets the error; in a process of its own, since the limit holds for a log file too."""
    tiny.save(tmp_path / "tiny.toml")
    command = [sys.executable, "-c", SMALL_FILES, tmp_path / "tiny.toml", format, tmp_path / "first", tmp_path / "out"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.search(r"shard 0 of 1: .*File too large", said)
    assert sorted(contents(tmp_path / "out")) == ["dataset.toml", "recipe.toml"]


@pytest.mark.parametrize(
    ("format", "package", "extra"),
    [("webdataset", "webdataset", "export"), ("tfrecord", "tensorflow", "train"), ("parquet", "pyarrow", "export")],
)
def test_a_missing_library_is_named_with_its_remedy(
    tmp_path: Path, tiny: Recipe, format: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SynthError, match=rf"package {package}.*pip install 'synth-engine\[{extra}\]'"):
        export_dataset(tiny, tmp_path / "out", count=1, format=format)
    assert not (tmp_path / "out").exists()


def test_a_folder_of_anything_else_is_refused_and_kept(tmp_path: Path, tiny: Recipe) -> None:
    (tmp_path / "precious.txt").write_text("kept")
    with pytest.raises(RunError, match=r"not empty and holds no dataset\.toml"):
        export_dataset(tiny, tmp_path, count=4)
    assert contents(tmp_path) == {"precious.txt": b"kept"}
    export_dataset(tiny, tmp_path / "data", count=4, seed=3)
    with pytest.raises(RunError, match=r"another data set \(seed 3, not 4; shards 1, not 2\)"):
        export_dataset(tiny, tmp_path / "data", count=4, seed=4, shards=2)
    record = (tmp_path / "data" / "dataset.toml").read_text()
    (tmp_path / "data" / "dataset.toml").write_text(record.replace("format_version = 1", "format_version = 2"))
    with pytest.raises(RunError, match=r"has format version 2; expected 1: go on with the synth-engine that wrote it"):
        export_dataset(tiny, tmp_path / "data", count=4, seed=3)
    (tmp_path / "data" / "dataset.toml").write_text(record.replace("format_version = 1\n", ""))
    assert export_dataset(tiny, tmp_path / "data", count=4, seed=3).kept == 1
    (tmp_path / "data" / "dataset.toml").write_text("seed = ")
    with pytest.raises(RunError, match="is damaged"):
        export_dataset(tiny, tmp_path / "data", count=4, seed=3)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"shards": 5}, "`shards` is 5; expected an integer from 1 to 4"),
        ({"count": 0}, "`count` is 0"),
        ({"start": -1}, "`start` is -1"),
        ({"workers": -1}, "`workers` is -1"),
        ({"format": "zip"}, "`format` is 'zip'; expected one of png, webdataset, tfrecord, parquet"),
        ({"shards": 2, "only": [2]}, "shard 2 was asked for; there are 0 to 1"),
    ],
)
def test_numbers_out_of_range_are_refused_before_anything_is_written(
    tmp_path: Path, tiny: Recipe, wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(RunError, match=message):
        export_dataset(tiny, tmp_path / "out", **{"count": 4, **wrong})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("given", "made"), [(["--shard", "1:1"], 0), (["--shard", "1"], 1), (["--shard", "0:2"], 2)])
def test_shards_are_chosen_on_the_command_line(tmp_path: Path, tiny: Recipe, given: list[str], made: int) -> None:
    tiny.save(tmp_path / "tiny.toml")
    plan = ["export", "--recipe", str(tmp_path / "tiny.toml"), "--count", "6", "--shards", "3", "--workers", "0"]
    result = CliRunner().invoke(cli, [*plan, *given, "--out", str(tmp_path / "out")], catch_exceptions=False)
    assert f"{2 * made} images written, shards: {made} made, 0 kept" in result.output
    assert len(list((tmp_path / "out").glob("shard-*"))) == made


def test_importing_the_export_loads_no_format() -> None:
    heavy = {"tensorflow", "webdataset", "pyarrow", "cv2"}
    code = f"import sys, synth_engine.export; print(*{heavy} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""
