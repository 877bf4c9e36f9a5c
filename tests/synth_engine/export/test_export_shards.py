"""Shards are whole or not there, and a stopped export continues to the same bytes."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from synth_engine import Recipe
from synth_engine.errors import RunError, SynthError
from synth_engine.export import FORMATS, export_dataset
from synth_engine.export.sample_blocks import SampleBlock
from tests.synth_engine.export.export_tools import READERS, ROOT, contents

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
