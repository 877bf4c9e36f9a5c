"""Making one shard, whole or not at all, with the format's own library."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from synth_engine.atomic import staging
from synth_engine.errors import RunError, SynthError
from synth_engine.export.parquet import write_parquet
from synth_engine.export.plan import ExportPlan
from synth_engine.export.png import add_to_folder, write_folder
from synth_engine.export.sample_blocks import SampleBlock, blocks_of
from synth_engine.export.tar import write_tar
from synth_engine.export.tfrecord import write_tfrecord
from synth_engine.synthesizer import Synthesizer

Tick = Callable[[int], object]
WRITERS: dict[str, Callable[[Path, ExportPlan, Iterator[SampleBlock]], None]] = {
    "png": write_folder,
    "webdataset": write_tar,
    "tfrecord": write_tfrecord,
    "parquet": write_parquet,
}
LIBRARIES = {
    "webdataset": ("webdataset", "export"),
    "tfrecord": ("tensorflow", "train"),
    "parquet": ("pyarrow", "export"),
}


def check_library(format: str) -> None:
    """Raise SynthError, with what to install, if the format's library is missing; does not load it."""
    package, extra = LIBRARIES.get(format, (None, None))
    if package and importlib.util.find_spec(package) is None:
        raise SynthError(
            f"format {format} is written by the package {package}, which is not installed: "
            f"pip install 'synth-engine[{extra}]', or choose --format png",
            package,
        )


def make_shard(synth: Synthesizer, plan: ExportPlan, folder: Path, shard: int, tick: Tick) -> None:
    """Write the missing ``shard`` into ``folder``; ``tick`` gets the number of samples done since its last call.

    Raises RunError, whose value is the shard, for whatever goes wrong with a sample or a file.
    """
    blocks = blocks_of(synth, plan, shard, tick)
    try:
        if plan.flat:
            add_to_folder(folder, plan, blocks)
        else:
            _make(plan.path(folder, shard), plan, blocks)
    except (SynthError, OSError) as error:
        raise RunError(
            f"shard {shard} of {plan.shards}: {error}; finished shards are kept, and the same command goes on", shard
        ) from error


def _make(path: Path, plan: ExportPlan, blocks: Iterator[SampleBlock]) -> None:
    with staging(path) as parts:
        made = parts / path.name
        WRITERS[plan.format](made, plan, blocks)
        if made.is_file():
            _flush(made)
        made.replace(path)


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
