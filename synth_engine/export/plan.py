"""ExportPlan: which samples a data set holds, and which shard holds which of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from synth_engine.errors import RunError
from synth_engine.recipe import Recipe

ENDINGS = {"png": "", "webdataset": ".tar", "tfrecord": ".tfrecord", "parquet": ".parquet"}
SHARDS_MAX = 100_000  # five digits in a shard's name


@dataclass(frozen=True, kw_only=True)
class ExportPlan:
    """Samples ``start`` … ``start + count - 1`` of (recipe, seed) in ``shards`` contiguous parts of nearly equal size.

    ``format`` is a key of `ENDINGS`. ``boxes`` and ``masks`` say whether each character's box and pixels are stored.
    Raises RunError for a number out of range or an unknown format.
    """

    recipe: Recipe
    seed: int
    start: int
    count: int
    shards: int = 1
    format: str = "png"
    boxes: bool = True
    masks: bool = False

    def __post_init__(self) -> None:
        within("seed", self.seed, 0, 2**64 - 1)
        within("count", self.count, 1, 2**62)
        within("start", self.start, 0, 2**62 - self.count)
        within("shards", self.shards, 1, min(self.count, SHARDS_MAX))
        if self.format not in ENDINGS:
            raise RunError(f"`format` is {self.format!r}; expected one of {', '.join(ENDINGS)}", self.format)

    @property
    def flat(self) -> bool:
        """Whether the pictures lie in the data set's folder itself: PNG files in a single shard."""
        return self.format == "png" and self.shards == 1

    def span(self, shard: int) -> range:
        """Indices of the samples in ``shard``."""
        first, stop = (self.count * k // self.shards for k in (shard, shard + 1))
        return range(self.start + first, self.start + stop)

    def path(self, folder: Path, shard: int) -> Path:
        """The file of ``shard``; for PNG, its folder."""
        return folder if self.flat else folder / f"shard-{shard:05d}{ENDINGS[self.format]}"

    def is_made(self, folder: Path, shard: int) -> bool:
        """Whether ``shard`` is finished. It appears under its name as a whole; a flat folder gets labels.csv last."""
        return (folder / "labels.csv" if self.flat else self.path(folder, shard)).exists()

    def record(self) -> dict[str, str | int | list[int]]:
        """What distinguishes this data set from others, and what its users need to know, as plain values."""
        return {
            "recipe": self.recipe.name,
            "recipe_key": self.recipe.key,
            "seed": self.seed,
            "start": self.start,
            "count": self.count,
            "shards": self.shards,
            "format": self.format,
            "boxes": self.boxes,
            "masks": self.masks,
            "alphabet": self.recipe.alphabet,
            "length": list(self.recipe.length_range),
            "color": self.recipe.color,
            "image_shape": list(self.recipe.image_shape),
        }


def within(name: str, value: int, least: int, most: int) -> None:
    """Raise RunError unless ``least`` ≤ ``value`` ≤ ``most``."""
    if not least <= value <= most:
        raise RunError(f"`{name}` is {value}; expected an integer from {least} to {most}", value)
