"""The engine as a PyTorch `IterableDataset`: the same samples in the same order, whatever the number of workers.

    python examples/torch_iterable.py --workers 2 --batches 50

Worker w of W makes the batches w, w + W, …; a sample is a function of (recipe, seed, index), so workers share nothing
and none repeats another's images. A second pass repeats the first: ask for as many batches as you train on. Needs
PyTorch (the extra `examples`).
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator

import click

from synth_engine import Recipe, Synthesizer

try:
    import torch
    from torch.utils.data import DataLoader, IterableDataset, get_worker_info
except ImportError:
    sys.exit("PyTorch expected, none is installed; pip install 'synth-engine[examples]'")


class SyntheticText(IterableDataset):
    """Batches 0 … ``batches - 1`` as (images uint8 (N, H, W), labels uint8 (N, L)) tensors."""

    def __init__(self, recipe: Recipe, seed: int, *, batch_size: int, batches: int) -> None:
        super().__init__()
        self.synth = Synthesizer(recipe, seed)  # pickled as (recipe, seed) where workers are spawned
        self.batch_size, self.batches = batch_size, batches

    def __len__(self) -> int:
        return self.batches

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        worker = get_worker_info()
        first, step = (worker.id, worker.num_workers) if worker else (0, 1)
        for index in range(first, self.batches, step):
            batch = self.synth.batch(index * self.batch_size, self.batch_size)
            yield torch.from_numpy(batch.images), torch.from_numpy(batch.labels)


@click.command()
@click.option("--recipe", default="hackmit", show_default=True, help="Built-in recipe or a TOML file.")
@click.option("--batches", default=50, show_default=True, type=click.IntRange(1), help="Batches to take.")
@click.option("--batch-size", default=256, show_default=True, type=click.IntRange(1), help="Images a batch.")
@click.option("--workers", default=0, show_default=True, type=click.IntRange(0), help="Worker processes.")
def main(recipe: str, batches: int, batch_size: int, workers: int) -> None:
    dataset = SyntheticText(Recipe.resolve(recipe), 7, batch_size=batch_size, batches=batches)
    checksum = 0
    for images, labels in DataLoader(dataset, batch_size=None, num_workers=workers):
        checksum = zlib.crc32(labels.numpy(), zlib.crc32(images.numpy(), checksum))
    click.echo(f"{batches} batches of {batch_size} images, checksum {checksum:08x} with any number of workers")


if __name__ == "__main__":
    main()
