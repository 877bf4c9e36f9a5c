"""Data sets on disk: PNG files, WebDataset tar files, TFRecords or Parquet, in shards that any machine can make.

Importing this package loads no format's library; writing a shard does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from synth_engine.errors import RunError
from synth_engine.export.folder import claim
from synth_engine.export.plan import ENDINGS, ExportPlan, within
from synth_engine.export.shards import check_library, make_shard
from synth_engine.export.workers import default_workers, make_shards
from synth_engine.recipe import Recipe
from synth_engine.synthesizer import Synthesizer

__all__ = ["FORMATS", "ExportPlan", "Exported", "export_dataset"]

FORMATS = tuple(ENDINGS)
WORKERS_MAX = 1024


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What an export did: ``images`` written, in ``made`` shards; ``kept`` shards existed before."""

    images: int
    made: int
    kept: int


def export_dataset(
    recipe: Recipe,
    out: str | Path,
    *,
    count: int,
    seed: int = 0,
    start: int = 0,
    format: str = "png",
    shards: int = 1,
    only: Iterable[int] | None = None,
    workers: int | None = 0,
    boxes: bool = True,
    masks: bool = False,
    progress: Callable[[int, int | None], object] | None = None,
) -> Exported:
    """Write samples ``start`` … ``start + count - 1`` of (recipe, seed) into the folder ``out``, in ``shards`` parts.

    Shard k holds the samples from ``start + count·k // shards`` to below ``start + count·(k + 1) // shards``. Its bytes
    depend on the arguments alone: any process makes the same, on any machine with the same versions of the libraries.
    ``only`` names the shards to make (None: all), so that several machines can share the work and the folder. One
    process may make a shard at a time. Finished shards are kept; an unfinished one is made again.

    ``workers`` processes make one shard each at a time; 0 is this process, None is one process a processor. They are
    spawned: a script that asks for them needs its ``if __name__ == "__main__"``. ``progress`` is called
    with the number of images done and of all that this call writes.

    What is written, where L is ``recipe.length_max`` and (H, W) is ``recipe.shape``:

    - ``dataset.toml`` (what the data set is, with a ``format_version``) and ``recipe.toml``;
    - ``png``: a folder ``shard-00000`` a shard, or with one shard ``out`` itself, of ``<index>.png``, ``labels.csv``
      (name,text), ``boxes.csv`` (name,character,x0,y0,x1,y1) and ``masks/<index>.mask.png``;
    - ``webdataset``: ``shard-00000.tar``, a sample's members ``<index>.png``, ``<index>.json`` ({"text", "boxes"}) and
      ``<index>.mask.png``;
    - ``tfrecord``: ``shard-00000.tfrecord``, features index int64, text, image/encoded (PNG), boxes (4·L int64),
      mask/encoded (PNG);
    - ``parquet``: ``shard-00000.parquet``, columns index int64, text string, image binary (PNG), boxes list<int16> of
      4·L, mask binary (PNG).

    Pictures are 8-bit PNG: grey (H, W), where the ink of binary recipes is 255, or RGB. Boxes are the L boxes of
    `Batch`: x0, y0, x1, y1 in px, zeros past the text's end. A mask picture is (L·H, W), 0 or 255: the characters'
    masks one below the other, `Batch.masks[i].reshape(L * H, W)`, since masks may overlap.

    Raises RunError for numbers out of range, for a folder that holds anything else or a data set of an unknown format
    version, and for a shard that fails (``value`` is the shard, the message has the cause). Raises SynthError when the
    format's library is missing, and RecipeError and FontError as `Synthesizer` does.
    """
    recipe = recipe.checked()  # 6 px become 6.0 px, so recipe.toml has the same bytes from every machine
    plan = ExportPlan(
        recipe=recipe, seed=seed, start=start, count=count, shards=shards, format=format, boxes=boxes, masks=masks
    )
    wanted = _wanted(plan, only)
    if workers is not None:
        within("workers", workers, 0, WORKERS_MAX)
    check_library(format)
    synth = Synthesizer(recipe, seed)  # errors come before anything is written; workers find the glyphs in the cache
    folder = Path(out)
    claim(folder, plan)
    missing = [shard for shard in wanted if not plan.is_made(folder, shard)]
    _make(synth, plan, folder, missing, default_workers(len(missing)) if workers is None else workers, progress)
    images = sum(len(plan.span(shard)) for shard in missing)
    return Exported(images=images, made=len(missing), kept=len(wanted) - len(missing))


def _wanted(plan: ExportPlan, only: Iterable[int] | None) -> list[int]:
    wanted = range(plan.shards) if only is None else sorted(set(only))
    for shard in wanted:
        if not 0 <= shard < plan.shards:
            raise RunError(f"shard {shard} was asked for; there are 0 to {plan.shards - 1}", shard)
    return list(wanted)


def _make(
    synth: Synthesizer,
    plan: ExportPlan,
    folder: Path,
    shards: list[int],
    workers: int,
    progress: Callable[[int, int | None], object] | None,
) -> None:
    done, total = 0, sum(len(plan.span(shard)) for shard in shards)

    def tick(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, total)

    if workers and shards:
        make_shards(plan, folder, shards, workers, tick)
    else:
        for shard in shards:
            make_shard(synth, plan, folder, shard, tick)
